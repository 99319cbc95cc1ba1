"""Start the ranks of `fit_script` as processes of their own, under a deadline.

They are forked from a server that has loaded Lightning once, as torchrun would start them: with
the rank in the environment. `command` starts a real command instead.
"""

import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from tests.strategies import fit_script

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0


class Hang(Exception):  # noqa: N818 - that is what it is
    """A process still ran after the deadline; all were killed."""


def free_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def run_ranks_of(
    body: Any,  # noqa: ANN401 - a picklable function
    *arguments: object,
    ranks: int,
    folder: Path,
    seconds: float = DEADLINE,
) -> list[int | None]:
    """Call `body(*arguments)` in processes that know their rank from their environment.

    Returns:
        The exit code of each.

    Raises:
        Hang: One still ran after the deadline.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.strategies.fit_script", "tests.strategies.launch"])
    port = free_port()
    processes = [
        context.Process(target=_rank, args=(rank, port, folder, body, arguments))
        for rank in range(ranks)
    ]
    for process in processes:
        process.start()
    deadline = time.monotonic() + seconds
    while any(p.is_alive() for p in processes) and time.monotonic() < deadline:
        wait([p.sentinel for p in processes if p.is_alive()], deadline - time.monotonic())
    hanging = [rank for rank, process in enumerate(processes) if process.is_alive()]
    for process in processes:
        process.kill()
        process.join()
    if hanging:
        msg = f"ranks {hanging} still ran after {seconds} s: {outputs(folder)}"
        raise Hang(msg)
    return [process.exitcode for process in processes]


def _rank(rank: int, port: int, folder: Path, body: Any, arguments: tuple[object, ...]) -> None:  # noqa: ANN401
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"output{rank}.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "OMP_NUM_THREADS": "1"}
    try:
        body(*arguments)
    except BaseException:  # noqa: BLE001 - whatever it is: print it and end
        traceback.print_exc()
        sys.stdout.flush()
        os._exit(1)  # as a script ends: nothing of the others is waited for
    sys.stdout.flush()
    sys.stderr.flush()


def outputs(folder: Path) -> str:
    """Read what the ranks printed, the end of it."""
    texts = [path.read_text(errors="replace") for path in sorted(folder.glob("output*.txt"))]
    return "\n----\n".join(text[-20_000:] for text in texts)


def run_script(
    *options: object, ranks: int, folder: Path, seconds: float = DEADLINE
) -> list[int | None]:
    """Run `fit_script` with these options on so many ranks."""
    arguments = ["--out", str(folder), "--devices", str(ranks), *map(str, options)]
    return run_ranks_of(fit_script.main, arguments, ranks=ranks, folder=folder, seconds=seconds)


def command(
    *words: object, folder: Path, seconds: float = DEADLINE, **environment: str
) -> tuple[int, str]:
    """Run a Python command and everything it starts; give its exit code and what it printed.

    Raises:
        Hang: It still ran after the deadline.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {**kept, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", **environment}
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        msg = f"{words} still ran after {seconds} s: {output[-3000:]}"
        raise Hang(msg) from error
    return process.returncode, output


def results(folder: Path, fit: str = "whole", what: str = "rank") -> list[dict[str, Any]]:
    """Read what each rank told of a fit, in rank order."""
    paths = sorted((folder / fit).glob(f"{what}*.json"))
    return [json.loads(path.read_text()) for path in paths]
