"""Runs with their verdicts, as a gate takes them."""

import math
from collections.abc import Sequence

from tests import curves

from lightning_gapmon.analysis.gate.result import Judged
from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnose import diagnose


def judged(
    val: Sequence[float], train: Sequence[float] = (), *, name: str = "run", group: str = ""
) -> Judged:
    """Judge bare curves; a train loss that is not given was not measured."""
    known = train or [math.nan] * len(val)
    history = History.from_curves(train=known, val=val)
    return Judged(name=name, history=history, diagnosis=diagnose(history), group=group)


def drawn(shape: curves.Shape, *, name: str = "run", checks: int = 40, seed: int = 0) -> Judged:
    """Judge a run of a known kind."""
    train, val = curves.draw(shape, checks=checks, noise=0.01, seed=seed)
    return judged(val, train, name=name)


HEALTHY = drawn(curves.good, name="healthy")
OVERFIT = drawn(curves.u_shape, name="overfit")
SHORT = judged([1.0, 0.9], [1.0, 0.8], name="short")
BROKEN = judged([1.0, 0.9, math.nan], [1.0, 0.9, math.nan], name="broken")
