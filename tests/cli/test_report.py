"""`gapmon report`: all runs in a table."""

import json
from pathlib import Path

import pytest
from tests import curves
from tests.command import gapmon
from tests.judged import HEALTHY
from tests.logs_of import csv_log, drawn_log

from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
from lightning_gapmon.logs import gapmon_json


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a good run, a bad one, one that is logged twice, and what is no log."""
    monkeypatch.chdir(tmp_path)
    drawn_log(tmp_path / "runs/good", curves.good)
    drawn_log(tmp_path / "runs/bad", curves.u_shape)
    drawn_log(tmp_path / "runs/other/twin", curves.good)
    (tmp_path / "runs/none.jsonl").write_text("no JSON")


def test_every_run_has_a_row() -> None:
    """Verdict, best check, gap, outlook and a line; a name leaves out what all share."""
    ran = gapmon("report", "runs")
    rows = {line.split()[0]: line for line in ran.out.splitlines() if line[:3] in ("bad", "goo")}

    assert ran.code == 0
    assert "in runs:" in ran.out
    assert "overfitting" in rows["bad"]
    assert "good fit" in rows["good"]
    assert "█" in rows["good"]
    assert f"{Path('runs/bad')}: overfitting: " in ran.out


def test_what_was_counted_once_and_not_read_is_said() -> None:
    """A second log of a run, and a log that cannot be read, are named."""
    ran = gapmon("report", "runs")
    plain = json.loads(gapmon("report", "runs", "--json").out)

    assert f"counted once, logged again in {Path('runs/other/twin')}" in ran.out
    assert f"not read: {Path('runs/none.jsonl')}: " in ran.out
    assert plain["format"] == "gapmon.report"
    assert plain["counted_once"] == [str(Path("runs/other/twin"))]
    assert plain["unread"][0]["broken"]


def test_a_page_and_a_table_are_written(tmp_path: Path) -> None:
    """The page has every run in it, and needs nothing else; the table is Markdown."""
    ran = gapmon("report", "runs", "--html", "out/r.html", "--markdown", "out/r.md")
    page = (tmp_path / "out/r.html").read_text("utf-8")

    assert ran.code == 0
    assert page.startswith("<!doctype html>")
    assert all(f"{Path(name)}: " in page for name in ("runs/good", "runs/bad"))
    assert "| `runs/bad` | overfitting" in (tmp_path / "out/r.md").read_text("utf-8").replace(
        "\\", "/"
    )


def test_a_run_alone_keeps_its_name() -> None:
    """There is nothing to leave out where one run is shown."""
    ran = gapmon("report", "runs/good")

    assert str(Path("runs/good")) in ran.out
    assert "in runs" not in ran.out


def test_nothing_to_show_gives_code_2() -> None:
    """Where no run can be read, the reasons are there."""
    ran = gapmon("report", "runs/none.jsonl")

    assert ran.code == 2
    assert "not read: " in ran.out


def test_without_rich_the_table_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but text, aligned, in as many columns as there are."""
    monkeypatch.setattr("lightning_gapmon.cli.screen.find_spec", lambda _: None)
    ran = gapmon("report", "runs", width=80)
    start = next(n for n, line in enumerate(ran.out.splitlines()) if line.startswith("run "))
    table = ran.out.splitlines()[start : start + 3]

    assert max(map(len, table)) <= 80
    assert table[0].split()[:3] == ["run", "verdict", "checks"]
    at = table[0].index("verdict")
    assert [line[at:].split()[0] for line in table[1:]] == ["overfitting", "good"]


def test_a_report_of_a_monitored_run_is_its_own_word(tmp_path: Path) -> None:
    """What stands in gapmon.json is shown as it was said, and its page says so."""
    said = Diagnosis(verdict="leakage_suspected", severity="warning", message="shared samples")
    reason = StopReason(rule="Patience(1)", message="no better", check=40)
    outcome = Outcome(history=HEALTHY.history, diagnosis=said, stop_reason=reason)
    gapmon_json.write(outcome, tmp_path / "own/gapmon.json")
    ran = gapmon("report", "own", "--html", "own.html")
    plain = json.loads(gapmon("report", "own", "--json").out)

    assert "leakage suspected: shared samples" in ran.out
    assert plain["runs"][0]["stopped_by"].startswith("no better")
    assert '"own": true' in (tmp_path / "own.html").read_text("utf-8")
    csv_log(tmp_path / "foreign", [1.0, 0.9], [1.0, 0.9])
    gapmon("report", "foreign", "--html", "foreign.html")
    assert '"own": false' in (tmp_path / "foreign.html").read_text("utf-8")


def test_a_picture_is_drawn_where_matplotlib_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PNG of the runs, whatever they are called; without matplotlib it says what to do."""
    (tmp_path / "x.jsonl").write_text('{"id": "$\\\\frac{", "train": [1, 2], "val": [1, 2]}')

    assert gapmon("report", "runs", "x.jsonl", "--png", "r.png").code == 0
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr("lightning_gapmon.report.png.find_spec", lambda _: None)
    ran = gapmon("report", "runs", "--png", "no.png")
    assert ran.code == 2
    assert "pip install lightning-gapmon[plot]" in ran.err
