"""A check's numbers in every logger and in `callback_metrics`, and nothing of the user's moved."""

import csv
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tests.fits import Logging, Net, Scripted, fit, loader, trainer
from torch import Tensor

from lightning_gapmon import GapMonitor

TAGS = {
    "Loss/train",
    "Loss/val",
    "Loss/train_fair",
    "Loss/gap",
    "Loss/gap_relative",
    "Loss/gap_stderr",
    "Loss/outlook",
}
LOSSES = [3.0, 1.0, 2.0, 2.5]


def _rows(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.rglob("metrics.csv")
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_metrics_are_the_checks_numbers(tmp_path: Path) -> None:
    """`callback_metrics` holds the last check under the names on the wire."""
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor)
    runner.fit(Net(), loader(10), loader(7))
    seen = monitor.history[-1]

    ours = {name: value.item() for name, value in runner.callback_metrics.items()}
    assert set(ours) == TAGS
    assert ours["Loss/train"] == seen.train
    assert ours["Loss/val"] == seen.val
    assert ours["Loss/gap"] == seen.gap == seen.val - seen.train
    assert ours["Loss/gap_relative"] == seen.gap_relative
    assert ours["Loss/gap_stderr"] == seen.gap_stderr
    assert ours["Loss/val"] - ours["Loss/train_fair"] == ours["Loss/gap"]


class Reading(Callback):
    """Reads the metrics where stock callbacks do."""

    def __init__(self) -> None:
        self.read: list[float] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read them."""
        if not trainer.sanity_checking:
            self.read.append(trainer.callback_metrics["Loss/val"].item())


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_stock_callbacks_can_monitor_it_in_any_order(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    """Checkpoints, early stopping and any reader see the check of right now."""
    monitor, reading = GapMonitor(stop=None, summary=False), Reading()
    stopping = EarlyStopping("Loss/gap", patience=2, check_on_train_epoch_end=False)
    checkpoint = ModelCheckpoint(tmp_path / "m", monitor="Loss/val", save_top_k=1)
    callbacks = [monitor, reading, stopping, checkpoint]

    fit(
        Scripted(LOSSES),
        tmp_path,
        *[callbacks[i] for i in order],
        max_epochs=9,
        enable_checkpointing=True,
    )

    assert reading.read == LOSSES == list(monitor.history.val)
    assert stopping.stopped_epoch == 3
    assert checkpoint.best_model_score == 1.0


def test_early_stopping_at_the_end_of_the_epoch(tmp_path: Path) -> None:
    """The default of stock early stopping sees it as well."""
    stopping = EarlyStopping("Loss/val", patience=2, check_on_train_epoch_end=True)
    monitor = GapMonitor(stop=None, summary=False)

    fit(Scripted(LOSSES), tmp_path, stopping, monitor, max_epochs=9)

    assert stopping.stopped_epoch == 3


def test_a_plateau_scheduler_can_monitor_it(tmp_path: Path) -> None:
    """`ReduceLROnPlateau` acts on it, and the history says when it will."""

    class Scheduled(Scripted):
        def configure_optimizers(self) -> Any:  # noqa: ANN401
            optimizer = torch.optim.SGD(self.parameters(), lr=1.0)
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
            config = {"scheduler": plateau, "monitor": "Loss/val"}
            return {"optimizer": optimizer, "lr_scheduler": config}

    monitor = fit(Scheduled([2.0, 3.0, 3.0, 3.0]), tmp_path, max_epochs=4)

    assert monitor.history.lr == [1.0, 1.0, 1.0, 0.1]
    assert monitor.history.lr_drop_in == [2, 2, 1, 2]


def test_the_csv_has_the_same_keys_at_every_check(tmp_path: Path) -> None:
    """One row a check at the step of the module's own metrics, all keys filled in each."""
    monitor = fit(
        Logging(), tmp_path, logger=CSVLogger(tmp_path), max_epochs=3, val_check_interval=2
    )

    rows = [row for row in _rows(tmp_path) if row["Loss/val"]]
    assert len(rows) == len(monitor.history) == 3
    for row, seen in zip(rows, monitor.history, strict=True):
        assert all(row[tag] for tag in TAGS)
        assert float(row["val_loss"]) == pytest.approx(seen.val, rel=1e-6)
        assert float(row["Loss/val"]) == seen.val
        assert int(row["epoch"]) == seen.epoch
        assert int(row["step"]) == seen.step - 1  # as Lightning counts where it logs


def test_the_csv_without_a_validation_loss(tmp_path: Path) -> None:
    """The train loss goes on being logged, alone and at every check."""

    class Train(Logging):
        def validation_step(self, batch: list[Tensor], *_: int) -> None:
            pass

    with pytest.warns(UserWarning, match="found no validation loss"):
        fit(Train(), tmp_path, logger=CSVLogger(tmp_path), max_epochs=2)

    rows = [row for row in _rows(tmp_path) if row.get("Loss/train")]
    assert len(rows) == 2
    assert TAGS & set(rows[0]) == {"Loss/train"}


class Late(Logging):
    """Logs its validation loss in its own `on_validation_epoch_end`."""

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Keep the losses."""
        self.losses(batch)

    def on_validation_epoch_end(self) -> None:
        """Log a loss."""
        self.log("val_loss", 0.25)


def test_losses_that_come_late_are_published_too(tmp_path: Path) -> None:
    """At the same step, with the same keys, and where a later callback reads."""
    reading = Reading()

    fit(Late(), tmp_path, GapMonitor(summary=False), reading, logger=CSVLogger(tmp_path))

    rows = [row for row in _rows(tmp_path) if row["Loss/val"]]
    theirs = [row for row in _rows(tmp_path) if row["val_loss"]]
    assert [row["step"] for row in rows] == [row["step"] for row in theirs]
    assert all(row[tag] for row in rows for tag in TAGS)
    assert reading.read == [0.25] * 3


def _board(folder: Path) -> EventAccumulator:
    board = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    return board.Reload()


def test_tensorboard_gets_scalars_a_layout_and_a_metric(tmp_path: Path) -> None:
    """One run, the two losses in one chart, and the best loss as `hp_metric`."""
    logger = TensorBoardLogger(tmp_path)
    monitor = fit(Scripted(LOSSES), tmp_path, logger=logger, max_epochs=4)

    board = _board(Path(logger.log_dir))
    tags = board.Tags()
    assert set(tags["scalars"]) >= TAGS
    assert [one.value for one in board.Scalars("Loss/val")] == LOSSES
    assert [one.step for one in board.Scalars("Loss/val")] == [
        one.step for one in board.Scalars("val_loss")
    ]
    assert board.Scalars("hp_metric")[-1].value == 1.0 == monitor.history.best.val  # type: ignore[union-attr]
    assert len(list(tmp_path.rglob("events.out.tfevents.*"))) == 1


def test_tensorboard_draws_both_losses_in_one_chart(tmp_path: Path) -> None:
    """The layout of the Custom Scalars tab is written once, with the tags in use."""
    logger = TensorBoardLogger(tmp_path)
    fit(Net(), tmp_path, logger=logger)

    (event,) = _board(Path(logger.log_dir)).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    (category,) = layout.category
    assert list(category.chart[0].multiline.tag) == ["^Loss/train$", "^Loss/val$"]
    assert category.chart[1].margin.series[0].upper == "Loss/val"


class Own(Net):
    """Logs `hp_metric` itself."""

    def on_validation_epoch_end(self) -> None:
        """Log it."""
        self.log("hp_metric", 42.0)


@pytest.mark.parametrize("case", ["module", "logger"])
def test_a_metric_of_the_users_is_left_alone(case: str, tmp_path: Path) -> None:
    """`hp_metric` is not touched where the module logs it or the logger has none."""
    logger = TensorBoardLogger(tmp_path, default_hp_metric=case == "module")
    fit(Own() if case == "module" else Net(), tmp_path, logger=logger)

    board = _board(Path(logger.log_dir))
    if case == "module":
        assert {one.value for one in board.Scalars("hp_metric")} <= {-1.0, 42.0}
    else:
        assert "hp_metric" not in board.Tags()["scalars"]


def test_every_logger_gets_it(tmp_path: Path) -> None:
    """Several loggers hold the same numbers."""
    board, table = TensorBoardLogger(tmp_path / "b"), CSVLogger(tmp_path / "c")
    monitor = fit(Net(), tmp_path, logger=[board, table])

    rows = [row for row in _rows(tmp_path / "c") if row["Loss/val"]]
    values = [one.value for one in _board(Path(board.log_dir)).Scalars("Loss/val")]
    assert [float(row["Loss/val"]) for row in rows] == monitor.history.val
    assert values == pytest.approx(list(monitor.history.val), rel=1e-6)


def test_the_way_to_tensorboard_leads_to_its_own_logs(tmp_path: Path) -> None:
    """The report is there too, though another logger stands in front."""
    table, board = CSVLogger(tmp_path / "c"), TensorBoardLogger(tmp_path / "b")
    monitor = fit(Net(), tmp_path, logger=[table, board])

    assert monitor.outcome is not None
    assert monitor.outcome.log_dir == board.log_dir
    assert Path(board.log_dir, "gapmon.json").exists()


def test_without_tensorboard_there_is_no_way_to_it(tmp_path: Path) -> None:
    """A table alone cannot be opened there."""
    monitor = fit(Net(), tmp_path, logger=CSVLogger(tmp_path))

    assert monitor.outcome is not None
    assert monitor.outcome.log_dir == ""


class Taken(Logging):
    """Logs under one of our names, something else."""

    def __init__(self, name: str) -> None:
        super().__init__("a_train_loss", "a_val_loss")
        self.name = name

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log another number."""
        super().validation_step(batch)
        self.log(self.name, 42.0)


@pytest.mark.parametrize("name", sorted(TAGS))
def test_a_tag_of_the_users_is_left_alone(name: str, tmp_path: Path) -> None:
    """All our names then go under `gapmon/`, in the metrics and in the chart."""
    logger = TensorBoardLogger(tmp_path)
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor, logger=logger)
    runner.fit(Taken(name), loader(8), loader(8))

    ours = {tag for tag in runner.callback_metrics if tag.startswith("gapmon/")}
    assert runner.callback_metrics[name].item() == 42.0
    assert ours == {f"gapmon/{tag}" for tag in TAGS}
    assert not (TAGS - {name}) & set(runner.callback_metrics)
    (event,) = _board(Path(logger.log_dir)).Tensors("custom_scalars__config__")
    assert b"^gapmon/Loss/val$" in event.tensor_proto.string_val[0]


class TakenTwice(Logging):
    """Logs under one of our names and, from its second epoch on, below our prefix too."""

    def validation_step(self, batch: list[Tensor], *_: int) -> None:
        """Log both."""
        super().validation_step(batch)
        self.log("Loss/val", 42.0)
        if self.current_epoch:
            self.log("gapmon/Loss/val", 43.0)


def test_tags_of_the_users_below_the_prefix_are_left_alone(tmp_path: Path) -> None:
    """Ours move on, also where the user's first come in the middle of a run."""
    monitor = GapMonitor(summary=False)
    runner = trainer(tmp_path, monitor)
    runner.fit(TakenTwice(), loader(8), loader(8))
    logged = runner.callback_metrics

    assert logged["Loss/val"].item() == 42.0
    assert logged["gapmon/Loss/val"].item() == 43.0
    assert logged["gapmon/gapmon/Loss/val"].item() == monitor.history[-1].val


def test_a_module_that_logs_our_names_as_its_losses(tmp_path: Path) -> None:
    """`Loss/train` and `Loss/val` are usual names: they are heard, and stay the module's."""
    runner = trainer(tmp_path, GapMonitor(summary=False))
    runner.fit(Logging("Loss/train", "Loss/val"), loader(10), loader(7))

    assert runner.callback_metrics["gapmon/Loss/val"].item() == pytest.approx(
        runner.callback_metrics["Loss/val"].item()
    )


@pytest.mark.parametrize("shown", [True, False])
def test_the_progress_bar_ends_with_the_last_check(shown: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Loss, gap and chance in a few words, where that is wanted; then the bar is as it was."""
    bar = Bar()
    monitor = GapMonitor(prog_bar=shown, stop=None, summary=False)
    runner = trainer(tmp_path, monitor, bar, max_epochs=8, enable_progress_bar=True)
    runner.fit(Net(), loader(8), loader(8))
    words = [found["val"] for found in bar.found if "val" in found]

    assert bool(words) == shown
    assert all(
        re.fullmatch(r"[\d.]+ · gap [-+][\d.]+( · .*\d+ % better)?", word) for word in words
    )
    assert any("better" in word for word in words) == shown
    assert "get_metrics" not in vars(bar)


class Bar(TQDMProgressBar):
    """Notes what it shows after each validation."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note it."""
        super().on_validation_end(trainer, pl_module)
        self.found.append(self.get_metrics(trainer, pl_module))


def test_a_logger_that_changes_what_it_is_given(tmp_path: Path) -> None:
    """A logger that pops keys from its dict takes them from nobody else."""

    class Popping(DummyLogger):
        def log_metrics(self, metrics: dict[str, float], *_: Any, **__: Any) -> None:  # noqa: ANN401
            metrics.clear()

    runner = trainer(tmp_path, GapMonitor(summary=False), logger=[Popping(), CSVLogger(tmp_path)])
    runner.fit(Late(), loader(8), loader(8))

    rows = [row for row in _rows(tmp_path) if row["Loss/val"]]
    assert len(rows) == 3
    assert set(runner.callback_metrics) >= TAGS
