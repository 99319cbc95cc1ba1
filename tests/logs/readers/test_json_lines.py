"""JSON lines: a run a line, or a row of a log a line."""

import json
import math
from pathlib import Path

import pytest
from tests.logs.readings import read_all, read_one, refusal

TRAIN, VAL = [1.0, 0.5, 0.25], [1.5, 1.0, 1.25]


def test_a_line_is_a_run(tmp_path: Path) -> None:
    """With its group and its marks; null is not known."""
    path = tmp_path / "runs.jsonl"
    lines = [
        {"id": "a", "repo": "one", "train": TRAIN, "val": VAL, "es_suspect": True},
        {"val": [1, None], "lr": [0.1, 0.1], "planned": 7},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    first, second = read_all(path)

    assert (first.name, first.group, first.cut) == ("a", "one", True)
    assert [first.history.train, first.history.val] == [TRAIN, VAL]
    assert [first.history.epoch, first.history.step] == [[0, 1, 2], [1, 2, 3]]
    assert (second.name, second.group, second.cut) == ("runs.jsonl:2", "", False)
    assert math.isnan(second.history.val[1])
    assert second.history.planned == 7
    assert second.history.lr == [0.1, 0.1]


def test_what_diverged_is_kept(tmp_path: Path) -> None:
    """An infinite loss is one, on both sides."""
    path = tmp_path / "runs.jsonl"
    path.write_text('{"train": [1, Infinity], "val": [1, Infinity]}')
    history = read_one(path).history

    assert [history.train, history.val] == [[1.0, math.inf], [1.0, math.inf]]


def test_checks_that_did_not_take_place_are_none(tmp_path: Path) -> None:
    """Train losses between two validations are those of one check."""
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"train": [4, 2, 2, 1], "val": [None, 3, None, 2]}))
    history = read_one(path).history

    assert [history.train, history.val, history.step] == [[3.0, 1.5], [3.0, 2.0], [2, 4]]


def test_a_line_is_a_row(tmp_path: Path) -> None:
    """A log that is written line by line is read as a table is."""
    path = tmp_path / "log.jsonl"
    rows = [
        row
        for step, (train, val) in enumerate(zip(TRAIN, VAL, strict=True))
        for row in ({"step": step, "train_loss": train}, {"step": step, "val_loss": val})
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    history = read_one(path).history

    assert [history.train, history.val, history.step] == [TRAIN, VAL, [0, 1, 2]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "line 1: no JSON: "),
        ('{"val": [1]}\n[1]', "line 2: it is list; expected an object"),
        ('{"val": [1], "train": 3}', "line 1: 'train' is int; expected a list"),
        (
            '{"val": [1], "train": [1, 2]}',
            "line 1: curves of different lengths, {'val': 1, 'train'",
        ),
        ('{"train": [1]}', "no validation loss"),
        ("", "no validation loss"),
    ],
)
def test_what_is_no_log_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    """With the line."""
    path = tmp_path / "a.jsonl"
    path.write_text(text)

    assert refusal(path).startswith(reason)
