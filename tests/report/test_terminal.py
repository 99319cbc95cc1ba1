"""The summary of a run on one screen."""

import importlib.util
import io
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st
from rich.console import Console
from tests.report.strategies import outcomes

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis
from lightning_gapmon.report import links, terminal
from lightning_gapmon.report.terminal import paint, show, summary


def _run(checks: int) -> Outcome:
    history = History(
        (
            Observation(
                check=n,
                epoch=n - 1,
                step=20 * n,
                seconds=0.5 * n,
                train=math.exp(-5 * n / checks),
                train_stderr=0.01,
                val=0.4 + (n / checks - 0.5) ** 2,
                val_stderr=0.02,
            )
            for n in range(1, checks + 1)
        ),
        planned=checks,
    )
    diagnosis = Diagnosis(verdict="undecided", message="too early to tell")
    return Outcome(
        history=history,
        diagnosis=diagnosis,
        source="the mixin",
        restored=True,
        best_path="logs/best.ckpt",
        log_dir="logs",
        notes=("Padding counts.",),
    )


@settings(max_examples=200)
@given(outcomes(), st.integers(1, 200), st.sampled_from(["utf-8", "cp1252", "ascii"]))
def test_any_run_can_be_shown(outcome: Outcome, width: int, encoding: str) -> None:
    """No history, text, width or encoding breaks the summary, and it always has a heading."""
    text = summary(outcome, width=width, encoding=encoding)

    assert "gapmon" in text.splitlines()[0]
    assert text.encode(encoding)


@pytest.mark.parametrize("checks", [0, 1, 2, 23, 3000])
@pytest.mark.parametrize("width", [60, 80, 120])
def test_summary_fits_one_screen(checks: int, width: int) -> None:
    """Every usual terminal shows it whole."""
    lines = summary(_run(checks), width=width).splitlines()

    assert max(map(len, lines)) <= width
    assert len(lines) <= 28


def test_summary_reads_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heading, plot, table and facts, in ASCII where the encoding is no Unicode."""
    monkeypatch.setattr(links, "program", lambda: ["tensorboard"])
    text = summary(_run(4), width=60, encoding="ascii")

    assert text == EXPECTED


EXPECTED = """\
-- gapmon - 4 checks - 80 steps - 2 s ----------------------
  0.6500 |                                *** val 0.6500
         |                          ******
         |******            ********
         |      *****O******
         |...
         |   ......
         |         .........
0.006738 |                  ................. train 0.006738
         +-----------+-----------------------
          1          2                      4 check

        check  train     val     gap [95 %]
first   1      0.2865    0.4625  +0.176 [+0.132, +0.220]
best O  2      0.08208   0.4000  +0.318 [+0.274, +0.362]
last    4      0.006738  0.6500  +0.643 [+0.599, +0.687]
gap by online: train on average over its window of steps

ended    by the Trainer, after 4 checks of 4 planned
best     check 2, validation loss 0.4000 +/- 0.020; its
         weights are back in the module
saved    logs/best.ckpt
verdict  undecided: too early to tell
losses   the mixin
note     Padding counts.
open     tensorboard --logdir logs
         http://localhost:6006/#gapmon
"""


def test_heading_leaves_out_a_time_that_is_not_known() -> None:
    """Steps and time are those of the last check."""
    timed = summary(_run(2)).splitlines()[0]
    bare = summary(replace(_run(1), history=History.from_curves(train=[1], val=[1.0])))

    assert timed.startswith("── gapmon · 2 checks · 40 steps · 1 s ──")
    assert bare.startswith("── gapmon · 1 check · 1 step ──")


def test_lines_to_copy_are_not_broken() -> None:
    """A long path or address goes on a line of its own, whole."""
    path = f"logs/{'x' * 90}.ckpt"
    lines = summary(replace(_run(2), best_path=path), width=60).splitlines()

    assert path in lines
    assert "http://localhost:6006/#gapmon" in [line.strip() for line in lines]


def test_long_sentences_are_broken_below_their_start() -> None:
    """A note of several lines hangs under its label."""
    lines = summary(replace(_run(2), notes=("per-sample " * 30,)), width=60).splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("note"))

    assert lines[start + 1].startswith(" " * 9 + "per-sample")
    assert not any(line.endswith("per-") for line in lines)


def test_plot_does_not_grow_with_every_terminal() -> None:
    """On a very wide terminal the eye still finds the names beside the curves."""
    assert len(summary(_run(2), width=300).splitlines()[0]) == 120


def test_no_colour_code_and_no_markup_reaches_plain_text() -> None:
    """Text from a run is text: brackets stay, escape sequences do not."""
    text = summary(replace(_run(2), notes=("[red]a[/red] \x1b[31mb",)))

    assert "[red]a[/red] ?[31mb" in text
    assert "\x1b" not in text


def test_terminal_gets_colours_and_a_link() -> None:
    """Curves have their colours and the address can be clicked."""
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="truecolor", width=80, _environ={}
    )
    paint(_run(3), console)
    written = console.file.getvalue()  # type: ignore[attr-defined]

    assert "\x1b[38;2;217;115;13m" in written
    assert "\x1b]8;" in written


def test_old_windows_consoles_get_ascii() -> None:
    """Braille is not in their fonts."""
    console = Console(file=io.StringIO(), legacy_windows=True, width=80, color_system=None)
    paint(_run(3), console)

    assert console.file.getvalue().isascii()  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_with_and_without_rich_it_says_the_same(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where `rich` is not installed the text is the same, without colours."""
    monkeypatch.setenv("COLUMNS", "70")
    monkeypatch.setenv("TERM", "dumb")
    written = []
    for found in (importlib.util.find_spec("rich"), None):
        monkeypatch.setattr(terminal, "find_spec", {"rich": found}.get)
        stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
        show(_run(3), stream=stream)
        stream.seek(0)
        written.append([line.rstrip() for line in stream])

    assert written[0] == written[1] == summary(_run(3), width=70, encoding=encoding).splitlines()


def test_it_is_printed_where_the_output_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a stream that is the standard output, with and without `rich`."""
    show(_run(3))
    monkeypatch.setattr(terminal, "find_spec", {}.get)
    show(_run(3))

    assert capsys.readouterr().out.count("gapmon · 3 checks") == 2
