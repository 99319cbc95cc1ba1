"""The map of the monitor's rooms in the design, against the tree."""

import re
from pathlib import Path

import lightning_gapmon.monitor

ROOT = Path(lightning_gapmon.monitor.__path__[0])
PAGE = Path(__file__).parents[2] / "docs" / "design.md"


def _drawn() -> set[str]:
    """Read the modules off the map, by their paths below `monitor`."""
    (drawn,) = re.findall(
        r"^## The rooms of `monitor`\n\n```\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL
    )
    modules, room = set(), ""
    for line in drawn.splitlines():
        if line.startswith(" "):
            modules |= {f"{room}{name}" for name in line.split()}
        elif (name := line.split()[0]).endswith("/"):
            room = name
        else:
            modules.add(name)
    return modules


def test_the_map_is_the_tree() -> None:
    """Each module is drawn in its room, and nothing is drawn that is not there."""
    paths = (path.relative_to(ROOT).with_suffix("") for path in ROOT.rglob("*.py"))
    there = {path.as_posix() for path in paths if path.name != "__init__"}

    assert _drawn() == there
