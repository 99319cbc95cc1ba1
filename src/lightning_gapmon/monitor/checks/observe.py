"""From the sums of all ranks to the numbers of one check."""

import dataclasses
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.history.interval import Estimate, difference
from lightning_gapmon.analysis.history.observation import NAN, Observation
from lightning_gapmon.analysis.history.window import Bin, at_end
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.checks.reduction import Ledger, spread
from lightning_gapmon.monitor.losses.recorder import Source

if TYPE_CHECKING:
    from lightning.pytorch import Trainer


def observe(
    trainer: "Trainer",
    ledger: Ledger,
    sources: tuple[Source | None, Source | None],
    *,
    check: int,
) -> Observation:
    """Put the numbers of a check together.

    Args:
        trainer: The Trainer, in validation.
        ledger: What all ranks recorded.
        sources: Where train and validation losses are taken from.
        check: Its number.
    """
    train_from, val_from = sources
    window = ledger.train[train_from] if train_from else []
    loaders = ledger.val[val_from] if val_from else []
    train, val = Sums.total(window), Sums.total(loaders)
    probe = Sums.total(ledger.probe[val_from] if val_from else [])
    end, end_stderr = at_end(_bins(window)) if window else (NAN, NAN)
    seen = Observation(
        check=check,
        epoch=trainer.current_epoch,
        step=trainer.global_step,
        seconds=ledger.facts.seconds,
        train=train.mean,
        train_n=train.n,
        train_stderr=train.stderr,
        end=end,
        end_stderr=end_stderr,
        probe=probe.mean,
        probe_stderr=probe.stderr,
        val=val.mean,
        val_n=val.n,
        val_stderr=val.stderr,
        lr=ledger.facts.lr,
        lr_drop_in=ledger.facts.lr_drop_in,
        spread=spread(ledger.shards(val_from)),
        loaders=tuple(part.mean for part in loaders) if len(loaders) > 1 else (),
    )
    low, high = difference(_estimate(val), _train_estimate(seen, probe, train))
    return dataclasses.replace(seen, gap_low=low, gap_high=high)


def _train_estimate(seen: Observation, probe: Sums, train: Sums) -> Estimate:
    basis, value, stderr = seen.basis, seen.train_fair, seen.train_fair_stderr
    if basis == "end":  # its error allows for few bins already
        return Estimate(value, stderr)
    return _estimate(probe if basis == "probe" else train)


def _estimate(sums: Sums) -> Estimate:
    return Estimate(sums.mean, sums.stderr, sums.skew, sums.units)


def _bins(parts: list[Sums]) -> list[Bin]:
    return [Bin(part.n, part.place, part.mean, part.stderr) for part in parts if part.n]
