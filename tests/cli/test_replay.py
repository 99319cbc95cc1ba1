"""`gapmon replay`: which stopping rule would have served."""

import json
from pathlib import Path

import pytest
from tests.command import gapmon

from lightning_gapmon.cli.replay import CATALOGUE


def _logs(folder: Path, count: int = 3) -> Path:
    path = folder / "runs.jsonl"
    rows = []
    for i in range(count):
        val = [1 + abs(t - 10 - i) / 10 for t in range(40)]
        train = [2 / (t + 1) for t in range(40)]
        rows.append({"id": f"run {i}", "train": train, "val": val, "es_suspect": i == 0})
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def _replay(*arguments: str | Path) -> str:
    ran = gapmon("replay", *arguments)

    assert ran.code == 0, ran.err
    return ran.out


def test_replay_shows_the_catalogue_and_an_advice(tmp_path: Path) -> None:
    """Every rule of the catalogue has its row, and a sentence says what to do."""
    output = _replay(_logs(tmp_path))

    assert "3 runs in 3 groups" in output
    assert all(name in output for name in ("Budget()", "Patience(5)", "Patience(20)"))
    assert "On your 3 runs, " in output
    assert "would have saved" in output
    assert "So few runs are no more than a hint." in output


def test_replay_of_named_rules(tmp_path: Path) -> None:
    """Only the rules that were asked for are shown; 10 + 5 of 40 checks save 62 %."""
    rule = "Patience(4) | Target(-1)"
    output = _replay(_logs(tmp_path, 1), "--rule", rule)

    assert "Budget" not in output
    assert f"On your 1 run, {rule} would have saved 62.5 % of the checks at 0 % regret." in output


def test_replay_fits_a_terminal_and_leaves_rules_whole(tmp_path: Path) -> None:
    """In 80 columns no row is broken, and a pipe gets no empty lines of a progress bar."""
    ran = gapmon("replay", _logs(tmp_path), width=80)
    lines = ran.out.splitlines()

    assert all(any(line.startswith(f"{rule} ") for line in lines) for rule in CATALOGUE)
    assert max(map(len, lines[:-1])) <= 80
    assert ran.err == ""


def test_replay_claims_no_win_where_there_is_nothing_to_lose(tmp_path: Path) -> None:
    """Runs that get better to the end have no regret, which is no reason to praise a rule."""
    path = tmp_path / "runs.jsonl"
    falling = [1 / (t + 1) for t in range(12)]
    path.write_text(json.dumps({"id": "a", "train": falling, "val": falling}))
    output = _replay(path, "--rule", "Patience(5)")

    assert next(
        line.split() for line in output.splitlines() if line.startswith("Patience(5)")
    ) == ["Patience(5)", "100.0", "100.0", "0.00", "0.00", "-", "-"]
    assert "On your 1 run, none of these rules would have stopped anything." in output


def test_one_run_has_no_interval(tmp_path: Path) -> None:
    """There is nothing to resample: a ratio stands alone."""
    output = _replay(_logs(tmp_path, 1), "--rule", "GapLimit(0.1)")

    assert "nan" not in output


def test_plan_changes_what_a_rule_does(tmp_path: Path) -> None:
    """The plan is the recorded length, a number, or unknown."""
    path = _logs(tmp_path, 1)
    advice = {
        _replay(path, "--rule", "Patience('50%')", *plan).split("would have ")[1].split(" of ")[0]
        for plan in ([], ["--planned", "60"], ["--no-plan"])
    }

    assert advice == {"saved 22.5 %", "stopped anything.\n", "saved 47.5 %"}


def test_a_run_that_is_logged_twice_counts_once(tmp_path: Path) -> None:
    """A CSV log holds what TensorBoard has rounded; losses that differ are another run."""
    for name, digits in (("csv", 17), ("events", 7), ("another", 3)):
        rows = [f"{2 / t:.{digits}g},{2 / (t + 1):.{digits}g}" for t in range(1, 9)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["loss,val_loss", *rows]))

    assert "2 runs in 2 groups" in _replay(tmp_path, "--rule", "Patience(2)")


def test_cut_runs_can_be_left_out(tmp_path: Path) -> None:
    """Runs that are marked as cut by early stopping are dropped on request."""
    assert "2 runs in 2 groups" in _replay(_logs(tmp_path), "--drop-cut")


def test_picture_of_a_run(tmp_path: Path) -> None:
    """The run that is named is drawn."""
    svg = tmp_path / "run.svg"
    output = _replay(_logs(tmp_path), "--picture", svg, "--run", "run 1")

    assert "Drew run 1 in" in output
    assert "Patience(5) · 17" in svg.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--rule", "Patients(3)"],
            "Found 'Patients' at character 1 of 'Patients(3)', which is no rule that",
        ),
        (["--picture", "x.svg", "--run", "none"], "Found no run with 'none' in its name"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, arguments: list[str], message: str) -> None:
    """A mistake ends with code 2 and one sentence, not with a traceback."""
    ran = gapmon("replay", _logs(tmp_path), *arguments)

    assert ran.code == 2
    assert message in " ".join(ran.err.split())


def test_log_without_validation_is_named(tmp_path: Path) -> None:
    """Where no run has a validation loss, the columns that were expected are named."""
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,2\n")
    ran = gapmon("replay", path)

    assert ran.code == 2
    assert "expected columns such as" in " ".join(ran.err.split())


def test_a_run_that_was_stopped_early_is_no_whole_evidence(tmp_path: Path) -> None:
    """What a stopped run would have become is not known, and the advice says so."""
    assert "Of them 1 had been stopped early" in _replay(_logs(tmp_path))
    assert "stopped early" not in _replay(_logs(tmp_path), "--drop-cut")


def test_advice_tells_a_dear_stop_from_none(tmp_path: Path) -> None:
    """A rule that stops too early has stopped something, if at a regret that is not accepted."""
    path = tmp_path / "late.jsonl"
    val = [1.0] * 20 + [0.3]
    path.write_text(json.dumps({"id": "late", "train": val, "val": val}))
    late, never = ("--rule", "Patience(5)"), ("--rule", "Target(0.01)")

    assert "none of these rules would have stopped anything." in _replay(path, *never)
    said = _replay(path, *late, *never, "--regret", "2")
    assert "none of these rules would have saved a check at 2 % regret or less." in said


@pytest.mark.parametrize(
    ("val", "options", "said"),
    [
        ([1.0, 0.9], ["--drop-cut"], "only runs that were stopped early (1)"),
        ([None, None], [], "no validation loss that is finite"),
    ],
)
def test_runs_that_cannot_be_replayed_say_why(
    tmp_path: Path, val: list[float | None], options: list[str], said: str
) -> None:
    """A run without a finite loss, or left out on request, is not a log without losses."""
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"id": "one", "train": [1.0, 1.0], "val": val, "es_suspect": True}))

    ran = gapmon("replay", path, *options)

    assert ran.code == 2
    assert said in ran.err


def test_replay_says_what_it_read_and_counted_once(tmp_path: Path) -> None:
    """Runs are named; so is where one is logged again, and what could not be read."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("loss,val_loss\n1,1\n1,0.5\n1,0.8\n")
    (tmp_path / "c.jsonl").write_text("no JSON")
    output = _replay(tmp_path)
    plain = json.loads(_replay(tmp_path, "--json"))

    assert f"1 run in 1 group: {tmp_path / 'a.csv'}\n" in output
    assert f"counted once, logged again in {tmp_path / 'b.csv'}" in output
    assert f"not read: {tmp_path / 'c.jsonl'}: " in output
    assert plain["counted_once"] == [str(tmp_path / "b.csv")]
    assert [rule["rule"] for rule in plain["rules"]] == [*CATALOGUE]


def test_each_column_is_explained(tmp_path: Path) -> None:
    """Below the table there is a line for each heading but the rule's name."""
    lines = _replay(_logs(tmp_path)).splitlines()

    for heading in ("used", "kept", "regret", "range", "vs patience", "by range"):
        assert [line for line in lines if line.startswith(f"{heading:<13}")]


def test_what_is_advised_is_what_the_docs_recommend() -> None:
    """Each rule of the catalogue has a section in the docs with when to use it."""
    page = (Path(__file__).parents[2] / "docs/rules.md").read_text("utf-8")
    sections = {part.split("\n")[0]: part for part in page.split("\n## ")}

    for rule in CATALOGUE:
        assert "**Use it**" in sections[rule.partition("(")[0].partition(".")[0]]
