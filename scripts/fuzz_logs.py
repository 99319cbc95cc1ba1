"""Damage logs until a reader fails, guided by what its code does: a long run by atheris.

    pip install atheris
    PYTHONPATH=.:src python scripts/fuzz_logs.py -max_total_time=3600

Options are libFuzzer's. It begins with the corpus of the tests, and ends with the bytes that broke
a reader: an error that no reader had foreseen, more than five seconds, or more than a gigabyte.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lightning_gapmon"]):
    from lightning_gapmon.logs.formats import find_runs

from tests.logs.damage import UNFORESEEN, WHOLE

LIMITS = ["-timeout=5", "-rss_limit_mb=1024", "-max_len=4096"]
NAMES = sorted(WHOLE)


def try_one(data: bytes) -> None:
    """Read what the fuzzer made: its first byte chooses the format."""
    if not data:
        return
    path = FOLDER / NAMES[data[0] % len(NAMES)]
    path.write_bytes(data[1:])
    found = find_runs([path])
    broken = [skipped for skipped in found.skipped if UNFORESEEN.search(skipped.reason)]
    if broken:
        raise RuntimeError(str(broken[0]))


def main() -> None:
    """Fuzz."""
    seeds = FOLDER / "seeds"
    seeds.mkdir()
    for number, name in enumerate(NAMES):
        (seeds / name).write_bytes(bytes([number]) + WHOLE[name])
    atheris.Setup([sys.argv[0], *LIMITS, *sys.argv[1:], str(seeds)], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        main()
