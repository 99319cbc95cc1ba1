"""Paths and URLs are looked at alike, and nothing there makes anyone wait or go in circles."""

import os
from pathlib import Path

import fsspec
import pytest

from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import places
from lightning_gapmon.logs.places import (
    Place,
    entries,
    local_copy,
    look,
    open_file,
    read_lines,
    read_whole,
    walk,
)


@pytest.fixture(params=["path", "url"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Make a folder with a file, and one in a folder below it."""
    root = str(tmp_path) if request.param == "path" else f"memory://{tmp_path.name}"
    for name in ("a.csv", "below/b.csv"):
        with fsspec.open(f"{root}/{name}", "wt", auto_mkdir=True) as file:
            file.write(f"one\ntwo of {name}\n")
    return root


def test_a_folder_is_walked(root: str) -> None:
    """Each folder with what is in it, sorted by name."""
    seen = [(place.path, [entry.name for entry in inside]) for place, inside in walk(root)]

    assert seen == [(root, ["a.csv", "below"]), (f"{root}/below", ["b.csv"])]
    assert [entry.kind for entry in entries(root)] == ["file", "folder"]
    assert entries(root)[0].size == len("one\ntwo of a.csv\n")


def test_a_file_is_read(root: str) -> None:
    """As bytes, as lines, and by those who need a path on this machine."""
    place = look(f"{root}/a.csv")

    assert read_whole(place) == b"one\ntwo of a.csv\n"
    assert [*read_lines(place)] == ["one\n", "two of a.csv\n"]
    with local_copy(place) as path:
        assert path.name == "a.csv"
        assert path.read_bytes() == read_whole(place)


def test_what_is_not_there_is_nothing(root: str) -> None:
    """It can be looked at, and not opened."""
    assert look(f"{root}/gone").kind == "missing"
    with pytest.raises(LogFormatError, match=r"Found nothing at .*gone; expected a file"):
        open_file(f"{root}/gone")
    with pytest.raises(LogFormatError, match=r"Found a folder at .*below; expected a file"):
        open_file(f"{root}/below")


def test_links_in_a_circle_are_followed_once(tmp_path: Path) -> None:
    """A folder has one name, its own where it is below the one that is walked."""
    (tmp_path / "z run").mkdir()
    (tmp_path / "latest").symlink_to(tmp_path / "z run")
    (tmp_path / "z run" / "up").symlink_to(tmp_path)
    (tmp_path / "z run" / "self").symlink_to(tmp_path / "z run" / "self")
    outside = tmp_path.parent / f"{tmp_path.name} outside"
    outside.mkdir()
    (tmp_path / "elsewhere").symlink_to(outside)

    names = [place.name for place, _ in walk(tmp_path)]
    assert names == [tmp_path.name, "z run", "elsewhere"]
    assert look(tmp_path / "z run" / "self").says == "a link that leads nowhere"


def test_what_is_neither_file_nor_folder_is_named(tmp_path: Path) -> None:
    """A pipe is not waited for, and a name that no file can have is no error."""
    os.mkfifo(tmp_path / "pipe")

    assert look(tmp_path / "pipe").says == "a pipe"
    assert look("/dev/null").says == "a device"
    assert look("a\0b").kind == "missing"
    with pytest.raises(LogFormatError, match="Found a pipe at "):
        open_file(tmp_path / "pipe")


def test_a_folder_that_cannot_be_listed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are walked."""

    def refuse(folder: str) -> list[Place]:
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(places, "entries", refuse)
    ((place, inside),) = walk(tmp_path)

    assert (place.kind, inside) == ("other", [])
    assert place.says == "a folder that cannot be listed (Permission denied)"


@pytest.mark.parametrize("url", ["nonsense://a/b", "abfs://a/b"])
def test_a_url_of_an_unknown_kind_is_refused(url: str) -> None:
    """With what fsspec says of it: which protocol is unknown, or what has to be installed."""
    with pytest.raises(LogFormatError, match=f"Found the URL {url}, which cannot be read: "):
        look(url)


def test_what_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is in memory."""
    (tmp_path / "large").write_bytes(b"x\n" * 2**20)
    (tmp_path / "long").write_bytes(b"x" * 2**20)
    monkeypatch.setattr(places, "LARGEST", 2**20)
    monkeypatch.setattr(places, "LONGEST_LINE", 2**19)

    for read in (read_whole, lambda place: [*read_lines(place)]):
        with pytest.raises(LogFormatError, match="a file of more than 1 MiB, which no log has"):
            read(look(tmp_path / "large"))
    with pytest.raises(LogFormatError, match="a line of more than 0 MiB, which no log has"):
        [*read_lines(look(tmp_path / "long"))]
