"""Reading one process's portion of several data, apart from training, as far as the time goes."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import zip_longest
from typing import NamedTuple

from lightning_gapmon.collect.apart import Served, answers, is_plain, opened
from lightning_gapmon.collect.overlap.digest import (
    Indexed,
    Key,
    fingerprints,
    inputs,
    is_indexed,
)
from lightning_gapmon.collect.overlap.partition import About, Portion, evenly

READ_TWICE = 4  # samples that tell whether data are the same at each reading, and by each process

Report = Callable[[int, int], object]


class Read(NamedTuple):
    """What one process has read.

    Attributes:
        digests: For each side the digests of its portion side by side, as far as the time went.
        seconds: Time spent.
    """

    digests: list[bytes]
    seconds: float


class Reader:
    """Reads one process's portion of each side.

    Args:
        sides: Gives the training data, and after them all validation data.
        key: What of a sample is compared.
    """

    def __init__(self, sides: Callable[[], Sequence[Served]], key: Key) -> None:
        self._give, self._sides = sides, list[Served]()
        self._key = key

    def introduce(self, most: int) -> list[About]:
        """Look twice at a few samples of each side, if any two of them can be compared."""
        self._sides = list(self._give())
        train, *vals = (is_indexed(side.data) for side in self._sides)
        if train and any(vals):
            return [self._about(side, min(most, READ_TWICE)) for side in self._sides]
        return [About(stream=not is_indexed(side.data)) for side in self._sides]

    def read(
        self, portions: Sequence[Portion], *, seconds: float, progress: bool | Report
    ) -> Read:
        """Read portions of all sides in turn: there is something to compare when the time is out.

        Args:
            portions: This process's portion of each side.
            seconds: Time to spend, at most; a chunk that is begun is read.
            progress: Whether to show a progress bar, or a function that is told.
        """
        start = time.monotonic()
        total, digests = sum(map(len, portions)), [list[bytes]() for _ in portions]
        chunks = [
            self._prints(side, portion.own_chunks)
            for side, portion in zip(self._sides, portions, strict=True)
        ]
        with _reporting(progress) as report:
            for turn in zip_longest(*chunks, fillvalue=()):
                for found, prints in zip(digests, turn, strict=True):
                    found.extend(prints)
                    report(sum(map(len, digests)), total)
                if time.monotonic() - start > seconds:
                    break
        return Read([b"".join(found) for found in digests], time.monotonic() - start)

    def _about(self, side: Served, few: int) -> About:
        if not is_indexed(side.data):
            return About(stream=True)
        size = len(side.data)
        indices = evenly(size, few)
        first, again = self._prints(side, [indices, indices])
        return About(size=size, firsts=b"".join(first), steady=first == again)

    def _prints(self, side: Served, chunks: Sequence[Sequence[int]]) -> Iterator[list[bytes]]:
        """Give the digests of each chunk; of plain data they are made here."""
        read = partial(_digests, key=self._key)
        if not any(map(len, chunks)):
            return iter([[] for _ in chunks])
        if is_plain(side.data) and self._key is inputs:
            return (read(side.data, chunk) for chunk in chunks)
        return (opened(answer) for answer in answers(side, read, chunks))


def _digests(data: Indexed, indices: Sequence[int], *, key: Key) -> list[bytes]:
    return fingerprints(data, indices, key=key)


def _reporting(progress: bool | Report) -> AbstractContextManager[Report]:  # noqa: FBT001
    if progress is True:
        return _bar()
    return nullcontext(progress or (lambda _done, _total: None))


@contextmanager
def _bar() -> Iterator[Report]:
    from tqdm.auto import tqdm  # noqa: PLC0415 - Lightning's own, and slow to import

    what = "Comparing training and validation samples"
    with tqdm(desc=what, unit=" samples", file=sys.stdout) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report
