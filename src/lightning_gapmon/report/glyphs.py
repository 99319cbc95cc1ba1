"""The characters and colours of a report, and what stands for them where only ASCII is safe."""

from lightning_gapmon.report.styled import Styled

# Mid-tones: they stand on black and on white, and the colour-blind tell them apart.
TRAIN, VAL = "#2f86d6", "#d9730d"
BEST = f"bold {VAL}"
FAINT = "#808080"
SEVERITY = {"info": "bold", "warning": f"bold {VAL}", "error": "bold red"}

PLAIN = str.maketrans(
    {"─": "-", "│": "|", "┤": "|", "└": "+", "┴": "+", "●": "O", "·": "-", "±": "+/-"}
)


def safe(text: str, *, plain: bool) -> str:
    r"""Make text safe to print: one line, no control characters, and ASCII if need be.

    Example:
        >>> safe("é ± 1\n\x1b[31m", plain=True)
        '\\xe9 +/- 1 ?[31m'
    """
    line = "".join(map(_shown, text))
    if not plain:
        return line
    return line.translate(PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "?"


def drawn(line: Styled, *, plain: bool) -> Styled:
    """Draw a line of a plot with ASCII if need be, character by character."""
    return line.translated(PLAIN) if plain else line
