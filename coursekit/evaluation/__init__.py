"""How good is the answer?"""
