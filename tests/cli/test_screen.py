"""What commands print."""

import io
import json
import sys

import pytest
from tests.hostile import HOSTILE

from lightning_gapmon.cli import screen
from lightning_gapmon.report.styled import Styled


@pytest.fixture(params=["rich", "plain"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Print with rich, and without."""
    if request.param == "plain":
        monkeypatch.setattr(screen, "find_spec", lambda _: None)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.mark.usefixtures("_either_way")
def test_a_table_shows_any_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Markup and escapes in a cell are text; numbers stand to the right."""
    screen.table({"name": "left", "n": "right"}, [["[bold]x[/] \x1b[31m", "7"], ["y", "10"]])
    lines = capsys.readouterr().out.splitlines()

    assert "[bold]x[/] \\x1b[31m" in "\n".join(lines)
    assert lines[-2].rstrip().endswith(" 7")
    assert lines[-1].rstrip().endswith("10")


@pytest.mark.usefixtures("_either_way")
def test_a_line_is_printed_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in a line is markup, an emoji or a link, and it is not broken."""
    screen.say("[red]:smile: " + "x" * 300, status="failed")

    assert capsys.readouterr().out == f"[red]:smile: {'x' * 300}\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_json_is_ascii(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No text in a document can do anything to a terminal."""
    screen.dump({"name": text})
    out = capsys.readouterr().out

    assert out.isascii()
    assert all(line.isprintable() for line in out.splitlines())
    assert json.loads(out)["name"] == text


def test_a_terminal_without_unicode_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an encoding lacks is written as an escape, and sparklines know it."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    assert not screen.draws_blocks()
    assert screen.painted(Styled.of(("é", ""))) == "\\xe9"


def test_colours_are_escapes_that_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bold, a name and a code of a colour; none where NO_COLOR is set."""
    line = Styled.of(("a", "bold red"), ("b", "#2f86d6"), ("c", ""))
    monkeypatch.delenv("NO_COLOR", raising=False)
    drawn = screen.painted(line)
    monkeypatch.setenv("NO_COLOR", "1")

    assert drawn == "\x1b[1;31ma\x1b[0m\x1b[38;2;47;134;214mb\x1b[0mc"
    assert screen.painted(line) == "abc"
