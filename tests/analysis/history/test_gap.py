"""The gap: by the fairest basis, with parts that add up and an error."""

import math

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.gap import relative_gap
from lightning_gapmon.analysis.history.observation import Observation

NAN = math.nan
loss = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e6)


def check(**measured: float) -> Observation:
    """Make a check of what was measured."""
    return Observation(check=1, epoch=0, step=1, **measured)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("measured", "basis"),
    [
        ({"train": 1.0, "end": 2.0, "probe": 3.0}, ("probe", 3.0, 0.3)),
        ({"train": 1.0, "probe": 3.0}, ("probe", 3.0, 0.3)),
        ({"train": 1.0, "end": 2.0}, ("end", 2.0, 0.2)),
        ({"train": 1.0}, ("online", 1.0, 0.1)),
    ],
)
def test_fairest_basis(measured: dict[str, float], basis: tuple[str, float, float]) -> None:
    """The probe is compared where there is one, else the end, else the online mean."""
    errors = {"train_stderr": 0.1, "end_stderr": 0.2, "probe_stderr": 0.3}
    seen = check(**measured, **errors, val=5.0, val_stderr=0.4)

    assert (seen.basis, seen.train_fair, seen.train_fair_stderr) == basis
    assert seen.measured_gap.train_fair == basis[1]
    assert seen.measured_gap.basis == basis[0]
    assert seen.gap == 5.0 - basis[1]
    assert seen.gap_stderr == pytest.approx(math.sqrt(basis[2] ** 2 + 0.16))


@given(loss, loss, loss, loss)
def test_parts_add_up_to_what_is_observed(
    train: float, end: float, probe: float, val: float
) -> None:
    """Observed gap = lag + mode offset + generalisation gap."""
    gap = check(train=train, end=end, probe=probe, val=val).measured_gap

    assert gap.observed == val - train
    assert gap.lag + gap.mode + gap.absolute == pytest.approx(gap.observed, abs=1e-6)


def test_parts_that_are_not_known_are_nan() -> None:
    """Without an end or a probe there is no lag, no mode offset, no error."""
    gap = check(train=1.0, val=2.0).measured_gap

    assert gap.absolute == gap.observed == 1.0
    assert all(map(math.isnan, (gap.lag, gap.mode, gap.stderr)))
    assert math.isnan(check(val=2.0).gap)


@given(positive, positive)
def test_relative_gap_is_a_share(train: float, val: float) -> None:
    """The relative gap lies between -1 and 1, is odd, and is no gap only where there is none."""
    share = relative_gap(train, val)

    assert -1 <= share <= 1
    assert share == -relative_gap(val, train)
    assert (share == 0) == (train == val)
    assert share == pytest.approx(1 - train / val if val > train else val / train - 1)


@given(positive, positive, st.sampled_from([2.0**-20, 2.0**20]))
def test_relative_gap_has_no_unit(train: float, val: float, unit: float) -> None:
    """In another unit of the loss the relative gap is the same."""
    assert relative_gap(train * unit, val * unit) == relative_gap(train, val)


@pytest.mark.parametrize("odd", [0.0, -1.0, NAN, math.inf, -math.inf])
def test_relative_gap_needs_two_positive_losses(odd: float) -> None:
    """Where a loss is not positive and finite, there is no relative gap."""
    assert math.isnan(relative_gap(odd, 1.0))
    assert math.isnan(relative_gap(1.0, odd))
    assert math.isnan(check(train=odd, val=1.0).gap_relative)
