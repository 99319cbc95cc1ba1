"""One fit in one process, with a fault at a chosen place; its processes are forked and may die."""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from tests.strategies.fit_script import BATCH, TRAIN, VAL, Net, data, read_options
from tests.strategies.witness import own_weights, write
from torch.utils.data import DataLoader

from lightning_gapmon import GapCheckpoint, GapMonitor, History, Patience

Act = Callable[[], None]


def kill() -> None:
    """Die as under `kill -9`, at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def terminate() -> None:
    """Be asked to end, as by a cluster."""
    os.kill(os.getpid(), signal.SIGTERM)


def requeue() -> None:
    """Be told by SLURM that time is up, and then be ended."""
    os.kill(os.getpid(), signal.SIGUSR1)
    kill()


def interrupt() -> None:
    """Be stopped by hand."""
    raise KeyboardInterrupt


def fill_disk() -> None:
    """Leave no space where this process works."""
    with contextlib.suppress(OSError), Path("filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))


ACTS: dict[str, Act] = {
    act.__name__: act for act in (kill, terminate, requeue, interrupt, fill_disk)
}


class Placed(DataLoader[Any]):
    """A loader that knows its place, so that a run can be resumed in the middle of an epoch."""

    _place = _skip = 0

    def __iter__(self) -> Any:  # noqa: ANN401 - as a DataLoader's
        """Go on after the place that was loaded."""
        self._place, skip, self._skip = 0, self._skip, 0
        for batch in super().__iter__():
            self._place += 1
            if self._place > skip:
                yield batch

    def state_dict(self) -> dict[str, int]:
        """Give the place, the start where the epoch is over."""
        return {"place": self._place % len(self)}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go there at the next epoch."""
        self._skip = state["place"]


class Fault(pl.Callback):
    """Acts once a hook comes for the `times`-th time after the epochs that are to be left alone.

    Args:
        hook: Name of the hook.
        act: What to do there.
        epoch: The epoch from which on the hook counts.
    """

    def __init__(self, hook: str, act: Act, epoch: int) -> None:
        self.epoch = epoch
        self._act = act
        setattr(self, hook, self._at)

    def _at(self, trainer: pl.Trainer, *_: object, **__: object) -> None:
        if trainer.current_epoch >= self.epoch and not trainer.sanity_checking:
            self._act()


def fit(
    folder: Path,
    *,
    hook: str = "",
    act: str = "kill",
    epoch: int = 2,
    resume: str | None = None,
    rule: int = 2,
    every: int | None = None,
    **settings: Any,  # noqa: ANN401 - a Trainer's own
) -> None:
    """Fit in a folder, from its last checkpoint where there is one; tell how it went."""
    os.chdir(folder)
    net = Net(read_options(["--out", str(folder)]))
    monitor = GapMonitor(
        stop=Patience(rule), checkpoint=GapCheckpoint(dirpath=folder / "best"), restore_best=True
    )
    last = pl.callbacks.ModelCheckpoint(
        dirpath=folder / "last",
        filename="{step}",
        save_top_k=-1 if every else 1,
        every_n_train_steps=every,
        every_n_epochs=None if every else 1,
        save_last=True,
        save_on_train_epoch_end=None if every else True,
    )
    fault = [Fault(hook, ACTS[act], epoch)] if hook else []
    settings.setdefault("logger", pl.loggers.CSVLogger(folder, name="logs", version=""))
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=8,
        callbacks=[*fault, monitor, last],
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
        **settings,
    )
    try:
        train = Placed(data(TRAIN, factor=1.0).dataset, batch_size=BATCH)
        trainer.fit(net, train, data(VAL, factor=0.5), ckpt_path=resume)
    finally:
        with contextlib.suppress(OSError):
            write(folder, "told", told(trainer, net, monitor))


def told(trainer: pl.Trainer, net: Net, monitor: GapMonitor) -> dict[str, Any]:
    """Put into plain types what is known after a fit."""
    return {
        "history": monitor.history.to_plain(),
        "stop_reason": str(monitor.stop_reason),
        "restored": monitor.outcome.restored if monitor.outcome else None,
        # A second file of the same check is `-v1`.
        "best_path": Path(monitor.outcome.best_path if monitor.outcome else "").stem.split("-v")[
            0
        ],
        "weights": own_weights(net),
        "steps": trainer.global_step,
    }


def read(folder: Path) -> dict[str, Any]:
    """Read what a fit told, its clock left out, as text where NaN is NaN."""
    found = json.loads((folder / "told.json").read_text())
    found["history"]["columns"].pop("seconds", None)
    found["checks"] = len(History.from_plain(found["history"]))
    found["history"] = str(found["history"])
    return dict(found)


def columns(folder: Path) -> dict[str, list[float]]:
    """Read the history of a fit."""
    found = json.loads((folder / "told.json").read_text())["history"]["columns"]
    return dict(found)
