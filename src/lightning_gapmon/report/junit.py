"""What came of a gate as JUnit's XML, which every CI server reads."""

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from lightning_gapmon.analysis.gate.result import GateResult, Result, Unread
from lightning_gapmon.report import safe

WHOLE, UNREAD = "all runs", "logs"


def write(outcome: GateResult) -> str:
    """Write a suite for each run, with a case for each check; a warning passes and is said.

    Example:
        >>> print(write(GateResult()))
        <?xml version="1.0" encoding="utf-8"?>
        <testsuites name="gapmon" tests="0" failures="0" errors="0" skipped="0" />
        <BLANKLINE>
    """
    root = ET.Element("testsuites", name="gapmon")
    for one in outcome.runs:
        _suite(root, one.run.name, one.results)
    if outcome.whole:
        _suite(root, WHOLE, outcome.whole)
    _unread(root, [one for one in outcome.unread if not one.broken])
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(root: ET.Element, name: str, results: Iterable[Result]) -> None:
    suite = ET.SubElement(root, "testsuite", name=safe.shown(name))
    warned = []
    for result in results:
        case = _case(suite, name, result.check)
        message = safe.shown(result.message)
        if result.status == "failed":
            failure = ET.SubElement(case, "failure", message=message, type=result.finding)
            failure.text = f"{result.finding}: {message}"
        elif result.status == "skipped":
            ET.SubElement(case, "skipped", message=message)
        elif result.status == "warned":
            warned.append(f"warning: {result.finding}: {message}")
            ET.SubElement(case, "system-out").text = warned[-1]
    _count(suite)
    if warned:
        ET.SubElement(suite, "system-out").text = "\n".join(warned)


def _unread(root: ET.Element, empty: list[Unread]) -> None:
    """Show the logs that hold nothing to judge as cases that were skipped."""
    if not empty:
        return
    suite = ET.SubElement(root, "testsuite", name=UNREAD)
    for one in empty:
        case = _case(suite, UNREAD, one.name)
        ET.SubElement(case, "skipped", message=safe.shown(one.reason))
    _count(suite)


def _case(suite: ET.Element, name: str, check: str) -> ET.Element:
    attributes = {"classname": safe.shown(name), "name": safe.shown(check), "time": "0"}
    return ET.SubElement(suite, "testcase", attributes)


def _count(suite: ET.Element) -> None:
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
