"""One run as a picture."""

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from tests.report.strategies import histories

from lightning_gapmon import History
from lightning_gapmon.report.svg import draw
from lightning_gapmon.report.theme import theme

SVG = "{http://www.w3.org/2000/svg}"


def _draw(history: History, **stops: int | None) -> ET.Element:
    return ET.fromstring(draw(history, stops, title="a run"))  # noqa: S314 - our own text


def _texts(picture: ET.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def test_shows_both_curves_the_best_and_the_stops() -> None:
    """What was asked for is in the picture, each stop by its check."""
    history = History.from_curves(train=[3, 2, 1, 1], val=[3.0, 1.5, 2.0, 2.5])
    picture = _draw(history, early=3, late=4, patient=None)

    assert len([*picture.iter(f"{SVG}polyline")]) == 2
    assert {"a run", "train 1.000", "validation 2.500", "best 1.500", "early · 3"} <= set(
        _texts(picture)
    )
    assert "never: patient" in _texts(picture)


def test_stop_stands_at_its_check() -> None:
    """The dashed line of a stop has the place of its check on the axis."""
    history = History.from_curves(train=[1.0] * 5, val=[5.0, 4.0, 3.0, 2.0, 1.0])
    picture = _draw(history, rule=3)
    curve = next(
        p for p in picture.iter(f"{SVG}polyline") if p.get("stroke") == theme()["light"]["val"]
    )
    places = [float(point.split(",")[0]) for point in (curve.get("points") or "").split()]
    dashed = [ln for ln in picture.iter(f"{SVG}line") if ln.get("stroke-dasharray") == "4 3"]

    assert [float(line.get("x1") or 0) for line in dashed] == [pytest.approx(places[2], abs=0.1)]


def test_names_from_a_log_are_escaped() -> None:
    """Markup in a name stays text."""
    history = History.from_curves(train=[1.0], val=[2.0])
    picture = ET.fromstring(draw(history, {"<script>": 1}, title="<b>&"))  # noqa: S314 - ours

    assert "<script> · 1" in _texts(picture)
    assert "<b>&" in _texts(picture)
    assert not [*picture.iter(f"{SVG}script")]


@given(histories())
def test_any_run_is_drawn(history: History) -> None:
    """Whatever a history holds, the picture is whole XML without a place that is no number."""
    picture = _draw(history, rule=2)
    places = [
        value
        for part in picture.iter()
        for name, value in part.attrib.items()
        if name in {"x", "y", "cx", "cy", "x1", "y1", "x2", "y2", "points"}
    ]

    assert not [value for value in places if "nan" in value or "inf" in value]


@pytest.mark.parametrize("val", [[], [math.nan, math.nan], [1.0, math.inf], [2.0, 2.0]])
def test_odd_runs_are_drawn(val: list[float]) -> None:
    """No run, none finite, infinite or constant: the picture is whole."""
    picture = _draw(History.from_curves(train=[math.nan] * len(val), val=val), rule=None)

    assert "nan" not in ET.tostring(picture, encoding="unicode")
