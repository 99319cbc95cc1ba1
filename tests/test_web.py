"""The chart's own files: their tests, uPlot's hash, and what they share with Python."""

import hashlib
import json
import math
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lightning_gapmon.analysis import wording
from lightning_gapmon.report.axis import Axis
from lightning_gapmon.report.theme import WEB, theme

ROOT = Path(__file__).parents[1]
NODE = shutil.which("node")
VALUES = [0.0, 1.0, -2.5, 0.48213, 12345.6, 999_999.4, 1e6, 3e-7, 0.00012, math.inf, -math.inf]
ERRORS = [math.nan, 0.0214, 0.0996, 3.0, 1e-12]
CURVES = [[5.0, 1.2, *[1.0] * 20], [3, 2, 1], [2, 2], [100.0, 1, 0.5, 0.4], [-1, -2, -3], []]


def _node(*arguments: str) -> str:
    run = subprocess.run(  # noqa: S603 - our own scripts
        [str(NODE), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def _asked(module: str, expression: str) -> list[Any]:
    """Evaluate an expression over a module's exports, called `m`."""
    script = f'import * as m from "./src/lightning_gapmon/web/{module}";'
    found: list[Any] = json.loads(
        _node("--input-type=module", "-e", f"{script}console.log(JSON.stringify({expression}))")
    )
    return found


def _js(values: object) -> str:
    """Write numbers as JavaScript: JSON has no NaN, but that is what Python writes for it."""
    return json.dumps(values)


@pytest.mark.node
def test_the_chart_draws_what_it_should() -> None:
    """The tests of the chart's own language pass, and there are some."""
    said = _node("--test", "tests/web/")

    assert int(re.findall(r"pass (\d+)", said)[0]) > 20


@pytest.mark.parametrize("name", ["uPlot.esm.js", "uPlot.min.css"])
def test_uplot_is_what_was_released(name: str) -> None:
    """The committed file has the hash that is noted beside it, and its licence."""
    folder = WEB / "uplot"
    noted = re.search(
        rf"^([0-9a-f]{{64}})  {re.escape(name)}$", _text(folder / "README.md"), re.MULTILINE
    )

    assert noted is not None
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == noted[1]
    assert "MIT" in _text(folder / "LICENSE")


def _text(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.mark.node
def test_numbers_are_written_alike() -> None:
    """A number, a difference and an interval read the same in the chart and in the summary."""
    pairs = [(value, error) for value in VALUES for error in ERRORS]
    asked = _asked(
        "numbers.js",
        f"{_js(pairs)}.map(([v, e]) => [m.number(v), m.difference(v, e), m.withError(v, e), "
        "m.withInterval(v, v - 1, v + 1, e)])",
    )
    expected = [
        [
            wording.number(value),
            wording.difference(value, stderr=error),
            wording.with_error(value, error),
            wording.with_interval(value, low=value - 1, high=value + 1, stderr=error),
        ]
        for value, error in pairs
    ]

    assert asked == expected


@pytest.mark.node
def test_times_are_written_alike() -> None:
    """A duration reads the same in the chart and in the summary."""
    seconds = [0.42, 12.3, 59.6, 200, 7500]

    assert _asked("numbers.js", f"{seconds}.map(m.duration)") == [*map(wording.duration, seconds)]


@pytest.mark.node
@pytest.mark.parametrize("losses", CURVES)
def test_axes_span_alike(losses: list[float]) -> None:
    """The chart and the picture of a run show the same part of the losses, on the same scale."""
    axis = Axis.over(losses)
    found = _asked(
        "scale.js",
        f"[m.spansDecades({losses}), ...m.span({losses}, {{log: m.spansDecades({losses})}})]",
    )

    assert found == [axis.logarithmic, pytest.approx(axis.low), pytest.approx(axis.high)]


def _contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2.1 defines it."""
    lights = sorted(map(_luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_that_is_written_can_be_read(scheme: str) -> None:
    """Each colour that text has stands out from the paper by 4.5 to 1, in light and in dark."""
    colours = theme()[scheme]
    decoration = ("paper", "grid", "gap", "gapOpacity", "runs")
    texts = {name: value for name, value in colours.items() if name not in decoration}
    texts |= {f"run {i}": colour for i, colour in enumerate(colours["runs"])}
    found = {name: _contrast(colour, colours["paper"]) for name, colour in texts.items()}

    assert {name: value for name, value in found.items() if value < 4.5} == {}


def test_what_a_log_says_only_ever_becomes_text() -> None:
    """No module of ours writes markup, evaluates text, or loads anything from elsewhere."""
    ours = {path.name: _text(path) for path in WEB.glob("*.js")}
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|https?:"
    )

    assert ours
    assert {
        name: forbidden.findall(text) for name, text in ours.items() if forbidden.search(text)
    } == {}
