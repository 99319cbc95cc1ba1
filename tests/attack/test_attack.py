"""The attack, a short one of each kind: it finds nothing, and would find what is put there."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
import torch
from tests.attack import files, kills, pairs, prefixes
from tests.attack.__main__ import main
from tests.attack.tally import Tally

from lightning_gapmon import GapMonitor, History


class Noisy(GapMonitor):
    """A monitor that draws from the user's random numbers."""

    def on_train_batch_start(self, *given: object) -> None:
        """Draw one."""
        torch.rand(1)
        super().on_train_batch_start(*given)  # type: ignore[arg-type]


SHORT: dict[str, Callable[[Random, Tally], None]] = {
    "files": files.attack,
    "prefixes": prefixes.attack,
    "kills": partial(kills.attack, ranks=1),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_round_finds_nothing(name: str) -> None:
    """Files are read or refused, prefixes judged as then, a killed run goes on as it was."""
    tally = Tally()
    SHORT[name](Random(1), tally)  # noqa: S311

    assert tally.compared.total() > 0
    assert tally.differences == []


def test_pairs_of_fits_are_the_same() -> None:
    """Whatever is drawn for the Trainer, the module and the monitor."""
    tally = Tally()
    pairs.attack(Random(1), tally, ranks=1, pairs=3)  # noqa: S311

    assert tally.compared["pairs of fits"] == 3
    assert tally.differences == []


def test_a_monitor_that_disturbs_is_found(tmp_path: Path) -> None:
    """One random number too many, and the fits are not the same."""
    case = {"kind": "Net", "loaders": "mapped", "averaging": "none", "options": ["no checkpoint"]}
    tally = Tally()
    pairs.pair(tmp_path, {**case, "settings": {"max_epochs": 1}}, tally, 1, Noisy)

    assert len(tally.differences) == 1
    assert tally.differences[0].startswith("weights, ")


def test_a_judge_that_remembers_is_found() -> None:
    """It says of a prefix what it knows of what came later."""
    known: list[int] = []

    def judge(history: History) -> int:
        known.append(len(history))
        return max(known)

    tally = Tally()
    prefixes.attack(Random(4), tally, judges={"judge": judge})  # noqa: S311

    assert tally.differences


def test_it_tells_what_it_compared(capsys: pytest.CaptureFixture[str]) -> None:
    """With its seed, and how to see a round again."""
    code = main(["--seed", "3", "--only", "files", "--round", "0"])
    printed = capsys.readouterr().out

    assert code == 0
    assert printed.startswith("files, seed 3, 1 rank(s): ")
    assert printed.endswith(": 0 differences\n")


def test_a_reader_that_fails_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The attack ends with 1, and says which round to run again."""
    monkeypatch.setattr("lightning_gapmon.logs.readers.json_lines.need", None)
    code = main(["--seed", "3", "--only", "files", "--minutes", "0"])
    printed = capsys.readouterr().out

    assert code == 1
    assert "again: --seed 3 --ranks 1 --only files --round 0" in printed
