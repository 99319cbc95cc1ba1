"""The run in the output of a notebook's cell while it trains: one picture that is redrawn."""

import sys
from typing import TYPE_CHECKING, Any

from lightning_gapmon.analysis.run_document import Beside, document_of
from lightning_gapmon.report.notebook import run_html, still_html

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from lightning_gapmon.analysis.outcome import Outcome


class LiveView:
    """Shows the run at each check, in the place of the picture before; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown: Any = None  # IPython's handle of what is displayed

    def __getstate__(self) -> dict[str, object]:
        """Leave the notebook out of copies and pickles."""
        return {"_shown": None}

    def show(self, trainer: "Trainer", outcome: "Outcome", *, ended: bool = False) -> None:
        """Draw the run anew; at the end with the chart that can be asked.

        Args:
            trainer: The Trainer; its rank 0 shows.
            outcome: What is known so far.
            ended: Whether this is the last time.
        """
        if not (trainer.is_global_zero and outcome.history and in_notebook()):
            return
        document = document_of(outcome, Beside(ended=ended))
        page = run_html(document) if ended else still_html(document)
        shown = {"text/html": page, "text/plain": document["words"]}
        if self._shown is None:
            display = sys.modules["IPython.display"].display
            self._shown = display(shown, raw=True, display_id=True)
        else:
            self._shown.update(shown, raw=True)


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this; IPython in a terminal has no place for a picture."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None
