"""How TensorBoard finds the Gap tab: imported at each of its starts, so it brings nothing."""

from tensorboard.plugins import base_plugin


class GapTabLoader(base_plugin.TBLoader):  # type: ignore[misc] # tensorboard has no types
    """Loads the tab once TensorBoard is up: from there on it catches and logs what fails."""

    def load(self, context: base_plugin.TBContext) -> base_plugin.TBPlugin:
        """Make the tab."""
        from lightning_gapmon.board.tab_plugin import GapTab  # noqa: PLC0415 - see above

        return GapTab(context)
