"""The one summary that tells the Gap tab what a run knows of itself."""

import json
from typing import Any

from tensorboard.compat.proto.summary_pb2 import (
    DATA_CLASS_TENSOR,
    Summary,
    SummaryMetadata,
)
from tensorboard.util import tensor_util

from lightning_gapmon.board.tags import PLUGIN, STATE

SHARE = 10  # a document is written anew once the run is longer by this part of it


def state_summary(document: dict[str, Any]) -> Summary:
    """Put a run's document into a summary, for a writer's `add_summary`.

    TensorBoard keeps the last of a tag whatever else it drops, and drops a tensor whose class
    of data is not said.

    Example:
        >>> read_state(state_summary({"name": "first"}).value[0].tensor.string_val[0])
        {'name': 'first'}
    """
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    plugin = SummaryMetadata.PluginData(plugin_name=PLUGIN)
    metadata = SummaryMetadata(plugin_data=plugin, data_class=DATA_CLASS_TENSOR)
    tensor = tensor_util.make_tensor_proto(text)
    return Summary(value=[Summary.Value(tag=STATE, metadata=metadata, tensor=tensor)])


def read_state(text: bytes) -> dict[str, Any] | None:
    """Read a document out of a summary; None where it is none: anybody may have written it.

    Example:
        >>> read_state(b"no document") is None
        True
    """
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def is_due(checks: int, written: int) -> bool:
    """Tell whether a run has grown enough since its document was written last.

    At each check it would fill the log with the square of the run's length; this way all the
    documents together are some ten times the last one, and scalars tell the few checks since.

    Args:
        checks: How many checks there are.
        written: How many there were when it was written last.

    Example:
        >>> is_due(5, 4), is_due(105, 100), is_due(110, 100)
        (True, False, True)
    """
    return checks - written >= max(1, written // SHARE)
