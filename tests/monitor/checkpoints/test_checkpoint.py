"""The best check's checkpoint: who writes it, when, and that `best` finds it."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from tests.fits import Scripted, fit, loader, trainer

from lightning_gapmon import GapCheckpoint, GapMonitor, Patience
from lightning_gapmon.errors import ConfigurationError

SCRIPT = [3.0, 1.0, 2.0, 1.5]


class Judged(Scripted):
    """Notes the weight that it is tested with; the weight counts the steps."""

    seen: float = math.nan

    def test_step(self, *_: object) -> None:
        """Note it."""
        self.seen = self.weight.item()


def _run(
    folder: Path,
    *callbacks: object,
    script: list[float] = SCRIPT,
    **settings: Any,  # noqa: ANN401 - for the Trainer
) -> tuple[Any, Judged]:
    """Fit four checks of two steps each in a Trainer that allows checkpoints."""
    monitors = [one for one in callbacks if isinstance(one, GapMonitor)]
    own = () if monitors else (GapMonitor(stop=None, summary=False),)
    settings = {"max_epochs": len(script), "enable_checkpointing": True, **settings}
    runner, module = trainer(folder, *callbacks, *own, **settings), Judged(script)
    runner.fit(module, loader(8), loader(4))
    return runner, module


def _saved(path: str | Path) -> tuple[int, float]:
    """Read the step and the weight of a file."""
    content = torch.load(path, weights_only=True)
    return content["global_step"], content["state_dict"]["weight"].item()


def test_the_best_check_is_kept(tmp_path: Path) -> None:
    """Ours takes the place of the Trainer's default and keeps the best check's weights."""
    runner, _ = _run(tmp_path)

    (checkpoint,) = runner.checkpoint_callbacks
    assert isinstance(checkpoint, GapCheckpoint)
    assert _saved(checkpoint.best_model_path) == (4, 4.0)
    assert [path.name for path in tmp_path.rglob("e*.ckpt")] == ["epoch=1-step=4.ckpt"]


def test_best_finds_it(tmp_path: Path) -> None:
    """`ckpt_path="best"` tests the best check's weights."""
    runner, module = _run(tmp_path)

    runner.test(module, loader(4), ckpt_path="best", verbose=False)

    assert module.seen == 4.0


def test_a_checkpoint_of_the_users_is_respected(tmp_path: Path) -> None:
    """A `ModelCheckpoint` that does something of its own stays alone."""
    theirs = ModelCheckpoint(tmp_path / "m", every_n_epochs=2, save_top_k=-1)

    runner, _ = _run(tmp_path, theirs)

    assert runner.checkpoint_callbacks == [theirs]
    assert not list(tmp_path.glob("checkpoints/*"))


def test_an_own_gap_checkpoint_in_the_list(tmp_path: Path) -> None:
    """It is used as it is."""
    theirs = GapCheckpoint(dirpath=tmp_path / "m", filename="epoch{epoch}", save_top_k=2)

    runner, _ = _run(tmp_path, theirs)

    assert runner.checkpoint_callbacks == [theirs]
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == [
        "epoch1.ckpt",
        "epoch3.ckpt",
        "last.ckpt",
    ]


@pytest.mark.parametrize("beside", [False, True])
def test_a_gap_checkpoint_given_to_the_monitor(beside: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """It replaces the default, and stands before a `ModelCheckpoint` of the user's."""
    ours = GapCheckpoint(dirpath=tmp_path / "g", save_top_k=-1)
    monitor = GapMonitor(checkpoint=ours, stop=None, summary=False)
    theirs = [ModelCheckpoint(tmp_path / "m", every_n_epochs=4)] if beside else []

    runner, _ = _run(tmp_path, monitor, *theirs)

    assert runner.checkpoint_callbacks == [ours, *theirs]
    assert len(list((tmp_path / "g").glob("epoch*"))) == 4
    assert runner.checkpoint_callback is ours


def test_the_default_stays_where_ours_is_declined(tmp_path: Path) -> None:
    """`checkpoint=False` leaves the Trainer as it is."""
    runner, _ = _run(tmp_path, GapMonitor(checkpoint=False, stop=None, summary=False))

    assert [type(one) for one in runner.checkpoint_callbacks] == [ModelCheckpoint]


def test_the_default_stays_where_nothing_is_validated(tmp_path: Path) -> None:
    """Without validation there is no check to save; Lightning's own file is written."""
    with pytest.warns(UserWarning, match="this fit runs no validation"):
        runner, _ = _run(tmp_path, limit_val_batches=0)

    assert [type(one) for one in runner.checkpoint_callbacks] == [ModelCheckpoint]
    assert len(list(tmp_path.rglob("*.ckpt"))) == 1


def test_a_trainer_without_checkpoints(tmp_path: Path) -> None:
    """Nothing is written where the Trainer allows none."""
    runner, _ = _run(tmp_path, enable_checkpointing=False)

    assert runner.checkpoint_callbacks == []
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_checkpoint_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    """It was asked for, so that it is an error."""
    monitor = GapMonitor(checkpoint=GapCheckpoint(), summary=False)

    with pytest.raises(ConfigurationError) as raised:
        _run(tmp_path, monitor, enable_checkpointing=False)

    assert str(raised.value) == (
        "Found GapMonitor(checkpoint=GapCheckpoint(...)) in a Trainer that allows no checkpoints. "
        "Remove enable_checkpointing=False from the Trainer, or the checkpoint."
    )


def test_a_gap_checkpoint_without_a_monitor_is_refused(tmp_path: Path) -> None:
    """It would never save anything."""
    with pytest.raises(ConfigurationError) as raised:
        trainer(tmp_path, GapCheckpoint(), enable_checkpointing=True).fit(
            Judged(SCRIPT), loader(8), loader(4)
        )

    assert str(raised.value) == (
        "Found a GapCheckpoint in a Trainer without a GapMonitor, whose checks it saves. Add "
        "GapMonitor() to the callbacks, or use ModelCheckpoint."
    )


@pytest.mark.parametrize("save_top_k", [-2, 1.5, True])
def test_an_odd_number_of_files_is_refused(save_top_k: int) -> None:
    """The number is a count, or -1."""
    with pytest.raises(ConfigurationError) as raised:
        GapCheckpoint(save_top_k=save_top_k)

    assert str(raised.value) == (
        f"Found save_top_k={save_top_k!r}; expected a number of checks, or -1 for all."
    )


# Rhythms of validation, and the step at which the second check falls: the best one.
RHYTHMS: dict[str, tuple[dict[str, Any], int]] = {
    "epochs": ({}, 8),
    "within": ({"val_check_interval": 2}, 4),
    "every batch": ({"val_check_interval": 1}, 2),
    "across": ({"check_val_every_n_epoch": None, "val_check_interval": 3}, 6),
    "every second epoch": ({"check_val_every_n_epoch": 2}, 16),
}


@pytest.mark.parametrize(("rhythm", "step"), RHYTHMS.values(), ids=list(RHYTHMS))
def test_it_saves_at_fresh_checks_only(rhythm: dict[str, Any], step: int, tmp_path: Path) -> None:
    """Each file holds the weights of the check whose loss it was saved under."""
    checkpoint = GapCheckpoint(dirpath=tmp_path / "g", save_top_k=-1)
    monitor = GapMonitor(stop=Patience(2), checkpoint=checkpoint, summary=False)
    runner = trainer(tmp_path, monitor, max_epochs=8, enable_checkpointing=True, **rhythm)
    runner.fit(Judged(SCRIPT), loader(16), loader(4))

    saved = {_saved(path): float(score) for path, score in checkpoint.best_k_models.items()}
    expected = {(seen.step, float(seen.step)): seen.val for seen in monitor.history}
    assert saved == expected
    assert len(expected) == 4
    assert _saved(checkpoint.best_model_path) == (step, float(step))


def test_a_loss_that_is_not_finite_is_never_kept(tmp_path: Path) -> None:
    """Neither as the best nor as the last."""
    checkpoint = GapCheckpoint(dirpath=tmp_path / "g", save_top_k=-1, save_last=True)
    monitor = GapMonitor(checkpoint=checkpoint, stop=None, summary=False)

    _run(tmp_path, monitor, script=[math.nan, 2.0, math.inf, -math.inf])

    assert _saved(checkpoint.best_model_path) == (4, 4.0)
    assert _saved(tmp_path / "g" / "last.ckpt") == (4, 4.0)
    assert len(list((tmp_path / "g").iterdir())) == 2


def test_weights_alone_may_be_saved(tmp_path: Path) -> None:
    """Without optimisers and callbacks."""
    checkpoint = GapCheckpoint(dirpath=tmp_path / "g", save_weights_only=True)
    _run(tmp_path, GapMonitor(checkpoint=checkpoint, stop=None, summary=False))

    assert "optimizer_states" not in torch.load(checkpoint.best_model_path, weights_only=True)


def test_the_state_in_the_file_is_up_to_date(tmp_path: Path) -> None:
    """The check under which a file is saved is in it."""
    runner, _ = _run(tmp_path)

    content = torch.load(runner.checkpoint_callback.best_model_path, weights_only=True)
    assert content["callbacks"]["GapMonitor"]["history"]["columns"]["check"] == [1, 2]


def test_the_best_path_is_in_the_outcome(tmp_path: Path) -> None:
    """Reports link to it."""
    monitor = GapMonitor(stop=None, summary=False)
    runner, _ = _run(tmp_path, monitor)

    assert monitor.outcome is not None
    assert monitor.outcome.best_path == runner.checkpoint_callback.best_model_path != ""


@pytest.mark.parametrize(
    ("ranked_by", "said"), [("Loss/val", True), ("Loss/gap", False), (None, False)]
)
def test_a_file_that_is_not_the_best_checks_is_not_said_to_be(
    ranked_by: str | None,
    said: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
) -> None:
    """A checkpoint that the user ranks by something else is not the lowest loss' one."""
    theirs = ModelCheckpoint(tmp_path / "m", monitor=ranked_by, save_on_train_epoch_end=False)
    monitor = GapMonitor(stop=None, summary=False)
    _run(tmp_path, monitor, theirs)

    assert theirs.best_model_path
    assert monitor.outcome is not None
    assert monitor.outcome.best_path == (theirs.best_model_path if said else "")


def test_a_second_fit_keeps_its_own_best(tmp_path: Path) -> None:
    """Ours serves one Trainer after the other; each has its own files."""
    monitor = GapMonitor(stop=None, summary=False)
    paths = []
    for script in (SCRIPT, [5.0, 6.0, 4.0]):
        runner, _ = _run(tmp_path / str(len(script)), monitor, script=script)
        paths.append(_saved(runner.checkpoint_callback.best_model_path))

    assert paths == [(4, 4.0), (6, 6.0)]


def test_taken_tags_are_followed(tmp_path: Path) -> None:
    """Where our names gave way to the module's it saves by ours all the same."""

    class Taking(Judged):
        def on_validation_epoch_end(self) -> None:
            self.log("Loss/val", -float(self.at))

    runner = trainer(
        tmp_path, GapMonitor(stop=None, summary=False), enable_checkpointing=True, max_epochs=4
    )
    runner.fit(Taking(SCRIPT), loader(8), loader(4))

    assert _saved(runner.checkpoint_callback.best_model_path) == (4, 4.0)  # type: ignore[union-attr]


def test_a_monitored_checkpoint_of_the_users(tmp_path: Path) -> None:
    """A stock checkpoint that monitors our loss keeps the best check as well."""
    theirs = ModelCheckpoint(tmp_path / "m", monitor="Loss/val", save_on_train_epoch_end=False)

    _run(tmp_path, theirs)

    assert _saved(theirs.best_model_path) == (4, 4.0)


def test_no_sanity_check_is_saved(tmp_path: Path) -> None:
    """What is validated before training has no check."""
    fit(Judged([9.0]), tmp_path, max_steps=0, enable_checkpointing=True)

    assert not list(tmp_path.rglob("*.ckpt"))


class Silent(Scripted):
    """Its validation says nothing, in a log or as output."""

    def validation_step(self, *_: object) -> None:  # type: ignore[override]
        """Compute nothing."""


def test_without_a_validation_loss_the_latest_is_kept(tmp_path: Path) -> None:
    """A loss that is never heard costs nobody their checkpoint."""
    runner = trainer(
        tmp_path,
        GapMonitor(stop=None, summary=False),
        max_epochs=3,
        enable_checkpointing=True,
    )
    with pytest.warns(UserWarning, match="found no validation loss"):
        runner.fit(Silent([1.0] * 3), loader(8), loader(4))

    (keeper,) = runner.checkpoint_callbacks
    assert isinstance(keeper, GapCheckpoint)
    assert _saved(keeper.best_model_path)[0] == runner.global_step


@pytest.mark.parametrize(("select", "kept"), [("raw", 3), ("trend", 7)])
def test_the_best_is_by_the_loss_or_by_its_trend(select: Any, kept: int, tmp_path: Path) -> None:  # noqa: ANN401 - a Literal
    """One lucky check is the lowest loss; the median of five falls to the last."""
    script = [5.0, 4.0, 1.0, 4.0, 3.0, 2.5, 2.0]
    monitor = GapMonitor(
        stop=None, summary=False, restore_best=True, checkpoint=GapCheckpoint(select=select)
    )
    runner, module = _run(tmp_path, monitor, script=script)
    step, weight = _saved(runner.checkpoint_callback.best_model_path)

    assert step == 2 * kept
    assert monitor.best is not None
    assert monitor.best.check == kept
    assert module.weight.item() == weight
    assert monitor.outcome is not None
    assert monitor.outcome.kept == (None if select == "raw" else kept)


def test_a_gap_out_of_bounds_is_not_kept(tmp_path: Path) -> None:
    """Train losses are 1: a validation loss of 1.5 has a relative gap of a third, 3 of two."""
    keeper = GapCheckpoint(max_gap=0.4, save_top_k=-1)
    runner, _ = _run(tmp_path, GapMonitor(stop=None, summary=False, checkpoint=keeper))

    assert len(keeper.best_k_models) == len([val for val in SCRIPT if (val - 1) / val <= 0.4])
    assert runner.checkpoint_callback is keeper


def test_one_checkpoint_over_two_fits_ranks_each_by_itself(tmp_path: Path) -> None:
    """A worse second run has a best file of its own."""
    keeper = GapCheckpoint()
    monitor = GapMonitor(stop=None, summary=False, checkpoint=keeper)
    _run(tmp_path / "first", monitor, script=[3.0, 1.0, 2.0])
    first = keeper.best_model_path
    with pytest.warns(UserWarning, match="exists and is not empty"):  # the folder is kept
        _run(tmp_path / "second", monitor, script=[9.0, 8.0, 7.0])

    assert keeper.best_model_path != first
    assert _saved(keeper.best_model_path)[0] == 6
    assert keeper.best_model_score == 7.0
