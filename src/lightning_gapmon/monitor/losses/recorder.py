"""Every loss that can be heard in a window, by where it comes from and by side."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from lightning_gapmon.analysis.loss_names import Side, without_loader
from lightning_gapmon.collect.meter.meter import LossMeter
from lightning_gapmon.monitor.losses.batch_size import BatchSize, BatchSizes, per_sample
from lightning_gapmon.monitor.losses.logged_name import Heard, choose, could_be
from lightning_gapmon.monitor.losses.logged_value import (
    LoggedValues,
    computes,
    described,
    says_more_is_better,
)
from lightning_gapmon.monitor.losses.padding import Padding
from lightning_gapmon.monitor.losses.step_output import describe, loss_in
from lightning_gapmon.monitor.losses.watched import SOURCES, Names, Source, Watched

if TYPE_CHECKING:
    from torchmetrics import Metric

Pass = Literal["train", "val", "probe"]
_MOST_SIGHTINGS = 5
_MEANS = ("mean", "avg", torch.mean)
_NOTHING = LossMeter()
_UNKNOWN = torch.tensor(torch.nan)  # the loss of a batch that only its metric knows


class Recorder:
    """The losses of one fit, on this rank.

    Until a check has shown where both sides have a loss, everything that may be one is kept;
    from then on only what is watched.

    Args:
        given: The logged names (or keys of step outputs) that were asked for, by side.
        batch_size: Gives the samples of a batch, where that cannot be guessed.
        is_loss: Whether the user has said that what is watched is a loss.

    Attributes:
        padding: Which validation samples are repeats.
        logged_names: Every name that the module has logged.
        sightings: What came from a step and could not be taken for a loss, in words.
        scores: What was logged under the name of a loss and is none, in words.
        metrics: Metrics that were logged as a validation loss, by name and loader: what they
            compute of all batches is the loss.
        steps: How many training steps the window has.
        began: Whether there was any step.
        lingers: Whether others than the module may log of a step once it has ended.
    """

    def __init__(
        self, given: Names, batch_size: BatchSize | None = None, *, is_loss: bool = False
    ) -> None:
        self.given = dict(given)
        self.padding = Padding()
        self.logged_names: set[str] = set()
        self.sightings: dict[str, None] = {}
        self.scores: dict[str, None] = {}
        self.metrics: dict[tuple[str, int], Metric] = {}
        self.steps = 0
        self.lingers = False
        self._is_loss = is_loss
        self._reduced_by: dict[str, None] = {}
        self._values = LoggedValues()
        self._batch_sizes = BatchSizes(batch_size)
        self._names: dict[Side, str] = dict(given)
        self._sources: dict[Side, Source] = {}
        self._known: dict[tuple[Side | None, str], str] = {}
        self._meters: dict[tuple[Pass, Source, str, int], LossMeter] = defaultdict(LossMeter)
        self._at: Pass = "train"
        self._side: Side | None = None
        self._batch: object = None
        self._size: float | Tensor | None = None
        self._loader = 0
        self._evaluated = self._is_whole = self.began = False

    # Lightning enters and leaves a step in two hooks, which no `with` can span: hence a pair.
    def begin(self, at: Pass, batch: object, loader: int = 0) -> None:
        """Enter a step; the probe listens to what validation listens to."""
        self._at, self._side = at, "train" if at == "train" else "val"
        self._batch, self._loader = batch, loader
        self._size, self._evaluated, self.began = None, False, True
        self.steps += at == "train"
        if at == "val":
            self.padding.begin_batch(loader)

    def over(self) -> None:
        """Leave a step, but hear what others say of it until the next one, or the end."""
        if self.lingers and self._side is not None:
            self._size, self._batch = self._samples("logged"), None  # no batch is kept alive
            self._evaluated = False
        else:
            self.end()

    def end(self) -> None:
        """Leave a step, and hear nothing more."""
        self._side = self._batch = None
        self._is_whole = False

    def await_whole(self) -> None:
        """Hear what the module says of a validation as a whole, once all its batches are seen."""
        self.begin("val", None)
        self._is_whole, self._size = True, 1.0

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

    def logged(self, name: str, value: object, settings: Mapping[str, Any]) -> None:
        """Take a value that the module logged, if it is a loss of the side that is running.

        Args:
            name: Its name.
            value: A number, a tensor or a metric.
            settings: What else `log` was called with, by name.
        """
        self.logged_names.add(name)
        known = self._known.get((self._side, name))
        if known is None:
            known = self._known[self._side, name] = self._loss_name(name)
        if not known or self._evaluated:
            return
        batch_size = settings.get("batch_size")
        if type(value) is Tensor and not value.ndim:  # as nearly always, and at every step
            loss: Tensor | None = value
        elif says_more_is_better(value) and not self._is_loss:
            self.scores[described(name, value)] = None
            return
        else:
            loss, weight = self._values.read(value, whole=self._is_whole)
            batch_size = batch_size if weight is None else weight
            if self._at == "val" and computes(value) and not self._is_whole:
                self.metrics[known, self._loader] = value
                loss = _UNKNOWN if loss is None else loss
        if loss is None:
            self.sightings[f"{described(known, value)} with no value for the batch"] = None
            return
        if settings.get("reduce_fx", "mean") not in _MEANS:
            self._reduced_by[f"{known} is logged with reduce_fx={settings['reduce_fx']!r}"] = None
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
        """Take nothing but these losses from now on; all that may be one, while one is lost."""
        self._known.clear()
        self._sources, self._names = {}, dict(self.given)
        if watched.settled and watched.train and watched.val:
            self._sources = {"train": watched.train, "val": watched.val}
            self._names = dict(watched.names)
            self._batch_sizes.settle()

    def names(self, heard: Heard | None = None) -> dict[Side, str]:
        """Name the logged loss of each side, by what was heard: by default on this rank.

        As asked for or settled, else the two that are the same loss on the two sides; "" where
        that is not clear.
        """
        heard = self.heard() if heard is None else heard
        return choose(self._names, heard)

    def heard(self) -> Heard:
        """List the names under which this rank has heard what may be a loss, by side."""
        found: dict[Side, set[str]] = {"train": set(), "val": set()}
        for (at, source, name, _), meter in self._meters.items():
            if source == "logged" and at != "probe" and meter.batches:
                found[at].add(name)
        return found

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
        self.reset_val()
        for meter in self._meters.values():
            meter.reset()
        self.steps = 0

    def forget(self) -> None:
        """Begin a fit's first window, as if nothing had been heard before it."""
        self.reset()
        for said in (self.sightings, self.scores, self._reduced_by):
            said.clear()

    def reset_val(self) -> None:
        """Begin a new validation in the window that goes on."""
        for (at, *_), meter in self._meters.items():
            if at != "train":
                meter.reset()
        self.metrics.clear()
        self.padding.reset()

    def doubts(self) -> list[str]:
        """Say what is doubtful about the losses that are taken."""
        sums = (f"{found}; here it is a mean over samples." for found in self._reduced_by)
        return [*self._batch_sizes.doubts(set(self._sources.values()) or SOURCES), *sums]

    def _listens(self, source: Source) -> bool:
        return self._side is not None and self._sources.get(self._side, source) == source

    def _loss_name(self, name: str) -> str:
        """Read a name as that of a loss to listen to now, whichever the loader; "" for none."""
        name = without_loader(name)
        side = self._side if self._listens("logged") else None
        return name if side and could_be(name, side, self._names, self.given) else ""

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
            loss, weight = (loss, 1.0) if one_each else per_sample(loss, batch_size)
            if self._at == "val":
                loss = self.padding.without(loss, self._loader)
            meter.add(loss, weight)

    def _samples(self, source: Source) -> "float | Tensor":
        return self._batch_sizes.of(self._batch, source) if self._size is None else self._size

    def _see(self, outputs: object) -> None:
        if len(self.sightings) >= _MOST_SIGHTINGS:
            return
        step = "training" if self._side == "train" else "validation"
        self.sightings[f"{step}_step returned {describe(outputs)}"] = None
