r"""Text that came out of a log, made safe for where it is shown: it is seen, never obeyed.

Everything here first shows what cannot be printed (control characters, escape sequences, marks
that turn the direction of writing, halves of surrogate pairs) as an escape such as `\x1b`, on one
line, and cuts what is endless. What then has a meaning in the language of the output is quoted.
"""

import html as _html
import re

LONGEST = 1000  # characters that are shown of a text
_MARKDOWN = re.compile(r"([\\`*_\[\]#!|~$])")
_AUTOMATIC = re.compile(
    r"(?<=[@#])(?=\w)|(?<=www)(?=\.)|(?<=GH)(?=-)"
)  # what GitHub links unasked
_PLACEHOLDER = re.compile(r"\{(?=\d+\})")
_MERMAID = re.compile(r"[^\w .,:/=+()-]")
_ZERO_WIDTH = "\u200b"


def shown(text: str, *, most: int = LONGEST) -> str:
    r"""Show a text on one line, with escapes for what cannot be printed.

    Example:
        >>> shown("loss\n\x1b[31mred\u202e"), shown("endless", most=4)
        ('loss\\n\\x1b[31mred\\u202e', 'endl...')
    """
    cut = text if len(text) <= most else f"{text[:most]}..."
    return "".join(c if c.isprintable() else _escaped(c) for c in cut)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def markdown(text: str) -> str:
    r"""Quote for running text in Markdown, and for a cell of a table.

    Mentions, references and addresses are not turned into links, and no HTML is let through.

    Example:
        >>> markdown("a|b <img> *x*")
        'a\\|b &lt;img&gt; \\*x\\*'
    """
    apart = _AUTOMATIC.sub(_ZERO_WIDTH, shown(text))
    return _html.escape(_MARKDOWN.sub(r"\\\1", apart), quote=False)


def code(text: str) -> str:
    """Quote as code in Markdown, for names; `|` is quoted too, as cells of tables need it.

    Example:
        >>> code("runs/a_b"), code("odd`name")
        ('`runs/a_b`', '``odd`name``')
    """
    line = shown(text).replace("|", r"\|") or " "
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def html(text: str) -> str:
    """Quote for HTML, in text and in attributes.

    Example:
        >>> html("<img onerror='x'>")
        '&lt;img onerror=&#x27;x&#x27;&gt;'
    """
    return _html.escape(shown(text))


def mermaid(text: str) -> str:
    """Leave only what a quoted text of a mermaid diagram can hold.

    Example:
        >>> mermaid('a"]; click %%x')
        'a??? click ??x'
    """
    return _MERMAID.sub("?", shown(text))


def sarif(text: str) -> str:
    """Keep what SARIF would take for a link or for a placeholder from being one.

    Example:
        >>> sarif("[a](1) {0}")
        '[a] (1) { 0}'
    """
    return _PLACEHOLDER.sub("{ ", shown(text).replace("](", "] ("))


def command(text: str) -> str:
    """Quote for the message of a workflow command of GitHub.

    Example:
        >>> command("100 %")
        '100 %25'
    """
    return shown(text).replace("%", "%25")


def command_property(text: str) -> str:
    """Quote for a property of a workflow command of GitHub.

    Example:
        >>> command_property("a,b:c")
        'a%2Cb%3Ac'
    """
    return command(text).replace(":", "%3A").replace(",", "%2C")
