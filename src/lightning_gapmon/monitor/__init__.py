"""Lightning: hooks that read, ask the layers below, and act."""
