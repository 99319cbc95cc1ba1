"""The rules of a gate that a project keeps: `[tool.gapmon]` in its `pyproject.toml`."""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lightning_gapmon.analysis.wording import did_you_mean
from lightning_gapmon.errors import ConfigurationError

FILE = "pyproject.toml"
KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "fail-on": ((list,), "a list of findings"),
    "warn-on": ((list,), "a list of findings"),
    "strict": ((bool,), "true or false"),
    "max-val": ((int, float), "a number"),
    "max-gap": ((int, float), "a number"),
    "min-checks": ((int,), "a whole number"),
    "baseline": ((str,), "a path"),
    "group": ((str,), "a pattern"),
}


def read_settings(start: Path) -> dict[str, Any]:
    """Read the settings of the nearest `pyproject.toml`, from a folder upwards.

    Returns:
        The settings by the name of their option, with `_` for `-`; a path in them is taken from
        the folder of the file.

    Raises:
        ConfigurationError: The file cannot be read, or a setting is unknown or of another kind.
    """
    path = next(
        (folder / FILE for folder in (start, *start.parents) if (folder / FILE).is_file()), None
    )
    if path is None:
        return {}
    table = _parsed(path).get("tool", {}).get("gapmon", {})
    for name, value in table.items():
        _refuse_odd(path, name, value)
    settings = {name.replace("-", "_"): value for name, value in table.items()}
    if "baseline" in settings:
        settings["baseline"] = str(path.parent / settings["baseline"])
    return settings


def _parsed(path: Path) -> dict[str, Any]:
    name = "tomllib" if sys.version_info >= (3, 11) else "tomli"
    text = path.read_text("utf-8")
    if find_spec(name) is None:
        if "[tool.gapmon" not in text:
            return {}
        msg = (
            f"Found [tool.gapmon] in {path}, which Python 3.10 reads with the package tomli only; "
            "expected that it is installed: pip install tomli, or give the options themselves."
        )
        raise ConfigurationError(msg)
    reader = import_module(name)
    try:
        parsed: dict[str, Any] = reader.loads(text)
    except reader.TOMLDecodeError as error:
        msg = f"Found {path}, which is no TOML ({error}). Correct it."
        raise ConfigurationError(msg) from error
    return parsed


def _refuse_odd(path: Path, name: str, value: object) -> None:
    if name not in KINDS:
        msg = (
            f"Found {name!r} in [tool.gapmon] of {path}; expected {', '.join(KINDS)}."
            f"{did_you_mean(name, KINDS)}"
        )
        raise ConfigurationError(msg)
    kinds, expected = KINDS[name]
    is_texts = not isinstance(value, list) or all(isinstance(item, str) for item in value)
    is_odd_bool = isinstance(value, bool) and bool not in kinds
    if not isinstance(value, kinds) or is_odd_bool or not is_texts:
        msg = f"Found {name} = {value!r} in [tool.gapmon] of {path}; expected {expected}."
        raise ConfigurationError(msg)


def merged(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Put what was given in the command line over the settings; nothing given is None or empty.

    Example:
        >>> merged({"max_val": 1.0, "strict": True}, {"max_val": 2.0, "strict": None})
        {'max_val': 2.0, 'strict': True}
    """
    told = {name: value for name, value in given.items() if value not in (None, (), False)}
    return {**dict.fromkeys(given), **settings, **told}
