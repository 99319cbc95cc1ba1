"""The checks of a run, in order: the only thing that rules and diagnosis look at."""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TypeVar, overload

from lightning_gapmon.analysis.history.column import ColumnOf
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.history.plain import (
    DERIVED,
    FIELDS,
    from_columns,
    strict,
    to_columns,
)
from lightning_gapmon.analysis.history.start_loss import StartLoss
from lightning_gapmon.analysis.wording import count, number
from lightning_gapmon.errors import HistoryError

if TYPE_CHECKING:
    import pandas as pd

State = TypeVar("State")
VERSION = 1
SHOWN_BY = "lightning_gapmon.report.notebook"


class History(Sequence[Observation]):
    """The checks of a run, oldest first, with a column for each quantity.

    A slice is a view: it shares the observations and everything that was computed on them.
    Columns are sequences of floats, named as in `Observation`: `history.val[-1]`, and lists by
    `history.val.tolist()`; all of them together are `to_json()` or `to_pandas()`.

    Args:
        observations: The checks so far.
        planned: How many checks the run intends in all, if its checks hold no plan of their own.
        start: The validation loss before training, where that was measured.

    Example:
        >>> history = History.from_curves(train=[0.9, 0.5, 0.3], val=[1.0, 0.7, 0.8])
        >>> history.val[-1], history.best.check
        (0.8, 2)
        >>> history[:2].gap
        [0.09999999999999998, 0.19999999999999996]
    """

    check, epoch, step = ColumnOf(), ColumnOf(), ColumnOf()
    seconds, lr = ColumnOf(), ColumnOf()
    lr_drop_in, lr_change_in = ColumnOf(), ColumnOf()
    train, train_n, train_stderr = ColumnOf(), ColumnOf(), ColumnOf()
    end, end_stderr, probe, probe_stderr = ColumnOf(), ColumnOf(), ColumnOf(), ColumnOf()
    val, val_n, val_stderr, rank_distance = ColumnOf(), ColumnOf(), ColumnOf(), ColumnOf()
    train_fair, train_fair_stderr = ColumnOf(), ColumnOf()
    gap, gap_relative, gap_stderr = ColumnOf(), ColumnOf(), ColumnOf()
    gap_low, gap_high = ColumnOf(), ColumnOf()

    def __init__(
        self,
        observations: Iterable[Observation] = (),
        *,
        planned: int | None = None,
        start: StartLoss | None = None,
    ) -> None:
        self._planned, self.start = planned, start
        self._seen: list[Observation] = []
        self._start = 0
        self._stop: int | None = None
        self._scans: dict[tuple[Hashable, ...], list[Any]] = {}
        for seen in observations:
            self.append(seen)

    @property
    def planned(self) -> int | None:
        """How many checks the run intends in all, as known at the last check; None if unknown.

        What is set here serves checks that hold no plan of their own.
        """
        own = self[-1].planned if self else math.nan
        return round(own) if math.isfinite(own) else self._planned

    @planned.setter
    def planned(self, planned: int | None) -> None:
        self._planned = planned

    def append(self, seen: Observation) -> None:
        """Add a check.

        Raises:
            HistoryError: The check does not come after the last one, or this is a slice.
        """
        if self._stop is not None:
            msg = "A slice of a history is a view; append to the history itself."
            raise HistoryError(msg)
        if self._seen and seen.check <= self._seen[-1].check:
            msg = (
                f"Found check {seen.check} after check {self._seen[-1].check}; "
                "checks are numbered upwards. Sort the observations by check."
            )
            raise HistoryError(msg)
        self._seen.append(seen)

    def __len__(self) -> int:
        """Count the checks."""
        return (len(self._seen) if self._stop is None else self._stop) - self._start

    def __iter__(self) -> Iterator[Observation]:
        """Go through the checks in their order."""
        return iter(self._seen[self._start : self._start + len(self)])

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    def __getitem__(self, index: int | slice) -> "Observation | History":
        """Read one check, or a view of a run of checks."""
        if isinstance(index, slice):
            return self._view(*index.indices(len(self)))
        size = len(self)
        if not -size <= index < size:
            msg = f"check index {index} of {size}"
            raise IndexError(msg)
        return self._seen[self._start + index % size]

    def _view(self, start: int, stop: int, stride: int) -> "History":
        if stride != 1:
            msg = f"Found a slice with step {stride}; a history is sliced in whole runs, [a:b]."
            raise HistoryError(msg)
        view = object.__new__(History)
        view._planned, view._seen, view._scans = self._planned, self._seen, self._scans
        view.start = self.start
        view._start = self._start + start
        view._stop = self._start + max(start, stop)
        return view

    def __eq__(self, other: object) -> bool:
        """Compare plan, start and checks; NaN equals NaN here, for both mean `not measured`."""
        if not isinstance(other, History):
            return NotImplemented
        return repr((self.planned, self.start, *self)) == repr(
            (other.planned, other.start, *other)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Show how far it goes; the checks themselves would be pages.

        Example:
            >>> History.from_curves(train=[0.9, 0.5, 0.3], val=[1.0, 0.7, 0.8], planned=9)
            <History of 3 of 9 checks, best validation loss 0.7000 at check 2>
        """
        done = f"{len(self)} of " if self.planned else ""
        checks, best = count(self.planned or len(self), "check"), self.best
        lowest = f", best validation loss {number(best.val)} at check {best.check}" if best else ""
        return f"<History of {done}{checks}{lowest}>"

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """Show the checks in a notebook: as a chart, and as a table.

        Reports are above the analysis, which imports none: this one is looked up by its name.
        """
        shown: dict[str, str] = import_module(SHOWN_BY).history_bundle(self)
        return shown

    def scan(
        self,
        update: Callable[[State, "History"], State],
        start: State,
        *,
        key: Hashable = (),
    ) -> State:
        """Fold `update` over the checks and remember the way: one more check costs one update.

        What is remembered belongs to the function, or to the method and its object, so that no
        two folds come into each other's way. It must be the same function at each call: a
        `lambda` that is made anew has no memory.

        Args:
            update: Pure function of a state and of the checks up to the one that is taken in,
                which is the last of them; it must not change the state that it got.
            start: The state before the first check; always the same for a function.
            key: What `update` depends on beside that.

        Example:
            >>> def risen(times: int, history: History) -> int:
            ...     return times + (history.val[-1:] > history.val[-2:-1] != [])
            >>> History.from_curves(train=[1] * 4, val=[3.0, 2.0, 4.0, 5.0]).scan(risen, 0)
            2
        """
        function, owner = getattr(update, "__func__", update), getattr(update, "__self__", None)
        states = self._scans.setdefault((self._start, function, owner, key), [start])
        while len(states) <= len(self):
            states.append(update(states[-1], self[: len(states)]))
        result: State = states[len(self)]
        return result

    @property
    def best(self) -> Observation | None:
        """The check with the lowest finite validation loss; the first of equals."""
        return self.scan(_better, None)

    def to_plain(self) -> dict[str, Any]:
        """Write the history as numbers, lists and dicts, without what was never measured.

        Example:
            >>> History.from_curves(train=[2.0], val=[3.0]).to_plain()["columns"]
            {'check': [1], 'epoch': [0], 'step': [1], 'train': [2.0], 'val': [3.0]}
        """
        plain = {"version": VERSION, "planned": self.planned}
        start = {"start": self.start.to_plain()} if self.start else {}
        return {**plain, **start, "columns": to_columns(self)}

    def to_json(self) -> str:
        """Write the history as strict JSON, one list a quantity; NaN, not measured, is null.

        Example:
            >>> History.from_curves(train=[math.nan], val=[3.0], planned=9).to_json()
            '{"version": 1, "planned": 9, "columns": {"check": [1], ...], "val": [3.0]}}'
        """
        return json.dumps(strict(self.to_plain()), allow_nan=False)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "History":
        """Read what `to_plain` wrote.

        Raises:
            HistoryError: The version is unknown, or the columns do not fit together.
        """
        if plain.get("version") != VERSION:
            msg = (
                f"Found a history of version {plain.get('version')!r}, expected {VERSION}. "
                "Read it with the version of lightning_gapmon that wrote it."
            )
            raise HistoryError(msg)
        start = plain.get("start")
        return cls(
            from_columns(plain["columns"]),
            planned=plain.get("planned"),
            start=None if start is None else StartLoss.from_plain(start),
        )

    def to_pandas(self) -> "pd.DataFrame":
        """Make a table with one row a check and one column a quantity, the gap with them.

        Where there are several validation loaders, `loader_0`, `loader_1` ... hold their losses.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        import pandas as pd  # noqa: PLC0415

        names = [name for name in (*FIELDS, *DERIVED) if name != "loaders"]
        columns = {name: [getattr(seen, name) for seen in self] for name in names}
        each = zip_longest(*(seen.loaders for seen in self), fillvalue=math.nan)
        columns |= {f"loader_{i}": [*losses] for i, losses in enumerate(each)}
        return pd.DataFrame(columns)

    @classmethod
    def from_curves(
        cls,
        *,
        train: Sequence[float],
        val: Sequence[float],
        lr: Sequence[float] | None = None,
        planned: int | None = None,
    ) -> "History":
        """Make a history of bare curves, one point a check, epoch and step counted along.

        Raises:
            HistoryError: The curves have different lengths.
        """
        rates = [math.nan] * len(val) if lr is None else lr
        if not len(train) == len(val) == len(rates):
            msg = (
                f"Found {len(train)} train, {len(val)} val and {len(rates)} lr points; "
                "expected one of each per check. Cut them to the same checks."
            )
            raise HistoryError(msg)
        points = enumerate(zip(train, val, rates, strict=True))
        return cls(
            (
                Observation(
                    check=i + 1, epoch=i, step=i + 1, train=float(t), val=float(v), lr=float(r)
                )
                for i, (t, v, r) in points
            ),
            planned=planned,
        )


def _better(best: Observation | None, history: History) -> Observation | None:
    seen = history[-1]
    if not math.isfinite(seen.val) or (best is not None and seen.val >= best.val):
        return best
    return seen
