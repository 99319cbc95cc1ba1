"""Settings that cannot work are refused when a rule is made."""

import math
from collections.abc import Callable

import pytest

from lightning_gapmon import (
    Budget,
    Custom,
    GapLimit,
    Patience,
    Target,
)
from lightning_gapmon.analysis.rules import (
    After,
    AllOf,
    AnyOf,
    Divergence,
    Grace,
    LrAware,
    NonFinite,
    Smoothed,
)
from lightning_gapmon.errors import ConfigurationError

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "Target": (lambda: Target(math.nan), r"expected a finite loss, such as Target"),
    "Divergence": (lambda: Divergence(math.inf), r"expected a finite loss, such as Divergence"),
    "NonFinite": (lambda: NonFinite(0), r"Found NonFinite\(0\); expected a number of checks"),
    "gap": (lambda: GapLimit(1.5), r"expected a finite number, below 1 for a relative gap"),
    "gap row": (lambda: GapLimit(0.5, 0), r"expected a number of checks from 1 and a mode"),
    "smoothed": (lambda: Patience(3).smoothed(0), r'by="median" or by="ema"'),
    "grace": (lambda: Patience(3).grace(0), r"Found \.grace\(0\); expected a number of checks"),
    "lr": (
        lambda: LrAware(5),  # type: ignore[arg-type]
        r"Found 5 where \.lr_aware\(\) needs a rule; write it behind one, as in Patience",
    ),
    "after what": (
        lambda: After(5),  # type: ignore[arg-type]
        r"Found 5 where \.after\(10\) needs a rule",
    ),
    "smoothed what": (
        lambda: Smoothed("x"),  # type: ignore[arg-type]
        r"Found 'x' where \.smoothed\(5\) needs a rule",
    ),
    "grace what": (
        lambda: Grace(5, 3),  # type: ignore[arg-type]
        r"Found 5 where \.grace\(5\) needs a rule; write it behind one, as in Patience\(10\)\.g",
    ),
    "custom": (
        lambda: Custom("x"),  # type: ignore[arg-type]
        r"Found Custom\('x'\); expected a function of the history",
    ),
    "any": (lambda: AnyOf((Patience(3), 5)), r"to be joined by \|; expected rules"),  # type: ignore[arg-type]
    "all": (lambda: AllOf(()), r"Found \(\) to be joined by &; expected rules"),
    "truth": (lambda: Target(loss=True), r"Found Target\(True\); expected a finite loss"),
    "huge": (lambda: Target(10**400), r"expected a finite loss"),
    "text": (lambda: Budget("much"), r"Found Budget\('much'.*expected shares"),  # type: ignore[arg-type]
    "after": (lambda: Patience(3).after(-1), r"Found \.after\(-1\); expected a number of checks"),
    "both": (
        lambda: Patience(3) | 5,  # type: ignore[operator]
        r"Found Patience\(3\) \| 5; expected a rule on both",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_what_cannot_work(what: str) -> None:
    """A setting that cannot work is refused before training, with what to write instead."""
    make, message = REFUSED[what]
    with pytest.raises(ConfigurationError, match=message):
        make()
