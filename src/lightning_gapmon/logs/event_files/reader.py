"""The scalars of a run's event files, read from where the last reading ended."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import numpy as np

from lightning_gapmon.analysis.history.series import Series
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.columns import Columns, joined, restarted
from lightning_gapmon.logs.event_files.decode import Decoder, Wanted
from lightning_gapmon.logs.event_files.layout import Mask
from lightning_gapmon.logs.event_files.records import (
    FRAME,
    HEADER,
    Records,
    find_records,
    read_length,
)
from lightning_gapmon.logs.places import Place, Where, entries, look, open_file

MARK = "tfevents"  # in the name of every event file
CHUNK = 8 * 2**20
LONGEST = 64 * 2**20  # bytes of a record that is read; longer ones hold pictures, if anything
MOST_PROBLEMS = 20  # told of one file
MOST_NEEDLES = 8  # to look for more costs as much as to look at every record


@dataclass(frozen=True)
class Problem:
    """Something in a file that could not be read.

    Attributes:
        path: The file.
        offset: The byte at which it begins.
        reason: What is wrong.
    """

    path: str
    offset: int
    reason: str

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.path}, byte {self.offset}: {self.reason}"


class Scalars(dict[str, Series]):
    """The points of each tag, by growing step.

    Attributes:
        problems: What could not be read; the rest is here nevertheless.
    """

    problems: tuple[Problem, ...] = ()


def read_scalars(folder: Where, *, containing: Iterable[str] | Wanted = ("",)) -> Scalars:
    """Read the scalars of one run.

    A run that was resumed in the same folder is shown as TensorBoard's data server shows it:
    what was written before the restart from a step on is dropped. Checksums of all lengths are
    checked, and of each record that holds one of the words that are asked for; what is damaged or
    half written is left out and listed.

    Args:
        folder: The folder that holds the run's event files, as a path or URL; or one such file.
        containing: Read only tags that contain one of these, which makes reading much faster; or
            a function that says whether a tag is wanted.

    Returns:
        The points of each tag, and in `problems` what could not be read.

    Raises:
        LogFormatError: There is nothing at this path.

    Example:
        >>> import tempfile
        >>> from tensorboard.summary import Writer
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     writer = Writer(folder)
        ...     for step in range(3):
        ...         writer.add_scalar("loss/val", 1 / (step + 1), step)
        ...     writer.close()
        ...     scalars = read_scalars(folder, containing=["loss"])
        >>> scalars["loss/val"][1].step, scalars["loss/val"][1].value, scalars.problems
        (1, 0.5, ())
    """
    return ScalarReader(folder, containing=containing).read()


class ScalarReader:
    """Reads a run that may be going on: each time what has been written since.

    Args:
        folder: As for `read_scalars`.
        containing: As for `read_scalars`.
    """

    def __init__(self, folder: Where, *, containing: Iterable[str] | Wanted = ("",)) -> None:
        self._folder = folder
        self._choice = _Choice.of(containing)
        self._files: dict[str, _EventFile] = {}

    def read(self) -> Scalars:
        """Read on, and give all that is known: what a new reader would give.

        Raises:
            LogFormatError: There is nothing at the path.
        """
        problems = []
        for place in event_files(self._folder):
            if place.kind != "file":
                problems.append(Problem(place.path, 0, f"{place.says}, no event file"))
                continue
            known = self._files.get(place.path)
            if known is None or known.offset > place.size:  # another file has taken its place
                known = self._files[place.path] = _EventFile(place.path, self._choice)
            known.read_on()
        files = [self._files[path] for path in sorted(self._files)]
        tags = dict.fromkeys(tag for file in files for tag in file.parts)
        scalars = Scalars()
        for tag in tags:
            parts = [part for file in files for part in file.parts.get(tag, ())]
            scalars[tag] = restarted(joined(parts))
        scalars.problems = (*problems, *(found for file in files for found in file.problems()))
        return scalars


def event_files(folder: Where) -> list[Place]:
    """List what is named as an event file: in a folder, or the one that is given itself.

    Raises:
        LogFormatError: There is nothing at the path.
    """
    place = look(folder)
    if place.kind == "missing":
        msg = f"Found nothing at {place.path}; expected a folder with event files."
        raise LogFormatError(msg)
    if place.kind != "folder":
        return [place]
    return [entry for entry in entries(place.path) if MARK in entry.name]


@dataclass(frozen=True)
class _Choice:
    """Which tags are read, and the bytes that their records hold."""

    wanted: Wanted
    needles: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, containing: Iterable[str] | Wanted) -> "_Choice":
        if callable(containing):
            return cls(containing)
        words = (*containing,)
        needles = tuple(word.encode() for word in words)
        use = len(needles) <= MOST_NEEDLES and all(needles)
        return cls(lambda tag: any(word in tag for word in words), needles if use else ())

    def among(self, buffer: bytes, records: Records) -> Mask | slice:
        """Find the records that hold a needle: faster than to look at each."""
        if not self.needles:
            return slice(None)
        chosen = np.zeros(len(records.starts) + 1, dtype=np.bool_)
        ends = np.append(records.starts + records.lengths, -1)
        for needle in map(re.escape, self.needles):
            found = np.array([match.start() for match in re.finditer(needle, buffer)], np.int64)
            inside = np.searchsorted(records.starts, found, side="right") - 1
            chosen[inside[found < ends[inside]]] = True
        return chosen[:-1]


class _EventFile:
    """One file, and what was read of it so far."""

    def __init__(self, path: str, choice: "_Choice") -> None:
        self.path, self.offset = path, 0
        self.parts: dict[str, list[Columns]] = {}
        self._choice, self._decoder = choice, Decoder(choice.wanted)
        self._problems: list[Problem] = []
        self._untold = 0
        self._rest = 0  # bytes behind the last whole record

    def problems(self) -> list[Problem]:
        """List what is wrong with what was read so far."""
        found = [*self._problems]
        if self._untold:
            found.append(Problem(self.path, self.offset, f"{self._untold} more such places"))
        if self._rest:
            found.append(
                Problem(
                    self.path, self.offset, f"a record of which only {self._rest} bytes are there"
                )
            )
        return found

    def read_on(self) -> None:
        """Read what has been written since the last time."""
        try:
            with open_file(self.path) as file:
                self._read(file)
        except OSError as error:
            self._note(self.offset, f"cannot be read on ({error.strerror or error})")

    def _read(self, file: IO[bytes]) -> None:
        file.seek(self.offset)
        rest, missing = b"", 0
        while data := file.read(max(CHUNK, missing)):
            buffer = rest + data
            records = find_records(np.frombuffer(buffer, np.uint8))
            self._decode(buffer, records)
            self.offset += records.end
            rest = buffer[records.end :]
            missing = _missing(rest)
            if missing > LONGEST:
                rest, missing = self._pass_over(file, len(rest) + missing), 0
        self._rest = len(rest)

    def _pass_over(self, file: IO[bytes], size: int) -> bytes:
        """Go on behind a record that is too long to be held; what is left if it is not whole."""
        end = file.seek(0, os.SEEK_END)
        if self.offset + size > end:
            return bytes(min(end - self.offset, FRAME))
        self._note(self.offset, f"a record of {size} bytes, passed over")
        self.offset = file.seek(self.offset + size)
        return b""

    def _decode(self, buffer: bytes, records: Records) -> None:
        for spot in records.spots:
            self._note(self.offset + spot.offset, spot.reason)
        chosen = self._choice.among(buffer, records)
        decoded = self._decoder.decode(
            np.frombuffer(buffer, np.uint8), records.starts[chosen], records.lengths[chosen]
        )
        for spot in decoded.spots:
            self._note(self.offset + spot.offset - HEADER, spot.reason)
        for tag, columns in decoded.columns().items():
            self.parts.setdefault(tag, []).append(columns)

    def _note(self, offset: int, reason: str) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(self.path, offset, reason))
        else:
            self._untold += 1


def _missing(rest: bytes) -> int:
    """Count the bytes that the record which has begun still needs."""
    length = read_length(np.frombuffer(rest[:HEADER], np.uint8)) if len(rest) >= HEADER else None
    return 0 if length is None else FRAME + length - len(rest)
