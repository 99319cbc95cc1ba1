"""Both losses as two runs of TensorBoard with one tag, for two colours in one chart of any tab."""

from pathlib import Path
from typing import TYPE_CHECKING

from lightning_gapmon.monitor.compat import logged_step
from lightning_gapmon.monitor.output.publish import boards

if TYPE_CHECKING:
    from lightning.pytorch import Trainer
    from torch.utils.tensorboard import SummaryWriter

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.board.tags import Tags

NAMES = {"train": "train", "val": "validation"}  # as Keras calls them


class SubRuns:
    """Writes them into folders of their own below each run's, on the rank that logs."""

    def __init__(self) -> None:
        self._writers: dict[str, SummaryWriter] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave open files out of copies and pickles."""
        return {"_writers": {}}

    def check(self, trainer: "Trainer", seen: "Observation", tags: "Tags") -> None:
        """Write the losses of a check at the step at which it is logged."""
        for logger in boards(trainer) if trainer.is_global_zero else []:
            for side, name in NAMES.items():
                writer = self._writer(str(Path(logger.log_dir, name)))
                writer.add_scalar(tags.loss, getattr(seen, side), logged_step(trainer))

    def _writer(self, folder: str) -> "SummaryWriter":
        if folder not in self._writers:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - takes a second

            self._writers[folder] = SummaryWriter(folder)
        return self._writers[folder]

    def close(self) -> None:
        """Close what is open, whatever has ended the fit."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}
