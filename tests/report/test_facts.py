"""What is said of a run below its plot."""

from dataclasses import replace

import pytest

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.outcome import Outcome
from lightning_gapmon.analysis.rules.rule import StopReason
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis
from lightning_gapmon.report.facts import facts

HISTORY = History.from_curves(train=[2.0, 1.0], val=[2.0, 3.0], planned=9)
RUN = Outcome(history=HISTORY, diagnosis=Diagnosis(verdict="undecided", message="too early"))


def _said(outcome: Outcome) -> list[tuple[str, str]]:
    return [(fact.label, fact.text) for fact in facts(outcome)]


def test_a_plain_run_says_how_it_ended_its_best_and_its_verdict() -> None:
    """What is not known is not mentioned."""
    assert _said(RUN) == [
        ("ended", "by the Trainer, after 2 checks of 9 planned"),
        ("best", "check 1, validation loss 2.000"),
        ("verdict", "undecided: too early"),
    ]


def test_a_stopped_run_says_why() -> None:
    """The rule and its numbers are named."""
    stopped = replace(RUN, stop_reason=StopReason("Patience(1)", "no improvement", 2))

    assert _said(stopped)[0] == ("stopped", "at check 2: no improvement [Patience(1)]")


def test_an_interrupted_run_says_by_what() -> None:
    """A run that did not get where it was going is not said to have been ended in good order."""
    cut = replace(RUN, interrupted_by="KeyboardInterrupt")

    assert _said(cut)[0] == ("ended", "by KeyboardInterrupt, after 2 checks of 9 planned")


def test_restored_weights_are_said_to_be_there() -> None:
    """After fit one knows which weights the module holds."""
    text = "check 1, validation loss 2.000; its weights are back in the module"

    assert ("best", text) in _said(replace(RUN, restored=True))


@pytest.mark.parametrize(
    ("val", "found"), [(float("nan"), "none"), (float("inf"), "only what is not finite")]
)
def test_a_run_without_a_best_says_what_is_missing(val: float, found: str) -> None:
    """Validation that never was is told from validation that broke."""
    run = replace(RUN, history=History.from_curves(train=[1.0], val=[val]))

    assert ("best", f"needs a validation loss; found {found}") in _said(run)


def test_verdict_has_its_onset_and_what_to_try() -> None:
    """Remedies stand below each other; the onset is not said twice."""
    verdict = Diagnosis(verdict="good_fit", message="fine", since=1, remedies=("a", "b"))
    said = _said(replace(RUN, diagnosis=verdict))
    again = _said(replace(RUN, diagnosis=replace(verdict, message="fine since check 1")))
    other = _said(replace(RUN, diagnosis=replace(verdict, message="fine at check 12")))

    assert said[2:] == [("verdict", "good fit, since check 1: fine"), ("try", "a"), ("", "b")]
    assert again[2] == ("verdict", "good fit: fine since check 1")
    assert other[2] == ("verdict", "good fit, since check 1: fine at check 12")


def test_lines_to_copy_come_whole() -> None:
    """Checkpoint, command and address are given as one would paste them."""
    run = replace(RUN, source="a mixin", notes=("n",), best_path="c/best.ckpt", log_dir="my runs")
    found = list(facts(run, port=7007))
    command, address = found[-2:]

    assert [fact.label for fact in found] == [
        *("ended", "best", "saved", "verdict", "losses", "note", "open", ""),
    ]
    assert next(fact.text for fact in found if fact.copied) == "c/best.ckpt"
    assert "tensorboard --logdir " in command.text
    assert command.text.endswith(" --port 7007")
    assert address.text == address.link
    assert address.text == "http://localhost:7007/#gapmon"
