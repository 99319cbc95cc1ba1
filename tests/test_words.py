"""The words of the design, held against the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import lightning_gapmon

PACKAGE = Path(lightning_gapmon.__file__).parent
DESIGN = Path(__file__).parents[1] / "docs" / "design.md"
HAND_MADE = re.compile(r"[^/a-z]\w*:\.\d+[gef]\}")  # a number that is written without the wording


def _banned() -> set[str]:
    _, _, table = DESIGN.read_text("utf-8").partition("| not | but |")
    rows = table.split("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def _classes() -> Iterator[tuple[str, str]]:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name.strip("_"), str(path.relative_to(PACKAGE))


def test_words_that_were_given_up_are_not_used() -> None:
    """One word is one thing: what the design calls otherwise is called otherwise."""
    banned = _banned()

    assert {"Ear", "Stage"} <= banned
    assert [where for name, where in _classes() if name in banned] == []


def test_the_map_of_the_analysis_is_its_tree() -> None:
    """Each room is described, and none that is gone."""
    _, _, section = DESIGN.read_text("utf-8").partition("## The rooms of `analysis`")
    rooms = {line.split()[0] for line in section.split("```")[1].strip().splitlines()}
    tree = {path.stem for path in (PACKAGE / "analysis").iterdir() if path.stem[:2] != "__"}

    assert rooms == tree


def test_numbers_are_put_in_words_in_one_place() -> None:
    """Rules, verdicts, the monitor and reports in words ask the wording for every number."""
    rooms = [PACKAGE / "report" / "facts.py"]
    for room in ("analysis/rules", "analysis/verdicts", "monitor"):
        rooms += (PACKAGE / room).rglob("*.py")
    rooms += [PACKAGE / "report" / f"{name}.py" for name in ("table", "chart", "terminal")]
    found = {p.name for p in rooms if HAND_MADE.search(p.read_text("utf-8"))}

    assert found == set()
    assert HAND_MADE.search('f"{loss:.4g}"')  # or this could not fail
