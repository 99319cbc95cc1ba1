"""The command line, run in this process."""

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

from lightning_gapmon.cli import main


class Ran(NamedTuple):
    """What a command left: its exit code, and what it printed."""

    code: int
    out: str
    err: str


def gapmon(*words: object, width: int = 140) -> Ran:
    """Run `gapmon` with some words, on a terminal of some width."""
    out, err = _stream(), _stream()
    os.environ["COLUMNS"] = str(width)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main([*map(str, words)])
    except SystemExit as end:
        code = end.code
    assert isinstance(code, int)
    return Ran(code, _text(out), _text(err))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
