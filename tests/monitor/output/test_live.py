"""The run in the output of a notebook's cell, where there is none."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.fits import Net, fit

from lightning_gapmon.monitor.output.live import in_notebook


@pytest.mark.parametrize(
    ("shell", "found"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["python", "terminal", "notebook"],
)
def test_a_notebook_is_known_by_its_kernel(
    shell: object, *, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IPython in a terminal is none, nor is an IPython that was only imported."""
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))

    assert in_notebook() is found


def test_a_picture_is_drawn_once_and_then_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit of three checks displays once; the other checks and the end update that."""
    shown: list[str] = []

    def update(page: dict[str, str], *, raw: bool) -> None:
        shown.append(f"update {raw} {sorted(page)}")

    def display(page: dict[str, str], *, raw: bool, display_id: bool) -> object:
        shown.append(f"display {raw} {display_id} {sorted(page)}")
        return SimpleNamespace(update=update)

    shell = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    fit(Net(), tmp_path, max_epochs=3)

    both = "['text/html', 'text/plain']"
    assert shown == [f"display True True {both}", *[f"update True {both}"] * 3]
