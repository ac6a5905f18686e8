"""What is one channel for?"""
