"""What can be said of a run: one module a family of verdicts, each with its evidence."""
