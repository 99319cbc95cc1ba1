"""No file makes the readers crash, hang or fill the memory: damaged ones and made up ones."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from tests.logs.corpus import EVENTS, WRITERS
from tests.logs.damage import UNFORESEEN, WHOLE, damages, read_fenced
from tests.logs.readings import read_one, refusal

from lightning_gapmon.logs import read_scalars
from lightning_gapmon.logs.formats import find_runs


@pytest.mark.parametrize("name", WRITERS)
def test_the_corpus_is_sound(tmp_path: Path, name: str) -> None:
    """What is damaged below is whole here."""
    (tmp_path / name).write_bytes(WHOLE[name])

    assert len(read_one(tmp_path / name).history) == 3


@given(damages())
@settings(max_examples=300, deadline=5000)
def test_a_damaged_log_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, damaged: tuple[str, bytes]
) -> None:
    """With a reason that its reader has foreseen."""
    name, data = damaged
    read_fenced(tmp_path_factory.mktemp("log") / name, data)


@given(st.sampled_from(sorted(WHOLE)), st.binary(max_size=200) | st.text(max_size=200))
@settings(max_examples=200, deadline=5000)
def test_anything_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes | str
) -> None:
    """Whatever it is named."""
    plain = data.encode(errors="surrogatepass") if isinstance(data, str) else data
    read_fenced(tmp_path_factory.mktemp("log") / name, plain)


@given(damages())
@settings(max_examples=200, deadline=5000)
def test_damage_gives_no_value_that_was_never_written(
    tmp_path_factory: pytest.TempPathFactory, damaged: tuple[str, bytes]
) -> None:
    """In event files: a point that is read is one that was written."""
    folder = tmp_path_factory.mktemp("run")
    (folder / EVENTS).write_bytes(WHOLE[EVENTS])
    written = {(tag, point) for tag, series in read_scalars(folder).items() for point in series}
    (folder / EVENTS).write_bytes(damaged[1])
    read = {(tag, point) for tag, series in read_scalars(folder).items() for point in series}

    assert read <= written


HOSTILE = {
    "deep.jsonl": b'{"val":' + b"[" * 10**6,
    "deep/trainer_state.json": b'{"log_history":' + b'[{"a":' * 10**5,
    "digits.jsonl": b'{"val": [' + b"9" * 10**5 + b"]}",
    "large.jsonl": b'{"val": [1], "planned": 1e999}',
    "steps.csv": b"step,val_loss\n1e300,1\n-1e300,2\nnan,3\ninf,4\n",
    "field.csv": b"val_loss\n" + b"1" * 200_000,
    "quote.csv": b'val_loss,x\n1,"' + b"a,\n" * 10**6,
    "columns.csv": b"val_loss," * 20_000 + b"\n" + b"1," * 20_000,
    "zeros/tfevents": bytes(10**6),
    "headers/tfevents": WHOLE[EVENTS][:12] * 20_000,
    "nines/tfevents": b"\t" * 10**6,
    "zeros.wandb": b":W&B" + bytes(10**6),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_little(tmp_path: Path, name: str) -> None:
    """A megabyte of whatever is hardest takes less than 100 MB of memory, and no long time."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    try:
        found = find_runs([path])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert not [skipped for skipped in found.skipped if UNFORESEEN.search(skipped.reason)]
    assert found.runs or found.skipped
    assert peak < 100e6


def test_the_fence_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above could fail."""
    monkeypatch.setattr("lightning_gapmon.logs.readers.json_lines.need", None)
    (tmp_path / "a.jsonl").write_text("{}")

    assert UNFORESEEN.match(refusal(tmp_path / "a.jsonl"))
