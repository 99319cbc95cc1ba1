"""The checkpoints that lie beside a run's logs."""

import os
from pathlib import Path

SUFFIXES = (".ckpt", ".pt", ".pth", ".keras", ".h5", ".safetensors")
FOLDERS = ("checkpoints", "checkpoint", "ckpt", "weights")
MOST = 10_000  # entries of a folder that are looked at


def checkpoint_files(log: Path) -> list[str]:
    """List checkpoints in the folder of a log and in those that hold checkpoints below it.

    A folder counts as one where its name begins as those of Hugging Face and of Lightning's
    sharded strategies do, `checkpoint-500` or `epoch=3-step=40.ckpt`.

    Args:
        log: A log file, or a folder with event files.
    """
    folder = log if log.is_dir() else log.parent
    places = [folder, *(folder / name for name in FOLDERS)]
    return [path for place in places for path in _in(place)]


def _in(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry, _ in zip(entries, range(MOST), strict=False))
    except OSError:  # not there, or not ours to read: then there is nothing to list
        return []
    return [
        str(folder / name)
        for name in names
        if name.endswith(SUFFIXES) or name.startswith("checkpoint-")
    ]
