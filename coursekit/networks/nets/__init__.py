"""The networks that the course trained itself, one file each."""
