"""What to try against a verdict, the most fitting first."""

import math

from lightning_gapmon.analysis.history.history import History

EARLY = 0.1  # of the checks so far


def against_overfitting(history: History, best: int) -> tuple[str, ...]:
    """Stop, then make memorising harder; slow down first where it began at once."""
    stop = f"stop here and keep the weights of check {best}"
    slower = ("lower the learning rate: the best check came early",)
    regular = [
        "add weight decay",
        "add dropout",
        "augment the training data, or add more of it",
        "make the model smaller",
    ]
    if _train_mode_costs(history):
        regular.remove("add dropout")
    early = history[int(EARLY * len(history))].check >= best
    return (stop, *(slower if early else ()), *regular)


def _train_mode_costs(history: History) -> bool:
    """Whether dropout or augmentation is at work: train mode makes the loss larger."""
    gap = history[-1].measured_gap
    return not math.isnan(gap.mode) and gap.mode < -2 * gap.stderr


def against_divergence() -> tuple[str, ...]:
    """Take smaller steps."""
    return (
        "lower the learning rate, or warm it up",
        "clip the gradients",
        "go back to the best check and continue from there",
    )


def against_non_finite() -> tuple[str, ...]:
    """Find the first value that is no number."""
    return (
        "lower the learning rate, or clip the gradients",
        "look for log(0), 0/0 or sqrt at 0 in the loss: Trainer(detect_anomaly=True) names it",
        "with 16-bit precision, try bf16 or scale the loss",
        "look for values that are no numbers in the data",
    )


def against_underfitting() -> tuple[str, ...]:
    """Let the model learn more."""
    return (
        "make the model larger",
        "raise the learning rate, or train longer",
        "take regularisation away: dropout, weight decay, augmentation",
        "look whether the inputs carry what is to be predicted, and are scaled",
    )


def against_memorising() -> tuple[str, ...]:
    """Stop, or narrow the gap."""
    return (
        "stop here: more steps only bring memorising",
        "narrow the gap: add weight decay or dropout",
        "augment the training data, or add more of it",
        "make the model smaller",
    )


def against_plateau() -> tuple[str, ...]:
    """Change something or stop: more of the same brings nothing."""
    return (
        "stop here, or change the learning rate",
        "make the model larger",
        "look whether the inputs carry what is to be predicted, and are scaled",
    )


def against_easy_validation(*, probed: bool) -> tuple[str, ...]:
    """Find out why validation is so much easier than training."""
    probe = "GapMonitor(probe=8) reads training data as validation is read: is it still so?"
    leak = "GapMonitor(leakage=10_000) looks for validation samples that are in training, too"
    return (leak,) if probed else (probe, leak)


def against_leakage() -> tuple[str, ...]:
    """Clean the split."""
    return (
        "take the shared samples out of one side: find_overlap names them",
        "split by group (patient, user, scene, day) rather than by sample",
        "fit scalers, vocabularies and selections on the training side only",
    )
