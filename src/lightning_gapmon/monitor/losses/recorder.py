"""Every loss that can be heard in a window, by where it comes from and by side."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor
from torchmetrics import Metric

from lightning_gapmon.analysis.loss_names import (
    Side,
    are_rivals,
    chosen,
    read_name,
    without_loader,
)
from lightning_gapmon.board.tags import Tags
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.collect.meter.rows import wide_dtype
from lightning_gapmon.monitor.losses.batch_size import BatchSize, BatchSizes
from lightning_gapmon.monitor.losses.padding import Padding
from lightning_gapmon.monitor.losses.step_output import describe, loss_in
from lightning_gapmon.monitor.losses.watched import SIDES, SOURCES, Names, Source, Watched

Pass = Literal["train", "val", "probe"]
_MOST_SIGHTINGS = 5
_NOTHING = LossMeter()


class Recorder:
    """The losses of one fit, on this rank.

    Until a check has shown where both sides have a loss, everything that may be one is kept;
    from then on only what is watched.

    Args:
        given: The logged names (or keys of step outputs) that were asked for, by side.
        batch_size: Gives the samples of a batch, where that cannot be guessed.

    Attributes:
        padding: Which validation samples are repeats.
        logged_names: Every name that the module has logged.
        sightings: What came from a step and could not be taken for a loss, in words.
    """

    def __init__(self, given: Names, batch_size: BatchSize | None = None) -> None:
        self.given = dict(given)
        self.padding = Padding()
        self.logged_names: set[str] = set()
        self.sightings: dict[str, None] = {}
        self._batch_sizes = BatchSizes(batch_size)
        self._names: dict[Side, str] = dict(given)
        self._sources: dict[Side, Source] = {}
        self._known: dict[tuple[Side | None, str], str] = {}
        self._meters: dict[tuple[Pass, Source, str, int], LossMeter] = defaultdict(LossMeter)
        self._at: Pass = "train"
        self._side: Side | None = None
        self._batch: object = None
        self._loader = 0
        self._evaluated = False

    # Lightning enters and leaves a step in two hooks, which no `with` can span: hence a pair.
    def begin(self, at: Pass, batch: object, loader: int = 0) -> None:
        """Enter a step; the probe listens to what validation listens to."""
        self._at, self._side = at, "train" if at == "train" else "val"
        self._batch, self._loader = batch, loader
        self._evaluated = False
        if at == "val":
            self.padding.begin_batch(loader)

    def end(self) -> None:
        """Leave a step."""
        self._side = self._batch = None

    @contextmanager
    def step(self, at: Pass, batch: object) -> Iterator[None]:
        """Enter a step and leave it, where one function does both."""
        self.begin(at, batch)
        try:
            yield
        finally:
            self.end()

    def evaluated(self) -> None:
        """Take nothing more of this step: what follows evaluates the same batch again.

        An optimiser such as LBFGS does so many times; the first loss is the one at the weights
        before the step, as it is with every other.
        """
        self._evaluated = True

    def track(self, loss: Tensor, batch_size: "float | Tensor | None") -> None:
        """Take a loss that the mixin was given, a mean or one a sample."""
        if self._listens("mixin") and not self.given and not self._evaluated:
            self._add("mixin", "", loss, batch_size)

    def logged(self, name: str, value: object, batch_size: int | None) -> None:
        """Take a value that the module logged, if it is a loss of the side that is running."""
        self.logged_names.add(name)
        known = self._known.get((self._side, name))
        if known is None:
            known = self._known[self._side, name] = self._loss_name(name)
        if not known or self._evaluated:
            return
        if type(value) is Tensor and not value.ndim:  # as nearly always, and at every step
            loss: Tensor | None = value
        else:
            loss = _as_loss(value, whole=self._batch is None)
        if loss is None:
            seen = f"{known} was logged as {describe(value)} with no value for the batch"
            self.sightings[seen] = None
            return
        self._add("logged", known, loss, batch_size)

    def returned(self, outputs: object, *, scale: int = 1) -> None:
        """Take what a step returned, if it is a loss.

        Args:
            outputs: As it comes to the hook.
            scale: What Lightning has divided the training loss by, and nothing else beside it.
        """
        side = self._side
        if side is None or self._sources.get(side, "outputs") != "outputs":
            return
        key = self.given.get(side)
        loss = loss_in(outputs, key)
        if loss is None:
            self._see(outputs)
            return
        whole = scale == 1 or key not in (None, "loss")
        self._add("outputs", "", loss if whole else loss * scale, None)

    def watch(self, watched: Watched) -> None:
        """Take nothing but these losses from now on."""
        if watched.train and watched.val:
            self._sources = {"train": watched.train, "val": watched.val}
            self._names = dict(watched.names)
            self._batch_sizes.settle()
            self._known.clear()

    def names(self) -> dict[Side, str]:
        """Name the logged loss of each side, as far as this rank can tell.

        As asked for or settled, else the two that are the same loss on the two sides; "" where
        that is not clear.
        """
        heard = self._heard()
        train, val = (
            {self._names[side]} if side in self._names else heard[side] for side in SIDES
        )
        return {**dict(zip(SIDES, chosen(train, val), strict=True)), **self._names}

    @property
    def hears_rivals(self) -> bool:
        """Whether a side logs several losses of which none is called the total."""
        ours = set(Tags().names())
        return any(are_rivals(names - ours) for names in self._heard().values())

    def _heard(self) -> dict[Side, set[str]]:
        """Give the logged losses of each side that may be the one."""
        heard: dict[Side, set[str]] = {"train": set(), "val": set()}
        for at, source, name, _ in self._meters:
            if source == "logged" and at != "probe":
                heard[at].add(name)
        return heard

    def meter(
        self, at: Pass, source: Source, loader: int = 0, *, names: Names | None = None
    ) -> LossMeter:
        """Give the meter of one source, empty where nothing has been heard.

        Args:
            at: In which steps.
            source: Where from.
            loader: Of which validation loader.
            names: What the logged losses are called; by default as this rank can tell.
        """
        name = ""
        if source == "logged":
            name = (self.names() if names is None else names)["train" if at == "train" else "val"]
        return self._meters.get((at, source, name, loader), _NOTHING)

    def window(self) -> dict[tuple[Source, str], LossMeter]:
        """List the meters of the train side, with the name of each that is a logged one."""
        meters = self._meters.items()
        return {(source, name): meter for (at, source, name, _), meter in meters if at == "train"}

    def load(self, source: Source, name: str, rows: list[list[float]], ends: list[int]) -> None:
        """Continue a meter of the train side from its state."""
        self._meters["train", source, name, 0].load(rows, ends)

    def reset(self) -> None:
        """Begin a new window on both sides."""
        for meter in self._meters.values():
            meter.reset()
        self.padding.reset()

    def doubts(self) -> list[str]:
        """Say what was doubtful about the batch sizes of the losses that are taken."""
        return self._batch_sizes.doubts(set(self._sources.values()) or SOURCES)

    def _listens(self, source: Source) -> bool:
        return self._side is not None and self._sources.get(self._side, source) == source

    def _loss_name(self, name: str) -> str:
        """Read a name as that of a loss to listen to now, whichever the loader; "" for none."""
        name = name if name in self.given.values() else without_loader(name)
        wanted = self._side and self._listens("logged") and self._could_be(self._side, name)
        return name if wanted else ""

    def _could_be(self, side: Side, name: str) -> bool:
        if side in self._names:
            return name == self._names[side]
        read = read_name(name)
        asked = {read_name(given).stem for given in self.given.values()}
        return read.side in (side, None) and (read.is_loss or read.stem in asked)

    def _add(
        self, source: Source, name: str, loss: Tensor, batch_size: "float | Tensor | None"
    ) -> None:
        meter = self._meters[self._at, source, name, self._loader]
        if type(loss) is not Tensor and hasattr(loss, "full_tensor"):
            loss = loss.full_tensor()
        if not loss.ndim or source != "mixin":  # elsewhere a single number is a mean, (1,) or ()
            loss = loss.reshape(()) if loss.ndim else loss
            meter.add(loss, self._samples(source) if batch_size is None else batch_size)
        else:
            self._add_several(meter, loss, batch_size)

    def _add_several(
        self, meter: LossMeter, loss: Tensor, batch_size: "float | Tensor | None"
    ) -> None:
        if loss.numel():
            one_each = loss.ndim == 1 and batch_size is None
            loss, weight = (loss, 1.0) if one_each else _per_sample(loss, batch_size)
            if self._at == "val":
                loss = self.padding.without(loss, self._loader)
            meter.add(loss, weight)

    def _samples(self, source: Source) -> "float | Tensor":
        return 1.0 if self._batch is None else self._batch_sizes.of(self._batch, source)

    def _see(self, outputs: object) -> None:
        if len(self.sightings) >= _MOST_SIGHTINGS:
            return
        step = "training" if self._side == "train" else "validation"
        self.sightings[f"{step}_step returned {describe(outputs)}"] = None


def _per_sample(
    losses: Tensor, batch_size: "float | Tensor | None"
) -> "tuple[Tensor, float | Tensor]":
    """Bring losses to one a sample, `(samples,)`, with what each one stands for."""
    elements = losses.numel() / len(losses)
    if losses.ndim > 1:
        losses = losses.flatten(1).to(wide_dtype(losses.device)).mean(1)
    return losses, elements if batch_size is None else batch_size / len(losses)


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
    if isinstance(value, Metric):  # it holds what forward returned, and what it computed
        found = value.compute() if whole else value._forward_cache  # noqa: SLF001
        return None if isinstance(found, Metric) else _as_loss(found, whole=whole)
    return None
