"""A rule of one's own."""

from collections.abc import Callable
from dataclasses import dataclass

from lightning_gapmon.analysis.history.history import History
from lightning_gapmon.analysis.rules.rule import Rule, StopReason
from lightning_gapmon.errors import ConfigurationError


@dataclass(frozen=True, repr=False)
class Custom(Rule):
    """Stop when a function of the history says so.

    Args:
        function: Given the history, which has at least one check, it returns the sentence that
            says why to stop, or True; or None or False to go on. It must depend on nothing
            else, so that a resumed run and a replay decide alike. On several ranks that of
            rank 0 is asked, and its answer is sent to all.

    Example:
        >>> def half(history):
        ...     return history.val[-1] < history.val[0] / 2 and "the loss has halved"
        >>> Custom(half)(History.from_curves(train=[2, 1], val=[2.0, 0.9])).message
        'the loss has halved'
    """

    function: Callable[[History], str | bool | None]

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if not callable(self.function):
            msg = (
                f"Found Custom({self.function!r}); expected a function of the history, such as "
                "Custom(lambda history: history.val[-1] < 0.1)."
            )
            raise ConfigurationError(msg)

    @property
    def asks_user(self) -> bool:
        """It does."""
        return True

    def __call__(self, history: History) -> StopReason | None:
        """Ask the function."""
        answer = self.function(history) if history else None
        if not answer:
            return None
        name = getattr(self.function, "__name__", repr(self.function))
        return self.reason(history, answer if isinstance(answer, str) else f"{name} says so")

    def __repr__(self) -> str:
        """Name the function."""
        return f"Custom({getattr(self.function, '__name__', self.function)})"
