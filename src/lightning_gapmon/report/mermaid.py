"""Both losses of a run as a mermaid chart, which GitHub draws in a job summary."""

import math
from collections.abc import Sequence
from itertools import pairwise

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.report import glyphs, safe

MOST = 60  # points of a line
ROOM = 0.05  # of the range, above and below the curves


def chart(history: History, *, title: str = "") -> str:
    r"""Write a chart of the losses; "" where there are fewer than two checks to draw.

    A long run is drawn by the means of equal stretches. Train is left out where a stretch has no
    finite train loss: mermaid draws no hole in a line.

    Example:
        >>> text = chart(History.from_curves(train=[2, 1, 0], val=[2, 1.5, 1]), title="run")
        >>> print(text.partition("\n")[2])
        xychart-beta
            title "run"
            x-axis "check" 1 --> 3
            y-axis "loss" 0 --> 2.1
            line [2, 1, 0]
            line [2, 1.5, 1]
    """
    drawn = [seen for seen in history if math.isfinite(seen.val)]
    if len(drawn) < 2:  # noqa: PLR2004
        return ""
    size = min(MOST, len(drawn))
    ends = [round(part * len(drawn) / size) for part in range(size + 1)]
    parts = [drawn[start:end] for start, end in pairwise(ends)]
    train = [_mean([seen.train_fair for seen in part]) for part in parts]
    lines = {glyphs.VAL: [_mean([seen.val for seen in part]) for part in parts]}
    if all(map(math.isfinite, train)):
        lines = {glyphs.TRAIN: train, **lines}
    low, high = _span([value for line in lines.values() for value in line])
    palette = f'{{"xyChart": {{"plotColorPalette": "{", ".join(lines)}"}}}}'
    return "\n".join(
        [
            f'%%{{init: {{"themeVariables": {palette}}}}}%%',
            "xychart-beta",
            *([f'    title "{safe.mermaid(title)}"'] if title.strip() else []),
            f'    x-axis "check" {drawn[0].check} --> {drawn[-1].check}',
            f'    y-axis "loss" {_short(low)} --> {_short(high)}',
            *(f"    line [{', '.join(map(_short, line))}]" for line in lines.values()),
        ]
    )


def _mean(losses: Sequence[float]) -> float:
    finite = [loss for loss in losses if math.isfinite(loss)]
    # Divided first: a sum of losses may be more than a float holds.
    return sum(loss / len(finite) for loss in finite) if finite else math.nan


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = ROOM * (high - low) or ROOM * abs(low) or ROOM
    floor = 0.0 if low >= 0 else -math.inf  # a loss that has never been negative starts at zero
    wide = max(floor, low - room), high + room
    return wide if all(map(math.isfinite, wide)) else (low, high)


def _short(value: float) -> str:
    """Write a number without an exponent, which mermaid does not read."""
    return f"{value:.5g}" if "e" not in f"{value:.5g}" else f"{value:.12f}".rstrip("0").rstrip(".")
