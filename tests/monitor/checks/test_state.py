"""A fit's state in a checkpoint: what is there is looked at before anything is taken from it."""

from typing import Any

import pytest

from lightning_gapmon import GapMonitor
from lightning_gapmon.errors import StateError
from lightning_gapmon.monitor.checks.state import checked
from lightning_gapmon.monitor.fit import Fit

TODO = (
    "Expected what GapMonitor writes into a checkpoint. Resume from another one; or, to go on "
    "from this one with a new history, load it with torch.load, take 'GapMonitor' out of its "
    "'callbacks' and save it again."
)


def _fit() -> Fit:
    return Fit(GapMonitor()._settings, rank=0)


STATE = _fit().state_dict()
WATCHED = STATE["watched"]


def test_a_state_of_its_own_is_taken() -> None:
    """What a fit writes, another one reads and writes again."""
    resumed = _fit()
    resumed.load_state_dict(STATE)
    again = resumed.state_dict()

    assert {**again, "seconds": 0, "baseline": 0} == {**STATE, "seconds": 0, "baseline": 0}


@pytest.mark.parametrize("key", sorted(STATE))
def test_a_state_with_a_key_missing_is_refused(key: str) -> None:
    """The message names what is missing, and says what to do."""
    damaged = {name: value for name, value in STATE.items() if name != key}

    with pytest.raises(StateError) as raised:
        _fit().load_state_dict(damaged)

    assert str(raised.value) == (
        f"Found a GapMonitor state without {key!r}: the checkpoint is damaged, or was changed. "
        f"{TODO}"
    )


@pytest.mark.parametrize("key", sorted(WATCHED))
def test_a_state_without_what_is_watched_is_refused(key: str) -> None:
    """Also where only a part of a part is missing."""
    watched = {name: value for name, value in WATCHED.items() if name != key}

    with pytest.raises(StateError, match=f"state of what it watches without {key!r}"):
        checked({**STATE, "watched": watched})


@pytest.mark.parametrize(
    ("key", "value"),
    [("history", []), ("seconds", "10"), ("place", None), ("watched", "mixin"), ("window", {})],
)
def test_a_state_of_another_kind_is_refused(key: str, value: Any) -> None:  # noqa: ANN401
    """What is there but cannot be read is shown."""
    with pytest.raises(StateError) as raised:
        checked({**STATE, key: value})

    assert f"Found a GapMonitor state whose {key!r} is {value!r}:" in str(raised.value)


def test_nothing_is_taken_from_a_damaged_state() -> None:
    """A fit that has refused a state is as it was before."""
    fit = _fit()
    with pytest.raises(StateError):
        fit.load_state_dict({**STATE, "place": [7, 7, 7], "window": None})

    assert fit.state_dict()["place"] == [0, 0, 0]
