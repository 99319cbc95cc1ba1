"""More than one node, and those who start a run again: torchrun and SLURM."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from tests.strategies import alone
from tests.strategies.launch import command, free_port, outputs, results, run_ranks_of, run_script

TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", 2)
SCRIPT = ("-m", "tests.strategies.fit_script", "--strategy", "ddp", "--devices", 2, "--only-whole")


def plain(ranks: list[dict[str, Any]]) -> list[str]:
    """Leave out what differs by folder and clock."""
    kept = []
    for rank in ranks:
        columns = {n: seen for n, seen in rank["history"]["columns"].items() if n != "seconds"}
        weights = [seen["weights"] for seen in rank["seen"][-1:]]
        kept.append(str([columns, rank["best"], rank["stop_reason"], rank["weights"], weights]))
    return kept


def agent(node: int, port: int, folder: Path) -> tuple[int, str]:
    """Run one node's agent in a working directory of its own."""
    meet = (
        "--nnodes",
        2,
        "--node-rank",
        node,
        "--master-addr",
        "127.0.0.1",
        "--master-port",
        port,
    )
    own = folder / f"node{node}"
    options = ("--num-nodes", 2, "--out", "out", "--shared", folder / "shared")
    return command(*TORCHRUN, *meet, *SCRIPT, *options, folder=own, seconds=90)


def test_two_nodes_are_as_one(tmp_path: Path) -> None:
    """Four ranks on two nodes see what four on one see; only global rank 0 writes."""
    port = free_port()
    with ThreadPoolExecutor() as both:
        ended = list(both.map(lambda node: agent(node, port, tmp_path), (0, 1)))
    codes = run_script("--strategy", "ddp", "--only-whole", ranks=4, folder=tmp_path / "one")

    assert [code for code, _ in ended] == [0, 0], ended
    assert not any(codes), outputs(tmp_path / "one")
    first, second = (results(tmp_path / f"node{node}" / "out") for node in (0, 1))
    assert [rank["global_rank"] for rank in first + second] == [0, 1, 2, 3]
    assert plain(first + second) == plain(results(tmp_path / "one"))
    logs = [sorted(path.name for path in tmp_path.glob(f"node{n}/out/logs/*/*")) for n in (0, 1)]
    assert logs == [["gapmon.json", "metrics.csv"], []]
    assert {Path(rank["best_path"]).parent for rank in first + second} == {
        tmp_path / "shared" / "whole"
    }


def test_a_killed_rank_comes_back_under_torchrun(tmp_path: Path) -> None:
    """`--max-restarts=1` starts all ranks again, and the run ends as the uninterrupted one."""
    # With the agent's own store torch 2.13 may let a rank read the addresses of those before it.
    fresh = {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    words = (*TORCHRUN, "--standalone", "--max-restarts", 1, *SCRIPT)
    fault = ("--fault", "kill", "--resume", "--out", "out")
    code, output = command(*words, *fault, folder=tmp_path / "cut", seconds=90, **fresh)
    codes = run_script("--strategy", "ddp", "--only-whole", ranks=2, folder=tmp_path / "whole")

    assert code == 0, output
    assert not any(codes), outputs(tmp_path / "whole")
    assert (tmp_path / "cut" / "out" / "killed").exists()
    assert plain(results(tmp_path / "cut" / "out")) == plain(results(tmp_path / "whole"))


def _on_slurm(folder: Path, options: dict[str, Any]) -> None:
    found = {"NTASKS": "1", "PROCID": "0", "LOCALID": "0", "NODEID": "0", "JOB_NAME": "fit"}
    os.environ |= {f"SLURM_{name}": value for name, value in found.items()}
    os.environ |= {"SLURM_JOB_ID": "7", "PATH": f"{folder}:{os.environ['PATH']}"}
    scontrol = folder / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "$@" >> "$(dirname "$0")/requeued"\n')
    scontrol.chmod(0o755)
    slurm = SLURMEnvironment(auto_requeue=True)
    alone.fit(folder, plugins=[slurm], default_root_dir=folder, **options)


def test_requeued_by_slurm(tmp_path: Path) -> None:
    """At SIGUSR1 Lightning saves and asks to be requeued; the next job has the history.

    Lightning counts the epoch that was cut twice; nothing else differs.
    """
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    cut.mkdir()
    words = {"hook": "on_train_epoch_start", "act": "requeue"}
    (killed,) = run_ranks_of(_on_slurm, cut, words, ranks=1, folder=cut)
    (resumed,) = run_ranks_of(_on_slurm, cut, {}, ranks=1, folder=cut)
    run_ranks_of(alone.fit, whole, ranks=1, folder=whole)

    assert killed == -9, outputs(cut)
    assert resumed == 0, outputs(cut)
    assert (cut / "requeued").read_text() == "requeue 7\n"
    for name in ("check", "step", "train", "train_n", "val", "val_n", "lr"):
        assert alone.columns(cut)[name] == alone.columns(whole)[name]
    for name in ("stop_reason", "restored", "weights", "steps"):
        assert alone.read(cut)[name] == alone.read(whole)[name]
