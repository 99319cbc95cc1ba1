"""The findings, and the page that explains them."""

import re
from pathlib import Path
from typing import get_args

from lightning_gapmon.analysis.gate.findings import FINDINGS
from lightning_gapmon.analysis.verdicts.diagnosis import Verdict

PAGE = Path(__file__).parents[3] / "docs" / "findings.md"


def test_each_finding_is_a_heading_of_its_page_and_each_heading_is_a_finding() -> None:
    """The page and the code name the same findings, in the same order."""
    headings = re.findall(r"^## `(.+)`$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert headings == [*FINDINGS]


def test_the_page_says_what_each_finding_does_by_itself() -> None:
    """The first line below a heading tells the level."""
    said = {
        name: line.split(":")[0]
        for name, line in re.findall(r"^## `(.+)`\n\n(.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    }
    words = {"fail": "Fails", "warn": "Warns", "pass": "Passes"}

    assert said == {name: words[finding.level] for name, finding in FINDINGS.items()}


def test_an_address_leads_to_its_heading() -> None:
    """The anchor is the one that GitHub makes of the heading: letters, digits and `_` stay."""
    for name, finding in FINDINGS.items():
        assert finding.address.endswith("docs/findings.md#" + re.sub(r"[^\w -]", "", name))


def test_every_verdict_is_a_finding() -> None:
    """No verdict is unknown to the gate."""
    checks = {finding.check for finding in FINDINGS.values()}

    assert checks >= {*get_args(Verdict)}
