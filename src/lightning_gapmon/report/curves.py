"""The two losses of a run, placed on a grid of dots."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.report.dots import Dots, Point
from lightning_gapmon.report.scale import Scale

TRAIN, VAL = 0, 1
READ: tuple[Callable[[Observation], float], ...] = (
    lambda seen: seen.train_fair,
    lambda seen: seen.val,
)
# Train is dotted and val drawn through, so that they are told apart without colour.
EVERY = (2, 1)


def names(history: History) -> tuple[str, str]:
    """Name the two losses: `train_fair` is not `train` where there is a fairer one.

    Example:
        >>> names(History.from_curves(train=[1.0], val=[2.0]))
        ('train', 'val')
    """
    online = all(seen.basis == "online" for seen in history)
    return ("train" if online else "train_fair"), "val"


def finite(history: History, curve: int) -> list[float]:
    """Give the losses of a curve that can be drawn."""
    return [loss for loss in map(READ[curve], history) if math.isfinite(loss)]


def measured(history: History, curve: int) -> bool:
    """Tell whether a curve was measured at all, be it as something that is no number."""
    sizes = (history.train_n, history.val_n)[curve]
    return any(not math.isnan(loss) for loss in map(READ[curve], history)) or any(
        size > 0 for size in sizes
    )


@dataclass(frozen=True)
class Curves:
    """Where each loss of a run lies on a grid.

    A column of dots that holds several checks shows the mean of the finite losses among them; a
    curve has a hole where there is none.

    Attributes:
        history: The checks, at least one.
        scale: The vertical axis.
        dots: The grid; it is drawn on.
    """

    history: History
    scale: Scale
    dots: Dots

    def draw(self) -> None:
        """Draw each curve, the later ones on top."""
        for curve, every in enumerate(EVERY):
            for stretch in self._stretches(curve):
                self.dots.line(stretch, curve=curve, every=1 if self.dots.letters else every)

    def point(self, check: int, loss: float) -> Point:
        """Give the dot of a finite loss at a check."""
        return self.column(check), self.line(loss)

    def column(self, check: int) -> int:
        """Give the column of dots of a check."""
        first, last = self.history[0].check, self.history[-1].check
        return round((check - first) * (self.dots.width - 1) / max(1, last - first))

    def line(self, loss: float) -> int:
        """Give the line of dots of a finite loss, from the top."""
        return round((1 - self.scale.height(loss)) * (self.dots.height - 1))

    def _stretches(self, curve: int) -> list[list[Point]]:
        """List the runs of columns without a hole."""
        columns = groupby(self.history, key=lambda seen: self.column(seen.check))
        means = [(x, _mean([READ[curve](seen) for seen in group])) for x, group in columns]
        runs = groupby(means, key=lambda mean: math.isfinite(mean[1]))
        return [[(x, self.line(loss)) for x, loss in run] for drawn, run in runs if drawn]


def _mean(losses: list[float]) -> float:
    kept = [loss for loss in losses if math.isfinite(loss)]
    if not kept:
        return math.nan
    # Divided first: a sum of losses may be more than a float holds. Bounded, for rounding.
    mean = sum(loss / len(kept) for loss in kept)
    return min(max(mean, min(kept)), max(kept))
