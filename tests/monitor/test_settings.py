"""Wrong arguments, refused before training with what was found, expected and to do."""

from pathlib import Path
from typing import Any

import pytest
from tests.fits import Net, fit

from lightning_gapmon import GapMonitor
from lightning_gapmon.errors import ConfigurationError

# Arguments that cannot work, and what is said of them.
ODD: list[tuple[dict[str, Any], str]] = [
    (
        {"train": 3},
        'Found GapMonitor(train=3); expected a logged name, such as train="train_loss".',
    ),
    (
        {"train": ""},
        "Found GapMonitor(train=''); expected a logged name, such as train=\"train_loss\".",
    ),
    (
        {"val": ["a"]},
        "Found GapMonitor(val=['a']); expected a logged name, such as val=\"val_loss\".",
    ),
    (
        {"train": "loss", "val": "loss"},
        "Found GapMonitor(train='loss' and val='loss'); expected two names, one for each side.",
    ),
    (
        {"count": 8},
        (
            "Found GapMonitor(count=8); expected a function of a batch, such as "
            "count=lambda batch: len(batch[0])."
        ),
    ),
    (
        {"stop": 10},
        (
            "Found GapMonitor(stop=10); expected a rule, such as stop=Patience(10), or None to "
            "never stop."
        ),
    ),
    (
        {"stop": "Patience 10"},
        (
            "Found the rule 'Patience 10', which is not Python at character 10: invalid syntax. "
            "Write it as in Python, for example 'Patience(10) | Target(0.1)' or 'Budget.eager()'."
        ),
    ),
    (
        {"checkpoint": "best"},
        "Found GapMonitor(checkpoint='best'); expected True, False or a GapCheckpoint(...).",
    ),
    (
        {"probe": 0},
        (
            "Found GapMonitor(probe=0); expected a number of batches from 1, a share of "
            'validation\'s time such as probe="5%", or a loader or dataset with a length.'
        ),
    ),
]


@pytest.mark.parametrize(("arguments", "said"), ODD, ids=[str(a) for a, _ in ODD])
def test_odd_arguments_are_refused(arguments: dict[str, Any], said: str) -> None:
    """In the constructor."""
    with pytest.raises(ConfigurationError) as raised:
        GapMonitor(**arguments)

    assert str(raised.value) == said


def test_two_monitors_are_refused(tmp_path: Path) -> None:
    """Before anything is trained; two of one class are refused by the Trainer already."""

    class Special(GapMonitor):
        pass

    module = Net()
    with pytest.raises(ConfigurationError) as raised:
        fit(module, tmp_path, GapMonitor(), Special())

    assert str(raised.value) == (
        "Found 2 GapMonitors in one Trainer; expected one, for they would log under the same "
        "names. Join their rules in one: stop=rule_a | rule_b."
    )
    assert module.weight.item() == 1


def test_all_arguments_are_by_name() -> None:
    """Nobody has to know their order."""
    with pytest.raises(TypeError, match="positional"):
        GapMonitor("train_loss", "val_loss")  # type: ignore[call-arg]
