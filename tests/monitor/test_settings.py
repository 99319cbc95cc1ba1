"""The options: attributes of the monitor, and refused where they cannot work."""

import copy
import inspect
import pickle
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import Callback
from tests.fits import Net, fit

from lightning_gapmon import GapMonitor, Patience
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
        {"batch_size": 8},
        (
            "Found GapMonitor(batch_size=8); expected a function of a batch, such as "
            "batch_size=lambda batch: len(batch[0])."
        ),
    ),
    (
        {"val": "val_acc"},
        (
            "Found GapMonitor(val='val_acc'); expected a loss, which falls as a model gets "
            "better, and this is the name of a score, which grows: name the loss, such as "
            'val="val_loss", or log the negative score under another name; or say that it is '
            "one: val='val_acc', is_loss=True."
        ),
    ),
    (
        {"loader": -1},
        "Found GapMonitor(loader=-1); expected the number of a validation loader, from 0.",
    ),
    (
        {"val": "val_loss/dataloader_idx_1", "loader": 0},
        (
            "Found GapMonitor(val='val_loss/dataloader_idx_1', loader=0); expected one "
            "validation loader, in the name or as loader=...."
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
    ({"overlay": "both"}, "Found GapMonitor(overlay='both'); expected \"runs\" or None."),
    (
        {"on_verdict": "https://x"},
        (
            "Found GapMonitor(on_verdict='https://x'); expected a function that takes a dict, or "
            "several, such as on_verdict=[print]."
        ),
    ),
    (
        {"on_verdict": [print, 3]},
        (
            f"Found GapMonitor(on_verdict=[{print!r}, 3]); expected a function that takes a "
            "dict, or several, such as on_verdict=[print]."
        ),
    ),
    (
        {"probe": 0},
        (
            "Found GapMonitor(probe=0); expected a number of batches from 1, a share of "
            'validation\'s time such as probe="5%", or a loader or dataset with a length.'
        ),
    ),
]


# One value of each option that is not its default.
GIVEN: dict[str, Any] = {
    "train": "a_loss",
    "val": "b_loss",
    "batch_size": len,
    "loader": 1,
    "is_loss": True,
    "stop": Patience(3),
    "checkpoint": False,
    "restore_best": True,
    "probe": "5%",
    "leakage": 100,
    "baseline": 0.5,
    "start": True,
    "prog_bar": True,
    "summary": False,
    "publish": False,
    "overlay": "runs",
    "on_verdict": print,
}
READ = {"history", "best", "stop_reason", "diagnosis", "outlook", "overlaps", "outcome"}


def test_an_option_is_an_attribute() -> None:
    """It has the option's name and its value, whichever the option."""
    monitor = GapMonitor(**GIVEN)

    assert set(inspect.signature(GapMonitor).parameters) == set(GIVEN)
    assert {name: getattr(monitor, name) for name in GIVEN} == GIVEN


def test_public_names_are_the_options_and_what_came_out() -> None:
    """Beside Lightning's hooks and a picture there is nothing else to know."""
    own = {name for name in dir(GapMonitor()) if name[0] != "_" and not hasattr(Callback, name)}

    assert own == set(GIVEN) | READ | {"plot"}


@pytest.mark.parametrize("name", sorted({*GIVEN, *READ}))
def test_what_is_settled_is_not_set(name: str) -> None:
    """An assignment would change nothing of a fit that goes on, so it is refused."""
    with pytest.raises(AttributeError) as raised:
        setattr(GapMonitor(), name, None)

    assert str(raised.value) == (
        f"Found an assignment to {name} of a GapMonitor, which can only be read; options are "
        "arguments: make another GapMonitor(...) for another value."
    )


def test_settings_are_copied_with_the_monitor() -> None:
    """Deep copies and pickles have the options of the original."""
    monitor = GapMonitor(stop="Patience(3) | Target(0.1)", val="val_nll")
    for other in (copy.deepcopy(monitor), pickle.loads(pickle.dumps(monitor))):  # noqa: S301
        assert (other.stop, other.val) == (monitor.stop, "val_nll")
        assert other.history == monitor.history


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
