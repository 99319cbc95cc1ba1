"""The Custom Scalars layout, judged by TensorBoard's own types."""

import re

import pytest
from hypothesis import given, strategies as st
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.tensorboard import summary

from lightning_gapmon.board.layout import custom_scalars
from lightning_gapmon.board.tags import Tags


def _parsed(*, probe: bool) -> layout_pb2.Layout:
    written = summary.custom_scalars(custom_scalars(Tags(), probe=probe))
    return layout_pb2.Layout.FromString(written.value[0].tensor.string_val[0])


@pytest.mark.parametrize("probe", [False, True])
def test_tensorboard_reads_two_charts_in_one_category(*, probe: bool) -> None:
    """TensorBoard's own types hold the overlay and the band."""
    (category,) = _parsed(probe=probe).category
    overlay, band = category.chart

    assert list(overlay.multiline.tag) == ["^loss/train$", "^loss/val$", "^loss/train_probe$"]
    assert [(s.value, s.upper) for s in band.margin.series] == [("loss/val", "loss/val")]


@pytest.mark.parametrize(("probe", "lower"), [(False, "loss/train"), (True, "loss/train_probe")])
def test_band_starts_from_the_fairest_loss_there_is(*, probe: bool, lower: str) -> None:
    """The shaded gap is that to the probe where there is one."""
    (series,) = _parsed(probe=probe).category[0].chart[1].margin.series

    assert series.lower == lower


def test_a_layout_that_changed_has_another_title() -> None:
    """TensorBoard merges layouts by title: a resumed run that adds a probe shows both bands."""
    titles = {_parsed(probe=probe).category[0].chart[1].title for probe in (False, True)}

    assert len(titles) == 2


@given(val=st.text(min_size=1), other=st.text())
def test_overlay_takes_its_own_tags_only(val: str, other: str) -> None:
    """No tag that only looks like ours is drawn, whatever characters the names have."""
    (charts,) = custom_scalars(Tags(val=val)).values()
    pattern = charts["train and validation loss"][1][1]

    assert re.match(pattern, val)
    assert bool(re.match(pattern, val + "x" + other)) is False
    assert bool(re.match(pattern, "x" + val)) is (val == "x" + val)
