"""What copies and pickles of a monitor keep: plain options and results, and each other."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from multiprocessing import context
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from lightning_gapmon.analysis.rules.expression import is_written
from lightning_gapmon.analysis.rules.rule import Rule
from lightning_gapmon.analysis.selection import Selection
from lightning_gapmon.logs import gapmon_json
from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
from lightning_gapmon.monitor.results import Results

if TYPE_CHECKING:
    from lightning_gapmon.monitor.settings import Settings

Plain = dict[str, Any]
WRITTEN = ("copies", "options", "left_out", "outcome", "selection")  # the parts of a pickle
_PLAIN = (bool, int, float, str, type(None))
_CHECKPOINT = ("dirpath", "filename", "save_top_k", "save_last", "save_weights_only")


class Copies:
    """A monitor and its copies: each shows the fit that went last, until it has one of its own.

    Libraries copy the callbacks that they are given, and fit with the copies. All copies share
    one of these, and so do pickles that are read in the same process; it goes with the last.

    Args:
        key: What pickles know it by.
    """

    _living: ClassVar["WeakValueDictionary[str, Copies]"] = WeakValueDictionary()

    def __init__(self, key: str | None = None) -> None:
        self.key = key or uuid.uuid4().hex
        self._last: Results | None = None
        self._living[self.key] = self

    @classmethod
    def of(cls, key: str) -> "Copies":
        """Find those of a key in this process; where there are none any more, begin anew."""
        return cls._living.get(key) or cls(key)

    def __deepcopy__(self, memo: dict[int, object]) -> "Copies":
        """Belong to the copy too."""
        return self

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Leave the fits out of pickles."""
        return Copies.of, (self.key,)

    def began(self, results: Results) -> None:
        """Show these wherever a copy has none."""
        self._last = results

    def shown(self, own: Results) -> Results:
        """Give a copy's own results, else those of the fit that went last."""
        return own if own or self._last is None else self._last


def goes_to_a_child() -> bool:
    """Tell whether a pickle is made for a process that this one starts, which needs all of it."""
    return context.get_spawning_popen() is not None


def to_plain(settings: "Settings", results: Results, copies: Copies) -> Plain:
    """Write options and results as plain types.

    Functions, loaders and rules that have no text are left out, and named: they would need
    code, and to load code is what those refuse who allow plain types alone.
    """
    options = dict(_options(settings))
    kept = {name: _written(value) for name, value in options.items() if _is_plain(value)}
    outcome = results.so_far
    return {
        "copies": copies.key,
        "options": kept,
        "left_out": sorted(options.keys() - kept.keys()),
        "outcome": None if outcome is None else gapmon_json.to_text(outcome),
        "selection": asdict(results.selection),
    }


def options_of(state: Mapping[str, Any]) -> Plain:
    """Read the options back, as the arguments of a monitor; what was left out is None."""
    options = {name: _read(value) for name, value in state["options"].items()}
    return {**options, **dict.fromkeys(state["left_out"])}


def recall(state: Mapping[str, Any], results: Results) -> None:
    """Read the results back."""
    if state["outcome"] is not None:
        results.recall(gapmon_json.from_text(state["outcome"]), Selection(**state["selection"]))


def _options(part: Any) -> list[tuple[str, object]]:  # noqa: ANN401 - a frozen part of the settings
    """List options by their names, through the parts that hold them."""
    found: list[tuple[str, object]] = []
    for field in fields(part):
        value = getattr(part, field.name)
        inner = is_dataclass(value) and type(value).__module__ == type(part).__module__
        found += _options(value) if inner else [(field.name, value)]
    return found


def _is_plain(value: object) -> bool:
    if isinstance(value, Rule):
        return is_written(value)
    return isinstance(value, (*_PLAIN, GapCheckpoint))


def _written(value: object) -> object:
    if isinstance(value, Rule):
        return repr(value)
    if isinstance(value, GapCheckpoint):
        chosen = {"select": value.selection.by, "max_gap": value.selection.max_gap}
        return chosen | {name: getattr(value, name) for name in _CHECKPOINT}
    return value


def _read(value: object) -> object:
    return GapCheckpoint(**value) if isinstance(value, dict) else value
