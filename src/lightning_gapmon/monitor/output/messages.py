"""What the callback says while it runs, each thing once."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lightning_gapmon.analysis.overlap import Overlap
from lightning_gapmon.analysis.wording import did_you_mean, names, number, percent, with_error

if TYPE_CHECKING:
    from pathlib import Path

    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.loss_names import Side
    from lightning_gapmon.analysis.outlook.outlook import Outlook
    from lightning_gapmon.analysis.rules.rule import Rule, StopReason
    from lightning_gapmon.monitor.checks.odd_rank import OddRank
    from lightning_gapmon.monitor.losses.recorder import Recorder
    from lightning_gapmon.monitor.losses.watched import Source, Watched

_MOST_NAMES = 20
_MOST_PAIRS = 5


def watching(watched: "Watched", *, loaders: int = 0) -> str:
    """Say where the losses come from; "" while one of them is missing.

    Args:
        watched: Where they come from.
        loaders: How many validation loaders there are, where there are several.
    """
    if watched.train is None or watched.val is None:
        return ""
    return _sources(watched, watched.train, watched.val) + _loaders(watched, loaders)


def _loaders(watched: "Watched", loaders: int) -> str:
    if not loaders:
        return ""
    if watched.loader is not None:
        return f", of validation loader {watched.loader} of {loaders} (counted from 0)"
    return (
        f"; the validation loss is the mean over the samples of all {loaders} validation loaders "
        "(watch one with GapMonitor(loader=0))"
    )


def _sources(watched: "Watched", from_train: "Source", from_val: "Source") -> str:
    train, val = watched.names.get("train", ""), watched.names.get("val", "")
    if from_train == from_val:
        both = {
            "mixin": "given to the mixin",
            "logged": f"logged by the module as {train!r} and {val!r}",
            "outputs": "returned by the steps",
        }
        return f"train and validation loss {both[from_train]}"
    return (
        f"train loss {_from(from_train, train)}, but "
        f"validation loss {_from(from_val, val)}: they may differ in more than the data. "
        "Log both under one name (train_loss, val_loss), or use GapMonitorMixin"
    )


def _from(source: "Source", name: str) -> str:
    return {
        "mixin": "given to the mixin",
        "logged": f"logged by the module as {name!r}",
        "outputs": "returned by the step",
    }[source]


def will_stop(rule: "Rule") -> str:
    """Say before the first step what may end the run, and how to switch that off."""
    return f"GapMonitor: may stop the run by {rule}; GapMonitor(stop=None) only watches"


def stopped(
    reason: "StopReason",
    outlook: "Outlook",
    best: "Observation | None",
    *,
    path: str,
    latest: bool,
) -> str:
    """Say why a run is stopped, what is kept, what was still to be expected, and how to go on.

    Args:
        reason: Why.
        outlook: What is told of the rest.
        best: The best check, or None.
        path: Where its weights are, or "".
        latest: Whether there is a checkpoint to go on from.
    """
    said = [str(reason)]
    if best is not None:
        said.append(
            f"best: check {best.check}, loss {number(best.val)}{f', in {path}' * bool(path)}"
        )
    said.append(str(outlook))
    go_on = "fit with GapMonitor(stop=None)" + ' and ckpt_path="last"' * latest
    return "; ".join([*said, f"to go on, {go_on}"])


def opposed(watched: "Watched") -> str:
    """Say that a loss was guessed among several that may oppose each other."""
    return (
        f"GapMonitor watches {watching(watched)}, which it guessed among several losses that may "
        "oppose each other, as those of a GAN do: one rises as the other falls. So it does not "
        "stop the run on them. Name the loss that should fall, "
        'GapMonitor(train="...", val="..."), and it does.'
    )


def no_loss(recorder: "Recorder") -> str:
    """Say that no validation loss was heard, what was, and what to write."""
    asked, train = recorder.given.get("val"), recorder.given.get("train")
    partner = f" that goes with train={train!r}" if train else ""
    wanted = f"a validation loss named {asked!r}" if asked else f"a validation loss{partner}"
    logged = sorted(recorder.logged_names)
    seen = [f"the module logged {logged[:_MOST_NAMES]}" if logged else "the module logged nothing"]
    near = _meant(recorder, "val") or _meant(recorder, "train")
    return (
        f"GapMonitor found no {wanted[2:]}: {'; '.join([*seen, *recorder.sightings])}.{near} "
        f"Expected {wanted}, logged or returned by validation_step. Write "
        'self.log("val_loss", loss) there and in training_step self.log("train_loss", loss), name '
        'yours with GapMonitor(train="...", val="..."), or use GapMonitorMixin. '
        "Training goes on; nothing is stopped, judged or saved as best without it."
    )


def _meant(recorder: "Recorder", side: "Side") -> str:
    """Ask for the logged name that is nearest to one that was given and not heard."""
    asked, logged = recorder.given.get(side), recorder.logged_names
    return did_you_mean(asked, logged) if asked and asked not in logged else ""


def no_train_loss(recorder: "Recorder") -> str:
    """Say that no train loss was heard, and what to write."""
    asked = recorder.given.get("train")
    wanted = f"no train loss named {asked!r}" if asked else "no train loss"
    return (
        f"GapMonitor found a validation loss but {wanted}: the module logged "
        f"{sorted(recorder.logged_names)[:_MOST_NAMES]}.{_meant(recorder, 'train')} Return the "
        'loss from training_step, log it as "train_loss", name yours with GapMonitor(train="...")'
        ", or use GapMonitorMixin. The validation loss is watched alone."
    )


def lost(side: "Side", watched: "Watched", recorder: "Recorder") -> str:
    """Say that a loss that was watched was not heard, and what was."""
    source, name = (watched.train if side == "train" else watched.val), watched.names.get(side, "")
    logged = sorted(recorder.logged_names)[:_MOST_NAMES]
    what = {"train": "train loss", "val": "validation loss"}[side]
    then = {
        "train": "The validation loss is watched alone until there is one again",
        "val": "A validation without it is no check: nothing is stopped, judged or saved by it",
    }
    return (
        f"GapMonitor has lost the {what}, {_from(source, name) if source else 'watched so far'}: "
        f"it was not heard since the last check; the module has logged {logged}. {then[side]}, "
        "under its new name too where it can be told; name it with GapMonitor("
        f'{side}="...").'
    )


def sparse(watched: "Watched", share: float) -> str:
    """Say that the train loss is that of a few steps."""
    source = _from(watched.train, watched.names.get("train", "")) if watched.train else ""
    return (
        f"the train loss, {source}, was there at {percent(share)} of the training steps, and is "
        "the mean over these; log it at each step, or return it from training_step"
    )


def sizes(seen: "Observation", found: tuple[float, float]) -> str:
    """Say that a loss seems to be a sum over its batch."""
    return (
        f"train loss {number(seen.train)} and validation loss {number(seen.val)} are as far apart "
        f"as the samples of their batches, {number(found[0])} and {number(found[1])} at the mean: "
        "a loss that is summed over a batch grows with it, and the gap then says nothing; divide "
        "it by the samples, or give one loss a sample (GapMonitorMixin)"
    )


def score(found: str) -> str:
    """Say that something under the name of a loss is none."""
    return (
        f"GapMonitor does not take this for a loss: {found}, a metric that grows as a model gets "
        "better (higher_is_better). Log the loss, name it with "
        'GapMonitor(train="...", val="..."), or say that this is one: GapMonitor(is_loss=True).'
    )


def hidden(steps: Sequence[str]) -> str:
    """Say which steps of a parent are not called."""
    return (
        f"GapMonitorMixin's loss_step takes the place of {' and '.join(steps)} of a parent class, "
        "and what these log is not there: log it from loss_step, or leave loss_step out, and the "
        "parent's steps are called and watched by what they log and return."
    )


def no_validation() -> str:
    """Say that no validation will run."""
    return (
        "GapMonitor has nothing to compare: this fit runs no validation (no validation loader, no "
        "validation_step, or limit_val_batches=0). Pass val_dataloaders to trainer.fit(...); "
        "until then it does nothing."
    )


def validated_again() -> str:
    """Say that a validation is read from its beginning."""
    return "GapMonitor: saved in the middle of a validation, which is now read again as a whole."


def idle_rank() -> str:
    """Say that a rank takes no part in validation."""
    return (
        "GapMonitor stays out of this fit: a rank has no validation batch and leaves validation "
        "out, so that the others would wait for it for ever. Give each rank at least one batch, "
        "for example with Lightning's own distributed sampler."
    )


def padding(repeats: int) -> str:
    """Say that repeated samples are in the validation mean."""
    return (
        f"{repeats} validation samples are repeats that the distributed sampler adds, and count "
        "twice in the validation loss; they can be left out where losses are given one a sample "
        "(GapMonitorMixin)."
    )


def lone_probe() -> str:
    """Say why the gap has no error bar."""
    return (
        "the probe had the mean loss of one batch, which has no standard error, and so the gap "
        "has none; ask for more batches, such as probe=8, or give one loss a sample "
        "(GapMonitorMixin)"
    )


def odd_rank(odd: "OddRank", check: int) -> str:
    """Say that one rank's validation loss is off."""
    own, others = (with_error(part.mean, part.stderr) for part in (odd.own, odd.others))
    return (
        f"Rank {odd.rank} has a validation loss of {own} at check {check}, the other ranks "
        f"together {others}: {number(odd.distance)} standard errors apart. Its share of the data "
        "differs in kind, or its weights do: shuffle before sharding, or see what it loads."
    )


def not_written(path: "Path | str", error: Exception) -> str:
    """Say that the report is missing, and what has all of it too."""
    return (
        f"GapMonitor's report {path} could not be written "
        f"({getattr(error, 'strerror', None) or error}). The history is in "
        "the checkpoints and in monitor.history; make room, and write it with "
        "lightning_gapmon.logs.gapmon_json.write(monitor.outcome, path)."
    )


def unread(failed: Mapping[int, str]) -> str:
    """Say on which ranks the samples could not be compared, and why on the first of them."""
    rank, why = min(failed.items())
    return (
        f"GapMonitor(leakage=...) compares samples before training, and each rank reads a share "
        f"of them; rank {rank} failed with {why} (ranks that failed: {sorted(failed)}). Mend "
        "what its loaders read, or leave leakage out."
    )


def leak(overlap: Overlap, loader: int | None) -> str:
    """Say which validation samples are in training too."""
    where = "validation" if loader is None else f"validation loader {loader}"
    pairs = ", ".join(f"{val} = training {train}" for train, val in overlap.shared[:_MOST_PAIRS])
    return (
        f"{len(overlap.shared)} of the {overlap.val_seen} {where} samples looked at are in the "
        f"training data too ({percent(overlap.share)}): validation {pairs}"
        f"{' and more' if len(overlap.shared) > _MOST_PAIRS else ''}. Their loss says nothing of "
        "new data: split again without them, by group where samples belong together."
    )


def call_failed(name: str, error: Exception) -> str:
    """Say that a function of the user has failed, and that nothing else has."""
    return (
        f"GapMonitor(on_verdict=...) called {name}, which raised {type(error).__name__}: {error}. "
        "Training goes on; mend the function, or leave it out."
    )


def left_out(options: list[str]) -> str:
    """Say what a pickle does not have."""
    return (
        f"Found a pickled GapMonitor without {names(options)}; expected, for a pickle holds "
        "plain types and no functions, loaders or rules without a text. To fit with "
        f"{'them' if len(options) > 1 else 'it'} again, make a new GapMonitor(...)."
    )
