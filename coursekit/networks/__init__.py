"""What is looked into?"""
