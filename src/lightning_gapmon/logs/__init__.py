"""What trainers wrote, read back without torch."""
