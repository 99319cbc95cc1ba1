"""Names that a log can hold, made to be obeyed where they should be shown."""

HOSTILE = (
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://x\x07link",
    "line\nbreak\r\x00\x7f\x85\u2028",
    "\u202etxt.exe \u2066\ufeff\ud800",
    "[bold red]rich[/] [link=http://x]y[/link]",
    "**bold** _it_ `code` ``two`` | cell [a](javascript:x) ![](http://x) <!-- ~~~",
    "<script>alert(1)</script> <img src=x onerror='x'> &amp; ]]> \"",
    "@everyone #1 GH-1 www.example.com https://example.com",
    '"] %%{init: {"x": 1}}%% end; click a "x" ```mermaid',
    "::error::x%0A::set-output name=a::b\n::stop-commands::t",
    "[link](1) {0} {1}",
    "x" * 5000,
    "",
)
