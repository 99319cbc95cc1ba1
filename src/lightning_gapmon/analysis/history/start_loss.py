"""The validation loss before the first training step."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lightning_gapmon.errors import HistoryError


@dataclass(frozen=True, kw_only=True, slots=True)
class StartLoss:
    """Where a run began. It is no check: nothing is chosen or stopped by it.

    Attributes:
        loss: Mean validation loss over the samples seen.
        stderr: Its standard error; NaN where it was not measured.
        batches: Validation batches seen.
        samples: Samples seen; NaN where they were not counted.
        whole: Whether that was all that a check reads, or the first part of it.
    """

    loss: float
    stderr: float = math.nan
    batches: float = math.nan
    samples: float = math.nan
    whole: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Write it as numbers, without what was not measured beside the loss.

        Example:
            >>> StartLoss(loss=2.3, batches=2.0).to_plain()
            {'loss': 2.3, 'batches': 2.0, 'whole': False}
        """
        written = dataclasses.asdict(self)
        return {n: value for n, value in written.items() if n == "loss" or not math.isnan(value)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "StartLoss":
        """Read what `to_plain` wrote.

        Raises:
            HistoryError: A name is unknown, or there is no loss.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        odd = sorted(set(plain) - known)
        if odd or "loss" not in plain:
            msg = (
                f"Found a loss before training with unknown names {odd} and the names "
                f"{sorted(plain)}; expected a loss, and some of {sorted(known - {'loss'})}. It "
                "was changed by hand or cut short: use the previous checkpoint."
            )
            raise HistoryError(msg)
        return cls(**plain)
