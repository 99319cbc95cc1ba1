"""Text made safe to print."""

from hypothesis import given, strategies as st

from lightning_gapmon.report.glyphs import safe


@given(st.text(st.characters()))
def test_safe_text_is_one_printable_line_and_encodes(text: str) -> None:
    """No escape sequence, line break or half character of a path reaches the terminal."""
    for plain in (False, True):
        shown = safe(text, plain=plain)

        assert shown.isprintable()
        assert shown.encode("ascii" if plain else "utf-8") is not None


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Spaces in a path are not touched."""
    assert safe(text, plain=True) == safe(text, plain=False) == text
