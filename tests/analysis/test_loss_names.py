"""What logged names say, live and in logs alike."""

import pytest
from hypothesis import given, strategies as st

from lightning_gapmon.analysis.history.from_columns import find_pair
from lightning_gapmon.analysis.loss_names import (
    chosen,
    lone,
    pair,
    pairs,
    read_name,
    without_loader,
)

PAIRS = [
    *[("train_loss", "val_loss"), ("train/loss", "val/loss"), ("loss/train", "loss/val")],
    *[("train_nll", "val_nll"), ("train/elbo", "val/elbo"), ("trainLoss", "valLoss")],
    *[("train_loss", "dev_loss"), ("trn_loss", "val_loss"), ("train_loss", "test_loss")],
    *[("avg_train_loss", "avg_val_loss"), ("tr", "va"), ("tr_loss", "va_loss")],
    *[("train_cost", "val_cost"), ("train/mse", "valid/mse"), ("train_ce", "eval_ce")],
    *[("train_total_loss", "val_total_loss"), ("train_loss", "val_loss_epoch")],
    *[("train_loss_step", "val_loss"), ("train_loss", "val_loss/dataloader_idx_1")],
    *[("Train Loss", "Validation Loss"), ("training.loss", "validation.loss")],
    *[("ptl/train_loss", "ptl/val_loss"), ("trainloss", "valloss"), ("loss", "val_loss")],
    *[("train_cross_entropy", "val_cross_entropy"), ("train/MSELoss", "val/MSELoss")],
    *[("train/dice_loss", "val/dice_loss"), ("Loss/train", "Loss/val"), ("train", "val")],
    *[("train_losses", "val_losses"), ("Train/Loss", "Test/Loss"), ("cost", "dev_cost")],
]
NO_LOSS = [
    *["accuracy", "acc", "top1", "f1", "F1", "reward", "IoU", "mIoU", "iou", "auc", "AUROC"],
    *["precision", "recall", "dice", "bleu", "psnr", "log_likelihood", "episode_return"],
    *["R2", "accuracy_macro", "MulticlassAccuracy"],
]


@pytest.mark.parametrize(("train", "val"), PAIRS)
def test_live_and_in_logs_the_same_names_are_the_losses(train: str, val: str) -> None:
    """What the monitor watches is what a replay of its log finds."""
    logged = find_pair(["epoch", train, val, "val_accuracy", "lr-Adam", "train_accuracy"])

    assert pair([train], [val]) == chosen([train], [val]) == (train, val)
    assert logged is not None
    assert (logged.train, logged.val) == (train, val)
    assert read_name(train).is_loss
    assert read_name(val).is_loss


@pytest.mark.parametrize("what", NO_LOSS)
@pytest.mark.parametrize("form", ["{}", "val_{}", "val/{}", "{}_val", "test_{}_epoch"])
def test_what_is_no_loss_is_no_loss_anywhere(what: str, form: str) -> None:
    """An accuracy or a reward is never minimised, live or in a log."""
    name = form.format(what)

    assert read_name(name).is_score
    assert not read_name(name).is_loss
    assert find_pair([name, f"train_{what}"]) is None


@pytest.mark.parametrize(
    "name", ["epoch", "step", "train/epoch", "val_step", "lr-Adam", "grad_norm", "", "/", "time"]
)
def test_what_says_nothing_is_neither(name: str) -> None:
    """A name that does not say what it measures is not guessed."""
    assert read_name(name).kind == "other"


@pytest.mark.parametrize(
    ("name", "side", "stem", "loader", "part"),
    [
        ("val_loss/dataloader_idx_1", "val", "loss", 1, ""),
        ("val_loss_epoch/dataloader_idx_0", "val", "loss", 0, "epoch"),
        ("train_loss_step", "train", "loss", None, "step"),
        ("kl_loss", None, "kl_loss", None, ""),
        ("eval/train_loss", "train", "loss", None, ""),
        ("train/val_loss", "val", "loss", None, ""),
        ("model/encoder/val_mse", "val", "model_encoder_mse", None, ""),
    ],
)
def test_a_name_is_taken_apart(
    name: str, side: str | None, stem: str, loader: int | None, part: str
) -> None:
    """Side, stem, loader and part are read in any order of the words."""
    read = read_name(name)

    assert (read.side, read.stem, read.loader, read.part) == (side, stem, loader, part)


def test_pairs_of_metrics_are_found_too() -> None:
    """Whatever is logged on both sides can be compared, whether it is a loss or not."""
    found = pairs(["train_acc", "train_loss", "train_lr"], ["val_acc", "val_loss", "val_time"])

    assert found == {"acc": ("train_acc", "val_acc"), "loss": ("train_loss", "val_loss")}


@pytest.mark.parametrize(
    ("train", "val", "found"),
    [
        (["train_loss", "train_kl_loss"], ["val_kl_loss", "val_loss"], ("train_loss", "val_loss")),
        (
            ["train_kl_loss", "train_total_loss"],
            ["val_kl_loss", "val_total_loss"],
            ("train_total_loss", "val_total_loss"),
        ),
        (
            ["train_rec_loss", "train_mse"],
            ["val_rec_loss", "val_mse"],
            ("train_rec_loss", "val_rec_loss"),
        ),
        (["train_a_loss", "train_b_loss"], ["val_a_loss", "val_b_loss"], ("", "")),
        (["train_mse", "train_mae"], ["val_mse", "val_mae"], ("", "")),
        (["train_mse"], ["val_loss"], ("val_loss", "val_loss")),
        (["train_loss"], ["val_mse"], ("train_loss", "train_loss")),
        ([], ["val_mse"], ("val_mse", "val_mse")),
        (["train_a_loss"], ["val_b_loss"], ("", "")),
        ([], [], ("", "")),
        (["train_loss", "loss"], ["val_loss"], ("train_loss", "val_loss")),
        (["train_loss"], ["test_loss", "val_loss"], ("train_loss", "val_loss")),
        (
            ["train_loss"],
            ["val_loss/dataloader_idx_1", "val_loss/dataloader_idx_0"],
            ("train_loss", "val_loss/dataloader_idx_0"),
        ),
    ],
)
def test_the_loss_is_chosen_or_not_guessed(
    train: list[str], val: list[str], found: tuple[str, str]
) -> None:
    """`loss` goes first, what is called a loss next; where several are left there is none."""
    assert chosen(train, val) == found


def test_a_lone_loss_is_chosen_by_the_same_order() -> None:
    """A side without a partner follows the rules of a pair."""
    assert [lone(["val_kl_loss", "val_loss"]), lone(["val_a_loss", "val_b_loss"])] == [
        *("val_loss", ""),
    ]


@given(st.text(max_size=30))
def test_any_name_can_be_read(name: str) -> None:
    """No text breaks the reading, and what it says does not hang on the case of a word."""
    read = read_name(name)

    assert read.kind in ("loss", "score", "other")
    assert pair([name], [name]) in (None, (name, name))


@given(
    st.sampled_from(["train", "trn", "val", "dev", "test"]),
    st.sampled_from(["loss", "kl_loss", "acc", "nll"]),
    st.sampled_from(["_", "/", ".", " ", "-"]),
    st.booleans(),
    st.integers(0, 12),
)
def test_separators_order_and_loaders_do_not_matter(
    side: str,
    what: str,
    between: str,
    turned: bool,  # noqa: FBT001
    loader: int,
) -> None:
    """The same words say the same thing however they are put together."""
    words = [what, side] if turned else [side, what]
    name = between.join(words)
    bare, numbered = read_name(name), read_name(f"{name}/dataloader_idx_{loader}")

    assert (bare.side, bare.stem) == ("train" if side in ("train", "trn") else "val", what)
    assert (numbered.side, numbered.stem, numbered.loader) == (bare.side, bare.stem, loader)
    assert without_loader(f"{name}/dataloader_idx_{loader}") == name
