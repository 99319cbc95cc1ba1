"""Which samples are on both sides of a split."""
