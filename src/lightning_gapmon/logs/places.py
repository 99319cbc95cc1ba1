"""Files and folders to read and write, on this machine or behind a URL that fsspec knows."""

import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, Literal

from lightning_gapmon.errors import LogFormatError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Kind = Literal["file", "folder", "missing", "other"]
Where = str | os.PathLike[str]

LARGEST = 128 * 2**20  # bytes of a text that is read
LONGEST_LINE = 32 * 2**20  # bytes; a run may be one line of JSON

# What a name may stand for besides a file; opening a pipe to read waits for whoever writes.
OTHER = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Place:
    """A name, and what is there.

    Attributes:
        path: The path or URL.
        kind: What is there; `other` is nothing that can be read.
        says: What it is, in words.
        size: Bytes of a file.
        identity: What tells two names of one folder from two folders.
        link: Whether it is somewhere else, and linked here.
    """

    path: str
    kind: Kind
    says: str
    size: int = 0
    identity: tuple[object, ...] = ()
    link: bool = False

    @property
    def name(self) -> str:
        """Its last part.

        Example:
            >>> Place("memory://runs/a.csv", "file", "a file").name
            'a.csv'
        """
        return self.path.replace(os.sep, "/").rstrip("/").rpartition("/")[2]


def is_url(path: Where) -> bool:
    """Say whether fsspec has to read it.

    Example:
        >>> is_url("s3://bucket/runs"), is_url("runs/version_0")
        (True, False)
    """
    return "://" in os.fspath(path)


def look(path: Where) -> Place:
    """Look what is at a path.

    Raises:
        LogFormatError: The URL's protocol is unknown, or what it needs is not installed.
    """
    text = os.fspath(path)
    if not is_url(text):
        return _local(text)
    system, inside = _system(text)
    try:
        return _remote(text, system.info(inside))
    except FileNotFoundError:
        return Place(text, "missing", "nothing")


def entries(folder: Where) -> list[Place]:
    """List what is in a folder, by name.

    Raises:
        OSError: The folder cannot be listed.
    """
    text = os.fspath(folder)
    if not is_url(text):
        return [_local(os.path.join(text, name)) for name in sorted(os.listdir(text))]  # noqa: PTH118, PTH208 - Path is four times as slow
    system, inside = _system(text)
    found = (
        _remote(f"{text.rstrip('/')}/{Path(info['name']).name}", info)
        for info in system.ls(inside, detail=True)
        if info["name"].rstrip("/") != inside.rstrip("/")
    )
    return sorted(found, key=lambda place: place.path)


def walk(folder: Where) -> Iterator[tuple[Place, list[Place]]]:
    """Go through a folder and all in it, each folder once however many links lead there.

    Yields:
        A folder and what is in it; an empty list where it cannot be listed.
    """
    waiting, links, seen = [look(folder)], deque[Place](), set()
    while waiting or links:
        place = (
            waiting.pop() if waiting else links.popleft()
        )  # by its own name, if it has one here
        if place.identity in seen:
            continue
        seen.add(place.identity)
        try:
            inside = entries(place.path)
        except OSError as error:
            yield (
                Place(place.path, "other", f"a folder that cannot be listed ({error.strerror})"),
                [],
            )
            continue
        yield place, inside
        folders = [entry for entry in inside if entry.kind == "folder"]
        waiting += reversed([entry for entry in folders if not entry.link])
        links += [entry for entry in folders if entry.link]


def open_file(path: Where) -> IO[bytes]:
    """Open a file to read.

    Raises:
        LogFormatError: There is no file.
        OSError: It cannot be opened.
    """
    place = look(path)
    if place.kind != "file":
        msg = f"Found {place.says} at {place.path}; expected a file. Give the path of a log."
        raise LogFormatError(msg)
    if not is_url(path):
        return Path(path).open("rb")
    system, inside = _system(os.fspath(path))
    opened: IO[bytes] = system.open(inside, "rb")
    return opened


def need_size(place: Place) -> None:
    """Check that a file is of a size that fits into memory.

    Raises:
        LogFormatError: It is too large.
    """
    if place.size > LARGEST:
        raise LogFormatError(_too_large("file", LARGEST))


def read_whole(place: Place) -> bytes:
    """Read a file into memory, if it is of a size for that.

    Raises:
        LogFormatError: It is too large.
        OSError: It cannot be read.
    """
    need_size(place)
    with open_file(place.path) as file:
        return file.read(place.size)


def read_lines(place: Place) -> Iterator[str]:
    """Read a text line by line; bytes that are no UTF-8 are shown as such.

    Raises:
        LogFormatError: The file or a line is too large.
        OSError: It cannot be read.
    """
    left = LARGEST
    with open_file(place.path) as file:
        while line := file.readline(LONGEST_LINE + 1):
            left -= len(line)
            if left < 0:
                raise LogFormatError(_too_large("file", LARGEST))
            if len(line) > LONGEST_LINE:
                raise LogFormatError(_too_large("line", LONGEST_LINE))
            yield line.decode("utf-8", errors="replace")


def write_whole(path: Where, content: bytes) -> None:
    """Write a file and the folders to it; a reader finds the old file or the new one.

    Raises:
        LogFormatError: The URL's protocol is unknown, or what it needs is not installed.
        OSError: It cannot be written.
    """
    if is_url(path):
        system, inside = _system(os.fspath(path))
        system.makedirs(inside.rpartition("/")[0], exist_ok=True)
        system.pipe_file(inside, content)  # a store shows an object when all of it is there
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def local_copy(place: Place) -> Iterator[Path]:
    """Give a path on this machine for a file, for those that can read no other."""
    if not is_url(place.path):
        yield Path(place.path)
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, place.name)
        copy.write_bytes(read_whole(place))
        yield copy


def _too_large(what: str, most: int) -> str:
    return f"a {what} of more than {most / 2**20:.0f} MiB, which no log has"


def _local(path: str) -> Place:
    try:
        found = os.stat(path)  # noqa: PTH116 - Path is twice as slow
    except (OSError, ValueError) as error:
        is_link = Path(path).is_symlink() if not isinstance(error, ValueError) else False
        missing: Kind = "other" if is_link else "missing"
        return Place(path, missing, "a link that leads nowhere" if is_link else "nothing")
    identity = (found.st_dev, found.st_ino)
    kind = stat.S_IFMT(found.st_mode)
    if kind == stat.S_IFREG:
        return Place(path, "file", "a file", found.st_size, identity)
    if kind == stat.S_IFDIR:
        return Place(path, "folder", "a folder", 0, identity, link=os.path.islink(path))  # noqa: PTH114 - Path is slower
    return Place(path, "other", OTHER.get(kind, "no file"))


def _remote(url: str, info: dict[str, Any]) -> Place:
    if info["type"] == "directory":
        return Place(url, "folder", "a folder", 0, (url.rstrip("/"),))
    return Place(url, "file", "a file", int(info.get("size") or 0), (url,))


def _system(url: str) -> tuple["AbstractFileSystem", str]:
    from fsspec.core import url_to_fs  # noqa: PLC0415 - only where there is a URL

    try:
        system, inside = url_to_fs(url)
    except (ImportError, ValueError) as error:
        msg = (
            f"Found the URL {url}, which cannot be read: {error}. Expected one that fsspec knows."
        )
        raise LogFormatError(msg) from error
    return system, inside
