"""What a fit says and leaves behind."""
