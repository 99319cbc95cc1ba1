"""The checks of a run, and how columns of numbers become checks."""
