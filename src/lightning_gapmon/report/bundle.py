"""The web folder's modules as one script, for a page that is opened without a server."""

import re
from collections.abc import Iterator
from pathlib import Path

from lightning_gapmon.report.theme import WEB

# The one form in which the modules there import and export; anything else is refused.
NAMES, PATH = r"(?P<names>[\w$]+|\{[^}]*\})", r'"(?P<path>\./[^"]+)"'
IMPORT = re.compile(rf"^import (?:{NAMES} from )?{PATH};$", re.MULTILINE)
EXPORT = re.compile(r"^export \{(?P<names>[^}]*)\};?$", re.MULTILINE)
EXPORTED = re.compile(r"^export (?=function )", re.MULTILINE)  # one in uPlot; nobody imports it
LEFT = re.compile(r"^(import|export) ", re.MULTILINE)


def script(entry: str = "report.js") -> str:
    r"""Put a module and all that it imports into one script without imports.

    Each module becomes a function that is called once and gives what it exports, as the browser
    does with modules; a page from disk may not import any.

    Args:
        entry: The module's file name; what it exports is the script's `gapmon`.

    Example:
        >>> text = script()
        >>> "\nimport " in text, "gap-chart" in text
        (False, True)
    """
    done: dict[Path, str] = {}
    for path in _in_order(WEB / entry, []):
        done.setdefault(path, _function(path))
    return "\n".join([*done.values(), f"const gapmon = {_name(WEB / entry)};"])


def styles() -> str:
    """Put the style sheets together, uPlot's before ours."""
    sheets = (WEB / "uplot" / "uPlot.min.css", WEB / "style.css")
    return "\n".join(sheet.read_text("utf-8") for sheet in sheets)


def _in_order(path: Path, above: list[Path]) -> Iterator[Path]:
    """List a module after those that it imports; a circle among them has no order."""
    if path in above:
        msg = f"Found modules that import each other: {[one.name for one in [*above, path]]}"
        raise ValueError(msg)
    for found in IMPORT.finditer(path.read_text("utf-8")):
        yield from _in_order((path.parent / found["path"]).resolve(), [*above, path])
    yield path


def _function(path: Path) -> str:
    text = path.read_text("utf-8")
    body = IMPORT.sub(lambda found: _taken(path, found), text)
    body = EXPORT.sub(lambda found: f"return {{ {_given(found['names'])} }};", body)
    body = EXPORTED.sub("", body)
    left = LEFT.search(body)
    if left or "</script" in text or "<!--" in text:
        found = repr(left[0].strip() if left else "markup")
        msg = f"Found {found} in {path.name}; a page holds modules that import as others do."
        raise ValueError(msg)
    return f"const {_name(path)} = (() => {{\n{body}\n}})();"


def _taken(path: Path, found: re.Match[str]) -> str:
    names, module = found["names"], _name((path.parent / found["path"]).resolve())
    if names is None:
        return ""
    return f"const {names} = {module}{'' if names.startswith('{') else '.default'};"


def _given(names: str) -> str:
    pairs = (name.split(" as ") for name in re.split(r",\s*", names.strip(" ,\n")))
    return ", ".join(f"{pair[-1].strip()}: {pair[0].strip()}" for pair in pairs)


def _name(path: Path) -> str:
    return "module_" + re.sub(r"\W", "_", path.relative_to(WEB).as_posix())
