"""Whether one set of runs is better than another, beyond noise."""
