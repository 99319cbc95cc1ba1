"""One real fit under each strategy: exact, agreed, stopped, restored, resumed.

Each strategy is run once; every promise is looked at in what its ranks wrote down. The oracle is
arithmetic over the single losses that the module noted.
"""

import math
from pathlib import Path
from typing import Any

import pytest
from tests.strategies.launch import command, outputs, results, run_script

from lightning_gapmon import History

CPU = [
    ("auto", 1),
    ("ddp", 2),
    ("ddp_notebook", 2),
    ("ddp_find_unused_parameters_true", 2),
    ("fsdp", 2),
    ("fsdp2", 2),
    ("tp", 2),
    ("fsdp2_tp", 4),
]
BY_LIGHTNING = ("ddp", "ddp_notebook")  # which starts the other ranks; elsewhere the test does
GPU = [
    ("auto", 1, 1),
    ("ddp", 1, 1),
    ("fsdp", 1, 1),
    ("fsdp2", 1, 1),
    ("deepspeed_stage_1", 1, 1),
    ("deepspeed_stage_2", 1, 1),
    ("deepspeed_stage_3", 1, 1),
    ("ddp_gloo_one_gpu", 2, 1),
    ("ddp", 2, 2),
    ("fsdp", 2, 2),
    ("fsdp2", 2, 2),
    ("tp", 2, 2),
]
CASES = [pytest.param((name, "cpu", ranks), id=f"{name}-cpu-{ranks}") for name, ranks in CPU] + [
    pytest.param((name, "gpu", ranks), id=f"{name}-gpu-{ranks}", marks=pytest.mark.gpu(devices))
    for name, ranks, devices in GPU
]

Ranks = list[dict[str, Any]]


@pytest.fixture(scope="module", params=CASES)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the script under one strategy, on all its ranks."""
    strategy, accelerator, ranks = request.param
    if strategy.startswith("deepspeed"):
        pytest.importorskip("deepspeed", reason="DeepSpeed is not installed")
    folder = tmp_path_factory.mktemp(strategy)
    options = ("--strategy", strategy, "--accelerator", accelerator)
    if strategy in BY_LIGHTNING:
        words = ("-m", "tests.strategies.fit_script", *options, "--devices", ranks)
        code, output = command(*words, "--out", folder, folder=folder)
        assert code == 0, output
    else:
        codes = run_script(*options, ranks=ranks, folder=folder)
        assert not any(codes), outputs(folder)
    assert len(results(folder)) == ranks
    return folder


def losses(ranks: Ranks, *, train: bool, epoch: int) -> dict[tuple[int, int], float]:
    """Collect each sample's loss once; a repeat comes after its original, on a later rank."""
    found: dict[tuple[int, int], float] = {}
    for rank in ranks:
        for step, noted in enumerate(rank["losses"]):
            if noted["train"] == train and noted["epoch"] == epoch:
                for number, loss in zip(noted["numbers"], noted["losses"], strict=True):
                    found.setdefault((number, step if train else 0), loss)
    return found


def column(rank: dict[str, Any], name: str) -> list[float]:
    """Read one column of a rank's history."""
    found: list[float] = rank["history"]["columns"][name]
    return found


@pytest.mark.parametrize("train", [True, False], ids=["train", "val"])
def test_means_are_exact(ran: Path, *, train: bool) -> None:
    """Each check's losses are the means over all samples, each counted once."""
    ranks = results(ran)
    name = "train" if train else "val"
    epochs = range(len(column(ranks[0], name)))
    oracle = [losses(ranks, train=train, epoch=epoch) for epoch in epochs]

    assert column(ranks[0], f"{name}_n") == [22 if train else 13] * len(oracle)
    assert column(ranks[0], name) == pytest.approx(
        [math.fsum(seen.values()) / len(seen) for seen in oracle], rel=1e-12
    )


def test_one_collective_a_check(ran: Path) -> None:
    """A check asks for one all-reduce and nothing else but the barrier Lightning puts before."""
    for rank in results(ran):
        asked = [{name: n for name, n in counts.items() if n} for counts in rank["counts"]]
        several = len(results(ran)) > 1

        assert asked == [{"all_reduce": 1, "barrier": 1} if several else {}] * len(asked)


def test_all_ranks_agree(ran: Path) -> None:
    """History, best check, decision, paths and published numbers are the same on all ranks."""
    for fit in ("whole", "interrupted", "resumed"):
        first, *others = results(ran, fit)
        for other in others:
            for what in ("history", "best", "stop_reason", "restored", "best_path"):
                assert str(other[what]) == str(first[what])  # as text: NaN is NaN
            for seen, of_first in zip(other["seen"], first["seen"], strict=True):
                assert seen["metrics"] == of_first["metrics"]
                assert seen["should_stop"] == of_first["should_stop"]


def test_the_process_that_called_fit_knows(ran: Path) -> None:
    """Also where Lightning forked the ranks, their parent has history, reason, best and path."""
    for fit in ("whole", "resumed"):
        told = results(ran, fit)[0]
        for process in results(ran, fit, "process"):
            for what in ("history", "best", "stop_reason", "restored", "best_path"):
                assert str(process[what]) == str(told[what])  # as text: NaN is NaN


def test_published_is_what_was_measured(ran: Path) -> None:
    """`callback_metrics` holds the history's numbers on every rank."""
    for rank in results(ran):
        history = History.from_plain(rank["history"])
        for seen, metrics in zip(history, (s["metrics"] for s in rank["seen"]), strict=True):
            assert metrics["Loss/val"] == pytest.approx(seen.val, rel=1e-6)
            assert metrics["Loss/train"] == pytest.approx(seen.train, rel=1e-6)
            assert metrics["Loss/gap"] == pytest.approx(seen.gap, rel=1e-6)


def test_stops_two_checks_after_the_best(ran: Path) -> None:
    """The rule stops the run at the same check everywhere, long before the last epoch."""
    for rank in results(ran):
        vals = column(rank, "val")

        assert len(vals) == vals.index(min(vals)) + 3
        assert rank["best"] == vals.index(min(vals)) + 1
        assert "no improvement for 2 checks" in rank["stop_reason"]


def test_the_best_weights_are_restored(ran: Path) -> None:
    """After fit each rank holds its share of the best check's weights, also after a resume."""
    for fit in ("whole", "interrupted", "resumed"):
        for rank, whole in zip(results(ran, fit), results(ran), strict=True):
            best = whole["seen"][whole["best"] - 1]["weights"]

            assert rank["restored"] is True
            assert rank["weights"] == best
            assert whole["seen"][-1]["weights"] != best


def test_a_resumed_run_is_the_uninterrupted_one(ran: Path) -> None:
    """Resumed past its best check, a run has the same history and decides the same."""
    for resumed, whole in zip(results(ran, "resumed"), results(ran), strict=True):
        assert untimed(resumed["history"]) == untimed(whole["history"])
        assert resumed["stop_reason"] == whole["stop_reason"]
        assert len(resumed["seen"]) == 1  # one check after the resume, the rest before
        assert resumed["seen"][-1]["weights"] == whole["seen"][-1]["weights"]


def test_a_probe_leaves_no_trace(ran: Path) -> None:
    """With a probe, each rank holds the same weights at each check, to the last bit."""
    for probed, whole in zip(results(ran, "probed"), results(ran), strict=True):
        assert [seen["weights"] for seen in probed["seen"]] == [
            seen["weights"] for seen in whole["seen"]
        ]
        assert [seen["metrics"]["val_loss"] for seen in probed["seen"]] == [
            seen["metrics"]["val_loss"] for seen in whole["seen"]
        ]


def test_the_probe_is_the_mean_of_the_training_data(ran: Path) -> None:
    """Read whole, shared out over the ranks, it is the mean of its single losses in eval mode."""
    ranks = results(ran, "probed")
    for epoch, probe in enumerate(column(ranks[0], "probe")):
        read = [
            probed(rank, epoch, validated(whole))
            for rank, whole in zip(ranks, results(ran), strict=True)
        ]
        found = {number: loss for own in read for number, loss in own.items()}

        assert len(found) == 22
        assert probe == pytest.approx(math.fsum(found.values()) / len(found), rel=1e-12)


def validated(rank: dict[str, Any]) -> int:
    """Count the validation batches of a check, where there is no probe."""
    return sum(not noted["train"] and noted["epoch"] == 0 for noted in rank["losses"])


def probed(rank: dict[str, Any], epoch: int, batches: int) -> dict[int, float]:
    """Collect what the probe read: before the validation batches of the check."""
    told = [noted for noted in rank["losses"] if noted["epoch"] == epoch and not noted["train"]]
    read = [zip(noted["numbers"], noted["losses"], strict=True) for noted in told[:-batches]]
    return {number: loss for pairs in read for number, loss in pairs}


def untimed(history: dict[str, Any]) -> dict[str, Any]:
    """Leave out the clock, and the plan as each check knew it: the first part planned less."""
    apart = ("seconds", "planned")
    columns = {name: seen for name, seen in history["columns"].items() if name not in apart}
    return {**history, "columns": columns}


def test_the_best_checkpoint_loads(ran: Path) -> None:
    """The best path holds the weights whose loss it was saved under, as the module logs it."""
    whole = results(ran)[0]
    logged = whole["seen"][whole["best"] - 1]["metrics"]["val_loss"]

    assert Path(whole["best_path"]).exists()
    for found in results(ran, "validated", "process"):
        assert found["val_loss"] == pytest.approx(logged, rel=1e-6)
