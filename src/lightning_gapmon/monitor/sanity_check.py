"""Which validation of a fit is a check, and the hooks around the one before the first step."""

from typing import TYPE_CHECKING

from lightning_gapmon.monitor.compat import is_checking

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer

    from lightning_gapmon.monitor.fit import Fit


class SanityCheck:
    """Tells the checks of a fit from its sanity check, of which no check comes."""

    _fit: "Fit | None"

    def _checking(self, trainer: "Trainer") -> "Fit | None":
        """Give the fit if this validation is a check of it."""
        return self._fit if is_checking(trainer) else None

    def _trying(self, trainer: "Trainer") -> "Fit | None":
        """Give the fit if this validation is the one before its first step."""
        fit = self._fit
        return fit if fit is not None and fit.before.goes_on(trainer) else None

    def on_sanity_check_start(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Remember what a validation before the first step is to leave alone."""
        if self._fit is not None:
            self._fit.before.begin(trainer, pl_module)

    def on_sanity_check_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Give that back."""
        if self._fit is not None:
            self._fit.before.detach()
