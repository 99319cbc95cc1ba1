"""The hook on `log`: it hears all and changes nothing, whatever a module has for its `log`."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning.pytorch import Callback, LightningModule, Trainer
from tests.fits import Bare, Logging, Marks, fit, mean, watched
from torch import Tensor


class Speaking(Callback):
    """Logs the losses of a module that says nothing itself."""

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: Bare, *_: object
    ) -> None:
        """Log that of the step that has just ended."""
        self.log(  # type: ignore[attr-defined]
            "train_loss", mean(pl_module.heard["train"][-1:])
        )

    def on_validation_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: Bare, *_: object
    ) -> None:
        """Likewise."""
        if not trainer.sanity_checking:
            self.log(  # type: ignore[attr-defined]
                "val_loss", mean(pl_module.heard["val"][-1:])
            )

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log what is no batch's loss."""
        self.log(  # type: ignore[attr-defined]
            "train_loss_of_the_epoch", 100.0
        )
        pl_module.log("train_loss", 100.0)


@pytest.mark.parametrize("every", [1, 2])
def test_what_another_callback_logs_is_heard(every: int, tmp_path: Path) -> None:
    """Of the step that has just ended, with the samples of its batch."""

    class Silent(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return 2 * self.losses(batch).mean()

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            self.losses(batch)

    module, marks, speaking = Silent(), Marks(), Speaking()
    settings: dict[str, Any] = {"check_val_every_n_epoch": every, "max_epochs": 4}
    monitor = fit(module, tmp_path, marks, speaking, **settings)

    assert list(monitor.history.train) == pytest.approx(marks.means(module.heard, "train"))
    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"))
    assert monitor.outcome is not None
    assert monitor.outcome.source.startswith("train and validation loss logged")
    assert vars(speaking)["log"] == module.log


def test_a_log_of_another_signature(tmp_path: Path) -> None:
    """It is called as it was, and what it gives back comes back."""

    class Own(Bare):
        def log(self, losses: dict[str, Tensor]) -> Tensor:  # type: ignore[override]
            super().log(*next(iter(losses.items())))
            return next(iter(losses.values()))

        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.log({"train_loss": self.losses(batch).mean()})

        def validation_step(self, batch: list[Tensor], _: int) -> Tensor:
            return self.log({"val_loss": self.losses(batch).mean()})

    module = Own()
    watched(module, tmp_path)

    assert module.weight.item() != 1


def test_arguments_by_name_and_by_place(tmp_path: Path) -> None:
    """A value that is named, and a `batch_size` behind ten others, are heard."""

    class Placed(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            loss = self.losses(batch).mean()
            self.log(name="train_loss", value=loss)
            return loss

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            loss = self.losses(batch).mean()
            weight = len(batch[0]) ** 2
            never = (False, None, None, None, "mean", False, False, None, True)
            self.log("val_loss", loss, *never, weight)

    module = Placed(lr=0.0)
    monitor = fit(module, tmp_path, max_epochs=1, num_sanity_val_steps=0)

    assert list(monitor.history.train) == pytest.approx([mean(module.heard["train"])])
    full, rest = (sum(batch) / len(batch) for batch in module.heard["val"])
    assert list(monitor.history.val) == pytest.approx([(16 * full + 9 * rest) / 25])


def test_a_log_that_is_set_during_a_fit(tmp_path: Path) -> None:
    """It is still there after it, and what it passes on is heard."""
    said: list[str] = []

    class Setting(Logging):
        def on_fit_start(self) -> None:
            before = self.log

            def log(name: str, value: Any, **settings: Any) -> None:  # noqa: ANN401
                said.append(name)
                before(name, value, **settings)

            self.log = log  # type: ignore[assignment]

    module, marks = Setting(), Marks()
    monitor = fit(module, tmp_path, marks)
    heard = len(said)

    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-6)
    assert vars(module)["log"].__name__ == "log"
    assert heard > 0


def test_a_loss_that_is_a_number_of_numpys(tmp_path: Path) -> None:
    """It is a number."""

    class Numbers(Bare):
        def training_step(self, batch: list[Tensor], _: int) -> Tensor:
            loss = self.losses(batch).mean()
            self.log("train_loss", np.float32(loss.item()))  # type: ignore[arg-type]
            return 2 * loss

        def validation_step(self, batch: list[Tensor], _: int) -> None:
            self.log("val_loss", np.float32(self.losses(batch).mean().item()))  # type: ignore[arg-type]

    monitor = watched(Numbers(), tmp_path)

    assert monitor.outcome is not None
    assert monitor.outcome.source.startswith("train and validation loss logged")


def test_a_callback_that_takes_our_tag_later(tmp_path: Path) -> None:
    """It keeps it: ours move below a prefix, and the fit goes on."""

    class Taking(Callback):
        def on_validation_batch_end(self, trainer: Trainer, *_: object) -> None:
            if trainer.current_epoch == 1:
                self.log("Loss/val", 42.0)  # type: ignore[attr-defined]

    class Seeing(Callback):
        def __init__(self) -> None:
            self.seen: list[float] = []

        def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
            self.seen.append(float(trainer.callback_metrics["Loss/val"]))

    module, marks, seeing = Logging(), Marks(), Seeing()
    monitor = fit(module, tmp_path, Taking(), marks, seeing, num_sanity_val_steps=0)

    assert seeing.seen[1] == 42.0
    assert list(monitor.history.val) == pytest.approx(marks.means(module.heard, "val"), rel=1e-6)
