"""Fits with and without the monitor, over drawn settings: the same to the last bit."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import lightning.pytorch as pl
import torch
from tests.attack.tally import Tally
from tests.strategies import harmless, variants
from tests.strategies.harmless import AVERAGING, OPTIONS, samples
from tests.strategies.launch import Hang, outputs, results, run_ranks_of
from tests.strategies.witness import write
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from lightning_gapmon import GapMonitor
from lightning_gapmon.errors import ConfigurationError

PAIRS = 8  # in a start of the ranks
WHAT = ("weights", "metrics", "seen while it trained", "logged", "generators", "steps", "course")
GIVEN: dict[str, dict[str, Any]] = {
    **{name: options or {} for name, options in OPTIONS.items()},
    "restore_best": {"restore_best": True},
    "disk": {"restore_best": "disk"},
}
NAMED = {"train", "val", "is_loss"}  # options for modules that log their losses


class Stream(IterableDataset[Any]):
    """The samples one after the other, with no length."""

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Give them."""
        return iter(samples())


class Course(pl.Callback):
    """Notes weights and generators after each epoch: what comes back at the end is another."""

    def __init__(self) -> None:
        self.noted: list[object] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note them, as digests."""
        weights = [parameter.tolist() for parameter in pl_module.parameters()]
        digest = hashlib.sha256(repr(weights).encode()).hexdigest()
        self.noted.append([digest, harmless.generators()])


def _mapped() -> tuple[Any, Any]:
    return harmless.loaders()


def _streamed() -> tuple[Any, Any]:
    return DataLoader(Stream(), 3), DataLoader(Stream(), 4)


def _several() -> tuple[Any, Any]:
    train, val = harmless.loaders()
    return train, [val, DataLoader(samples(), 5)]


LOADERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "mapped": _mapped,
    "streamed": _streamed,
    "several": _several,
}
KINDS: dict[str, Callable[[], Any]] = {
    "Net": harmless.Net,
    "Mixin": variants.Mixin,
    "Returned": variants.Returned,
    "MixinLBFGS": variants.MixinLBFGS,
    "LoggedLBFGS": variants.LoggedLBFGS,
    "GAN": variants.GAN,
}
# By DDP a step has one backward pass through all parameters, which LBFGS and a GAN do not keep to:
# without a monitor, too, they wait for each other for ever.
ON_RANKS = ("Net", "Mixin", "Returned")


def drawn(draw: Random, ranks: int) -> dict[str, Any]:
    """Draw a module, its loaders, a Trainer's settings, and what the monitor is given."""
    kind = draw.choice(list(KINDS if ranks == 1 else ON_RANKS))
    settings: dict[str, Any] = {
        "max_epochs": draw.choice((1, 2, 3)),
        "check_val_every_n_epoch": draw.choice((1, 1, 2)),
        "limit_train_batches": draw.choice((1.0, 3, 1)),
        "limit_val_batches": draw.choice((1.0, 2, 1)),
        "num_sanity_val_steps": draw.choice((0, 1, 2)),
        "precision": draw.choice(("32-true", "bf16-mixed")),
        "log_every_n_steps": draw.choice((1, 3)),
        "val_check_interval": draw.choice((1.0, 1, 2)),
        "gradient_clip_val": draw.choice((None, 1.0)),
        "accumulate_grad_batches": draw.choice((1, 1, 2, 3)),
        "reload_dataloaders_every_n_epochs": draw.choice((0, 0, 1)),
    }
    if settings["limit_train_batches"] == 1:
        settings["val_check_interval"] = 1.0
    if kind == "GAN":
        settings |= {"gradient_clip_val": None, "accumulate_grad_batches": 1}
    logs = kind in ("Net", "LoggedLBFGS")
    names = [name for name in GIVEN if name != "without" and (logs or name not in NAMED)]
    return {
        "kind": kind,
        "loaders": draw.choice(list(LOADERS)),
        "averaging": draw.choice(("none", "none", "none", *AVERAGING)),
        "options": draw.sample(names, draw.choice((0, 1, 2, 3))),
        "settings": settings,
    }


def outcome(
    folder: Path,
    case: dict[str, Any],
    options: dict[str, Any] | None,
    ranks: int,
    monitor: type[GapMonitor],
) -> list[str]:
    """Fit once, and give each thing that is compared; or the error alone."""
    course = Course()
    settings = {**case["settings"], "callbacks": [course]}
    try:
        found = harmless.fit(
            folder,
            options,
            case["averaging"],
            ranks,
            kind=KINDS[case["kind"]],
            loaders=LOADERS[case["loaders"]],
            monitor=monitor,
            **settings,
        )
    except Exception as error:  # noqa: BLE001 - whatever ends a fit is compared
        refused = "refused: " if isinstance(error, ConfigurationError) else "raised: "
        return [f"{refused}{type(error).__name__}: {error}"]
    return [json.dumps(one) for one in (*found, course.noted)]


def pair(
    folder: Path,
    case: dict[str, Any],
    tally: Tally,
    ranks: int,
    monitor: type[GapMonitor] = GapMonitor,
) -> None:
    """Fit without the monitor and with it, and compare."""
    options = {key: value for name in case["options"] for key, value in GIVEN[name].items()}
    without = outcome(folder / "without", case, None, ranks, monitor)
    if len(without) == 1:
        tally.compared[f"fits that fail without the monitor too ({without[0][:90]})"] += 1
        return
    with_it = outcome(folder / "with", case, options, ranks, monitor)
    if with_it[0].startswith("refused: "):
        tally.compared[f"options refused ({with_it[0][:100]})"] += 1
        return
    if len(with_it) == 1:
        tally.expect("pairs of fits", same=False, difference=f"{with_it[0]} with {case}")
        return
    skipped = {"weights"} if "restore_best" in options else set()
    compared = zip(WHAT, without, with_it, strict=True)
    other = [what for what, a, b in compared if a != b and what not in skipped]
    tally.expect("pairs of fits", not other, f"{', '.join(other)} differ with {case}")


def _rank(folder: Path, cases: list[dict[str, Any]], ranks: int) -> None:
    torch.set_num_threads(1)
    rank, tally = os.environ["LOCAL_RANK"], Tally()
    for number, case in enumerate(cases):
        pair(folder / f"{number}", case, tally, ranks)
    told = {"compared": tally.compared, "differences": tally.differences}
    write(folder / "pairs", f"rank{rank}", told)


def attack(draw: Random, tally: Tally, *, ranks: int, pairs: int = PAIRS) -> None:
    """Fit so many pairs in processes of their own."""
    cases = [drawn(draw, ranks) for _ in range(pairs)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            codes = run_ranks_of(
                _rank, folder, cases, ranks, ranks=ranks, folder=folder, seconds=60 + 20 * pairs
            )
        except Hang as hang:
            codes, hung = [None], f"{hang}"
        else:
            hung = outputs(folder)
        if any(code != 0 for code in codes):
            tally.differences.append(f"ranks ended with {codes} in {cases}: {hung[-3000:]}")
        for told in results(folder, "pairs"):
            tally.compared.update(told["compared"])
            tally.differences += told["differences"]
