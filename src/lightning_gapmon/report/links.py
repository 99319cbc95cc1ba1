"""How to open TensorBoard on a run: the command, and the address of the right chart."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

HOST, PORT = "localhost", 6006
TENSORBOARD = "tensorboard"
WINDOWS = os.name == "nt"


def tab(*, host: str = HOST, port: int = PORT) -> str:
    """Give the address of the Gap tab, which shows the runs with their verdicts.

    Example:
        >>> tab()
        'http://localhost:6006/#gapmon'
    """
    return f"{_base(host, port)}#gapmon"


def overlay(*, host: str = HOST, port: int = PORT) -> str:
    """Give the address of both losses in one chart, as they were measured.

    TensorBoard smooths by default, which draws a gap where there is none; the address sets the
    smoothing to 0.

    Example:
        >>> overlay()
        'http://localhost:6006/#custom_scalars&_smoothingWeight=0'
    """
    return f"{_base(host, port)}#custom_scalars&_smoothingWeight=0"


def pinned(*tags: str, host: str = HOST, port: int = PORT) -> str:
    """Give the address of the Time Series tab with the given scalars pinned on top, unsmoothed.

    Example:
        >>> pinned("Loss/gap")
        'http://localhost:6006/?smoothing=0&pinnedCards=%5B%7B%22plugin%22...%7D%5D#timeseries'
    """
    cards = [{"plugin": "scalars", "tag": tag} for tag in tags]
    listed = quote(json.dumps(cards, separators=(",", ":")), safe="")
    return f"{_base(host, port)}?smoothing=0&pinnedCards={listed}#timeseries"


def program() -> list[str]:
    """Name the TensorBoard of this environment, which has the Gap tab, for who reads it.

    By its name where the shell finds just that; else by its path, or as a module.

    Example:
        >>> [*program(), "--version"][-1]
        '--version'
    """
    beside = Path(sys.executable).with_name(f"{TENSORBOARD}.exe" if WINDOWS else TENSORBOARD)
    if not beside.exists():
        return [sys.executable, "-m", "tensorboard.main"]
    found = shutil.which(TENSORBOARD)
    if found and Path(found).resolve() == beside.resolve():
        return [TENSORBOARD]
    return [short(str(beside))]


def command(
    log_dir: str,
    *,
    port: int = PORT,
    windows: bool = WINDOWS,
    tensorboard: Sequence[str] = (TENSORBOARD,),
) -> str:
    """Give the command that opens TensorBoard on a folder, quoted for the shell.

    Args:
        log_dir: The folder; a `~` is taken as it stands.
        port: Where TensorBoard should listen.
        windows: Quote for Windows' shells rather than for POSIX ones.
        tensorboard: What starts it.

    Example:
        >>> command("runs/first try", windows=False)
        "tensorboard --logdir 'runs/first try'"
    """
    words = [*tensorboard, "--logdir", log_dir]
    words += [] if port == PORT else ["--port", str(port)]
    return subprocess.list2cmdline(words) if windows else shlex.join(words)


def short(path: str) -> str:
    """Write a path from the current folder where it lies below it."""
    try:
        here = f"{Path.cwd()}{os.sep}"
    except OSError:  # the current folder was removed
        return path
    return path.removeprefix(here) or path


def _base(host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}/"
