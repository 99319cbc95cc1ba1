"""Budget for scripts that call `policy(train, val)`, or `policy(train, val, n)` with a plan.

A factory makes one policy for each curve; after each check it is called with the losses so far and
returns True to stop. A factory with the attribute `horizon` is told the planned length.
"""

from collections.abc import Sequence

from lightning_gapmon import Budget, History, Observation, Rule


class _Policy:
    horizon = False
    rule: Rule = Budget()

    def __init__(self) -> None:
        self.history = History()

    def __call__(
        self, train: Sequence[float], val: Sequence[float], planned: int | None = None
    ) -> bool:
        """Add the last check and ask the rule."""
        check = len(val)
        self.history.planned = planned
        self.history.append(
            Observation(check=check, epoch=check - 1, step=check, train=train[-1], val=val[-1])
        )
        return self.rule(self.history) is not None


class CarefulUnplanned(_Policy):
    """The default without a plan."""


class EagerUnplanned(_Policy):
    """The eager setting without a plan."""

    rule = Budget.eager()


class Careful(CarefulUnplanned):
    """The default."""

    horizon = True


class Eager(EagerUnplanned):
    """The eager setting."""

    horizon = True
