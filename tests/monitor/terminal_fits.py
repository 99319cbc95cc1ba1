"""Fits that are watched on terminals of their own: `python -m tests.monitor.terminal_fits FOLDER`.

What each has written to its terminal is left in the folder, with what should be seen there.
One process loads Lightning, and each fit is a fork of it.
"""

import contextlib
import fcntl
import json
import logging
import os
import pty
import struct
import sys
import termios
import warnings
from pathlib import Path
from typing import Any, NamedTuple

from lightning.pytorch.callbacks import Callback, ProgressBar, RichProgressBar, TQDMProgressBar
from tests.fits import Scripted, loader, trainer

from lightning_gapmon import GapMonitor, Patience
from lightning_gapmon.report import terminal

LOSSES = [3.0, 2.0, 1.0, 1.5, 2.0, 2.5, 3.0]
ROWS = 60
LAST = "the last line of the script"


class OwnBar(ProgressBar):
    """Writes a share over itself, as in Lightning's own example."""

    def disable(self) -> None:
        """Do as it does."""

    def on_train_batch_end(self, *_: Any) -> None:  # noqa: ANN401
        """Write it."""
        sys.stdout.write(" 12.0 percent complete \r")
        sys.stdout.flush()


class Failing(Callback):
    """Ends a fit with an error, in the middle of an epoch."""

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:  # noqa: ANN401
        """Fail in the fifth epoch."""
        if trainer.current_epoch == 4 and batch_idx == 1:
            msg = "out of memory"
            raise RuntimeError(msg)


class Case(NamedTuple):
    """A fit on a terminal.

    Attributes:
        width: Of the terminal.
        bar: What makes its progress bar, if it has one.
        fails: Whether an error ends it.
        train: The name of the train loss; the mixin's, if nothing is said.
    """

    width: int
    bar: type[ProgressBar] | None = None
    fails: bool = False
    train: str | None = None


CASES = {
    "rich-60": Case(60, RichProgressBar),
    "rich-100": Case(100, RichProgressBar),
    "tqdm-80": Case(80, TQDMProgressBar),
    "tqdm-120": Case(120, TQDMProgressBar),
    "own-80": Case(80, OwnBar),
    "none-80": Case(80),
    "rich-failed-80": Case(80, RichProgressBar, fails=True),
    "tqdm-failed-80": Case(80, TQDMProgressBar, fails=True),
    "rich-warned-100": Case(100, RichProgressBar, train="loss_t"),
    "tqdm-warned-100": Case(100, TQDMProgressBar, train="loss_t"),
}


class Said(logging.Handler):
    """Keeps what the monitor logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        if "GapMonitor" in record.getMessage():
            self.lines.append(record.getMessage())


def watch(folder: Path, case: Case) -> None:
    """Fit on this process's terminal, and leave what should be seen there."""
    said = Said()
    logging.getLogger("lightning.pytorch").addHandler(said)
    warnings.filterwarnings("ignore", message="(?!GapMonitor)")
    val = "val_loss" if case.train else None
    monitor = GapMonitor(stop=Patience(3), train=case.train, val=val)
    others = [*([Failing()] if case.fails else []), *([case.bar()] if case.bar else [])]
    bar = {"enable_progress_bar": case.bar is not None}
    with contextlib.suppress(RuntimeError):
        fitting = trainer(folder, monitor, *others, max_epochs=9, **bar)
        fitting.fit(Scripted(LOSSES), loader(40), loader(8))
    print("\n" * case.fails + LAST)  # noqa: T201
    assert monitor.outcome is not None
    seen = {"summary": terminal.summary(monitor.outcome, width=case.width), "said": said.lines}
    (folder / "expected.json").write_text(json.dumps(seen), "utf-8")


def record(folder: Path, case: Case) -> None:
    """Fork one fit onto a terminal of its own, and keep all that it writes there."""
    folder.mkdir()
    child, screen = pty.fork()
    if not child:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, case.width, 0, 0))
        watch(folder, case)
        sys.stdout.flush()
        os._exit(0)
    with (folder / "written").open("wb") as written, contextlib.suppress(OSError):
        while piece := os.read(screen, 65536):  # Linux ends it with an error
            written.write(piece)
    os.waitpid(child, 0)


if __name__ == "__main__":
    os.environ["TERM"] = "xterm-256color"
    for name in ("COLUMNS", "LINES", "NO_COLOR"):  # a terminal has a size of its own
        os.environ.pop(name, None)
    # Lightning's handler writes to what these were when it was made, which is no terminal.
    for handler in logging.getLogger("lightning.pytorch").handlers:
        handler.setStream(open(2, "w", closefd=False))  # type: ignore[attr-defined]  # noqa: SIM115
    sys.stdout, sys.stderr = (open(fd, "w", 1, closefd=False) for fd in (1, 2))  # noqa: SIM115
    for name, made in CASES.items():
        record(Path(sys.argv[1], name), made)
