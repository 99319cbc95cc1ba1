"""What came of a comparison, for programs: strict JSON with a version."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lightning_gapmon.analysis.compare.checkpoints import Candidate
from lightning_gapmon.analysis.compare.compare import Comparison
from lightning_gapmon.analysis.compare.group import Group
from lightning_gapmon.analysis.gate.result import Unread
from lightning_gapmon.report.gate_json import known

FORMAT, VERSION = "gapmon.compare", 1


def plain(
    groups: Sequence[Group],
    comparisons: Iterable[Comparison],
    checkpoints: Mapping[str, Sequence[Candidate]],
    unread: Iterable[Unread] = (),
) -> dict[str, Any]:
    """Turn groups, what was said of each, and their checkpoints into what JSON can hold.

    Args:
        groups: The groups; the first is what the others are compared with.
        comparisons: One for each of the others.
        checkpoints: The checks that are as good as the best, by the name of their run.
        unread: Logs that took no part.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "groups": [_group(group) for group in groups],
        "comparisons": [_comparison(one) for one in comparisons],
        "checkpoints": [
            {"run": run, "as_good_as_best": [_candidate(one) for one in found]}
            for run, found in checkpoints.items()
        ],
        "unread": [
            {"name": one.name, "reason": one.reason, "broken": one.broken} for one in unread
        ],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "label": group.label,
        "runs": [run.name for run in group.runs],
        "losses": [*group.losses],
        "failed": group.failed,
        "mean": known(group.mean),
        "spread": known(group.spread),
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "reference": one.reference.label,
        "other": one.other.label,
        "answer": one.answer,
        "basis": one.basis,
        "difference": known(one.difference),
        "low": known(one.low),
        "high": known(one.high),
        "reason": one.reason,
    }


def _candidate(one: Candidate) -> dict[str, Any]:
    seen = one.seen
    return {
        "check": seen.check,
        "epoch": seen.epoch,
        "step": seen.step,
        "val": known(seen.val),
        "gap": known(seen.gap),
        "paths": [*one.paths],
    }
