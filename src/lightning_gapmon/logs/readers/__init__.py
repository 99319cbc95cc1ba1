"""One module for each format: the runs in one log, or the reason why there are none."""
