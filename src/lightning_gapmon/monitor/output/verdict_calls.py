"""Functions of the user that hear of a verdict, a stop and the end, on rank 0."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.output import messages
from lightning_gapmon.report.verdict_event import Hear, Kind, plain

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.outcome import Outcome


class VerdictCalls:
    """Calls each function when the verdict has changed, when the run is stopped, and at its end.

    What a function raises is said, once for each kind of error, and goes no further.

    Args:
        functions: What to call, each with plain data.
    """

    def __init__(self, functions: Sequence[Hear]) -> None:
        self._functions = (*functions,)
        self._verdict: tuple[str, str | None] = ("undecided", None)
        self._stopped = False
        self._said: set[str] = set()

    def check(self, trainer: "Trainer", outcome: "Outcome") -> None:
        """Tell what is new at a check.

        Args:
            trainer: The Trainer; only on its global rank 0 is anything called.
            outcome: What is known so far.
        """
        diagnosis = outcome.diagnosis
        verdict = (diagnosis.verdict, diagnosis.form)
        if verdict != self._verdict:
            self._verdict = verdict
            self._call(trainer, outcome, "verdict")
        stopped = outcome.stop_reason is not None
        if stopped and not self._stopped:
            self._call(trainer, outcome, "stop")
        self._stopped = stopped

    def end(self, trainer: "Trainer", outcome: "Outcome") -> None:
        """Tell how it ended, where there was anything to see."""
        if outcome.history:
            self._call(trainer, outcome, "end")

    def _call(self, trainer: "Trainer", outcome: "Outcome", kind: Kind) -> None:
        if trainer.is_global_zero:
            for function in self._functions:
                self._try(function, plain(outcome, kind=kind))

    def _try(self, function: Hear, event: Mapping[str, Any]) -> None:
        try:
            function(event)
        except Exception as error:  # noqa: BLE001 - what only watches never ends a fit
            self._say(messages.call_failed(_name(function), error))

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            console.warn(sentence)


def _name(function: Hear) -> str:
    return getattr(function, "__qualname__", "") or repr(function)
