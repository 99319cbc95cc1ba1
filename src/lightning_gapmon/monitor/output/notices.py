"""What is said of a fit's numbers while it runs, each thing once."""

import math
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.verdicts.alarm import TOLD_LIVE
from lightning_gapmon.analysis.wording import count
from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor import console
from lightning_gapmon.monitor.checks.odd_rank import odd_rank
from lightning_gapmon.monitor.checks.reduction import COMPLETE
from lightning_gapmon.monitor.compat import batches_trained
from lightning_gapmon.monitor.output import messages

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.loss_names import Side
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis, Verdict
    from lightning_gapmon.monitor.checks.reduction import Reduced
    from lightning_gapmon.monitor.losses.recorder import Recorder
    from lightning_gapmon.monitor.losses.watched import Watched

VERY_DIFFERENT = 1.5
NEARLY = 0.1  # of the logarithm of how far the sizes are apart


class Notices:
    """Tells what a fit's numbers are worth.

    Attributes:
        notes: What a reader of the numbers should know, by the last check.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._odd = self._sparse = self._sizes = ""
        self._said: set[str] = set()
        self._verdict: Verdict = "undecided"

    def compare(self, watched: "Watched", reduced: "Reduced", seen: "Observation") -> None:
        """Note the first time that a rank's loss is off, and losses that go by batch sizes."""
        ranks = reduced.ranks.get(watched.val, []) if watched.val else []
        odd = None if self._odd else odd_rank(ranks)
        if odd is not None:
            self._odd = messages.odd_rank(odd, seen.check)
        sizes = _batch_sizes(watched, reduced)
        if seen.check == 1 and _go_by_sizes(seen, sizes):
            self._sizes = messages.sizes(seen, sizes)

    def sparse(self, watched: "Watched", share: float) -> None:
        """Note the first time that the train loss of only a few steps was heard.

        Args:
            watched: Where the losses come from.
            share: Share of the training steps that had one.
        """
        if share < COMPLETE and not self._sparse:
            self._sparse = messages.sparse(watched, share)

    def lost(self, side: "Side", watched: "Watched", recorder: "Recorder") -> None:
        """Warn that a loss is not there any more, once a side."""
        if self._is_new(f"lost {side}"):
            console.warn(messages.lost(side, watched, recorder))

    def tell(self, watched: "Watched", recorder: "Recorder", seen: "Observation") -> None:
        """Say what is new at a check."""
        repeats = recorder.padding.repeats
        padding = messages.padding(repeats) if repeats else ""
        found = (*recorder.doubts(), padding, self._odd, self._sparse, self._sizes)
        lasting = [note for note in found if note]
        source = messages.watching(watched, loaders=len(seen.loaders))
        for sentence in [f"watching {source}", *lasting] if source else lasting:
            if self._is_new(sentence):
                console.say(f"GapMonitor: {sentence}")
        self.notes = [*lasting, *_limits(seen)]
        self._warn(watched, recorder)

    def _warn(self, watched: "Watched", recorder: "Recorder") -> None:
        """Warn of what is missing, once, whatever else has been seen since."""
        if watched.val is None and self._is_new("no validation loss"):
            console.warn(messages.no_loss(recorder))
        elif watched.opposed and self._is_new("opposed"):
            console.warn(messages.opposed(watched))
        elif watched.val and watched.train is None and self._is_new("no train loss"):
            console.warn(messages.no_train_loss(recorder))
        for found in recorder.scores:
            if self._is_new(found):
                console.warn(messages.score(found))

    def end(self, trainer: "Trainer", history: "History") -> None:
        """Warn where a fit has trained and never validated."""
        if not history and trainer.enable_validation and batches_trained(trainer):
            console.warn(_never_validated(trainer, batches_trained(trainer)))

    def tell_verdict(self, diagnosis: "Diagnosis") -> bool:
        """Say that a run learns, and each alarm, where that has changed; and whether it has."""
        if diagnosis.verdict == self._verdict or diagnosis.verdict not in TOLD_LIVE:
            return False
        self._verdict = diagnosis.verdict
        console.say(f"GapMonitor: {diagnosis.verdict}: {diagnosis.message}")
        return True

    def _is_new(self, sentence: str) -> bool:
        is_new = sentence not in self._said
        self._said.add(sentence)
        return is_new


def _batch_sizes(watched: "Watched", reduced: "Reduced") -> tuple[float, float]:
    """Give the samples of a batch of each side, at the mean; 1 where each has its own loss."""
    train = Sums.total(reduced.train[watched.train] if watched.train else [])
    val = Sums.total(reduced.watched_val(watched.val) if watched.val else [])
    sizes = [side.n / side.units if side.units else math.nan for side in (train, val)]
    return sizes[0], sizes[1]


def _go_by_sizes(seen: "Observation", sizes: tuple[float, float]) -> bool:
    """Tell whether two losses are as far apart as the sizes of their batches, which is a lot.

    Asked at the first check: later two means may come to be so by overfitting.
    """
    numbers = (seen.train, seen.val, *sizes)
    if not all(0 < one < math.inf for one in numbers):  # what is not known is NaN
        return False
    apart, losses = math.log(sizes[1] / sizes[0]), math.log(seen.val / seen.train)
    return abs(apart) > math.log(VERY_DIFFERENT) and abs(losses - apart) < NEARLY * abs(apart)


def _limits(seen: "Observation") -> list[str]:
    """Note what a check could not know, without saying it: a budget may buy it at the next."""
    if math.isnan(seen.probe) or not math.isnan(seen.probe_stderr):
        return []
    return [messages.lone_probe()]


def _never_validated(trainer: "Trainer", batches: int) -> str:
    """Say that a fit ended before its first validation, when that would have been, what to do."""
    return (
        "GapMonitor saw no validation in this fit, so that nothing was compared, judged or kept "
        f"as best: it trained on {count(batches, 'batch')}, and the Trainer validates "
        f"{_when(trainer)}. Train longer (max_epochs, max_steps, max_time), validate more often "
        "(val_check_interval, check_val_every_n_epoch), or give a stream its true length. Where "
        "checkpoints are on, the last weights are in last.ckpt."
    )


def _when(trainer: "Trainer") -> str:
    every, epochs = getattr(trainer, "val_check_batch", None), trainer.check_val_every_n_epoch
    if every is None:
        return f"by the clock (val_check_interval={trainer.val_check_interval!r})"
    if epochs is None:
        return f"after every {every} batches of the run (val_check_interval)"
    at = "at its end" if math.isinf(every) else f"each time {every} of its batches are done"
    return f"in every {f'{epochs}th ' if epochs > 1 else ''}epoch, {at}"
