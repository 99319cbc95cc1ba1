"""The benchmarks, each run to its end with next to nothing to do: what docs quote must run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CURVES = [
    {
        "id": str(i),
        "repo": f"repo {i}",
        "label": "overfit" if i % 2 else "not",
        "train": [(2 + i) / t for t in range(1, 41)],
        "val": [1 + abs(t - 9 - 2 * i) / 20 for t in range(40)],
    }
    for i in range(8)
]
READING = {"label": "overfitting", "flags": ["rise"], "conf": 3, "alt": None}
READ: dict[str, list[dict[str, Any]]] = {
    "labelled": [{**curve, "a": READING, "b": READING} for curve in CURVES],
    "algoperf": [{**curve, "test": curve["val"]} for curve in CURVES],
    "overfitguard": CURVES,
}
SMALLEST = {
    "step_overhead.py --rounds 1": "GapMonitor, hearing self.log",
    "comparisons.py --draws 3": "equal, 5 against 5 seeds",
    "coverage.py --rounds 3": "30 epochs            1600",
    "false_alarms.py --seeds 1 --checks 8": "accused   0.0 %",
    "gallery.py --only dropout": "dropout",
    "diagnosis_f1.py curves.jsonl": "macro F1",
    "fit_outlook.py . --write table.json --picture picture.svg --families": "cross-fitted",
    "read_logs.py --points 50 --rounds 1": "read_scalars, 2 of 20 tags         100",
    "rules_on_logs.py curves.jsonl": "8 runs of 8 repositories",
    "verdicts_on_logs.py read": "test loss, repo 7: 1 runs",
}


@pytest.mark.parametrize("command", SMALLEST)
def test_benchmarks_run(command: str, tmp_path: Path) -> None:
    """Each prints its table."""
    (tmp_path / "curves.jsonl").write_text("\n".join(map(json.dumps, CURVES)))
    (tmp_path / "read").mkdir()
    for name, rows in READ.items():
        (tmp_path / "read" / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    script, *words = command.split()
    ran = subprocess.run(  # noqa: S603
        [sys.executable, str(ROOT / "benchmarks" / script), *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert SMALLEST[command] in ran.stdout
