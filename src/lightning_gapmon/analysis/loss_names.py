"""What a logged name says: its side, what it measures, and which name belongs to it there.

The live monitor and the readers of logs ask here, so that both call the same thing a loss.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Side = Literal["train", "val"]  # the probe is a validation step too, on training data
Kind = Literal["loss", "score", "other"]
Part = Literal["", "step", "epoch"]

_SIDES: dict[str, Side] = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "va"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "val"),  # where nothing else is validation
}
_TESTS = {"test", "testing", "tst"}
# Words that say how a number was taken, and not what it is.
_SILENT = {"mean", "avg", "average", "running", "ptl", "epoch", "step"}
# What is minimised, and says so; the first of these is the loss, the others may be a part of it.
_FIRST = ("loss", "total_loss", "loss_total", "", "elbo", "nll")
_CALLED_LOSS = {"loss", "elbo", "nll", "cost"}
_KNOWN_LOSS = {
    *("mse", "rmse", "mae", "ce", "bce", "xent", "crossentropy", "cross_entropy"),
    *("negative_log_likelihood", "neg_log_likelihood"),
}
# What is no loss whatever else it is: none of these is ever minimised.
_SCORES = {
    *("acc", "accuracy", "top1", "top5", "f1", "fscore", "fbeta", "precision", "recall"),
    *("auc", "auroc", "auprc", "roc", "ap", "map", "iou", "miou", "jaccard", "dice", "score"),
    *("reward", "rewards", "return", "returns", "bleu", "rouge", "psnr", "ssim", "r2"),
    *("pearson", "spearman", "corr", "correlation", "mcc", "kappa", "specificity"),
    *("sensitivity", "ndcg", "mrr", "hits", "likelihood", "success", "wins"),
}
# A score that is turned round may be minimised.
_NEGATED = {"neg", "negative", "negated", "minus"}
# A name with a loss in it has one of these, in lower case; a bare side is the exception.
FRAGMENTS = tuple(sorted(_CALLED_LOSS | _KNOWN_LOSS))
_BETWEEN = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LOADER = re.compile(r"[/_.]?dataloader_idx_(\d+)")
_JOINED = re.compile(f"({'|'.join(sorted(_SIDES, key=len, reverse=True))})(loss|acc|accuracy)")


@dataclass(frozen=True, slots=True)
class LossName:
    """A logged name, taken apart.

    Attributes:
        side: The side that the name says, or None where it says none.
        stem: What is left of it, which the two sides share: `loss` for `val/loss`, and "" for a
            bare `val`.
        kind: `loss` for what says that it is minimised, `score` for what says that it is not,
            and `other` for what says neither.
        loader: The number of the validation loader that Lightning has added, or None.
        part: `step` or `epoch`, where Lightning has added that or a module has.
        is_test: Whether the side is said by a word for test.
    """

    side: Side | None
    stem: str
    kind: Kind = "other"
    loader: int | None = None
    part: Part = ""
    is_test: bool = False

    @property
    def is_loss(self) -> bool:
        """Whether the name says that it is something to be minimised."""
        return self.kind == "loss"

    @property
    def is_score(self) -> bool:
        """Whether the name says that it is nothing to be minimised, as an accuracy does."""
        return self.kind == "score"


@lru_cache(maxsize=4096)
def read_name(name: str) -> LossName:
    """Take a logged name apart.

    Of several words for a side the last one counts: `eval/train_loss` is a train loss.

    Example:
        >>> read_name("val/loss")
        LossName(side='val', stem='loss', kind='loss', loader=None, part='', is_test=False)
        >>> seen = read_name("train_kl_loss_step")
        >>> seen.side, seen.stem, seen.part
        ('train', 'kl_loss', 'step')
        >>> read_name("val_loss/dataloader_idx_1").loader, read_name("valAccuracy").kind
        (1, 'score')
    """
    loader = _LOADER.search(name)
    words = _words(without_loader(name))
    sides = [word for word in words if word in _SIDES]
    rest = [word for word in words if word not in _SIDES]
    kept = [word for word in rest if word not in _SILENT]
    stem = "_".join("loss" if word == "losses" else word for word in kept or rest)
    return LossName(
        side=_SIDES[sides[-1]] if sides else None,
        stem=stem,
        kind=_kind(stem, bare=len(words) == len(sides) == 1),
        loader=int(loader[1]) if loader else None,
        part=_part(words) if kept else "",
        is_test=bool(sides) and sides[-1] in _TESTS,
    )


def _words(name: str) -> list[str]:
    apart = _BETWEEN.split(_HUMP.sub("_", name.replace("IoU", "iou")).lower())
    joined = (_JOINED.fullmatch(word) for word in apart)
    pieces = (both.groups() if both else (word,) for word, both in zip(apart, joined, strict=True))
    return [word for piece in pieces for word in piece if word]


def _part(words: list[str]) -> Part:
    return "step" if words[-1] == "step" else "epoch" if words[-1] == "epoch" else ""


def _kind(stem: str, *, bare: bool) -> Kind:
    words = stem.split("_")
    if bare or _is_called_loss(stem):
        return "loss"
    known = stem in _KNOWN_LOSS or not _KNOWN_LOSS.isdisjoint(words)
    if not known and not _SCORES.isdisjoint(words):
        return "score" if _NEGATED.isdisjoint(words) else "other"
    return "loss" if known else "other"


def _is_called_loss(stem: str) -> bool:
    """Whether a stem has a word for a loss, such as `loss`, `mseloss` or `nll`."""
    words = stem.split("_")
    return not _CALLED_LOSS.isdisjoint(words) or any(word.endswith("loss") for word in words)


def without_loader(name: str) -> str:
    """Take the number of a loader out of a logged name: Lightning adds it, and so do modules.

    Example:
        >>> without_loader("val/loss/dataloader_idx_1")
        'val/loss'
    """
    return _LOADER.sub("", name) if "dataloader_idx_" in name else name


def spellings(name: str) -> tuple[str, ...]:
    """Give what a module may have logged for a name that a logger shows.

    Lightning adds a loader's number, and `_step` or `_epoch` where both are logged.

    Example:
        >>> spellings("val_loss_epoch"), spellings("val_loss/dataloader_idx_1")
        (('val_loss_epoch', 'val_loss'), ('val_loss',))
    """
    shown = without_loader(name)
    logged = shown.removesuffix("_step").removesuffix("_epoch")
    return (shown, logged) if logged and logged != shown else (shown,)


def pairs(train: Iterable[str], val: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Find the names that are the same thing on the two sides, whatever it is, by its stem.

    Example:
        >>> pairs(["train_loss", "train_acc"], ["acc/val", "val_loss"])
        {'acc': ('train_acc', 'acc/val'), 'loss': ('train_loss', 'val_loss')}
    """
    trains, vals = _by_stem(train), _by_stem(val)
    return {stem: (trains[stem], vals[stem]) for stem in sorted(trains) if stem in vals}


def pair(train: Iterable[str], val: Iterable[str]) -> tuple[str, str] | None:
    """Find the two names that are the same loss on the two sides.

    `loss` itself comes first, and what is called a loss before what is only known as one, such as
    `mse`; otherwise there must be exactly one pair, for none is guessed.

    Example:
        >>> pair(["train_loss", "train_kl_loss"], ["val_loss", "val_kl_loss"])
        ('train_loss', 'val_loss')
        >>> pair(["train_a_loss", "train_b_loss"], ["val_a_loss", "val_b_loss"]) is None
        True
    """
    found = pairs(train, val)
    stem = _foremost(found)
    return None if stem is None else found[stem]


def are_rivals(names: Iterable[str]) -> bool:
    """Tell whether these are several losses of one side of which none is the total.

    Example:
        >>> are_rivals(["d_loss", "g_loss"]), are_rivals(["loss", "kl_loss"])
        (True, False)
        >>> (
        ...     are_rivals(["train_loss_step", "train_loss_epoch"]),
        ...     are_rivals(["train_mse", "train_mae"]),
        ... )
        (False, False)
    """
    stems = {read.stem for read in map(read_name, names) if _is_called_loss(read.stem)}
    return len(stems) > 1 and stems.isdisjoint(_FIRST)


def lone(names: Iterable[str]) -> str:
    """Find the loss of a side whose other side logs none; "" where it is not clear.

    Example:
        >>> lone(["val_loss", "val_kl_loss"]), lone(["val_a_loss", "val_b_loss"])
        ('val_loss', '')
    """
    found = _by_stem(names)
    stem = _foremost(found)
    return "" if stem is None else found[stem]


def chosen(train: Iterable[str], val: Iterable[str]) -> tuple[str, str]:
    """Name the loss of each side among the losses of both; "" where it is not clear.

    Where only one side has a loss, that is what to look for on the other side too.

    Example:
        >>> chosen(["train_mse"], ["val_mse", "val_mae"]), chosen([], ["val_loss"])
        (('train_mse', 'val_mse'), ('val_loss', 'val_loss'))
        >>> chosen(["train_a_loss"], ["val_b_loss"])
        ('', '')
    """
    trains, vals = set(train), set(val)
    if found := pair(trains, vals):
        return found
    # A train_mse beside val_loss says nothing of what the train loss is called.
    firm = [{name for name in side if not _is_only_known(name)} for side in (trains, vals)]
    sides = firm if any(firm) else [trains, vals]
    one = "" if all(sides) or pairs(trains, vals) else lone(sides[0] | sides[1])
    return one, one


def _is_only_known(name: str) -> bool:
    read = read_name(name)
    return read.is_loss and not _is_called_loss(read.stem)


def _foremost(stems: Iterable[str]) -> str | None:
    """Choose the stem of the loss; None where that would be a guess."""
    every = list(stems)
    for first in _FIRST:
        if first in every:
            return first
    called = [stem for stem in every if _is_called_loss(stem)] or every
    return called[0] if len(called) == 1 else None


def _by_stem(names: Iterable[str]) -> dict[str, str]:
    """Index names by stem, the best of each last: by side, of an epoch, of the first loader."""
    return {read_name(name).stem: name for name in sorted(names, key=_worth)}


def _worth(name: str) -> tuple[bool, bool, bool, int, str]:
    read = read_name(name)
    loader = 0 if read.loader is None else -1 - read.loader
    return not read.is_test, read.side is not None, read.part != "step", loader, name
