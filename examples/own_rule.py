"""A stopping rule of one's own, held to what every rule keeps to, then used.

python examples/own_rule.py
"""

from dataclasses import dataclass

from lightning_gapmon import History, Rule, StopReason, register_rule, replay
from lightning_gapmon.testing import check_rule


@register_rule
@dataclass(frozen=True)
class WideGap(Rule):
    """Stop once the gap has been wider than a limit for some checks in a row.

    Args:
        limit: Largest gap, in units of the loss.
        checks: How many in a row.
    """

    limit: float
    checks: int = 3

    def __call__(self, history: History) -> StopReason | None:
        """Look at the last checks; a gap that is not known is not wide."""
        last = [seen.measured_gap.absolute for seen in history[-self.checks :]]
        if len(last) < self.checks or not all(gap > self.limit for gap in last):
            return None
        return StopReason(
            rule=repr(self),
            message=f"gap wider than {self.limit} at {self.checks} checks in a row",
            check=history[-1].check,
            evidence={"gap": last[-1]},
        )


def main() -> None:
    """Check the rule, and ask it of curves that are there already."""
    rule = WideGap(0.5)
    check_rule(rule)
    history = History.from_curves(
        train=[2.0, 1.5, 1.0, 0.6, 0.3, 0.2, 0.1], val=[2.1, 1.7, 1.4, 1.3, 1.3, 1.4, 1.5]
    )
    print(replay(rule, history))


if __name__ == "__main__":
    main()
