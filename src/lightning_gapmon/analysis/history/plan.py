"""A history as if another plan had been told at all of its checks."""

import dataclasses
import math

from lightning_gapmon.analysis.history.history import History


def with_plan(history: History, planned: int | None) -> History:
    """Give a copy that knows this plan, or none, at all of its checks.

    A plan may change while a run goes on, so each check holds its own: a prefix, a resumed run
    and a replay ask with the plan of that check. To ask what another plan would have led to,
    these have to go.

    Example:
        >>> from lightning_gapmon import Observation
        >>> run = [Observation(check=i, epoch=0, step=i, planned=n) for i, n in ((1, 8), (2, 9))]
        >>> History(run).planned, History(run)[:1].planned
        (9, 8)
        >>> with_plan(History(run), 20)[:1].planned, with_plan(History(run), None).planned
        (20, None)
    """
    bare = (dataclasses.replace(seen, planned=math.nan) for seen in history)
    return History(bare, planned=planned)
