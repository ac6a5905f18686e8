"""What is alike, and which direction matters?"""
