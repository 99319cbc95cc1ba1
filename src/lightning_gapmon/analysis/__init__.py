"""What the numbers mean: pure functions of the history, standard library only."""
