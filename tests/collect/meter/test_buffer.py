"""The buffer keeps losses as they were, whatever becomes of them afterwards."""

import copy
import pickle
from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor

from lightning_gapmon.collect.meter.buffer import Buffer

MEAN = torch.tensor(2.0)
EACH = torch.tensor([1.0, 3.0])


def _values(buffer: Buffer) -> list[float]:
    blocks = buffer.take()
    sums = {
        place: float(total)
        for block in blocks
        for place, total in zip(block.places, (block.values * block.weights).sum(1), strict=True)
    }
    return [sums[place] for place in sorted(sums)]


def _pickled(buffer: Buffer) -> Buffer:
    return cast("Buffer", pickle.loads(pickle.dumps(buffer)))  # noqa: S301 - our own


@pytest.mark.parametrize("loss", [MEAN, EACH], ids=["mean", "each"])
def test_a_loss_may_change_afterwards(loss: Tensor) -> None:
    """A step may scale it in place, or a compiled one write the next into the same memory."""
    buffer, own = Buffer(), loss.clone()
    buffer.add(own, 1)
    own.mul_(100)

    assert _values(buffer) == [float(loss.sum())]


@pytest.mark.parametrize("losses", [[MEAN, MEAN], [MEAN, EACH], [EACH, MEAN]])
@pytest.mark.parametrize("copied", [copy.deepcopy, _pickled])
def test_a_copy_has_the_same_losses(
    losses: list[Tensor], copied: Callable[[Buffer], Buffer]
) -> None:
    """A callback may be copied in the middle of a window; both go on by themselves."""
    buffer = Buffer()
    for loss in losses:
        buffer.add(loss, 1)
    another = copied(buffer)
    another.add(MEAN, 1)

    before = [float(loss.sum()) for loss in losses]
    assert _values(another) == [*before, 2.0]
    assert _values(buffer) == before


def test_a_copy_is_small() -> None:
    """The room for a thousand losses is not copied along."""
    buffer = Buffer()
    buffer.add(MEAN, 1)

    assert len(pickle.dumps(buffer)) < 2000


def test_room_made_in_inference_mode_serves_outside_of_it() -> None:
    """Validation may run in inference mode at one time and without it at another."""
    buffer = Buffer()
    with torch.inference_mode():
        buffer.add(MEAN, 1)
    buffer.add(MEAN, 1)

    assert _values(buffer) == [2.0, 2.0]


def test_it_holds_no_graph() -> None:
    """What a loss was computed from is free once the step is over."""
    buffer, weight = Buffer(), torch.ones(2, requires_grad=True)
    buffer.add(weight.sum(), 1)
    buffer.add(weight * 2, 1)
    blocks = buffer.take()

    assert not any(block.values.requires_grad for block in blocks)
    assert _values(buffer) == []


def test_it_is_used_again() -> None:
    """The room that is emptied takes the next losses."""
    buffer = Buffer()
    for _ in range(3):
        buffer.add(MEAN, 1)
        assert _values(buffer) == [2.0]
