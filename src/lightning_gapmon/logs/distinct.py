"""One run for each curve: a run may have been logged in several places, and part by part."""

from collections.abc import Iterable
from itertools import pairwise

from lightning_gapmon.analysis.study import Run

DIGITS = 5  # TensorBoard keeps single precision, and a run's name does not tell


def distinct(runs: Iterable[Run]) -> list[Run]:
    """Leave out runs whose validation losses are those of another one, digit by digit.

    Of equal runs the first stays. A run that is the beginning of another is left out, as the logs
    in the checkpoints of one training are.

    Example:
        >>> from lightning_gapmon import History
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.5, 1.5])
        >>> runs = [Run(name="beginning", history=history[:1])]
        >>> runs += [Run(name=name, history=history) for name in ("a", "b")]
        >>> [run.name for run in distinct(runs)]
        ['a']
    """
    first: dict[tuple[str, ...], Run] = {}
    for run in runs:
        first.setdefault(tuple(f"{loss:.{DIGITS}g}" for loss in run.history.val), run)
    # In order, whatever begins with a curve follows it at once.
    parts = {
        part for part, whole in pairwise(sorted(first)) if part and part == whole[: len(part)]
    }
    return [run for curve, run in first.items() if curve not in parts]
