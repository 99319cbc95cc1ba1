"""From what all ranks recorded to one check."""
