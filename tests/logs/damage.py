"""Logs with bits flipped, pieces cut out or doubled; and what a reader may say of them."""

import re
from pathlib import Path

from hypothesis import strategies as st
from tests.logs.corpus import corpus

from lightning_gapmon.logs.formats import Found, find_runs

WHOLE = corpus()
# What the fence says of an error that no reader has foreseen.
UNFORESEEN = re.compile(r"cannot be read \(\w+(Error|Exception|Warning)")


@st.composite
def damages(draw: st.DrawFn) -> tuple[str, bytes]:
    """Damage a log: bits flipped, a piece cut out, written twice, or replaced."""
    name = draw(st.sampled_from(sorted(WHOLE)))
    data = bytearray(WHOLE[name])
    for _ in range(draw(st.integers(1, 4))):
        at, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        kind = draw(st.sampled_from(["flip", "cut", "double", "replace"]))
        if kind == "flip" and at < len(data):
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "cut":
            del data[at:end]
        elif kind == "double":
            data[at:at] = data[at:end]
        elif kind == "replace":
            data[at : at + 8] = draw(st.binary(max_size=8))
    return name, bytes(data)


def read_fenced(path: Path, data: bytes) -> Found:
    """Read these bytes as a log: into runs, or with a reason that its reader has foreseen."""
    path.write_bytes(data)
    found = find_runs([path])

    assert not [skipped for skipped in found.skipped if UNFORESEEN.search(skipped.reason)]
    assert found.runs or found.skipped
    return found
