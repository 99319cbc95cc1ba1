"""Runs killed at a drawn moment and resumed: the history and decisions of the uninterrupted."""

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import torch
from tests.attack.tally import Tally
from tests.strategies import alone
from tests.strategies.launch import Hang, outputs, results, run_script
from tests.strategies.test_killed import HOOKS, start

KILLED = -9
SAME = ("history", "best", "stop_reason", "restored", "weights")


def attack(draw: Random, tally: Tally, *, ranks: int) -> None:
    """Kill one run and resume it, beside one that nothing happens to."""
    with tempfile.TemporaryDirectory() as name:
        try:
            (_one_process if ranks == 1 else _two_ranks)(draw, tally, Path(name))
        except Hang as hang:
            tally.differences.append(str(hang))


def drawn(draw: Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a run, and how it is killed."""
    run: dict[str, Any] = {
        "rule": draw.choice((1, 2, 6)),
        "every": draw.choice((None, 3, 5)),
        "accumulate_grad_batches": draw.choice((1, 1, 2)),
        "val_check_interval": draw.choice((1.0, 1.0, 0.5, 3)),
    }
    return run, {"hook": draw.choice(HOOKS), "epoch": draw.randrange(6)}


def _one_process(draw: Random, tally: Tally, folder: Path) -> None:
    run, kill = drawn(draw)
    whole, cut = folder / "whole", folder / "cut"
    codes = [start(whole, **run), start(cut, **run, **kill)]
    left_out = codes[1] == KILLED and run["every"] and saved_at(cut) in validated(whole)
    codes.append(start(cut, **run, resume="last"))
    case = f"{run} killed at {kill}"
    if codes[0] != 0 or codes[1] not in (0, KILLED) or codes[2] != 0:
        tally.differences.append(f"ended with {codes}: {case}: {outputs(cut)[-2000:]}")
    elif left_out:  # by Lightning, which resumes past the validation of the step it was saved at
        tally.compared["kills after which Lightning leaves a validation out"] += 1
    else:
        tally.compared["killed" if codes[1] == KILLED else "ended before the kill"] += 1
        a, b = alone.read(whole), alone.read(cut)
        other = [what for what in a if a[what] != b[what]]
        tally.expect("runs resumed", not other, f"{', '.join(other)} differ: {case}")


def saved_at(folder: Path) -> int:
    """Read at which step a run was saved last; -1 if it never was."""
    last = folder / "last" / "last.ckpt"
    if not last.exists():
        return -1
    return int(torch.load(last, weights_only=False)["global_step"])


def validated(folder: Path) -> set[int]:
    """List the steps after which a run was validated."""
    return {int(step) for step in alone.columns(folder)["step"]}


def _two_ranks(draw: Random, tally: Tally, folder: Path) -> None:
    run = ["--strategy", "ddp", "--only-whole", "--val-samples", draw.choice((3, 8, 13))]
    kill = ["--fault", "kill", "--fault-epoch", draw.randrange(1, 6)]
    kill += ["--fault-rank", draw.randrange(2)]
    whole, cut = folder / "whole", folder / "cut"
    first = run_script(*run, ranks=2, folder=whole)
    killed = run_script(*run, *kill, ranks=2, folder=cut)
    resumed = run_script(*run, "--resume", ranks=2, folder=cut)
    case = f"{run} killed by {kill}"
    if any(first) or any(resumed) or (any(killed) and KILLED not in killed):
        ended = f"{first}, {killed}, {resumed}"
        tally.differences.append(f"ended with {ended}: {case}: {outputs(cut)[-2000:]}")
        return
    tally.compared["killed" if any(killed) else "ended before the kill"] += 1
    for a, b in zip(results(whole), results(cut), strict=True):
        for one in (a, b):
            one["history"]["columns"].pop("seconds", None)
        other = [what for what in SAME if repr(a[what]) != repr(b[what])]
        tally.expect("ranks resumed", not other, f"{', '.join(other)} differ: {case}")
