"""How do we look inside?"""
