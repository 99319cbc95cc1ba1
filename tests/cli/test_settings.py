"""`[tool.gapmon]` in pyproject.toml."""

from pathlib import Path

import pytest

from lightning_gapmon.cli import settings
from lightning_gapmon.cli.settings import read_settings
from lightning_gapmon.errors import ConfigurationError


def _write(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_settings_are_read_and_paths_are_the_project_s(tmp_path: Path) -> None:
    """Names become those of the options; a baseline is taken from the folder of the file."""
    text = '[tool.gapmon]\nfail-on = ["undecided"]\nmax-gap = 1\nstrict = true\nbaseline = "old"\n'
    (tmp_path / "deep").mkdir()
    _write(tmp_path, text)

    assert read_settings(tmp_path / "deep") == {
        "fail_on": ["undecided"],
        "max_gap": 1,
        "strict": True,
        "baseline": str(tmp_path / "old"),
    }


def test_a_project_without_settings_has_none(tmp_path: Path) -> None:
    """Neither a file without the table nor no file at all is an error."""
    assert read_settings(_write(tmp_path, "[project]\nname = 'x'\n")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.gapmon]\nmax_val = 1", "'max_val' in .* Did you mean max-val"),
        ("[tool.gapmon]\nmax-val = '1'", "max-val = '1' in .*; expected a number"),
        ("[tool.gapmon]\nmin-checks = true", "min-checks = True in .*; expected a whole number"),
        ("[tool.gapmon]\nfail-on = [1]", r"fail-on = \[1\] in .*; expected a list of findings"),
        ("[tool.gapmon", "which is no TOML"),
    ],
)
def test_odd_settings_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """A setting that cannot be meant is named with its file."""
    with pytest.raises(ConfigurationError, match=message):
        read_settings(_write(tmp_path, text))


def test_where_toml_cannot_be_read_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.10 without tomli refuses settings that it would have to leave out."""
    monkeypatch.setattr(settings, "find_spec", lambda _: None)

    assert read_settings(_write(tmp_path, "[project]\n")) == {}
    with pytest.raises(ConfigurationError, match="with the package tomli only"):
        read_settings(_write(tmp_path, "[tool.gapmon]\n"))
