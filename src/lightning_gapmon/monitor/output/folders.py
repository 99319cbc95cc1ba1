"""In which folder a fit's logs are, and its report."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lightning_gapmon.logs.places import is_url
from lightning_gapmon.monitor.output.publish import boards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import Logger


def log_dir(loggers: "Sequence[Logger]") -> str:
    """Give the folder of the first that has one, or ""; of use on rank 0, which is not asked."""
    return next(filter(None, map(_own_folder, loggers)), "")


def report_folder(trainer: "Trainer") -> str:
    """Give the folder of this run alone in which its report is left; "" where nobody named one.

    That of the TensorBoard logs, to which the summary links; else of the first logger that has
    one; else, where loggers have none, that of the checkpoints. Of use on rank 0, which is not
    asked.
    """
    return log_dir([*boards(trainer), *trainer.loggers]) or _of_checkpoints(trainer)


def joined(folder: str, *names: str) -> str:
    """Join names to a folder, or to a URL."""
    if is_url(folder):
        return "/".join([folder.rstrip("/"), *names])
    return os.fspath(Path(folder, *names))


def _own_folder(logger: "Logger") -> str:
    """Give a logger's folder for this run, by Lightning's own scheme where it names none."""
    own = getattr(logger, "log_dir", None)
    if own or not logger.save_dir:
        return str(own or "")
    version = logger.version
    run = version if isinstance(version, str) else f"version_{version}"
    return joined(str(logger.save_dir), str(logger.name), run)


def _of_checkpoints(trainer: "Trainer") -> str:
    """Give the folder of the first checkpoint, or the run's own that Lightning has made it in.

    Without any logger there is none: whoever wants no logs finds their checkpoints alone.
    """
    folders = (getattr(one, "dirpath", None) for one in trainer.checkpoint_callbacks)
    folder = next((os.fspath(one) for one in folders if one), "") if trainer.loggers else ""
    return folder.removesuffix("checkpoints").rstrip("/\\") or folder
