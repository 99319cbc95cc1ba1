"""Lines whose pieces have styles."""

from hypothesis import given, strategies as st

from lightning_gapmon.report.styled import Styled, join


@given(st.lists(st.tuples(st.text(), st.sampled_from(["", "bold"]))))
def test_text_and_styles_are_kept(pieces: list[tuple[str, str]]) -> None:
    """A line is what was appended, in its order."""
    line = Styled()
    for text, style in pieces:
        line.append(text, style)

    assert line.pieces == pieces == Styled.of(*pieces).pieces
    assert line.plain == str(line) == "".join(text for text, _ in pieces)


def test_replacing_leaves_styles_and_the_line_itself() -> None:
    """A plot in ASCII has the colours of the one in Braille."""
    line = Styled.of(("─●", "bold"), ("x", ""))

    assert line.translated({ord("─"): "-", ord("●"): "O"}).pieces == [("-O", "bold"), ("x", "")]
    assert line.plain == "─●x"


def test_blank_ends_are_cut() -> None:
    """Lines stand below each other; nothing invisible is copied with them."""
    assert join([Styled.of(("a  ", "bold")), Styled(), Styled.of(("b", ""))]) == "a\n\nb\n"
