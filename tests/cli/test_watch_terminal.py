"""`gapmon watch` in a terminal."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests import curves
from tests.logs_of import csv_log, drawn_log

from lightning_gapmon.cli.watch import ENTER, LEAVE

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals that Python can open")

PATIENCE = 60.0  # seconds until a busy machine must have drawn something


class Terminal:
    """A pseudo-terminal with the command in it."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "lightning_gapmon", "watch", *words],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "LINES": "24", "COLUMNS": "80", "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)
        self.text = ""

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read until something is to be seen, or the command has ended."""
        deadline = time.monotonic() + PATIENCE
        while not seen(self.text) and time.monotonic() < deadline:
            ready, _, _ = select.select([self._ours], [], [], 0.5)
            try:
                data = os.read(self._ours, 65536) if ready else b""
            except OSError:  # the other end was closed
                break
            self.text += data.decode("utf-8", "replace")
        return self.text

    def end(self, number: int) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        self.until(lambda _: self.process.poll() is not None)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Watch a folder that is still empty."""
    found = Terminal(tmp_path, "runs", "--every", "0.1")
    yield found
    found.close()


def test_it_follows_a_run_and_leaves_the_terminal_clean(
    terminal: Terminal, tmp_path: Path
) -> None:
    """It waits for a log, draws it, goes on with a restart, and Ctrl-C gives the screen back."""
    assert "waiting for a log" in terminal.until(lambda text: "waiting" in text)
    drawn_log(tmp_path / "runs/first", curves.u_shape)
    said = terminal.until(lambda text: "verdict" in text)
    assert "runs/first" in said
    assert "●" in said
    assert "overfitting" in said

    csv_log(tmp_path / "runs/second", [1.0, 0.9, 0.8], [1.0, 0.9, 0.7])
    assert "check 3, epoch 2" in terminal.until(lambda text: "check 3, epoch 2" in text)

    assert terminal.end(signal.SIGINT) == 0
    assert terminal.text.startswith(ENTER)
    assert terminal.text.rstrip().endswith(LEAVE)
    assert "Traceback" not in terminal.text


def test_a_killed_view_gives_the_screen_back(terminal: Terminal) -> None:
    """SIGTERM ends it with the code that says so, and with the cursor back."""
    terminal.until(lambda text: "waiting" in text)

    assert terminal.end(signal.SIGTERM) == 128 + signal.SIGTERM
    assert terminal.text.rstrip().endswith(LEAVE)
