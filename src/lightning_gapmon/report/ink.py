"""Lines, texts and colours of an SVG, light on paper and dark where the desktop is."""

from html import escape

from lightning_gapmon.report.theme import theme


def paint(*, fill: str = "none", stroke: str = "") -> str:
    """Give the attributes of what is filled or drawn with colours of the theme.

    Example:
        >>> paint(fill="paper")
        'class="gf-paper" fill="#ffffff"'
    """
    light = theme()["light"]
    names = [f"gf-{fill}"] if fill != "none" else []
    names += [f"gs-{stroke}"] if stroke else []
    drawn = f' stroke="{light[stroke]}"' if stroke else ""
    return f'class="{" ".join(names)}" fill="{light.get(fill, fill)}"{drawn}'


def dark() -> str:
    """Give the colours of a dark desktop, by the class of what is painted with them."""
    colours = {k: v for k, v in theme()["dark"].items() if isinstance(v, str)}
    rules = (f".gf-{k}{{fill:{v}}}.gs-{k}{{stroke:{v}}}" for k, v in colours.items())
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"


def line(x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: str = "none") -> str:
    """Draw a line."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} {paint(stroke=colour)} stroke-dasharray="{dash}"/>'


def text(
    x: float, y: float, said: str, colour: str, *, anchor: str = "start", weight: str = ""
) -> str:
    """Write a text, whatever is in it; "" for none."""
    bold = f' font-weight="{weight}"' if weight else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {paint(fill=colour)}{bold}'
    return f"<text {place}>{escape(said)}</text>" if said else ""
