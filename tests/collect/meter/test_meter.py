"""The buffered mean: right however batches are sized, mixed, flushed and merged."""

import copy
import math
from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from lightning_gapmon.collect.meter import buffer, meter as module
from lightning_gapmon.collect.meter.meter import MOST_ROWS, LossMeter
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.collect.meter.sums import Sums

CPU = torch.device("cpu")
LOSSES = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
# A batch is its losses, one a sample, and whether they are handed over one by one or as a mean.
BATCHES = st.lists(
    st.tuples(st.lists(LOSSES, min_size=1, max_size=6), st.booleans()), min_size=1, max_size=40
)


def _sums(meter: LossMeter) -> Sums:
    return Sums.total([Sums(*row) for row in meter.rows(CPU, 16).tolist()])


def _fill(batches: Sequence[tuple[list[float], bool]]) -> LossMeter:
    meter = LossMeter()
    for losses, as_mean in batches:
        values = torch.tensor(losses, dtype=torch.float64)
        if as_mean:
            meter.add(values.mean(), len(losses))
        else:
            meter.add(values)
    return meter


def _expected(batches: Sequence[tuple[list[float], bool]]) -> float:
    values = [loss for losses, _ in batches for loss in losses]
    return math.fsum(values) / len(values)


@given(BATCHES, st.integers(1, 50))
def test_the_mean_is_over_samples(
    batches: list[tuple[list[float], bool]], flush_batches: int
) -> None:
    """However samples are split into batches, vectors and scalars, and whenever it is flushed."""
    with patch.object(buffer, "FLUSH_BATCHES", flush_batches):
        sums = _sums(_fill(batches))

    assert sums.n == sum(len(losses) for losses, _ in batches)
    assert sums.mean == pytest.approx(_expected(batches), rel=1e-12, abs=1e-9)


@given(st.lists(st.lists(LOSSES, min_size=1, max_size=5), min_size=2, max_size=20))
def test_the_error_of_per_sample_losses_is_numpys(batches: list[list[float]]) -> None:
    """With one loss a sample the error is `s / sqrt(n)`, wherever the batches end."""
    values = np.concatenate([np.array(losses, dtype=np.float64) for losses in batches])
    expected = values.std(ddof=1) / math.sqrt(len(values))

    sums = _sums(_fill([(losses, False) for losses in batches]))

    scale = np.abs(values).max() + 1  # the sums cancel: right to half the digits of the losses
    assert sums.units == len(values)
    assert sums.stderr == pytest.approx(expected, rel=1e-6, abs=1e-6 * scale)


@pytest.mark.parametrize("flush_batches", [1, 256, 700])
@pytest.mark.parametrize("batches", [MOST_ROWS - 1, MOST_ROWS, MOST_ROWS + 1, 4000])
def test_a_long_window_is_merged_without_loss(batches: int, flush_batches: int) -> None:
    """Sums, positions and counts are those of every batch, also after neighbours were merged."""
    meter = LossMeter()
    with patch.object(buffer, "FLUSH_BATCHES", flush_batches):
        for i in range(batches):
            meter.add(torch.tensor(float(i)), 2)

        sums = _sums(meter)

    assert meter.batches == batches
    assert len(meter.state()[0]) < MOST_ROWS
    assert (sums.n, sums.units) == (2 * batches, batches)
    assert sums.mean == (batches - 1) / 2
    assert sums.position / sums.n == pytest.approx(batches / 2)


@given(st.integers(1, 100), st.integers(1, 50), st.integers(1, 50))
def test_the_rows_do_not_depend_on_when_it_was_flushed(
    batches: int, one: int, another: int
) -> None:
    """A run that is saved, and so flushed, in between sums up as one that is not."""
    states = []
    for flush_batches in (one, another):
        meter = LossMeter()
        with (
            patch.object(buffer, "FLUSH_BATCHES", flush_batches),
            patch.object(module, "MOST_ROWS", 16),
        ):
            for i in range(batches):
                meter.add(torch.tensor(1 / (1 + i)), 3)
            states.append(meter.state())

    assert states[0] == states[1]


@given(BATCHES, BATCHES)
def test_a_state_continues_to_the_same_sums(
    before: list[tuple[list[float], bool]], after: list[tuple[list[float], bool]]
) -> None:
    """A meter that is saved in the middle and loaded again ends with the same bits."""
    whole = _fill(before + after)
    resumed = LossMeter()
    resumed.load(*_fill(before).state())
    for losses, as_mean in after:
        values = torch.tensor(losses, dtype=torch.float64)
        resumed.add(values.mean() if as_mean else values, len(losses) if as_mean else 1.0)

    assert resumed.state() == whole.state()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_bad_loss_is_reported(bad: float) -> None:
    """It is counted and makes the mean what it is in any arithmetic."""
    sums = _sums(_fill([([1.0, 2.0], False), ([bad], True)]))

    assert sums.bad == 1
    assert sums.mean == pytest.approx(bad, nan_ok=True)


@pytest.mark.parametrize("n", [0, torch.tensor(0), torch.tensor(0.0)])
def test_what_weighs_nothing_is_left_out(n: float | Tensor) -> None:
    """The mean over no token is NaN; as it stands for no sample it spoils nothing."""
    meter = _fill([([1.0, 3.0], True)])
    meter.add(torch.tensor(math.nan), n)

    sums = _sums(meter)

    assert (sums.mean, sums.bad, sums.units) == (2.0, 0, 1)


def test_weights_may_be_tensors() -> None:
    """Counts that live on a device need no wait: numbers and tensors mix."""
    meter = LossMeter()
    meter.add(torch.tensor(1.0), torch.tensor(3))
    meter.add(torch.tensor(5.0), 1)
    meter.add(torch.tensor([2.0, 2.0]), torch.tensor(2.0))

    assert _sums(meter).mean == (3 * 1 + 5 + 4 * 2) / 8


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_losses_of_any_precision_are_summed_in_float64(dtype: torch.dtype) -> None:
    """Half-precision losses add up without half-precision sums."""
    losses = torch.linspace(0, 1, 1000).to(dtype)
    meter = LossMeter()
    for loss in losses:
        meter.add(loss)

    assert _sums(meter).mean == pytest.approx(math.fsum(losses.tolist()) / 1000, rel=1e-14)


def test_an_empty_window_has_no_rows() -> None:
    """Bins without a batch are zeros, so that ranks without one can join the reduction."""
    assert LossMeter().rows(CPU, 4).tolist() == [[0.0] * 12] * 4


def test_bins_are_equal_shares_of_the_batches() -> None:
    """The window's trend is read from bins that follow each other in time."""
    meter = _fill([([float(i)], True) for i in range(32)])

    means = [Sums(*row).mean for row in meter.rows(CPU, 4).tolist()]

    assert means == [3.5, 11.5, 19.5, 27.5]


def test_a_reset_forgets_everything() -> None:
    """A new window begins from nothing."""
    meter = _fill([([1.0], True)] * 300)
    meter.reset()

    assert meter.batches == 0
    assert meter.state() == ([], [])


def test_many_elements_are_not_held() -> None:
    """Large batches of per-sample losses are turned into rows early, so that memory is flat."""
    meter = LossMeter()
    with patch.object(buffer, "FLUSH_ELEMENTS", 100):
        for _ in range(10):
            meter.add(torch.ones(60))

    assert meter._buffer._elements < 100
    assert len(meter._buffer) <= 1


@pytest.mark.parametrize("longest", [9, 60_000])
def test_a_long_batch_costs_its_own_length(longest: int) -> None:
    """Among a thousand short ones it makes no others longer: at most twice what was given."""
    meter = LossMeter()
    for _ in range(500):
        meter.add(torch.tensor([1.0, 2.0, 3.0]))
    meter.add(torch.full((longest,), 4.0))
    meter.add(torch.tensor([5.0]))
    blocks = copy.deepcopy(meter)._buffer.take()
    sums = _sums(meter)

    assert sum(block.values.numel() for block in blocks) < 2 * (500 * 3 + longest + 1)
    assert sums.mean == (500 * 6 + 4 * longest + 5) / (500 * 3 + longest + 1)
    assert sums.position == 3 * 500**2 / 2 + longest * 500.5 + 501.5


@given(st.permutations([1, 2, 3, 5, 9, 100]))
def test_a_batchs_sums_do_not_depend_on_what_comes_beside_it(lengths: list[int]) -> None:
    """To the last bit: a run that is saved, and so flushed, adds up as one that is not."""
    dice = torch.Generator().manual_seed(0)
    losses = [torch.rand(length, generator=dice) for length in lengths]
    together, apart = LossMeter(), LossMeter()
    for loss in losses:
        together.add(loss)
        apart.add(loss)
        apart.flush()

    assert together.state() == apart.state()


def test_a_new_window_takes_no_room() -> None:
    """A meter that hears nothing more holds nothing; one that hears on makes room again."""
    meter = LossMeter()
    for _ in range(40):
        meter.add(torch.tensor(1.0))
    assert len(meter._buffer._slots) == 1024
    meter.reset()

    assert meter._buffer._slots == ()
    meter.add(torch.tensor(2.0))
    assert len(meter._buffer._slots) == 32
    assert _sums(meter).mean == 2.0


def test_memory_does_not_grow_with_the_window() -> None:
    """A window of a hundred thousand batches keeps some hundred rows."""
    meter = LossMeter()
    loss = torch.tensor(1.0)
    for _ in range(100_000):
        meter.add(loss)

    assert len(meter._buffer) < 1024
    assert meter._rows is not None
    assert len(meter._rows) < MOST_ROWS
    assert meter._rows.untyped_storage().nbytes() <= MOST_ROWS * 12 * 8


def test_a_device_without_float64_gets_float32() -> None:
    """Apple's devices have nothing wider."""
    assert wide_dtype(torch.device("mps")) == torch.float32
    assert wide_dtype(CPU) == torch.float64
