"""Every loss that can be heard in a window, by where it comes from and by side."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from numbers import Real
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_gapmon.analysis.loss_names import Side as Stage, chosen, read_name, without_loader
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.errors import ConfigurationError
from lightning_gapmon.monitor.losses.padding import Padding
from lightning_gapmon.monitor.losses.step_output import describe, first_sizes, loss_in

Source = Literal["mixin", "logged", "outputs"]
Pass = Literal["train", "val", "probe"]
SOURCES: tuple[Source, ...] = ("mixin", "logged", "outputs")
STAGES: tuple[Stage, Stage] = ("train", "val")
_MOST_SIGHTINGS = 5
Count = Callable[[object], "int | Tensor"]


class Recorder:
    """The losses of one fit, on this rank.

    Until the first check has shown where both sides have a loss, everything that may be one is
    kept; from then on only what was chosen.

    Args:
        given: The logged names (or keys of step outputs) that were asked for, by side.
        count: Gives the samples of a batch, where that cannot be guessed.
    """

    def __init__(self, given: Mapping[Stage, str], count: Count | None = None) -> None:
        self.given, self._count = dict(given), count
        self.chosen: dict[Stage, Source] = {}
        self.names: dict[Stage, str] = dict(given)
        self.agreed: dict[Stage, str] = {}
        self.stage: Stage | None = None
        self._at: Pass = "train"
        self.padding = Padding()
        self.sightings: dict[str, None] = {}
        self.taken: set[str] = set()
        self._notes: dict[Source, str] = {}
        self._batch: object = None
        self._loader = 0
        self._evaluated = False
        self._known: dict[tuple[Stage | None, str], str] = {}
        self._meters: dict[tuple[Pass, Source, int], LossMeter] = defaultdict(LossMeter)
        self._by_name: dict[tuple[Pass, str], dict[int, LossMeter]] = defaultdict(
            partial(defaultdict, LossMeter)
        )

    def begin(self, at: Pass, batch: object, loader: int = 0) -> None:
        """Enter a step; the probe listens to what validation listens to."""
        self._at, self.stage = at, "train" if at == "train" else "val"
        self._batch, self._loader = batch, loader
        self._evaluated = False

    def evaluated(self) -> None:
        """Take nothing more of this step: what follows evaluates the same batch again.

        An optimiser such as LBFGS does so many times; the first loss is the one at the weights
        before the step, as it is with every other.
        """
        self._evaluated = True

    def end(self) -> None:
        """Leave a step."""
        self.stage = self._batch = None

    def track(self, loss: Tensor, n: "float | Tensor | None") -> None:
        """Take a loss that the mixin was given, a mean or one a sample."""
        if self._listens("mixin") and not self.given and not self._evaluated:
            self._add("mixin", self._meter("mixin"), loss, n)

    def logged(self, name: str, value: object, batch_size: int | None) -> None:
        """Take a value that the module logged, if it is a loss of the side that is running."""
        self.taken.add(name)
        known = self._known.get((self.stage, name))
        if known is None:
            known = self._known[self.stage, name] = self._loss_name(name)
        if not known or self._evaluated:
            return
        if type(value) is Tensor and not value.ndim:  # as nearly always, and at every step
            loss: Tensor | None = value
        else:
            loss = _as_loss(value, whole=self._batch is None)
        if loss is None:
            self.sightings[
                f"{known} was logged as {describe(value)} with no value for the batch"
            ] = None
            return
        self._add("logged", self._by_name[self._at, known][self._loader], loss, batch_size)

    def returned(self, outputs: object, *, scale: int = 1) -> None:
        """Take what a step returned, if it is a loss.

        Args:
            outputs: As it comes to the hook.
            scale: What Lightning has divided the training loss by, and nothing else beside it.
        """
        if not self._listens("outputs") or self.stage is None:
            return
        key = self.given.get(self.stage)
        loss = loss_in(outputs, key)
        if loss is None:
            self._see(outputs)
            return
        whole = scale == 1 or key not in (None, "loss")
        self._add("outputs", self._meter("outputs"), loss if whole else loss * scale, None)

    def meter(self, at: Pass, source: Source, loader: int = 0) -> LossMeter:
        """Give the meter of one source."""
        if source == "logged":
            named = self._by_name.get((at, self._name_of("train" if at == "train" else "val")), {})
            return named.setdefault(loader, LossMeter())
        return self._meters[at, source, loader]

    def train_meters(self) -> dict[tuple[Source, str], LossMeter]:
        """List the meters of the train side, with the name of each that is a logged one."""
        meters: dict[tuple[Source, str], LossMeter] = {}
        for (stage, source, _), meter in self._meters.items():
            if stage == "train":
                meters[source, ""] = meter
        for (stage, name), heard in self._by_name.items():
            if stage == "train":
                meters["logged", name] = heard[0]
        return meters

    def load(self, source: Source, name: str, rows: list[list[float]], ends: list[int]) -> None:
        """Continue a meter of the train side from its state."""
        if source == "logged":
            meters = self._by_name["train", name]
            meters.setdefault(0, LossMeter()).load(rows, ends)
        else:
            self.meter("train", source).load(rows, ends)

    def choose(self, train: Source, val: Source) -> None:
        """Listen to these from now on."""
        self.names = self.heard_names()
        self.listen({"train": train, "val": val})

    def listen(self, chosen: "dict[Stage, Source]") -> None:
        """Take the losses of these sources; of all where there are none."""
        self.chosen = chosen
        self._known.clear()

    def reset(self) -> None:
        """Begin a new window on both sides."""
        for meter in self._meters.values():
            meter.reset()
        for meters in self._by_name.values():
            for meter in meters.values():
                meter.reset()
        self.padding.reset()

    @property
    def notes(self) -> list[str]:
        """What is to be known of the numbers, by the sources that are listened to."""
        used = set(self.chosen.values()) or set(SOURCES)
        return list(dict.fromkeys(note for source, note in self._notes.items() if source in used))

    def heard_names(self) -> dict[Stage, str]:
        """Name the logged loss of each side, as far as this rank can tell."""
        return {stage: self._name_of(stage) for stage in STAGES}

    def _name_of(self, stage: Stage) -> str:
        """Name the logged loss of a side: as given, else what pairs with the other side's."""
        if stage in self.names:
            return self.names[stage]
        if self.agreed.get(stage):
            return self.agreed[stage]
        heard = {side: {name for at, name in self._by_name if at == side} for side in STAGES}
        train, val = ({self.given[side]} if side in self.given else heard[side] for side in STAGES)
        return chosen(train, val)[STAGES.index(stage)]

    def _listens(self, source: Source) -> bool:
        return self.stage is not None and self.chosen.get(self.stage, source) == source

    def _loss_name(self, name: str) -> str:
        """Read a name as that of a loss to listen to now, whichever the loader; "" for none."""
        name = name if name in self.given.values() else without_loader(name)
        wanted = self.stage and self._listens("logged") and self._could_be(self.stage, name)
        return name if wanted else ""

    def _could_be(self, stage: Stage, name: str) -> bool:
        if stage in self.names:
            return name == self.names[stage]
        read = read_name(name)
        asked = {read_name(given).stem for given in self.given.values()}
        return read.side in (stage, None) and (read.is_loss or read.stem in asked)

    def _meter(self, source: Source) -> LossMeter:
        return self._meters[self._at, source, self._loader]

    def _add(
        self, source: Source, meter: LossMeter, loss: Tensor, n: "float | Tensor | None"
    ) -> None:
        if type(loss) is not Tensor and hasattr(loss, "full_tensor"):
            loss = loss.full_tensor()
        if not loss.ndim:
            meter.add(loss, self._samples(source) if n is None else n)
        else:
            self._add_several(source, meter, loss, n)

    def _add_several(
        self, source: Source, meter: LossMeter, loss: Tensor, n: "float | Tensor | None"
    ) -> None:
        if loss.numel() == 1:
            n = self._samples(source) if n is None else n
            if not _is_one(n):  # a mean may come as (1,) too
                meter.add(loss.reshape(()), n)
                return
        if loss.numel():
            loss, weight = (loss, 1.0) if loss.ndim == 1 and n is None else _per_sample(loss, n)
            if self._at == "val":
                loss = self.padding.without(loss, self._loader)
            meter.add(loss, weight)

    def _samples(self, source: Source) -> "float | Tensor":
        if self._batch is None:
            return 1.0
        if self._count is not None:
            return _counted(self._count(self._batch))
        # What a batch looks like is settled with the sources; then one look is enough.
        sizes = first_sizes(self._batch, most=1 if self.chosen else None)
        if not sizes:
            self._note(source, f"{describe(self._batch)} does not show how many samples it has")
            return 1.0
        if len(sizes) > 1 and len(set(sizes)) > 1:
            self._note(source, f"tensors with the first sizes {sorted(set(sizes))} in one batch")
        return float(sizes[0])

    def _note(self, source: Source, found: str) -> None:
        note = (
            f"Batch sizes were guessed: {found}. Say how many samples a batch has, with "
            "GapMonitor(count=...), self.log(..., batch_size=...) or self.track_loss(loss, n=...)."
        )
        self._notes.setdefault(source, note)  # batches of many sizes are one finding

    def _see(self, outputs: object) -> None:
        if len(self.sightings) >= _MOST_SIGHTINGS:
            return
        step = "training" if self.stage == "train" else "validation"
        self.sightings[f"{step}_step returned {describe(outputs)}"] = None


def _per_sample(losses: Tensor, n: "float | Tensor | None") -> "tuple[Tensor, float | Tensor]":
    """Bring losses to one a sample, `(samples,)`, with what each one stands for."""
    elements = losses.numel() / len(losses)
    if losses.ndim > 1:
        losses = losses.flatten(1).to(wide_dtype(losses.device)).mean(1)
    return losses, elements if n is None else n / len(losses)


def _is_one(n: "float | Tensor") -> bool:
    return not isinstance(n, Tensor) and n == 1


def _counted(n: object) -> "float | Tensor":
    if isinstance(n, Tensor) and n.numel() == 1:
        return n.detach().reshape(())
    if isinstance(n, Real):
        return float(n)
    msg = (
        f"Found GapMonitor(count=...) that returned {describe(n)}; expected the number of samples "
        "in the batch, such as count=lambda batch: len(batch[0])."
    )
    raise ConfigurationError(msg)


def _as_loss(value: object, *, whole: bool) -> Tensor | None:
    """Read a logged value: a number, a tensor of one, or a metric's value.

    Of a metric it is that for this batch, or for the whole validation once all batches are seen.
    """
    if isinstance(value, Tensor):
        if value.numel() != 1:
            return None
        return value.reshape(()) if value.ndim else value
    if isinstance(value, (int, float)):
        return torch.tensor(float(value), dtype=torch.float64)
    if isinstance(value, Metric):  # it keeps what forward returned, and what it computed
        kept = value.compute() if whole else value._forward_cache  # noqa: SLF001
        return None if isinstance(kept, Metric) else _as_loss(kept, whole=whole)
    return None
