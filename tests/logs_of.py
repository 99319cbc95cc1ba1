"""Logs to read, written as trainers write them."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from tests import curves


def csv_log(
    folder: Path, val: Sequence[float], train: Sequence[float] = (), *, first: int = 0
) -> Path:
    """Write the `metrics.csv` of a run into a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "metrics.csv"
    known = train or [math.nan] * len(val)
    rows = [
        f"{first + i},{10 * (first + i) + 9},{t!r},{v!r}"
        for i, (t, v) in enumerate(zip(known, val, strict=True))
    ]
    path.write_text("\n".join(["epoch,step,train_loss,val_loss", *rows]) + "\n")
    return path


def drawn_log(folder: Path, shape: curves.Shape, *, seed: int = 0, checks: int = 40) -> Path:
    """Write a run of a known kind."""
    train, val = curves.draw(shape, checks=checks, noise=0.01, seed=seed)
    return csv_log(folder, val, train)


def json_lines(path: Path, name: str, val: Sequence[float | None]) -> Path:
    """Write a run of any name."""
    train = [1.0] * len(val)
    path.write_text(json.dumps({"id": name, "train": train, "val": val}) + "\n")
    return path
