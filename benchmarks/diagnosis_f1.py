"""Score the diagnosis on labelled learning curves: macro F1 of `overfitting`, and the rest.

    python benchmarks/diagnosis_f1.py CURVES.jsonl[.gz] [...]

A line of a file is a JSON object with `train` and `val` (losses per check) and `label`:
`overfit` or `not`; lines without a label are only counted. What is found is a rise: the labels
know no wide gap.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lightning_gapmon import diagnose

LABELS = {"overfit": True, "not": False}


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Go through the curves of a file."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return map(json.loads, text.splitlines())


def macro_f1(found: Counter[tuple[bool, bool]]) -> float:
    """Mean of the F1 of both classes, from counts of `(label, verdict)`."""
    scores = []
    for kind in (True, False):
        hits, wrong = found[kind, kind], found[kind, not kind] + found[not kind, kind]
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return sum(scores) / 2


def score(path: Path) -> None:
    """Diagnose the curves of a file and print what came out."""
    found: Counter[tuple[bool, bool]] = Counter()
    verdicts: Counter[tuple[str, str]] = Counter()
    start = time.perf_counter()
    for curve in read(path):
        seen = diagnose(train=curve["train"], val=curve["val"])
        label = str(curve.get("label"))
        verdicts[label, f"{seen.verdict} {seen.form or ''}".strip()] += 1
        if label in LABELS:
            found[LABELS[label], seen.form in ("rise", "both")] += 1
    print(f"{path.name}: {verdicts.total()} curves in {time.perf_counter() - start:.1f} s")
    for (label, verdict), count in sorted(verdicts.items()):
        print(f"  {label:8} {verdict:20} {count:5}")
    if found:
        right = found[True, True] + found[False, False]
        print(f"  macro F1 {macro_f1(found):.4f}, accuracy {right / found.total():.4f}")


def main() -> None:
    """Score each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("curves", nargs="+", type=Path)
    for path in parser.parse_args().curves:
        score(path)


if __name__ == "__main__":
    main()
