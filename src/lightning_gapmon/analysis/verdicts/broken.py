"""A loss that is no number."""

import math

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.analysis.verdicts.remedies import against_non_finite


def non_finite(history: History) -> Diagnosis | None:
    """The loss of the last check is NaN or infinite; one that was not measured is neither."""
    start: tuple[int | None, bool] = (None, False)
    since, _ = history.scan(_follow, start)
    if since is None:
        return None
    val, train = history[-1].val, history[-1].train
    fine = math.isfinite(val) or history[-1].val_n == 0
    name, loss = ("train", train) if fine else ("validation", val)
    return Diagnosis(
        verdict="non_finite",
        severity="error",
        message=f"{name} loss is {loss} since check {since}",
        evidence={"val_now": val, "train_now": train},
        since=since,
        remedies=against_non_finite(),
    )


def _follow(before: tuple[int | None, bool], history: History) -> tuple[int | None, bool]:
    """Keep the check where losses stopped being numbers, and whether train is measured at all."""
    (since, measured), seen = before, history[-1]
    measured = measured or math.isfinite(seen.train)
    unheard = seen.train_n == 0  # a window in which nothing was heard is not measured
    lost = math.isinf(seen.train) or (math.isnan(seen.train) and measured and not unheard)
    if (math.isfinite(seen.val) or seen.val_n == 0) and not lost:
        return None, measured
    return since or seen.check, measured
