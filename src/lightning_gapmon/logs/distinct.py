"""One run for each curve: a run may have been logged in several places."""

from collections.abc import Iterable

from lightning_gapmon.analysis.study import Run

DIGITS = 5  # TensorBoard keeps single precision, and a run's name does not tell


def distinct(runs: Iterable[Run]) -> list[Run]:
    """Leave out runs whose validation losses are those of an earlier one, digit by digit.

    Example:
        >>> from lightning_gapmon import History
        >>> history = History.from_curves(train=[2.0, 1.0], val=[2.5, 1.5])
        >>> [run.name for run in distinct([Run(name=n, history=history) for n in "ab"])]
        ['a']
    """
    first: dict[tuple[str, ...], Run] = {}
    for run in runs:
        first.setdefault(tuple(f"{loss:.{DIGITS}g}" for loss in run.history.val), run)
    return list(first.values())
