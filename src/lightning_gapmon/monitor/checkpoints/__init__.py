"""The best check on disk and in memory."""
