"""What can the reader move?"""
