"""The web folder's modules as one script."""

from pathlib import Path

import pytest

from lightning_gapmon.report import bundle


def _modules(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    monkeypatch.setattr(bundle, "WEB", folder)
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, "utf-8")


def test_each_module_stands_once_before_those_that_import_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that share a third have it once, and first."""
    _modules(
        tmp_path,
        monkeypatch,
        a='import "./b.js";\nimport { c } from "./c.js";\nexport { c };\n',
        b='import { c as d } from "./c.js";\n',
        c="const c = 1;\nexport { c };\n",
    )
    names = [
        line.split()[1] for line in bundle.script("a.js").splitlines() if "const module" in line
    ]

    assert names == ["module_c_js", "module_b_js", "module_a_js"]


def test_modules_that_import_each_other_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A circle has no order; the message names it."""
    _modules(tmp_path, monkeypatch, a='import "./b.js";\n', b='import "./a.js";\n')

    with pytest.raises(ValueError, match=r"import each other: \['a.js', 'b.js', 'a.js'\]"):
        bundle.script("a.js")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("export const a = 1;\n", "'export'"),
        ("import a from 'b';\n", "'import'"),
        ('const a = "</script>";\n', "'markup'"),
    ],
)
def test_what_a_page_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    """Another form of import, or what would end the script, fails here and not in a browser."""
    _modules(tmp_path, monkeypatch, a=text)

    with pytest.raises(ValueError, match=f"Found {found} in a.js"):
        bundle.script("a.js")
