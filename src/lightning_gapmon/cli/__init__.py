"""The command line; it loads neither torch nor Lightning."""

from lightning_gapmon.cli.gapmon import main

__all__ = ["main"]
