"""What is seen on a terminal where a progress bar runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pyte
import pytest

pytest.importorskip("fcntl", reason="Windows has no pseudo-terminals")

from tests.monitor.terminal_fits import CASES, LAST, ROWS

BAR = "it/s"


class Seen(NamedTuple):
    """A terminal after a fit.

    Attributes:
        lines: What is on it, and what has scrolled away.
        summary: The lines of the summary as they should be.
        said: What the monitor has logged.
    """

    lines: list[str]
    summary: list[str]
    said: list[str]

    @property
    def below(self) -> list[str]:
        """What stands below the summary."""
        return list(filter(None, self.lines[self.first + len(self.summary) :]))

    @property
    def first(self) -> int:
        """Where the summary begins."""
        return self.lines.index(self.summary[0])


def _letters(text: str) -> str:
    return "".join(text.split())


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Fit on each terminal, and look at what has become of it."""
    folder = tmp_path_factory.mktemp("terminals")
    command = [sys.executable, "-m", "tests.monitor.terminal_fits", str(folder)]
    root = Path(__file__).parents[2]
    ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)  # noqa: S603

    assert ran.returncode == 0, ran.stderr
    return {name: _look(folder / name, case.width) for name, case in CASES.items()}


def _look(folder: Path, width: int) -> Seen:
    screen = pyte.HistoryScreen(width, ROWS, history=1000)
    pyte.ByteStream(screen).feed((folder / "written").read_bytes())
    gone = ("".join(line[column].data for column in range(width)) for line in screen.history.top)
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    return Seen(
        lines=[line.rstrip() for line in (*gone, *screen.display)],
        summary=expected["summary"].splitlines(),
        said=expected["said"],
    )


@pytest.mark.parametrize("name", CASES)
def test_the_summary_is_whole_and_below_the_bar(name: str, terminals: dict[str, Seen]) -> None:
    """Every line of it is there, and below it what the script prints next.

    A bar of `tqdm` that an error has left open goes on below.
    """
    seen = terminals[name]

    assert seen.lines[seen.first : seen.first + len(seen.summary)] == seen.summary
    assert seen.below[-1] == LAST
    assert [BAR in line for line in seen.below[:-1]] == [True] * (name == "tqdm-failed-80")


@pytest.mark.parametrize("name", CASES)
def test_each_note_begins_a_line_and_is_whole(name: str, terminals: dict[str, Seen]) -> None:
    """Nothing of what is said while it runs is wiped out, or stands behind the bar."""
    seen = terminals[name]
    above = _letters("".join(seen.lines[: seen.first]))

    assert seen.said
    assert all(_letters(note) in above for note in seen.said)
    assert all(any(line.startswith(note[:40]) for line in seen.lines) for note in seen.said)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.train])
def test_a_warning_is_whole(name: str, terminals: dict[str, Seen]) -> None:
    """From the file that it names to its last word."""
    above = _letters("".join(terminals[name].lines))

    assert "notices.py:" in above
    assert "no train loss named 'loss_t'".replace(" ", "") in above
    assert "Thevalidationlossiswatchedalone." in above


@pytest.mark.parametrize("name", ["rich-100", "tqdm-80", "tqdm-120", "rich-warned-100"])
def test_the_bar_is_there_once(name: str, terminals: dict[str, Seen]) -> None:
    """Nothing is left of a bar that was taken away while something was said."""
    assert sum(BAR in line for line in terminals[name].lines) == 1
