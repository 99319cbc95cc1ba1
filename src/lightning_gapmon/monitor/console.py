"""The console, on which a progress bar may run: what is said stands above it and stays."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any
from weakref import ref

from lightning_utilities.core import rank_zero
from lightning_utilities.core.rank_zero import rank_zero_only
from tqdm import tqdm

from lightning_gapmon.monitor.packages import RICH_BARS

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.callbacks import ProgressBar

CALLER = 6  # frames from where a line is logged up to whoever calls `say` or `warn`


class _Screen:
    """What runs on the console of this process, of which there is one.

    Attributes:
        bar: Gives the bar of the Trainer that was set up last, or None.
    """

    bar: "ref[ProgressBar] | None" = None


def share(trainer: "Trainer") -> None:
    """Share the console with a Trainer's progress bar from now on."""
    bar = trainer.progress_bar_callback
    _Screen.bar = None if bar is None else ref(bar)


@rank_zero_only
def say(sentence: str) -> None:
    """Log a sentence, on rank zero."""
    with above_bar():
        rank_zero.rank_zero_info(sentence, stacklevel=CALLER)


@rank_zero_only
def warn(sentence: str) -> None:
    """Warn, on rank zero."""
    with above_bar():
        rank_zero.rank_zero_warn(sentence, stacklevel=CALLER)


@contextmanager
def above_bar() -> Iterator[None]:
    """Take a progress bar that runs away, let something be written, and draw the bar below it.

    Whatever else writes would be wiped out by a bar of `rich`, whose lines come and go, or stand
    behind one of `tqdm`. What a bar of neither kind does is for it to know.
    """
    bar = _Screen.bar() if _Screen.bar else None
    progress = bar.progress if isinstance(bar, RICH_BARS) else None
    runs = progress is not None and progress.live.is_started and progress.console.is_interactive
    with tqdm.external_write_mode(file=sys.stderr), _away(progress) if runs else nullcontext():
        yield


@contextmanager
def _away(progress: Any) -> Iterator[None]:  # noqa: ANN401 - of `rich`, which need not be there
    """Wipe a bar out and put it back.

    A display of `rich` that starts once more goes up by the height that it had when it stopped,
    to wipe out what is no longer there; so it is told to forget that height. Read from rich 15.0.
    """
    live = progress.live
    leaves_nothing, live.transient = live.transient, True
    progress.stop()
    try:
        yield
    finally:
        live.transient = leaves_nothing
        live._live_render._shape = None  # noqa: SLF001
        progress.start()


def end_bar(trainer: "Trainer", module: "LightningModule") -> None:
    """Let a Rich progress bar end where the fit has: it would draw itself once more.

    It ends in its own `teardown`, which is after the hooks of all others and may be called more
    than once; a `tqdm` bar ends in `on_train_end`. Read from Lightning 2.4.0 and 2.6.6.
    """
    bar = trainer.progress_bar_callback
    for kind in RICH_BARS:
        if isinstance(bar, kind):
            kind.teardown(bar, trainer, module, "fit")
