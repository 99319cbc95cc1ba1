"""The charts of TensorBoard's Custom Scalars tab: both losses in one, and the gap shaded."""

import re

from lightning_gapmon.board.tags import Tags

CATEGORY = "gap monitor"
OVERLAY = "train and validation loss"
BAND = "gap: shaded from train to validation loss"
FAIR_BAND = "gap: shaded from probe to validation loss"

Layout = dict[str, dict[str, list[str | list[str]]]]


def custom_scalars(tags: Tags, *, probe: bool = False) -> Layout:
    """Describe the charts, for `SummaryWriter.add_custom_scalars`.

    They draw what is logged anyway: no tag and no run is added for them. The names of the
    overlay are patterns that TensorBoard matches at the start of a tag, so they are escaped and
    anchored; those of the band are taken as they are. The overlay shows the probe where there
    is one.

    Args:
        tags: The names under which the run is logged.
        probe: Whether there is a probe loss; the band then starts from it.

    Example:
        >>> charts = custom_scalars(Tags())["gap monitor"]
        >>> charts["train and validation loss"]
        ['Multiline', ['^loss/train$', '^loss/val$', '^loss/train_probe$']]
        >>> charts["gap: shaded from train to validation loss"]
        ['Margin', ['loss/val', 'loss/train', 'loss/val']]
    """
    losses = [tags.train, tags.val, tags.train_probe]
    title, lower = (FAIR_BAND, tags.train_probe) if probe else (BAND, tags.train)
    return {
        CATEGORY: {
            OVERLAY: ["Multiline", [f"^{re.escape(tag)}$" for tag in losses]],
            title: ["Margin", [tags.val, lower, tags.val]],
        }
    }
