"""`gapmon watch`: runs while they train."""

import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from lightning_gapmon.cli import screen
from lightning_gapmon.cli.runs import Loaded, expanded, read
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs.formats import Log, find_logs
from lightning_gapmon.logs.places import entries, is_url, look
from lightning_gapmon.report import runs_table, watch_view
from lightning_gapmon.report.runs_table import Named
from lightning_gapmon.report.styled import Styled
from lightning_gapmon.report.watch_view import Watched

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # another screen, no cursor
HOME, TO_END_OF_LINE, TO_END = "\x1b[H", "\x1b[K", "\x1b[J"
SHARE = 0.1  # of the time that may go into reading
Signature = tuple[tuple[str, int, int], ...]


@click.command("watch", short_help="See a run while it trains.")
@click.argument("logs", nargs=-1, required=True)
@click.option("--every", type=click.FloatRange(min=0.1), default=5.0, help="Seconds [5].")
@click.option("--once", is_flag=True, help="Print what there is now, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON at each change.")
def command(logs: Sequence[str], *, every: float, once: bool, as_json: bool) -> int:
    """See runs while they train: the newest drawn, the others in a list.

    It only reads, so that it can be started and ended at any time and by anyone; a run that is
    started anew, or whose log begins anew, is followed on. Ctrl-C ends the view, not the run.

    \b
    gapmon watch lightning_logs
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    following = Following(logs)
    try:
        if once or as_json or not sys.stdout.isatty():
            _print(following, every=every, once=once, as_json=as_json)
        else:
            _show(following, every)
    except KeyboardInterrupt:  # how one ends it
        pass
    return 0


def _show(following: "Following", every: float) -> None:
    with _another_screen():
        for runs in _looks(following, every):
            _draw(runs)


class Following:
    """The runs below some paths, read anew where their logs have changed."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._known: dict[str, tuple[Signature, list[Watched]]] = {}

    def look(self) -> list[Watched]:
        """Give the runs as they are now, the one written to last first."""
        try:
            logs = find_logs(expanded(self._patterns))
        except LogFormatError:  # not there yet, or not at this moment: wait
            logs = []
        known = {}
        for log in logs:
            path = log.place.path
            signature = _signature(path)
            before, runs = self._known.get(path, ((), []))
            changed = signature != before or not signature
            known[path] = signature, (_watched(log, signature) if changed else runs)
        self._known = known
        every = [run for _, found in known.values() for run in found]
        return sorted(every, key=lambda run: run.written, reverse=True)


def _signature(path: str) -> Signature:
    """Tell whether a log has changed, by the sizes and times of its files."""
    if is_url(path):
        there = look(path)
        inside = entries(path) if there.kind == "folder" else [there]
        return tuple((entry.path, entry.size, 0) for entry in inside)
    place = Path(path)
    try:
        files = [*place.iterdir()] if place.is_dir() else [place]
        found = [(str(file), file.stat()) for file in files]
    except OSError:  # it is being replaced
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found))


def _watched(log: Log, signature: Signature) -> list[Watched]:
    found, _ = read(log, live=True)
    written = max((nanoseconds for _, _, nanoseconds in signature), default=0) / 1e9
    return [_watching(one, written or time.time()) for one in found if one.run.history]


def _watching(one: Loaded, written: float) -> Watched:
    return Watched(name=one.run.name, outcome=one.outcome, written=written)


def _looks(following: Following, every: float) -> Iterator[list[Watched]]:
    """Look again and again, and never for more than a share of the time."""
    while True:
        start = time.monotonic()
        yield following.look()
        took = time.monotonic() - start
        time.sleep(pause(took, every))


def pause(took: float, every: float) -> float:
    """Give the seconds until the next look, after one that took so many.

    Example:
        >>> pause(0.5, 5.0), pause(2.0, 5.0)
        (4.5, 18.0)
    """
    return max(every - took, took * (1 / SHARE - 1))


def _print(following: Following, *, every: float, once: bool, as_json: bool) -> None:
    """Print what has changed, for a pipe or a file."""
    before = ""
    for runs in _looks(following, every):
        text = _json(runs) if as_json else "\n".join(line.plain for line in _frame(runs))
        changed = _json(runs)
        if changed != before:
            click.echo(text)
            before = changed
        if once:
            break


def _json(runs: Sequence[Watched]) -> str:
    plain = [runs_table.plain(Named(name=run.name, outcome=run.outcome)) for run in runs]
    document = {"format": runs_table.FORMAT, "version": runs_table.VERSION, "runs": plain}
    return json.dumps(document, allow_nan=False)


def _frame(runs: Sequence[Watched]) -> list[Styled]:
    size = shutil.get_terminal_size()
    plain = not screen.draws_blocks()
    return watch_view.frame(
        runs, width=size.columns, height=size.lines - 1, now=time.time(), plain=plain
    )


def _draw(runs: Sequence[Watched]) -> None:
    lines = [screen.painted(line) for line in _frame(runs)]
    written = "".join(f"{line}{TO_END_OF_LINE}\n" for line in lines)
    sys.stdout.write(f"{HOME}{written}{TO_END}")
    sys.stdout.flush()


@contextmanager
def _another_screen() -> Iterator[None]:
    """Draw on the terminal's other screen, and leave it as it was however this ends."""
    before = signal.signal(signal.SIGTERM, _end)
    sys.stdout.write(ENTER)
    try:
        yield
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, before)


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as signal calls it
    raise SystemExit(128 + number)
