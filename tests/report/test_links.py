"""How to open TensorBoard: the addresses, and a command that a shell takes as it stands."""

import json
import shlex
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
