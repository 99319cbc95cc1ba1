"""Training batches read again in eval mode."""
