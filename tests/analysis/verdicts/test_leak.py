"""Validation that is no harder than training: when that is told, and how."""

import math
from dataclasses import replace

import pytest
from tests import curves

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.analysis.verdicts.diagnose import diagnose


def probed(gap: float, *, checks: int = 12, stderr: float = 0.01) -> History:
    """Make a healthy run whose fair gap is known."""
    train, val = curves.draw(curves.good, checks=checks, noise=0.0, seed=0)
    return History(
        Observation(
            check=i + 1,
            epoch=i,
            step=i + 1,
            train=t,
            val=v,
            probe=v - gap,
            probe_stderr=stderr,
            val_stderr=0.0,
        )
        for i, (t, v) in enumerate(zip(train, val, strict=True))
    )


def overlap(shared: int, seen: int = 100) -> Overlap:
    """Make what a search for shared samples finds."""
    return Overlap(shared=tuple((i, i) for i in range(shared)), val_seen=seen, train_seen=seen)


@pytest.mark.parametrize(
    ("gap", "shared", "suspected"),
    [
        (0.0, 0, False),
        (0.0, 1, True),
        (0.015, 1, True),
        (0.1, 1, False),
        (-0.1, 1, True),
        (-0.02, 0, False),
        (-0.2, 0, True),
        (0.3, 49, False),
        (0.3, 50, True),
    ],
)
def test_leakage_needs_an_overlap_or_an_easier_validation(
    gap: float,
    shared: int,
    suspected: bool,  # noqa: FBT001
) -> None:
    """Overlap with no fair gap, a clearly negative fair gap, or half of the samples shared."""
    found = diagnose(probed(gap), overlap=overlap(shared))

    assert (found.verdict == "leakage_suspected") is suspected
    if suspected:
        assert found.severity == "warning"
        assert found.evidence["shared"] == shared / 100


@pytest.mark.parametrize(("shared", "told"), [(0, False), (1, True), (40, True)])
def test_a_good_fit_says_what_is_shared(shared: int, told: bool) -> None:  # noqa: FBT001
    """A good fit that was validated on training samples is no news without that reserve."""
    found = diagnose(probed(0.1), overlap=overlap(shared))

    reserve = f", but {shared} % of the validation samples looked at are also in training: "
    assert found.verdict == "good_fit"
    assert (reserve in found.message) is told
    assert found.severity == ("warning" if told else "info")
    assert any("shared samples" in remedy for remedy in found.remedies) is told


def test_easier_validation_must_be_more_than_noise() -> None:
    """A fair gap below zero by two standard errors is no leak without an overlap."""
    assert diagnose(probed(-0.2, stderr=0.1)).verdict != "leakage_suspected"
    assert diagnose(probed(-0.2, stderr=0.04)).verdict == "leakage_suspected"


def test_leakage_says_what_it_saw() -> None:
    """The message names the share and the gap in eval mode."""
    found = diagnose(probed(-0.25), overlap=overlap(20))

    assert found.message == (
        "20 % of the validation samples looked at are also in training and validation is below "
        "training by 0.2500 ± 0.010 in eval mode"
    )
    assert found.since == 8
    assert found.evidence["gap"] == pytest.approx(-0.25)


@pytest.mark.parametrize("basis", ["end", "train"])
def test_validation_below_train_in_train_mode_is_no_leak(basis: str) -> None:
    """Without a probe, a validation loss below train is dropout as likely as a leak."""
    moves = [
        {"probe": math.nan, basis: check.probe, f"{basis}_stderr": 0.01} for check in probed(-0.5)
    ]
    seen = [replace(check, **move) for check, move in zip(probed(-0.5), moves, strict=True)]  # type: ignore[arg-type]

    assert diagnose(History(seen)).severity == "info"
    assert diagnose(History(seen), overlap=overlap(20)).verdict == "good_fit"
