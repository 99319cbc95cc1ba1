"""Which logged names are a train or a validation loss, and which two belong together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["train", "val"]  # the probe is a validation step too, on training data

_STAGES: dict[str, Stage] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
}
# What is minimised. A reward or an accuracy is not, and is never taken for a loss.
_LOSSES = ("loss", "elbo", "nll")

_BETWEEN = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOADER = re.compile(r"[/_.]?dataloader_idx_\d+")


@dataclass(frozen=True, slots=True)
class LossName:
    """A logged name, taken apart.

    Attributes:
        stage: The side that the name says, or None where it says none.
        stem: What is left of it, which the two sides share: `loss` for `val/loss`.
    """

    stage: Stage | None
    stem: str

    @property
    def is_loss(self) -> bool:
        """Whether the name says that it is something to be minimised."""
        return not set(_LOSSES).isdisjoint(self.stem.split("_"))


def read_name(name: str) -> LossName:
    """Take a logged name apart.

    Example:
        >>> read_name("val/loss")
        LossName(stage='val', stem='loss')
        >>> read_name("train_accuracy").is_loss
        False
    """
    words = _BETWEEN.split(_HUMP.sub("_", name).lower())
    stages = [_STAGES[word] for word in words if word in _STAGES]
    stem = "_".join(word for word in words if word and word not in _STAGES and word != "ptl")
    return LossName(stages[0] if stages else None, stem)


def without_loader(name: str) -> str:
    """Take the number of a loader out of a logged name: Lightning adds it, and so do modules.

    Example:
        >>> without_loader("val/loss/dataloader_idx_1")
        'val/loss'
    """
    return _LOADER.sub("", name) if "dataloader_idx_" in name else name


def pair(train: Iterable[str], val: Iterable[str]) -> tuple[str, str] | None:
    """Find the two names that are the same loss on the two sides.

    `loss` itself comes first; otherwise there must be exactly one pair, for none is guessed.

    Example:
        >>> pair(["train_loss", "train_kl_loss"], ["val_loss", "val_kl_loss"])
        ('train_loss', 'val_loss')
        >>> pair(["train_a_loss", "train_b_loss"], ["val_a_loss", "val_b_loss"]) is None
        True
    """
    trains, vals = _by_stem(train), _by_stem(val)
    shared = [stem for stem in trains if stem in vals]
    chosen = next((loss for loss in _LOSSES if loss in shared), None)
    if chosen is None and len(shared) == 1:
        chosen = shared[0]
    return None if chosen is None else (trains[chosen], vals[chosen])


def lone(names: Iterable[str]) -> str:
    """Find the loss of a side whose other side logs none; "" where it is not clear.

    Example:
        >>> lone(["val_loss", "val_kl_loss"]), lone(["val_a_loss", "val_b_loss"])
        ('val_loss', '')
    """
    stems = _by_stem(names)
    found = next((loss for loss in _LOSSES if loss in stems), None)
    if found is None and len(stems) == 1:
        found = next(iter(stems))
    return "" if found is None else stems[found]


def _by_stem(names: Iterable[str]) -> dict[str, str]:
    """Index names by stem; one that says its side goes before one that does not."""
    ordered = sorted(names, key=lambda name: (read_name(name).stage is not None, name))
    return {read_name(name).stem: name for name in ordered}
