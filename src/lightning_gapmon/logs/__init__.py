"""What trainers wrote, read back without torch.

Names are resolved on first use (PEP 562): the readers' numpy and protos are loaded when one reads.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_gapmon.logs.event_files.reader import (
        Problem,
        ScalarReader,
        Scalars,
        read_scalars,
    )
    from lightning_gapmon.logs.formats import Found, Skipped, find_runs

_HOMES = {
    "Found": "formats",
    "Problem": "event_files.reader",
    "ScalarReader": "event_files.reader",
    "Scalars": "event_files.reader",
    "Skipped": "formats",
    "find_runs": "formats",
    "read_scalars": "event_files.reader",
}

__all__ = [
    "Found",
    "Problem",
    "ScalarReader",
    "Scalars",
    "Skipped",
    "find_runs",
    "read_scalars",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
