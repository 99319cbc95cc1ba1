"""How to open TensorBoard: the addresses, and a command that a shell takes as it stands."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.board.tags import PLUGIN
from lightning_gapmon.report import links


def test_tab_has_the_name_that_tensorboard_knows() -> None:
    """The part behind # is the plugin's own name."""
    address = urlsplit(links.tab(host="127.0.0.1", port=7007))

    assert (address.netloc, address.fragment) == ("127.0.0.1:7007", PLUGIN)


def test_overlay_lands_on_the_chart_unsmoothed() -> None:
    """The fragment names the tab and sets the smoothing to 0."""
    address = urlsplit(links.overlay(host="127.0.0.1", port=7007))

    assert address.netloc == "127.0.0.1:7007"
    assert address.fragment == "custom_scalars&_smoothingWeight=0"


def test_overlay_brackets_an_ipv6_host() -> None:
    """A colon in the host is not taken for the port's."""
    address = urlsplit(links.overlay(host="::1"))

    assert (address.hostname, address.port) == ("::1", 6006)


@given(st.lists(st.text(), max_size=3))
def test_pinned_tags_survive_the_address(tags: list[str]) -> None:
    """What TensorBoard decodes from the address are the tags that were given."""
    address = urlsplit(links.pinned(*tags))
    asked = parse_qs(address.query)

    assert asked["smoothing"] == ["0"]
    assert [card["tag"] for card in json.loads(asked["pinnedCards"][0])] == tags
    assert address.fragment == "timeseries"


@given(st.text(st.characters(exclude_characters="\0")))
def test_command_gives_the_shell_the_folder_as_it_is(log_dir: str) -> None:
    """A folder with spaces, quotes or dollars reaches TensorBoard unchanged."""
    assert shlex.split(links.command(log_dir, windows=False))[2:] == [log_dir]


def test_command_names_a_port_only_where_it_is_not_the_usual() -> None:
    """The usual case stays short."""
    assert links.command("runs", port=6006, windows=False) == "tensorboard --logdir runs"
    assert links.command("runs", port=7, windows=False) == "tensorboard --logdir runs --port 7"


@pytest.mark.parametrize(
    ("log_dir", "written"), [(r"C:\my runs\a", r'"C:\my runs\a"'), (r"C:\runs", r"C:\runs")]
)
def test_command_on_windows_quotes_as_its_shells_do(log_dir: str, written: str) -> None:
    """Backslashes stay, and spaces get double quotes."""
    assert links.command(log_dir, windows=True) == f"tensorboard --logdir {written}"


def test_paths_below_the_current_folder_are_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path that one can use from here is written from here."""
    monkeypatch.chdir(tmp_path)

    assert links.short(str(tmp_path / "a" / "b")) == os.path.join("a", "b")  # noqa: PTH118
    assert links.short(str(tmp_path)) == str(tmp_path)
    assert links.short(f"{tmp_path}{os.sep}") == f"{tmp_path}{os.sep}"
    assert links.short("elsewhere") == "elsewhere"


def test_paths_stay_where_there_is_no_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that was removed under the run costs no summary."""

    def gone() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", gone)

    assert links.short("/runs/a") == "/runs/a"


class Installed(NamedTuple):
    """The programs of an environment."""

    python: Path
    tensorboard: Path


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Make an environment below the current folder, and run in it."""
    bin_ = tmp_path / ".venv" / "bin"
    bin_.mkdir(parents=True)
    for name in ("python", "tensorboard"):
        (bin_ / name).touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(bin_ / "python"))
    monkeypatch.setattr(links, "WINDOWS", False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return Installed(bin_ / "python", bin_ / "tensorboard")


def test_tensorboard_is_called_by_its_name_where_the_shell_finds_it(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an environment that is active the command is the one that everybody knows."""
    monkeypatch.setenv("PATH", str(installed.python.parent))

    assert links.program() == ["tensorboard"]


@pytest.mark.usefixtures("installed")
def test_tensorboard_is_called_by_its_path_where_the_shell_does_not() -> None:
    """In one that is not active it is written from where one is."""
    assert links.program() == [os.path.join(".venv", "bin", "tensorboard")]  # noqa: PTH118


@pytest.mark.usefixtures("installed")
def test_another_tensorboard_is_not_taken(tmp_path: Path) -> None:
    """One of another environment has no Gap tab."""
    (tmp_path / "tensorboard").touch(mode=0o755)

    assert links.program() == [os.path.join(".venv", "bin", "tensorboard")]  # noqa: PTH118


def test_tensorboard_is_called_as_a_module_where_it_is_no_command(installed: Installed) -> None:
    """So it is where it was installed elsewhere than this Python."""
    installed.tensorboard.unlink()

    assert links.program() == [str(installed.python), "-m", "tensorboard.main"]
