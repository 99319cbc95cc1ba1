"""A line of text whose pieces have styles; what prints it decides whether they show."""

from collections.abc import Iterable
from dataclasses import dataclass, field

Piece = tuple[str, str]  # a text, and its style as `rich` names one, or ""


@dataclass
class Styled:
    """A line that grows at its end.

    Attributes:
        pieces: The texts, each with its style.

    Example:
        >>> line = Styled().append("val ", "bold").append("0.7000")
        >>> line.plain, line.pieces[0]
        ('val 0.7000', ('val ', 'bold'))
    """

    pieces: list[Piece] = field(default_factory=list)

    @classmethod
    def of(cls, *pieces: Piece) -> "Styled":
        """Make a line of pieces."""
        return cls(list(pieces))

    def append(self, text: str, style: str = "") -> "Styled":
        """Put a piece at the end."""
        self.pieces.append((text, style))
        return self

    def translated(self, table: dict[int, str]) -> "Styled":
        """Replace characters, one by one."""
        return Styled([(text.translate(table), style) for text, style in self.pieces])

    @property
    def plain(self) -> str:
        """The text alone."""
        return "".join(text for text, _ in self.pieces)

    def __str__(self) -> str:
        """Give the text alone."""
        return self.plain


def join(lines: Iterable[Styled]) -> str:
    """Put lines below each other as text, without what is blank at their ends."""
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)
