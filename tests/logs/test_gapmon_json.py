"""`gapmon.json`: strict, whole, and readable back."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.report.strategies import outcomes

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.verdicts.diagnose import diagnose
from lightning_gapmon.errors import LogFormatError
from lightning_gapmon.logs import gapmon_json as document
from lightning_gapmon.report.terminal import summary

SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def _outcome() -> Outcome:
    history = History(
        [
            Observation(check=1, epoch=0, step=5, train=2.0, val=3.0, loaders=(3.0, math.nan)),
            Observation(check=2, epoch=1, step=9, train=1.0, val=math.inf),
        ],
        planned=4,
    )
    return Outcome(history=history, diagnosis=diagnose(history), notes=("a note",))


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(constant)


def _strict(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("ascii"), parse_constant=_refuse)
    return found


@SHARED_FOLDER
@given(outcome=outcomes())
def test_what_is_written_is_read_back(outcome: Outcome, tmp_path: Path) -> None:
    """Every run survives, whatever its losses and texts; NaN equals NaN here."""
    path = tmp_path / "gapmon.json"
    document.write(outcome, path)

    assert repr(document.read(path)) == repr(outcome)
    assert _strict(path)["version"] == 1


def test_file_says_what_people_look_up_first(tmp_path: Path) -> None:
    """The best and the last check stand there with their gap, and NaN is null."""
    path = tmp_path / "logs" / "gapmon.json"
    document.write(_outcome(), path)
    found = _strict(path)

    assert found["best"] == {
        "check": 1,
        "epoch": 0,
        "step": 5,
        "train": 2.0,
        "train_fair": 2.0,
        "basis": "online",
        "val": 3.0,
        "gap": 1.0,
        "gap_relative": 1 / 3,
        "gap_stderr": None,
        "gap_low": None,
        "gap_high": None,
    }
    assert found["last"]["val"] == "Infinity"
    assert found["history"]["columns"]["loaders"] == [[3.0, None], []]
    assert '\n      "train": [2.0, 1.0],\n' in path.read_text("ascii")


def test_the_gap_is_that_of_the_losses_beside_it(tmp_path: Path) -> None:
    """With a probe the gap is taken from it: `train` stays the online loss."""
    seen = Observation(check=1, epoch=0, step=1, train=0.48, end=0.4, probe=0.25, val=0.5)
    outcome = dataclasses.replace(_outcome(), history=History([seen]))
    document.write(outcome, tmp_path / "gapmon.json")
    best = _strict(tmp_path / "gapmon.json")["best"]

    assert (best["train"], best["train_fair"], best["basis"]) == (0.48, 0.25, "probe")
    assert best["val"] - best["train_fair"] == best["gap"] == 0.25


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or a kill costs the new file, never the old one, and leaves nothing else."""
    path = tmp_path / "gapmon.json"
    document.write(_outcome(), path)
    before = path.read_bytes()

    def fail(source: Path, target: Path) -> NoReturn:
        raise OSError(28, f"no space for {target} from {source}")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        document.write(_outcome(), path)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def _nodes(plain: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    """List every place in a JSON document, as a container and a key."""
    keys = plain.keys() if isinstance(plain, dict) else range(len(plain))
    places = [(plain, key) for key in keys]
    inner = [_nodes(plain[key]) for key in keys if isinstance(plain[key], (dict, list))]
    return places + [place for nodes in inner for place in nodes]


@settings(SHARED_FOLDER, max_examples=300)
@given(data=st.data())
def test_a_changed_file_is_read_or_refused_in_words(data: st.DataObject, tmp_path: Path) -> None:
    """One value changed by hand either still makes a run that can be shown, or is refused."""
    path = tmp_path / "gapmon.json"
    document.write(_outcome(), path)
    plain = _strict(path)
    container, key = data.draw(st.sampled_from(_nodes(plain)))
    container[key] = data.draw(JSON)
    path.write_text(json.dumps(plain))
    said = _shown_or_refused(path)

    assert said.startswith(("── gapmon", f"{path} cannot be read. Found "))


def _shown_or_refused(path: Path) -> str:
    try:
        return summary(document.read(path))
    except LogFormatError as error:
        return str(error)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("format", "other", "Found format 'other', version 1; expected 'gapmon', version 1"),
        ("version", 2, "Found format 'gapmon', version 2; expected 'gapmon', version 1"),
        ("restored", 1, "Found restored = 1, expected true or false"),
        ("source", None, "Found source = None, expected a text"),
        ("notes", [1], "Found notes = 1, expected a text"),
        ("history", [], r"Found history = \[\], expected an object"),
        ("stop_reason", {"rule": "a", "message": "b"}, "Found check = None, expected a whole"),
        ("diagnosis", {"verdict": "x" * 50}, r"Found evidence = None, expected an object"),
    ],
)
def test_message_says_what_was_found_and_expected(
    tmp_path: Path, key: str, value: object, message: str
) -> None:
    """A refusal names the value, what belongs there, and what to do."""
    path = tmp_path / "gapmon.json"
    document.write(_outcome(), path)
    path.write_text(json.dumps(_strict(path) | {key: value}))

    with pytest.raises(LogFormatError, match=message):
        document.read(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("verdict", "x" * 50, rf"Found verdict = '{'x' * 39}\.\.\., expected one of overfitting,"),
        ("since", 1.5, r"Found since = 1.5, expected a whole number"),
        ("best", True, "Found best = True, expected a whole number"),
        ("evidence", {"slope": 10**400}, r"Found slope = 10{39}\.\.\., expected a number"),
        ("evidence", {"slope": True}, "Found slope = True, expected a number, null or an infin"),
    ],
)
def test_diagnosis_is_checked_value_by_value(
    tmp_path: Path, name: str, value: object, message: str
) -> None:
    """A verdict that this version does not know is no verdict."""
    path = tmp_path / "gapmon.json"
    document.write(_outcome(), path)
    plain = _strict(path)
    plain["diagnosis"][name] = value
    path.write_text(json.dumps(plain))

    with pytest.raises(LogFormatError, match=message):
        document.read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", r"Found no JSON \(Expecting value"),
        (b'{"format": "gapmon", "vers', "expected a whole gapmon.json. It was cut short"),
        (b"\xff\xfe", "Found no JSON"),
        (b"[" * 100_000, "Found no JSON"),
        (b"3", "Found document = 3, expected an object"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: bytes, message: str) -> None:
    """A file cut short, or something else under this name, is said to be so."""
    path = tmp_path / "gapmon.json"
    path.write_bytes(text)

    with pytest.raises(LogFormatError, match=message):
        document.read(path)


def test_no_file_says_what_was_looked_for(tmp_path: Path) -> None:
    """A path without a file, and a folder, are refused with their path."""
    missing = tmp_path / "runs"

    with pytest.raises(LogFormatError, match=r"Found no file to read at .*runs \(No such file"):
        document.read(missing)
    with pytest.raises(LogFormatError, match=r"expected the gapmon.json that a monitored run"):
        document.read(tmp_path)
