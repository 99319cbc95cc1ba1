"""The charts of TensorBoard's Custom Scalars tab: both losses in one, and the gap shaded."""

import re

from lightning_gapmon.board.tags import Tags

CATEGORY = "gap monitor"
OVERLAY = "train and validation loss"
BAND = "gap: shaded from the fair train loss to validation loss"

Layout = dict[str, dict[str, list[str | list[str]]]]


def custom_scalars(tags: Tags) -> Layout:
    """Describe the charts, for `SummaryWriter.add_custom_scalars`.

    They draw what is logged anyway: no tag and no run is added for them. The names of the
    overlay are patterns that TensorBoard matches at the start of a tag, so they are escaped and
    anchored; those of the band are taken as they are. The band is `Loss/gap`: it starts
    from the train loss that the gap is taken from.

    Args:
        tags: The names under which the run is logged.

    Example:
        >>> charts = custom_scalars(Tags())["gap monitor"]
        >>> charts["train and validation loss"]
        ['Multiline', ['^Loss/train$', '^Loss/val$']]
        >>> charts["gap: shaded from the fair train loss to validation loss"]
        ['Margin', ['Loss/val', 'Loss/train_fair', 'Loss/val']]
    """
    losses = [tags.train, tags.val]
    return {
        CATEGORY: {
            OVERLAY: ["Multiline", [f"^{re.escape(tag)}$" for tag in losses]],
            BAND: ["Margin", [tags.val, tags.train_fair, tags.val]],
        }
    }
