"""What a step returned, seen from outside: the loss in it, and how to describe it."""

from collections.abc import Mapping

from torch import Tensor


def loss_in(outputs: object, key: str | None = None) -> Tensor | None:
    """Find the loss in what a step returned; None where nothing is surely a loss.

    A tensor of one number is the loss; in a dict it is the entry `loss`. With a `key` it is that
    entry and nothing else. Whatever else a step returns (a tuple, predictions, a plain number)
    could be anything.
    """
    if type(outputs) is dict or isinstance(outputs, Mapping):
        found = outputs.get(key or "loss")
    else:
        found = None if key else outputs
    is_loss = isinstance(found, Tensor) and found.numel() == 1 and found.is_floating_point()
    return found if is_loss else None


def describe(outputs: object) -> str:
    """Say what a step returned, for a message.

    Example:
        >>> describe({"reward": 1.0})
        "a dict with the keys ['reward']"
    """
    if outputs is None or (isinstance(outputs, Mapping) and not outputs):
        return "None"  # Lightning hands the None of a training step over as {}
    if isinstance(outputs, Mapping):
        return f"a dict with the keys {sorted(map(str, outputs))}"
    if isinstance(outputs, Tensor):
        return f"a tensor of shape {tuple(outputs.shape)}"
    if isinstance(outputs, (tuple, list)):
        return f"a {type(outputs).__name__} of {len(outputs)}"
    return f"a {type(outputs).__name__}"
