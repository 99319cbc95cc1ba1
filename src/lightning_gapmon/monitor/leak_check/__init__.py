"""Validation samples that are in training too, looked for before the first step."""
