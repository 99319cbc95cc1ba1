"""Which checks of a run are as good as its best within noise, and whose weights are kept."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from lightning_gapmon.analysis.compare.noise import noise_of
from lightning_gapmon.analysis.compare.student import student_quantile
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation

CHANCE = 0.95
_NUMBERED = {
    "step": re.compile(r"(?:^|[^a-z])(?:global_?)?step[=_-]?(\d{1,18})|^checkpoint-(\d{1,18})$"),
    "epoch": re.compile(r"(?:^|[^a-z])epoch[=_-]?(\d{1,18})"),
}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A check whose loss noise alone could have put above the best.

    Attributes:
        seen: The check.
        paths: Its checkpoints that exist.
    """

    seen: Observation
    paths: tuple[str, ...] = ()


def as_good_as_best(history: History, paths: Iterable[str] = ()) -> list[Candidate]:
    """List the checks that are as good as the best within noise, oldest first.

    A check is as good where its validation loss is above the lowest by less than noise puts
    between two checks that are equal, 95 times in 100. Both are taken to validate on the same
    samples.

    Args:
        history: The run.
        paths: Checkpoints that exist; the step or the epoch in a name tells whose it is.

    Returns:
        At least the best, where a loss is finite; only the best, where noise is not known.

    Example:
        >>> val = [3.0, 2.0, 1.02, 1.0, 1.03, 1.01, 1.5, 2.0]
        >>> run = History.from_curves(train=val, val=val)
        >>> [found.seen.check for found in as_good_as_best(run, ["epoch=3-step=4.ckpt"])]
        [3, 4, 5, 6]
    """
    best = history.best
    if best is None:
        return []
    noise = noise_of(history)
    reach = 0.0
    if math.isfinite(noise.sigma):
        reach = student_quantile(CHANCE, noise.degrees) * math.sqrt(2) * noise.sigma
    known = [*paths]
    return [
        Candidate(seen=seen, paths=tuple(path for path in known if _is_of(path, seen, history)))
        for seen in history
        if math.isfinite(seen.val) and seen.val <= best.val + reach
    ]


def _is_of(path: str, seen: Observation, history: History) -> bool:
    """Tell whether a checkpoint's name says this check.

    Loggers count a step from 0 or from 1; the epoch decides where it is in the name, too.
    """
    step, epoch = (_number(path, kind) for kind in _NUMBERED)
    if epoch is not None and seen.epoch != epoch:
        return False
    if step is not None:
        return step - seen.step in {0, 1} and _closest(history, step) == seen.step
    return epoch is not None and history.epoch.count(epoch) == 1


def _closest(history: History, step: int) -> int | None:
    steps = {*history.step}
    return next((number for number in (step, step - 1) if number in steps), None)


def _number(path: str, kind: str) -> int | None:
    """Read a number out of a file's name, or of its folder's."""
    whole = PurePath(path)
    for part in (whole.stem, whole.name, whole.parent.name):
        if found := _NUMBERED[kind].search(part):
            return int(next(filter(None, found.groups())))
    return None
