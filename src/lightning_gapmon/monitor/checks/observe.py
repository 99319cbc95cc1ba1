"""From the sums of all ranks to the numbers of one check."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.history.interval import Estimate, difference
from lightning_gapmon.analysis.history.observation import NAN, Observation
from lightning_gapmon.analysis.history.window import Bin, at_end
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.checks.odd_rank import rank_distance

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.monitor.checks.reduction import Reduced
    from lightning_gapmon.monitor.losses.watched import Watched


def observe(
    trainer: "Trainer", reduced: "Reduced", watched: "Watched", *, check: int, planned: float
) -> Observation:
    """Put the numbers of a check together.

    Args:
        trainer: The Trainer, in validation.
        reduced: What all ranks recorded.
        watched: Where train and validation losses are taken from.
        check: Its number.
        planned: How many checks are intended in all, as is known now; else NaN.
    """
    window = reduced.train[watched.train] if watched.train else []
    loaders = reduced.val[watched.val] if watched.val else []
    chosen = reduced.watched_val(watched.val) if watched.val else []
    probed = reduced.probe[watched.val] if watched.val else []
    ranks = reduced.ranks.get(watched.val, []) if watched.val else []
    train, val, probe = Sums.total(window), Sums.total(chosen), Sums.total(probed)
    computed = reduced.computed if watched.val == "logged" else ()
    means = [*computed] or [part.mean for part in loaders]
    val_mean = _mean(means, loaders, reduced.loaders) if computed else val.mean
    end, end_stderr = at_end(_bins(window)) if window else (NAN, NAN)
    seen = Observation(
        check=check,
        epoch=trainer.current_epoch,
        step=trainer.global_step,
        seconds=reduced.rank_zero.seconds,
        train=train.mean,
        train_n=train.n,
        train_stderr=train.stderr,
        end=end,
        end_stderr=end_stderr,
        probe=probe.mean,
        probe_stderr=probe.stderr,
        val=val_mean,
        val_n=val.n,
        val_stderr=val.stderr,
        lr=reduced.rank_zero.lr,
        lr_drop_in=reduced.rank_zero.lr_drop_in,
        lr_change_in=reduced.rank_zero.lr_change_in,
        planned=planned,
        rank_distance=rank_distance(ranks),
        loaders=tuple(means) if len(loaders) > 1 else (),
    )
    estimate = replace(_estimate(val), value=val_mean)
    low, high = difference(estimate, _train_estimate(seen, probe, train))
    return replace(seen, gap_low=low, gap_high=high)


def _mean(means: Sequence[float], loaders: Sequence[Sums], chosen: Sequence[int]) -> float:
    """Weigh the means of the chosen loaders by their samples."""
    total = sum(loaders[i].n for i in chosen)
    return sum(means[i] * loaders[i].n for i in chosen) / total if total else NAN


def _train_estimate(seen: Observation, probe: Sums, train: Sums) -> Estimate:
    basis, value, stderr = seen.basis, seen.train_fair, seen.train_fair_stderr
    if basis == "end":  # its error allows for few bins already
        return Estimate(value, stderr)
    return _estimate(probe if basis == "probe" else train)


def _estimate(sums: Sums) -> Estimate:
    return Estimate(sums.mean, sums.stderr, sums.skew, sums.units)


def _bins(parts: list[Sums]) -> list[Bin]:
    return [Bin(part.n, part.place, part.mean, part.stderr) for part in parts if part.n]
