"""Colours and scale rules, read from where the chart's own component has them."""

import json
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
    read: dict[str, Any] = json.loads(text[text.index("{") : text.index("};") + 1])
    return read
