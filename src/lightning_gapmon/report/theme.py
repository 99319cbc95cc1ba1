"""Colours and scale rules, read from where the chart's own component has them."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

WEB = Path(__file__).parents[1] / "web"


@cache
def theme() -> dict[str, Any]:
    """Read `web/theme.js`, whose object is strict JSON.

    Example:
        >>> sorted(theme())
        ['dark', 'light', 'scale']
    """
    text = (WEB / "theme.js").read_text("utf-8")
    found = re.search(r"const THEME = (\{.*\});", text, re.DOTALL)
    assert found is not None, "theme.js holds one object"
    read: dict[str, Any] = json.loads(found[1])
    return read
