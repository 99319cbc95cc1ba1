"""Putting the best weights back is done whole, or not at all and said."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelPruning
from tests.fits import Scripted, loader, trainer
from torch import Tensor, nn

from lightning_gapmon import GapMonitor
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.checkpoints import restore
from lightning_gapmon.monitor.checkpoints.snapshot import Snapshot

SCRIPT = [3.0, 1.0, 2.0, 1.5]
QUIET: dict[str, Any] = {"stop": None, "summary": False, "restore_best": True}


def _run(
    folder: Path,
    module: LightningModule,
    *others: Callback,
    monitor: GapMonitor | None = None,
    ckpt_path: str | None = None,
    **settings: Any,  # noqa: ANN401 - for the Trainer
) -> GapMonitor:
    watching = monitor or GapMonitor(**QUIET)
    runner = trainer(folder, watching, *others, **{"max_epochs": 4, **settings})
    runner.fit(module, loader(8), loader(4), ckpt_path=ckpt_path)
    return watching


def _restored(monitor: GapMonitor) -> bool:
    assert monitor.outcome is not None
    return monitor.outcome.restored


class Interrupting(Callback):
    """Raises in the third epoch."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Raise."""
        if trainer.current_epoch == 2:
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_fit_has_its_best_weights(
    error: type[BaseException], tmp_path: Path
) -> None:
    """From memory; the outcome says so."""
    module, monitor = Scripted(SCRIPT), GapMonitor(**QUIET)
    with pytest.raises((SystemExit, KeyboardInterrupt, ValueError)):
        _run(tmp_path, module, Interrupting(error), monitor=monitor)

    assert module.weight.item() == 4
    assert _restored(monitor)
    assert monitor.outcome is not None
    assert monitor.outcome.interrupted_by == error.__name__


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
def test_an_interrupted_fit_says_what_it_cannot_put_back(tmp_path: Path) -> None:
    """The best check was before the resume, and its file takes a fit that goes on."""
    _run(tmp_path, Scripted(SCRIPT), max_epochs=2, enable_checkpointing=True)
    module, monitor = Scripted([9.0] * 4), GapMonitor(**QUIET)
    settings: Any = {"ckpt_path": "last", "enable_checkpointing": True}
    with (
        pytest.raises(ZeroDivisionError),
        pytest.warns(UserWarning, match="best check, 2, are not put back: they are not in memory"),
    ):
        _run(tmp_path, module, Interrupting(ZeroDivisionError), monitor=monitor, **settings)

    assert not _restored(monitor)


class Growing(Scripted):
    """Has a buffer that changes in the last epoch."""

    memory: Tensor

    def __init__(self, change: str) -> None:
        super().__init__(SCRIPT)
        self.change = change
        self.register_buffer("memory", torch.zeros(1))

    def on_train_epoch_start(self) -> None:
        """Change it."""
        if self.current_epoch == 3:
            if self.change == "grows":
                self.memory = torch.ones(5)
            elif self.change == "comes":
                self.register_buffer("another", torch.ones(5))
            else:
                del self.memory


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("grows", r"memory had the shape \(1,\) then and has \(5,\) now"),
        ("comes", "another has come since then"),
        ("goes", "memory has gone since then"),
    ],
)
def test_what_does_not_fit_is_not_put_back(change: str, said: str, tmp_path: Path) -> None:
    """Nothing is stretched or left half done: the last weights stay, and it is said."""
    module = Growing(change)
    with pytest.warns(UserWarning, match=f"best check, 2, are not put back: {said}"):
        monitor = _run(tmp_path, module)

    assert not _restored(monitor)
    assert module.weight.item() == 8


class Layer(Scripted):
    """Has a layer that can be pruned, whose weights each epoch sets."""

    def __init__(self, script: list[float]) -> None:
        super().__init__(script)
        self.layer = nn.Linear(4, 1, bias=False)

    def on_train_epoch_start(self) -> None:
        """Set them to multiples of 1 to 4; the two steps of an epoch add 1 each."""
        own = getattr(self.layer, "weight_orig", self.layer.weight)
        own.data = (1.0 + self.current_epoch) * torch.tensor([[1.0, 2.0, 3.0, 4.0]])


def _pruning(module: Layer, *, at_end: bool) -> ModelPruning:
    return ModelPruning(
        "l1_unstructured",
        parameters_to_prune=[(module.layer, "weight")],
        amount=1,
        use_lottery_ticket_hypothesis=False,
        prune_on_train_epoch_end=at_end,
    )


@pytest.mark.parametrize("script", [SCRIPT, [1.0, 2.0, 3.0, 4.0]])
def test_pruned_weights_are_put_back_or_it_is_said(script: list[float], tmp_path: Path) -> None:
    """The best check's, pruned as they were then; those from before the pruning do not fit."""
    module = Layer(script)
    best = script.index(1.0)
    if best:
        monitor = _run(tmp_path, module, _pruning(module, at_end=True))
        assert module.layer.weight.tolist() == [[0.0, 6.0, 8.0, 10.0]]
        assert _restored(monitor)
        return
    with pytest.warns(UserWarning, match="weight_orig has come since then"):
        monitor = _run(tmp_path, module, _pruning(module, at_end=True))
    assert not _restored(monitor)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
def test_a_best_file_that_is_gone_is_said(tmp_path: Path) -> None:
    """Where only `last.ckpt` has come along, the run goes on and ends with its last weights."""
    _run(tmp_path, Scripted(SCRIPT), max_epochs=3, enable_checkpointing=True)
    (best,) = tmp_path.rglob("e*.ckpt")
    best.unlink()
    module = Scripted([9.0] * 4)
    with pytest.warns(UserWarning, match="weights of the best check, 2, .*no checkpoint of it"):
        monitor = _run(tmp_path, module, ckpt_path="last", enable_checkpointing=True)

    assert len(monitor.history) == 4
    assert module.weight.item() == 8
    assert not _restored(monitor)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not:UserWarning")
def test_a_file_that_does_not_fit_leaves_the_module_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Torch loads what fits before it says what does not; that is undone."""

    def load(runner: Trainer, _path: str) -> None:
        module: Any = runner.lightning_module
        module.weight.data.fill_(77)
        msg = "Missing key"
        raise RuntimeError(msg)

    _run(tmp_path, Scripted(SCRIPT), max_epochs=3, enable_checkpointing=True)
    monkeypatch.setattr(restore, "load_weights", load)
    module = Scripted([9.0] * 4)
    with pytest.warns(UserWarning, match="are not put back: .*step=4.ckpt: Missing key"):
        monitor = _run(tmp_path, module, ckpt_path="last", enable_checkpointing=True)

    assert module.weight.item() == 8
    assert not _restored(monitor)


def test_weights_may_come_from_the_disk(tmp_path: Path) -> None:
    """Then nothing is copied while it trains, and an average written at the end is undone too."""

    class Averaging(Callback):
        def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            pl_module.get_parameter("weight").data.fill_(7)

    module, monitor = Scripted(SCRIPT), GapMonitor(**{**QUIET, "restore_best": "disk"})
    _run(tmp_path, module, Averaging(), monitor=monitor, enable_checkpointing=True)

    assert module.weight.item() == 4
    assert _restored(monitor)


@pytest.mark.parametrize(
    "asked",
    [{"restore_best": "memory"}, {"restore_best": "disk", "checkpoint": False}],
)
def test_odd_ways_are_refused(asked: dict[str, Any]) -> None:
    """There must be something to restore from."""
    with pytest.raises(ConfigurationError, match=r"Found GapMonitor\(restore_best="):
        GapMonitor(**asked)


def test_one_copy_is_written_over() -> None:
    """A new best takes no memory beside that of the last."""
    module, snapshot = nn.Linear(3, 2), Snapshot()
    snapshot.take(module, 1)
    first = {name: value.data_ptr() for name, value in snapshot._kept.items()}
    module.weight.data.fill_(5)
    snapshot.take(module, 2)

    assert {name: value.data_ptr() for name, value in snapshot._kept.items()} == first
    assert snapshot._kept["weight"].tolist() == [[5.0] * 3] * 2
