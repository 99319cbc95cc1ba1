"""`gapmon compare`: groups of runs, and checks as good as the best."""

import json
from pathlib import Path

import pytest
from tests.command import gapmon
from tests.logs_of import csv_log


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write four seeds of two settings, and one run of a third."""
    monkeypatch.chdir(tmp_path)
    for setting, level in (("plain", 0.50), ("better", 0.40), ("alike", 0.505)):
        for seed, off in enumerate((0.0, 0.01, -0.01, 0.005)):
            val = [1.0, 0.8, 0.7, 0.6, level + off]
            csv_log(tmp_path / "runs" / setting / f"seed{seed}", val, val)


@pytest.mark.parametrize(
    ("words", "answer", "code"),
    [
        (("runs/plain", "runs/better"), "better", 0),
        (("runs/better", "runs/plain"), "worse", 1),
        (("runs/plain", "runs/alike"), "cannot tell", 0),
    ],
)
def test_paths_are_groups(words: tuple[str, str], answer: str, code: int) -> None:
    """All runs below a path are one side; worse is a finding."""
    ran = gapmon("compare", *words, "--json")
    plain = json.loads(ran.out)

    assert ran.code == code
    assert [one["answer"] for one in plain["comparisons"]] == [answer]
    assert [len(group["runs"]) for group in plain["groups"]] == [4, 4]


def test_one_path_is_taken_apart_by_folder_or_pattern() -> None:
    """The folders above the seeds are the groups, unless a pattern says otherwise."""
    by_folder = json.loads(gapmon("compare", "runs", "--json").out)
    by_pattern = json.loads(gapmon("compare", "runs", "--group", r"seed(\d)", "--json").out)

    assert [one["label"] for one in by_folder["groups"]] == [
        str(Path("runs/alike")),
        str(Path("runs/better")),
        str(Path("runs/plain")),
    ]
    assert [one["label"] for one in by_pattern["groups"]] == ["0", "1", "2", "3"]


def test_the_table_says_what_was_found_and_how_sure_it_is() -> None:
    """Two groups are compared at 90 %, three at 95 % each, so that both hold."""
    two = gapmon("compare", "runs/plain", "runs/better").out
    three = gapmon("compare", "runs/plain", "runs/better", "runs/alike").out

    assert "90 %" in two
    assert "95 %" in three
    assert "better" in two
    assert "cannot tell" in three


def test_a_single_run_a_side_speaks_of_itself() -> None:
    """It is said that another seed may turn the answer."""
    ran = gapmon("compare", "runs/plain/seed0", "runs/better/seed0")

    assert "this speaks of these two runs only" in ran.out


def test_checkpoints_that_exist_are_named(tmp_path: Path) -> None:
    """Of the checks that are as good as the best, those whose files are there are listed."""
    val = [1.0, 0.5, 0.501, 0.499, 0.502, 0.5, 0.501, 0.5, 0.499, 0.502]
    csv_log(tmp_path / "run", val, val)
    (tmp_path / "run/checkpoints").mkdir()
    for name in ("epoch=0-step=10.ckpt", "epoch=3-step=40.ckpt", "last.ckpt"):
        (tmp_path / "run/checkpoints" / name).write_text("")
    ran = gapmon("compare", "run")
    checks = json.loads(gapmon("compare", "run", "--json").out)["checkpoints"]

    assert ran.code == 0
    assert "run: 9 checks as good as the best, 4 (0.4990), within noise" in ran.out
    path = str(Path("run/checkpoints/epoch=3-step=40.ckpt"))
    assert f"  check 4, 0.4990: {path}" in ran.out
    kept = {one["check"]: one["paths"] for one in checks[0]["as_good_as_best"]}
    assert kept[4] == [path]
    assert 1 not in kept


def test_without_checkpoints_the_checks_are_named(tmp_path: Path) -> None:
    """Where no file is there, the numbers of the checks are; of many only the first."""
    csv_log(tmp_path / "flat", [0.5 + 0.001 * (i % 3) for i in range(40)])
    for name in [f"epoch={i}.ckpt" for i in range(40)]:
        (tmp_path / "runs" / name).write_text("")
    ran = gapmon("compare", "flat")

    assert "none has a checkpoint beside its log" in ran.out
    assert "more; none" in ran.out


def test_many_checkpoints_are_counted(tmp_path: Path) -> None:
    """A run with hundreds of checkpoints does not fill the screen."""
    csv_log(tmp_path / "flat", [0.5 + 0.001 * (i % 3) for i in range(40)])
    for number in range(40):
        (tmp_path / "flat" / f"epoch={number}.ckpt").write_text("")

    assert "more checkpoints" in gapmon("compare", "flat").out


def test_what_cannot_be_compared_gives_code_2(tmp_path: Path) -> None:
    """No run at all, or none with a finite loss."""
    (tmp_path / "bad.jsonl").write_text("no JSON")
    csv_log(tmp_path / "lost", [float("nan")] * 3, [1.0] * 3)
    nothing, lost = gapmon("compare", "bad.jsonl"), gapmon("compare", "lost")

    assert (nothing.code, lost.code) == (2, 2)
    assert "Found no run to compare in bad.jsonl" in nothing.err
    assert "lost: no check has a finite validation loss" in lost.out
    beside = gapmon("compare", "runs/plain", "bad.jsonl", "lost")
    assert "not read: bad.jsonl" in beside.out
    assert "have no finite loss" in beside.out
