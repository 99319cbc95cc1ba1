"""When to stop: rules are pure functions of the history, one module a family."""
