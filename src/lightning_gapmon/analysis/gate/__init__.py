"""Whether runs pass: named checks, each with what came of it."""
