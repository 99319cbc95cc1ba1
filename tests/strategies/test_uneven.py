"""Ranks whose validation data differ: in amount, down to none, and in kind."""

import os
import re
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
from tests.strategies.fit_script import TRAIN, Net, data, read_options
from tests.strategies.launch import outputs, results, run_ranks_of
from tests.strategies.witness import Counted, Witness
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, Subset, TensorDataset

from lightning_gapmon import GapMonitorMixin

SAMPLES = 40


class Quiet(Net):
    """Logs nothing: with `sync_dist` Lightning itself waits for the rank that has no batch."""

    def validation_step(self, batch: Any, *_: Any) -> Tensor:  # noqa: ANN401
        """Hand the losses to the mixin only."""
        return GapMonitorMixin.validation_step(self, batch)


class Logging(Net):
    """Logs its losses and returns them nowhere but to the optimiser; on each rank its own."""

    def training_step(self, batch: Any, *_: Any) -> Tensor:  # noqa: ANN401
        """Log under a name that the other side shares."""
        loss = self.loss_step(batch).mean()
        self.log("train_loss", loss, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: Any, *_: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        """Log, and return nothing."""
        self.log("val_loss", self.loss_step(batch).mean(), batch_size=len(batch[0]))


MODULES = {"mixin": Quiet, "logged": Logging}


class Stream(IterableDataset[Any]):
    """Data of unknown length."""

    def __init__(self, part: Subset[Any]) -> None:
        self.part = part

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of whatever the part holds
        return iter([self.part[i] for i in range(len(self.part))])


def fit(folder: Path, shares: list[list[int]], kind: str, module: str, shift: float = 0.0) -> None:
    """Fit with a share of the validation data of one's own, shifted on the last rank."""
    rank = int(os.environ["LOCAL_RANK"])
    options = read_options(["--out", str(folder), "--strategy", "ddp"])
    net = MODULES[module](options)
    net.allow_zero_length_dataloader_with_multiple_devices = True
    x, y, numbers = data(SAMPLES, factor=0.5).dataset.tensors  # type: ignore[attr-defined]
    y = y + shift * (rank == len(shares) - 1)
    part: Subset[Any] = Subset(TensorDataset(x, y, numbers), shares[rank])
    monitor = Counted(stop=None, checkpoint=False)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=len(shares),
        strategy="ddp",
        max_epochs=3,
        callbacks=[monitor, Witness(monitor, folder / "whole")],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    val = DataLoader(Stream(part) if kind == "stream" else part, batch_size=4)
    trainer.fit(net, data(TRAIN, factor=1.0), val)


def run(
    folder: Path, shares: list[list[int]], kind: str, module: str = "mixin", shift: float = 0.0
) -> list[Any]:
    """Fit on one rank for each share."""
    codes = run_ranks_of(
        fit, folder, shares, kind, module, shift, ranks=len(shares), folder=folder
    )
    assert not any(codes), outputs(folder)
    return results(folder)


def noted(ranks: list[Any], epoch: int) -> list[list[float]]:
    """Collect each rank's validation losses in an epoch."""
    return [
        [
            loss
            for step in rank["losses"]
            if not step["train"] and step["epoch"] == epoch
            for loss in step["losses"]
        ]
        for rank in ranks
    ]


@pytest.mark.parametrize("module", list(MODULES))
@pytest.mark.parametrize(
    "shares",
    [[list(range(9)), list(range(9, 12))], [list(range(12)), []]],
    ids=["uneven", "none"],
)
def test_a_stream_of_which_a_rank_gets_less(
    shares: list[list[int]], module: str, tmp_path: Path
) -> None:
    """The mean is over all samples, a rank with none of them takes part, and all agree."""
    first, second = ranks = run(tmp_path, shares, "stream", module)
    columns = first["history"]["columns"]

    assert str(first["history"]) == str(second["history"])
    assert columns["val_n"] == [12, 12, 12]
    for epoch in range(3):
        losses = sum(noted(ranks, epoch), [])  # noqa: RUF017 - two lists

        assert len(losses) == 12
        assert columns["val"][epoch] == pytest.approx(sum(losses) / 12, rel=1e-6)


def test_only_a_rank_without_a_batch_asks_for_names(tmp_path: Path) -> None:
    """Names are agreed on where one rank has not heard them, once; else the sums are enough."""
    even, idle = tmp_path / "even", tmp_path / "idle"

    for rank in run(even, [list(range(6)), list(range(6, 12))], "stream", "logged"):
        assert [counts["all_reduce"] for counts in rank["counts"]] == [1, 1, 1]
        assert [counts["all_gather_object"] for counts in rank["counts"]] == [0, 0, 0]
    for rank in run(idle, [list(range(12)), []], "stream", "logged"):
        assert [counts["all_reduce"] for counts in rank["counts"]] == [2, 1, 1]
        assert [counts["all_gather_object"] for counts in rank["counts"]] == [1, 0, 0]


def test_a_loader_that_is_empty_on_a_rank(tmp_path: Path) -> None:
    """Lightning leaves validation out there, so the monitor stays out: nobody waits for ever."""
    for rank in run(tmp_path, [list(range(12)), []], "list"):
        assert rank["history"]["columns"] == {}

    assert "a rank has no validation batch" in outputs(tmp_path)


def test_a_shard_that_is_off_is_named(tmp_path: Path) -> None:
    """A rank whose data differ is told from chance, once, by its number and both losses."""
    shares = [list(range(20)), list(range(20, 40))]
    even, odd = tmp_path / "even", tmp_path / "odd"
    quiet, told = run(even, shares, "list"), run(odd, shares, "list", shift=5.0)
    means = [sum(losses) / len(losses) for losses in noted(told, epoch=0)]
    distance = told[0]["history"]["columns"]["rank_distance"]

    assert quiet[0]["notes"] == []
    assert len(told[0]["notes"]) == 1
    assert told[0]["notes"] == told[1]["notes"]
    assert re.search(r"Rank [01] has a validation loss of .* at check 1,", told[0]["notes"][0])
    for mean in means:
        assert f"{mean:.4g} ±" in told[0]["notes"][0]
    assert distance[0] == pytest.approx(abs(means[0] - means[1]) / 2, rel=1e-6)
    assert [counts["all_reduce"] for counts in told[0]["counts"]] == [1, 1, 1]
