"""Reading one process's share of several datasets, as far as the time goes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import zip_longest
from typing import Any, NamedTuple

from lightning_gapmon.collect.overlap.digest import Indexed, Key, fingerprints, is_indexed
from lightning_gapmon.collect.overlap.partition import About, Share, spread

READ_TWICE = 4  # samples that tell whether data are the same at each reading, and by each process

Report = Callable[[int, int], object]


class Read(NamedTuple):
    """What one process has read.

    Attributes:
        digests: For each side the digests of its share side by side, as far as the time went.
        seconds: Time spent.
    """

    digests: list[bytes]
    seconds: float


class Reader:
    """Reads one process's share of each side.

    Args:
        sides: Gives the training data, and after them all validation data.
        key: What of a sample is compared.
    """

    def __init__(self, sides: Callable[[], Sequence[Any]], key: Key) -> None:
        self._give, self._sides = sides, list[Any]()
        self._key = key

    def introduce(self, most: int) -> list[About]:
        """Look twice at a few samples of each side, if any two of them can be compared."""
        self._sides = list(self._give())
        train, *vals = map(is_indexed, self._sides)
        if train and any(vals):
            return [self._about(side, min(most, READ_TWICE)) for side in self._sides]
        return [About(stream=not is_indexed(side)) for side in self._sides]

    def read(self, shares: Sequence[Share], *, seconds: float, progress: bool | Report) -> Read:
        """Read shares of all sides in turn: there is something to compare when the time is out.

        Args:
            shares: This process's share of each side.
            seconds: Time to spend, at most; a chunk that is begun is read.
            progress: Whether to show a progress bar, or a function that is told.
        """
        start = time.monotonic()
        total, digests = sum(map(len, shares)), [list[bytes]() for _ in shares]
        with _reporting(progress) as report:
            for turn in zip_longest(*(share.chunks for share in shares), fillvalue=()):
                for number, chunk in enumerate(turn):
                    own = [index - shares[number].offset for index in chunk]
                    digests[number] += self._prints(self._sides[number], own)
                    report(sum(map(len, digests)), total)
                if time.monotonic() - start > seconds:
                    break
        return Read([b"".join(found) for found in digests], time.monotonic() - start)

    def _about(self, side: object, few: int) -> About:
        if not is_indexed(side):
            return About(stream=True)
        first, again = (self._prints(side, spread(len(side), few)) for _ in range(2))
        return About(size=len(side), firsts=b"".join(first), steady=first == again)

    def _prints(self, side: Indexed, indices: Sequence[int]) -> list[bytes]:
        return fingerprints(side, indices, key=self._key) if indices else []


def _reporting(progress: bool | Report) -> AbstractContextManager[Report]:  # noqa: FBT001
    if progress is True:
        return _bar()
    return nullcontext(progress or (lambda _done, _total: None))


@contextmanager
def _bar() -> Iterator[Report]:
    from rich.progress import Progress  # noqa: PLC0415 - a quarter of a second to import

    with Progress() as bar:
        task = bar.add_task("Comparing training and validation samples", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
