"""Text out of logs is shown, never obeyed."""

import html
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st
from tests.hostile import HOSTILE

from lightning_gapmon.report import safe

TEXT = st.text() | st.sampled_from(HOSTILE) | st.text("\x1b[]()`|*_<>&\"'\\@#\n\r\x00{}0:%,~w.")
WAYS = (
    safe.shown,
    safe.markdown,
    safe.code,
    safe.html,
    safe.mermaid,
    safe.sarif,
    safe.command,
    safe.command_property,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@given(text=TEXT)
def test_what_is_shown_is_one_printable_line(way: Callable[[str], str], text: str) -> None:
    """No control character, no turn of direction, no half of a pair, and an end."""
    line = way(text)
    left = {c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}

    assert left <= {"\u200b"}
    assert len(line) <= 20 * safe.LONGEST


@given(text=st.text(st.characters(exclude_categories=["C", "Zl", "Zp"])))
def test_plain_text_stays_as_it_is(text: str) -> None:
    """What can be printed is not changed."""
    kept = text if text.isprintable() else safe.shown(text)

    assert safe.shown(text) == kept


@given(text=TEXT)
def test_escapes_can_be_read_back(text: str) -> None:
    """Nothing is lost but what was cut: the escapes are Python's."""
    odd = text[: safe.LONGEST]
    line = safe.shown(odd)
    back = re.sub(
        r"\\x[0-9a-f]{2}|\\u[0-9a-f]{4}|\\U[0-9a-f]{8}|\\[ntr]",
        lambda found: found[0].encode().decode("unicode_escape"),
        line,
    )

    assert "\\" in odd or back == odd


@given(text=TEXT)
def test_markdown_holds_no_markup_of_its_own(text: str) -> None:
    """Each character with a meaning is quoted, and no tag or mention is left."""
    quoted = safe.markdown(text)
    bare = re.sub(r"\\.|&(?:amp|lt|gt);", "", quoted)

    assert not set(bare) & set("`*_[]<>|!#~$&\\")
    assert not re.search(r"@\w|www\.", quoted)


@given(text=TEXT)
def test_code_is_one_span_that_ends_where_it_should(text: str) -> None:
    """Inside a span there is no run of backticks as long as its fence."""
    quoted = safe.code(text)
    fence = re.match("`+", quoted)

    assert fence is not None
    assert quoted.endswith(fence[0])
    inner = quoted[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inner)
    assert not re.search(r"(?<!\\)\|", inner)


@given(text=TEXT)
def test_html_is_text(text: str) -> None:
    """What a browser reads back is what is shown elsewhere."""
    quoted = safe.html(text)

    assert html.unescape(quoted) == safe.shown(text)
    assert not set(quoted) & set("<>\"'")


@given(text=TEXT)
def test_mermaid_keeps_words_and_few_signs(text: str) -> None:
    """Nothing that could end the quotes, begin a statement or a directive is left."""
    assert not set(safe.mermaid(text)) & set('"#;%`<>[]{}&\\|\n')


@given(text=TEXT)
def test_sarif_text_has_no_link_and_no_placeholder(text: str) -> None:
    """Neither of the two things that a SARIF viewer replaces is left."""
    assert not re.search(r"\]\(|\{\d+\}", safe.sarif(text))


@given(text=TEXT)
def test_a_workflow_command_ends_where_its_text_does(text: str) -> None:
    """GitHub undoes the quoting; the property has no sign that ends it."""
    quoted = safe.command_property(text)
    undone = quoted.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")

    assert undone == safe.shown(text)
    assert not set(quoted) & set(":,\r\n")
