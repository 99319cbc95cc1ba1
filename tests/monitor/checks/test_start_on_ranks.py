"""The loss before the first step on two gloo ranks: of all of them, the same on both."""

from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from tests.fits import Net, loader, trainer, values
from tests.monitor.test_two_ranks import RANKS, Here
from tests.ranks import run_ranks

from lightning_gapmon import GapMonitor
from lightning_gapmon.analysis.history.history import History

OWN = (values(7, seed=9), values(2, seed=10))  # of each rank, in batches of two and of three


class Empty(Net):
    """Allows a rank to have no validation batch."""

    def __init__(self) -> None:
        super().__init__()
        self.allow_zero_length_dataloader_with_multiple_devices = True


def _fit(rank: int, folder: Path, module: Net, *, start: bool, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a Trainer takes
    monitor = GapMonitor(start=start, stop=None, summary=False)
    strategy = DDPStrategy(cluster_environment=Here(rank))
    asked = {"use_distributed_sampler": False, "max_epochs": 1, **settings}
    val = values(7, seed=3) if asked["use_distributed_sampler"] else OWN[rank]
    runner = trainer(folder, monitor, strategy=strategy, devices=RANKS, **asked)
    runner.fit(module, loader(16), loader(val, batch_size=(2, 3)[rank]))
    return {**monitor.history.to_plain(), "weight": module.weight.item()}


def _bodies(rank: int, folder: Path) -> dict[str, dict[str, Any]]:
    torch.set_num_threads(1)
    none = {"num_sanity_val_steps": 0}
    return {
        "part": _fit(rank, folder, Net(), start=False),
        "whole": _fit(rank, folder, Net(), start=True, **none),
        "none": _fit(rank, folder, Net(), start=False, **none),
        "padded": _fit(rank, folder, Net(), start=True, use_distributed_sampler=True),
        "empty": _fit(rank, folder, Empty(), start=True),
    }


def test_it_is_that_of_all_ranks(tmp_path: Path) -> None:
    """Of two batches a rank, or of all, without repeats; checks and weights are as without."""
    first, second = run_ranks(_bodies, tmp_path, world_size=RANKS, folder=tmp_path, seconds=120)
    expected = {
        "part": (torch.cat([OWN[0][:4], OWN[1]]), 3),
        "whole": (torch.cat(OWN), 5),
        "padded": (values(7, seed=3), 4),
    }

    for name, (samples, batches) in expected.items():
        start = History.from_plain({k: v for k, v in first[name].items() if k != "weight"}).start

        assert start is not None
        assert start.loss == pytest.approx(float(samples.double().mean()), rel=1e-6)
        assert (start.samples, start.batches) == (len(samples), batches)
        assert start.whole is (name != "part")
        assert first[name]["start"] == second[name]["start"]
    for part in ("val", "train", "weight"):
        with_start, without = (
            first[name]["columns"].get(part, first[name]["weight"]) for name in ("whole", "none")
        )

        assert with_start == without
    assert "start" not in first["none"]
    assert "start" not in first["empty"]  # for a rank may have had none of the hooks
