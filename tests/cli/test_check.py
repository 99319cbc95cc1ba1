"""`gapmon check`, with each exit code and each output."""

import json
import re
from pathlib import Path

import pytest
from junitparser import JUnitXml
from tests import curves
from tests.command import gapmon
from tests.hostile import HOSTILE
from tests.logs_of import csv_log, drawn_log, json_lines

PAGE = Path(__file__).parents[2] / "docs" / "gate.md"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder without settings, and not as if on GitHub."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def test_a_healthy_run_passes(tmp_path: Path) -> None:
    """Code 0, with what ran and what was skipped."""
    drawn_log(tmp_path / "good", curves.good)
    ran = gapmon("check", "good")

    assert ran.code == 0
    assert "good: 40 checks, best validation loss " in ran.out
    assert "  skip  max_val: no --max-val was given" in ran.out
    assert ran.out.splitlines()[-1].startswith("passed: 0 checks of 1 run failed")


def test_an_overfit_run_fails(tmp_path: Path) -> None:
    """Code 1, with the finding by its stable name."""
    drawn_log(tmp_path / "runs/good", curves.good)
    drawn_log(tmp_path / "runs/bad", curves.u_shape)
    ran = gapmon("check", "runs")

    assert ran.code == 1
    assert re.search(r"FAIL  overfitting:(rise|both): ", ran.out)
    assert "failed: 1 check of 2 runs failed" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nothing there: nowhere"),
        (["no*where"], "nothing that fits 'no*where'"),
        (["empty"], "no log in it: empty"),
        (["x.csv"], "nothing could be judged"),
        (["x.csv", "--fail-on", "overfiting"], "Did you mean overfitting"),
        (["x.csv", "--max-gap", "3"], "max_gap = 3; expected a relative gap"),
        (["x.csv", "--group", "("], "which is no regular expression"),
        ([], "Missing argument 'LOGS...'"),
    ],
)
def test_nothing_to_judge_and_wrong_usage_give_code_2(
    tmp_path: Path, words: list[str], said: str
) -> None:
    """Nothing there, nothing in it, or something that cannot be meant."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.csv").write_text("train_loss,val_loss\n")
    ran = gapmon("check", *words)

    assert ran.code == 2
    assert said in ran.out + ran.err


def test_an_unreadable_log_beside_others_fails_only_if_strict(tmp_path: Path) -> None:
    """It is listed in any case."""
    drawn_log(tmp_path / "runs/good", curves.good)
    (tmp_path / "runs/bad.jsonl").write_text("no JSON")
    lenient, strict = gapmon("check", "runs"), gapmon("check", "runs", "--strict")

    assert (lenient.code, strict.code) == (0, 1)
    assert "not judged: runs/bad.jsonl: " in lenient.out


def test_limits_and_names_decide(tmp_path: Path) -> None:
    """Each option of the gate does what it says; several findings fit into one word."""
    csv_log(tmp_path / "short", [1.0, 0.9], [0.9, 0.8])

    assert gapmon("check", "short").code == 0
    assert gapmon("check", "short", "--fail-on", "undecided").code == 1
    assert gapmon("check", "short", "--fail-on", "plateau,undecided").code == 1
    assert gapmon("check", "short", "--max-val", "0.85").code == 1
    assert gapmon("check", "short", "--max-gap", "0.05").code == 1
    assert gapmon("check", "short", "--min-checks", "3").code == 1
    assert gapmon("check", "short", "--min-checks", "3", "--warn-on", "min_checks").code == 0


def test_worse_than_a_baseline_fails(tmp_path: Path) -> None:
    """Seeds against the seeds of before, and group by group."""
    for seed in range(4):
        level = 0.5 + seed / 1000
        for folder, shift in (("old/a", 0.0), ("old/b", 0.01), ("new/a", 0.0), ("new/b", 0.2)):
            val = [1.0, 0.8, level + shift]
            csv_log(tmp_path / folder / f"seed{seed}", val, val)
    ran = gapmon("check", "new", "--baseline", "old", "--group", "(?:new|old)/([ab])")

    assert ran.code == 1
    assert "FAIL  baseline: b: best validation loss 0.7015 against 0.5115, +0.1900" in ran.out
    assert gapmon("check", "new/a", "--baseline", "old/a").code == 0
    assert gapmon("check", "new/a", "--baseline", "nowhere").code == 2


def test_every_format_is_written(tmp_path: Path) -> None:
    """JSON on the screen; JUnit, SARIF and Markdown in files, in folders that are made."""
    drawn_log(tmp_path / "bad", curves.u_shape)
    files = {name: tmp_path / "out" / name for name in ("j.xml", "s.sarif", "s.md")}
    ran = gapmon(
        *("check", "bad", "--json", "--junit", files["j.xml"]),
        *("--sarif", files["s.sarif"], "--summary", files["s.md"]),
    )
    plain = json.loads(ran.out)
    results = json.loads(files["s.sarif"].read_text())["runs"][0]["results"]

    assert (plain["format"], plain["code"], ran.code) == ("gapmon.check", 1, 1)
    assert JUnitXml.fromfile(str(files["j.xml"])).failures == 1
    assert results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == (
        "bad/metrics.csv"
    )
    assert files["s.md"].read_text("utf-8").startswith("## gapmon: ❌ failed")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A report in the place of a folder is wrong usage, not a traceback."""
    csv_log(tmp_path / "run", [1.0, 0.9], [1.0, 0.9])
    (tmp_path / "file").write_text("")
    ran = gapmon("check", "run", "--junit", "file/report.xml")

    assert ran.code == 2
    assert "file/report.xml cannot be written" in ran.err


def test_on_github_there_are_annotations_and_a_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands go to the log of the job, the summary is added to what is there."""
    drawn_log(tmp_path / "bad", curves.u_shape)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    plain, as_json = gapmon("check", "bad"), gapmon("check", "bad", "--json")

    assert "\n::error title=gapmon overfitting" in plain.out
    assert as_json.err.startswith("::error title=gapmon overfitting")
    assert json.loads(as_json.out)["code"] == 1
    assert summary.read_text("utf-8").startswith("before\n## gapmon: ❌ failed")
    assert "```mermaid" in summary.read_text("utf-8")


def test_a_project_keeps_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`[tool.gapmon]` of the folder or one above it counts; an option goes before it."""
    csv_log(tmp_path / "short", [1.0, 0.9], [0.9, 0.8])
    (tmp_path / "below").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.gapmon]\nmax-val = 0.85\n")
    monkeypatch.chdir(tmp_path / "below")

    assert gapmon("check", "../short").code == 1
    assert gapmon("check", "../short", "--max-val", "0.95").code == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_and_not_obeyed(name: str, tmp_path: Path) -> None:
    """Whatever a run is called, the screen gets printable lines."""
    json_lines(tmp_path / "x.jsonl", name.encode("utf-8", "replace").decode(), [1.0, 0.9, None])
    ran = gapmon("check", "x.jsonl")

    assert ran.code == 1
    assert all(line.isprintable() for line in ran.out.splitlines())
    assert json.loads(gapmon("check", "x.jsonl", "--json").out)["code"] == 1


def test_the_page_shows_every_finding_and_option() -> None:
    """The options in the page are those of the command."""
    page = PAGE.read_text("utf-8")
    shown = {*re.findall(r"--[a-z-]+", gapmon("check", "--help").out)} - {"--help"}

    assert {option for option in shown if f"`{option}" not in page} == set()
    assert "(findings.md)" in page
