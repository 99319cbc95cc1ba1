"""`trainer_state.json` of Hugging Face: the log, and from it how often was evaluated."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lightning_gapmon.analysis.history.from_columns import Pair
from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.analysis.study import Run
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.places import Place, read_whole
from lightning_gapmon.logs.readers.curves import paired
from lightning_gapmon.logs.readers.json_text import count, need, parse
from lightning_gapmon.logs.readers.table import Table, number

NAME = "trainer_state.json"
TRAIN, RATE, EVALUATED, ALONE = "loss", "learning_rate", "eval_", "eval_loss"
CLOSE = 0.02  # of the epochs: batches that were left out at their ends, and rounding
FEW = 2  # evaluations that cannot show that only the first was put off


def read(place: Place) -> list[Run]:
    """Read the run: once for each set that it was evaluated on, under the set's name.

    Raises:
        LogFormatError: It is no such file, or nothing was evaluated.
    """
    state = need(parse(read_whole(place)), dict, "the file")
    rows = [
        need(row, dict, "a row") for row in need(state.get("log_history"), list, "log_history")
    ]
    table = Table()
    for row in rows:
        table.add(row)
    training = [*table.trainings()][-1]
    vals = _evaluated(training.columns)
    if not vals:
        msg = "no eval_loss: nothing was evaluated while it trained"
        raise LogFormatError(msg)
    train = TRAIN if TRAIN in training.columns else None
    return [
        paired(
            place.path if len(vals) == 1 else f"{place.path} ({val})",
            training.columns,
            Pair(val, train, RATE if RATE in training.columns else None),
            planned=_plan(state, training.columns[val], training.columns.get("epoch")),
        )
        for val in vals
    ]


def _evaluated(columns: Iterable[str]) -> list[str]:
    names = [name for name in columns if name.startswith(EVALUATED) and name.endswith("_loss")]
    return [ALONE] if ALONE in names else names


def _plan(state: Mapping[str, Any], val: Series, epochs: Series | None) -> int | None:
    """Count the evaluations that were intended, from those that took place.

    `eval_steps` is in the file whether or not it was used; so it counts where the evaluations
    came every so many steps, and otherwise the epochs do where they came at each one's end.
    """
    every, most = count(state, "eval_steps"), count(state, "max_steps")
    steps = [point.step for point in val]
    if every and most and _every(steps, every):
        return most // every
    planned = number(state.get("num_train_epochs"))
    ends = [epoch.value for epoch in epochs or () if epoch.step in {*steps}]
    if planned and math.isfinite(planned) and _every_epoch(ends):
        return max(math.ceil(planned), len(val))
    return None


def _every(steps: Sequence[int], every: int) -> bool:
    """Whether there is an evaluation every so many steps, the first perhaps later.

    One more may end the run.
    """
    regular = steps if steps[-1] % every == 0 else steps[:-1]
    gaps = [after - before for before, after in pairwise([0, *regular])]
    if len(gaps) > FEW and gaps[0] % every == 0:
        gaps = gaps[1:]
    return bool(gaps) and {*gaps} == {every}


def _every_epoch(ends: Sequence[float]) -> bool:
    return bool(ends) and all(abs(end - n) <= CLOSE * n for n, end in enumerate(ends, 1))
