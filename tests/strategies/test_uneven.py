"""Ranks whose validation data differ: in amount, down to none, and in kind."""

import os
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


class Stream(IterableDataset[Any]):
    """Data of unknown length."""

    def __init__(self, part: Subset[Any]) -> None:
        self.part = part

    def __iter__(self) -> Any:  # noqa: ANN401 - an iterator of whatever the part holds
        return iter([self.part[i] for i in range(len(self.part))])


def fit(folder: Path, shares: list[list[int]], kind: str, shift: float = 0.0) -> None:
    """Fit with a share of the validation data of one's own, shifted on the last rank."""
    rank = int(os.environ["LOCAL_RANK"])
    options = read_options(["--out", str(folder), "--strategy", "ddp"])
    net = Quiet(options)
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


def run(folder: Path, shares: list[list[int]], kind: str, shift: float = 0.0) -> list[Any]:
    """Fit on one rank for each share."""
    codes = run_ranks_of(fit, folder, shares, kind, shift, ranks=len(shares), folder=folder)
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


@pytest.mark.parametrize(
    "shares",
    [[list(range(9)), list(range(9, 12))], [list(range(12)), []]],
    ids=["uneven", "none"],
)
def test_a_stream_of_which_a_rank_gets_less(shares: list[list[int]], tmp_path: Path) -> None:
    """The mean is over all samples, a rank with none of them takes part, and all agree."""
    first, second = ranks = run(tmp_path, shares, "stream")
    columns = first["history"]["columns"]

    assert str(first["history"]) == str(second["history"])
    assert columns["val_n"] == [12, 12, 12]
    for epoch in range(3):
        losses = sum(noted(ranks, epoch), [])  # noqa: RUF017 - two lists

        assert len(losses) == 12
        assert columns["val"][epoch] == pytest.approx(sum(losses) / 12, rel=1e-12)


def test_a_loader_that_is_empty_on_a_rank(tmp_path: Path) -> None:
    """Lightning leaves validation out there, so the monitor stays out: nobody waits for ever."""
    for rank in run(tmp_path, [list(range(12)), []], "list"):
        assert rank["history"]["columns"] == {}

    assert "a rank has no validation batch" in outputs(tmp_path)
