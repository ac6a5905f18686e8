"""Which lab?"""
