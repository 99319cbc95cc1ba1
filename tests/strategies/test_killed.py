"""A run that is killed at any moment and resumed is the uninterrupted run."""

from pathlib import Path

import lightning.pytorch as pl
import pytest
from tests.strategies import alone
from tests.strategies.fit_script import TRAIN
from tests.strategies.launch import outputs, run_ranks_of

HOOKS = sorted(
    name
    for name in vars(pl.Callback)
    if name.startswith("on_")
    and not any(word in name for word in ("sanity", "test", "predict", "exception", "load"))
)


def start(folder: Path, **options: object) -> int | None:
    """Fit in a process of its own."""
    (code,) = run_ranks_of(_fit, folder, options, ranks=1, folder=folder)
    return code


def _fit(folder: Path, options: dict[str, object]) -> None:
    alone.fit(folder, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing happens to."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert start(folder) == 0, outputs(folder)
    return folder


@pytest.mark.parametrize("hook", HOOKS)
def test_killed_at_a_hook_and_resumed(hook: str, uninterrupted: Path, tmp_path: Path) -> None:
    """History, decision, best checkpoint and final weights are those of the uninterrupted run."""
    # Hooks of the whole fit come before there is a checkpoint, or after the last one.
    epoch = 0 if hook in ("on_fit_start", "on_train_start") else 2

    killed = start(tmp_path, hook=hook, epoch=epoch)
    resumed = start(tmp_path, resume="last")

    assert killed == -9, outputs(tmp_path)
    assert resumed == 0, outputs(tmp_path)
    assert alone.read(tmp_path) == alone.read(uninterrupted)


def test_killed_in_the_middle_of_a_window(uninterrupted: Path, tmp_path: Path) -> None:
    """From a checkpoint between two checks the window goes on where it was, to the last bit."""
    killed = start(tmp_path, hook="on_before_backward", every=3)
    resumed = start(tmp_path, resume="last", every=3)

    assert (killed, resumed) == (-9, 0), outputs(tmp_path)
    assert alone.read(tmp_path) == alone.read(uninterrupted)


def test_a_validation_that_lightning_leaves_out(uninterrupted: Path, tmp_path: Path) -> None:
    """Where Lightning resumes past a validation, the next check has both windows, and a number."""
    killed = start(tmp_path, hook="on_before_backward", every=8)  # as many as an epoch has
    saved = tmp_path / "last" / "last.ckpt"  # by the user's own callback, before the validation
    resumed = start(tmp_path, resume=str(saved), every=8)
    columns = alone.columns(tmp_path)

    assert (killed, resumed) == (-9, 0), outputs(tmp_path)
    assert columns["epoch"][:3] == [0, 2, 3]
    assert columns["check"][:3] == [1, 2, 3]
    assert columns["train_n"][:3] == [TRAIN, 2 * TRAIN, TRAIN]
    assert columns["val"] == alone.columns(uninterrupted)["val"][:1] + columns["val"][1:]
