"""A run as a matplotlib figure, for papers and for those who draw on."""

import math
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.run_document import RunDocument
from lightning_gapmon.analysis.wording import number
from lightning_gapmon.report.axis import Axis
from lightning_gapmon.report.theme import theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTLED = ("good_fit", "learning", "undecided")


def draw(document: RunDocument, axes: "Axes | None" = None) -> "Axes":
    """Draw the losses over the checks, the gap between them, best check, verdict and stop.

    Args:
        document: The run.
        axes: Where to draw; by default in a new figure.

    Returns:
        The axes; their `figure` is the picture.

    Raises:
        ModuleNotFoundError: matplotlib is not installed: `pip install lightning-gapmon[plot]`.
    """
    colours = theme()["light"]
    axes = axes or _new_axes()
    checks = document["columns"].get("check", [])
    train, val, low, high = (
        _numbers(document, name, len(checks)) for name in ("train", "val", "gap_low", "gap_high")
    )
    for values, colour, name in ((train, "train", "train"), (val, "val", "validation")):
        axes.plot(checks, values, color=colours[colour], linewidth=2, label=name)
    axes.fill_between(checks, train, val, color=colours["gap"], alpha=colours["gapOpacity"], lw=0)
    ends = ([t + g for t, g in zip(train, gap, strict=True)] for gap in (low, high))
    axes.fill_between(checks, *ends, color=colours["val"], alpha=0.2, lw=0)
    losses = Axis.over([loss for pair in zip(train, val, strict=True) for loss in pair])
    axes.set_yscale("log" if losses.logarithmic else "linear")
    axes.set_ylim(losses.low, losses.high)
    axes.set(xlabel="check", ylabel="loss")
    axes.margins(x=0)
    axes.spines[["top", "right"]].set_visible(False)
    _mark(document, axes)
    _name_ends(axes)
    if marks := axes.get_lines()[2:]:
        axes.legend(handles=marks, frameon=False)
    return axes


def _name_ends(axes: "Axes") -> None:
    """Write the name of each curve beside its last loss, the upper one above the other."""
    ends = []
    for line in axes.get_lines()[:2]:
        known = [(x, y) for x, y in zip(*line.get_data(), strict=True) if math.isfinite(y)]
        if known:
            ends.append((known[-1], str(line.get_label()), str(line.get_color())))
    for i, (at, name, colour) in enumerate(sorted(ends, key=lambda end: end[0][1])):
        axes.annotate(
            f"{name} {number(float(at[1]))}",
            at,
            xytext=(8, 0),
            textcoords="offset points",
            color=colour,
            va="top" if i == 0 and len(ends) > 1 else "bottom",
            annotation_clip=False,
        )


def _new_axes() -> "Axes":
    """Make a figure as pyplot does, which notebooks show by themselves."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - an extra

    return plt.figure(figsize=(7.6, 3.6), layout="constrained").add_subplot()


def _numbers(document: RunDocument, name: str, size: int) -> list[float]:
    values = document["columns"].get(name) or [None] * size
    return [math.nan if value is None else float(value) for value in values]


def _mark(document: RunDocument, axes: "Axes") -> None:
    colours, verdict, best = theme()["light"], document["verdict"], document["best"]
    if best is not None:
        label = f"best {number(float(best['val']))}"
        axes.plot(best["check"], float(best["val"]), "o", color=colours["val"], label=label)
    if verdict["since"] and verdict["verdict"] not in SETTLED:
        said = f"{verdict['verdict'].replace('_', ' ')} since check {verdict['since']}"
        axes.axvline(verdict["since"], color=colours["onset"], linestyle="--", lw=1, label=said)
    if document["stop"]:
        said = f"stopped at check {document['stop']}"
        axes.axvline(document["stop"], color=colours["stop"], lw=1, label=said)
