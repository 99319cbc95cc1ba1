"""The last check in the progress bar's postfix: loss, gap, and the chance of a better one."""

import math
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.outlook.outlook import in_words
from lightning_gapmon.analysis.wording import number

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import ProgressBar

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.outlook.outlook import Outlook

DIGITS = 3


class BarLine:
    """Adds a few words to whatever progress bar a Trainer has; nothing where it has none."""

    def __init__(self) -> None:
        self._bar: ProgressBar | None = None
        self._words: dict[str, int | str | float | dict[str, float]] = {}

    def __getstate__(self) -> dict[str, object]:
        """Leave the bar out of copies and pickles."""
        return {"_bar": None, "_words": self._words}

    def show(self, trainer: "Trainer", seen: "Observation", outlook: "Outlook") -> None:
        """Let the bar show a check from now on."""
        self._words = {"val": words(seen, outlook)} if math.isfinite(seen.val) else {}
        bar = trainer.progress_bar_callback
        if bar is None or bar is self._bar:
            return
        self.detach()
        self._bar, stock = bar, bar.get_metrics

        def get_metrics(
            trainer: "Trainer", pl_module: "LightningModule"
        ) -> "dict[str, int | str | float | dict[str, float]]":
            return {**stock(trainer, pl_module), **self._words}

        bar.get_metrics = get_metrics  # type: ignore[method-assign]

    def detach(self) -> None:
        """Give the bar back as it was."""
        if self._bar is not None:
            vars(self._bar).pop("get_metrics", None)
            self._bar = None


def words(seen: "Observation", outlook: "Outlook") -> str:
    """Say a check in a few words.

    Example:
        >>> from lightning_gapmon import Observation, Outlook
        >>> seen = Observation(check=9, epoch=8, step=90, train=0.09, val=0.352)
        >>> words(seen, Outlook(chance=0.031, by=0.005))
        '0.3520 · gap +0.262 · 3 % better'
        >>> words(seen, Outlook(by=0.005, reason="nothing is left of the plan"))
        '0.3520 · gap +0.262'
    """
    gap = f"gap {seen.gap:+.{DIGITS}g}" if math.isfinite(seen.gap) else ""
    better = "" if outlook.reason else f"{in_words(outlook.chance)} better"
    return " · ".join(part for part in (number(seen.val), gap, better) if part)
