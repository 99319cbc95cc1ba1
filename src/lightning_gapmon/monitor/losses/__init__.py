"""Where the losses of a step come from."""
