"""Score the diagnosis on real learning curves: against readers, and against test loss.

    python -m benchmarks.verdicts_on_logs FOLDER

The folder holds files of one JSON object a line, each with the losses `train` and `val` at each
check, and compressed or not:

* `labelled*.jsonl[.gz]`: readings `a` and `b` by two people, with `label`, `flags` and `conf`;
* `algoperf*.jsonl[.gz]`: the `test` loss at each check, and the workload as `repo`;
* `overfitguard*.jsonl[.gz]`: the `label` of the run, `overfit` or `not`.

Readings and workloads are split in two by the name of their repository, so that what was chosen
with an eye on one part can be reported on the other.
"""

import argparse
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.diagnosis_f1 import macro_f1

from lightning_gapmon import Diagnosis, diagnose

SURE = 2  # of 3
WORSE = 0.04  # of the test loss at the best check
READ = {"still_learning": "learning"}

Curve = dict[str, Any]


def curves(folder: Path, name: str) -> list[Curve]:
    """Read all files of a kind."""
    found: list[Curve] = []
    for path in sorted((*folder.glob(f"{name}*.jsonl"), *folder.glob(f"{name}*.jsonl.gz"))):
        content = path.read_bytes()
        text = gzip.decompress(content) if path.suffix == ".gz" else content
        found += map(json.loads, text.splitlines())
    return found


def judged(curve: Curve) -> Diagnosis:
    """Judge a run that has ended."""
    return diagnose(train=curve["train"], val=curve["val"])


def parts(rows: Sequence[Curve]) -> Iterator[tuple[str, list[Curve]]]:
    """Give all rows, then those of each half of the repositories."""
    yield "all", list(rows)
    for half in (0, 1):
        mine = [row for row in rows if _half(row["repo"]) == half]
        yield f"repositories {'AB'[half]}", mine


def _half(repo: str) -> int:
    return int(hashlib.sha1(repo.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def readings(rows: Sequence[Curve]) -> None:
    """Print how often the diagnosis shares what two sure readers agree on."""
    agreed = [row for row in rows if row["a"]["label"] == row["b"]["label"]]
    sure = [row for row in agreed if min(row["a"]["conf"], row["b"]["conf"]) >= SURE]
    for name, part in parts(sure):
        told = Counter[str]()
        wrong = Counter[tuple[str, str]]()
        over: Counter[tuple[bool, bool]] = Counter()
        for row in part:
            read, said = READ.get(row["a"]["label"], row["a"]["label"]), judged(row).verdict
            kind = "shared" if said == read else "mute" if said == "undecided" else "contradicted"
            told[kind] += 1
            over[read == "overfitting", said == "overfitting"] += 1
            if said != read:
                wrong[read, said] += 1
        shares = {kind: f"{100 * told[kind] / len(part):.1f} %" for kind in sorted(told)}
        print(f"readings, {name}: {len(part)} runs, {shares}, overfitting F1 {macro_f1(over):.3f}")
        for (read, said), count in wrong.most_common():
            print(f"    read as {read}, told {said}: {count}")


def against_test(rows: Sequence[Curve]) -> None:
    """Print how often the diagnosis says that test loss got worse after the best check."""
    workloads = sorted({row["repo"] for row in rows})
    for name, part in [
        ("all", rows),
        *((w, [row for row in rows if row["repo"] == w]) for w in workloads),
    ]:
        found: Counter[tuple[bool, bool]] = Counter()
        for row in part:
            said = judged(row)
            rose = said.verdict == "overfitting" and said.form != "gap"
            found[_worse(row), rose or said.verdict in ("diverging", "non_finite")] += 1
        print(
            f"test loss, {name}: {len(part)} runs, {found[True, True]} of "
            f"{found[True, True] + found[True, False]} found, {found[False, True]} false, "
            f"macro F1 {macro_f1(found):.3f}"
        )


def _worse(row: Curve) -> bool:
    """Whether test loss ends clearly above where it was at the best validation loss."""
    best = row["test"][min(range(len(row["val"])), key=lambda i: row["val"][i])]
    end = median(row["test"][-max(1, len(row["test"]) // 20) :])
    worse: bool = end > best + WORSE * abs(best)
    return worse


def labels(rows: Sequence[Curve]) -> None:
    """Print how well a rise of validation tells runs that were labelled as overfit."""
    found: Counter[tuple[bool, bool]] = Counter()
    for row in rows:
        found[row["label"] == "overfit", judged(row).form in ("rise", "both")] += 1
    print(f"labels: {len(rows)} runs, macro F1 {macro_f1(found):.4f}")


def main() -> None:
    """Score what the folder holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    kinds = {"labelled": readings, "algoperf": against_test, "overfitguard": labels}
    for name, score in kinds.items():
        rows = curves(folder, name)
        if rows:
            score(rows)


if __name__ == "__main__":
    main()
