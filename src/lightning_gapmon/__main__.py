"""`python -m lightning_gapmon` is the command `gapmon`."""

from lightning_gapmon.cli import main

main()
