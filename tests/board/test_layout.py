"""The Custom Scalars layout, judged by TensorBoard's own types."""

import re

from hypothesis import given, strategies as st
from tensorboard.plugins.custom_scalar import layout_pb2
from torch.utils.tensorboard import summary

from lightning_gapmon.board.layout import custom_scalars
from lightning_gapmon.board.tags import Tags


def _parsed() -> layout_pb2.Layout:
    written = summary.custom_scalars(custom_scalars(Tags()))
    return layout_pb2.Layout.FromString(written.value[0].tensor.string_val[0])


def test_tensorboard_reads_two_charts_in_one_category() -> None:
    """TensorBoard's own types hold the overlay and the band."""
    (category,) = _parsed().category
    overlay, band = category.chart

    assert list(overlay.multiline.tag) == ["^Loss/train$", "^Loss/val$"]
    assert [(s.value, s.upper) for s in band.margin.series] == [("Loss/val", "Loss/val")]


def test_the_band_is_the_gap() -> None:
    """It starts from the train loss that the gap is taken from."""
    (series,) = _parsed().category[0].chart[1].margin.series

    assert (series.lower, series.upper) == ("Loss/train_fair", "Loss/val")


@given(prefix=st.text(), other=st.text())
def test_overlay_takes_its_own_tags_only(prefix: str, other: str) -> None:
    """No tag that only looks like ours is drawn, whatever characters the names have."""
    val = Tags(prefix).val
    (charts,) = custom_scalars(Tags(prefix)).values()
    pattern = charts["train and validation loss"][1][1]

    assert re.match(pattern, val)
    assert bool(re.match(pattern, val + "x" + other)) is False
    assert re.match(pattern, "x" + val) is None
