"""What came of a gate as SARIF 2.1.0, which code scanning reads."""

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from lightning_gapmon.analysis.gate.findings import FINDINGS, Finding
from lightning_gapmon.analysis.gate.result import GateResult, Judged, Result
from lightning_gapmon.report import safe

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
SOURCE = "https://github.com/lightning-gapmon/lightning_gapmon"
LEVEL = {"failed": "error", "warned": "warning"}
DEFAULT = {"fail": "error", "warn": "warning", "pass": "none"}
INDEX = {name: place for place, name in enumerate(FINDINGS)}


def write(outcome: GateResult, *, version: str = "") -> str:
    """Write what failed and what warned as SARIF; what was skipped is in its notifications.

    Args:
        outcome: What came of a gate.
        version: Version of the package, where it is known.

    Example:
        >>> json.loads(write(GateResult()))["version"]
        '2.1.0'
    """
    driver: dict[str, Any] = {
        "name": "gapmon",
        "informationUri": SOURCE,
        "rules": [_rule(finding) for finding in FINDINGS.values()],
    }
    if version:
        driver["version"] = version
    found = [_found(run, result) for run, result in outcome.everything if result.status in LEVEL]
    skipped = [
        _notification(run, result)
        for run, result in outcome.everything
        if result.status == "skipped"
    ]
    invocation = {
        "executionSuccessful": bool(outcome.runs),
        "exitCode": outcome.code,
        "toolExecutionNotifications": skipped,
    }
    ran = {"tool": {"driver": driver}, "invocations": [invocation], "results": found}
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [ran]}
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _rule(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "name": "".join(word.capitalize() for word in finding.id.replace(":", "_").split("_")),
        "shortDescription": {"text": f"{finding.title[0].upper()}{finding.title[1:]}."},
        "helpUri": finding.address,
        "defaultConfiguration": {"level": DEFAULT[finding.level]},
    }


def _found(run: Judged | None, result: Result) -> dict[str, Any]:
    place: dict[str, Any] = {}
    if run is not None:
        place = {"locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(run)}}}]}
    return {
        "ruleId": result.finding,
        "ruleIndex": INDEX[result.finding],
        "level": LEVEL[result.status],
        "message": {"text": _said(run, result)},
        "partialFingerprints": {
            "runAndFinding/v1": f"{_uri(run) if run else ''}#{result.finding}"
        },
        **place,
    }


def _notification(run: Judged | None, result: Result) -> dict[str, Any]:
    text = f"{result.check} was skipped: {_said(run, result)}"
    return {"level": "note", "message": {"text": text}}


def _said(run: Judged | None, result: Result) -> str:
    name = f"{safe.sarif(run.name)}: " if run else ""
    return f"{name}{safe.sarif(result.message)}"


def _uri(run: Judged) -> str:
    """Write a path as a URI; that of a relative one is relative, which code scanning shows."""
    path = PurePath(safe.shown(run.path or run.name))
    try:
        return path.as_uri() if path.is_absolute() else quote(path.as_posix())
    except ValueError:  # pragma: no cover - a drive without a folder
        return quote(path.as_posix())
