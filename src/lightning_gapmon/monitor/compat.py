"""All that depends on how Lightning is built inside, each with the version it was read from."""

import inspect
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from lightning_gapmon.monitor.packages import ATTACHED, CheckpointBase, MonitorBase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lightning.pytorch import Callback, LightningModule, Trainer


class RankedCheckpoint(CheckpointBase):
    """A `ModelCheckpoint` that saves when it is told to, ranked by numbers of its own.

    Overrides `ModelCheckpoint._monitor_candidates` and calls `_save_topk_checkpoint` and
    `_save_last_checkpoint`, which it calls by itself in `on_validation_end`, at the steps that
    count as saved, and in `on_train_end`, where nothing else was; read from 2.4.0 and 2.6.6.
    """

    def ranks(self, logged: "Mapping[str, Tensor]") -> dict[str, Tensor]:
        """Give the numbers that stand in for logged ones, or for those that are not logged."""
        return {}

    def save_ranked(self, trainer: "Trainer") -> None:
        """Save if it is among the best; where nothing is monitored, as the only one."""
        self._save_topk_checkpoint(trainer, self._monitor_candidates(trainer))

    def save_latest(self, trainer: "Trainer") -> None:
        """Save `last.ckpt`, if it is wanted: always what is now, and no copy of the best."""
        self._save_last_checkpoint(trainer, self._monitor_candidates(trainer))

    def on_validation_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Save nothing unless told to."""

    def on_train_end(self, trainer: "Trainer", pl_module: "LightningModule") -> None:
        """Save nothing unless told to."""

    @property
    def has_saved(self) -> bool:
        """Whether this fit has saved anything."""
        return bool(self._last_checkpoint_saved)

    def forget_saved(self) -> None:
        """Begin a fit in which nothing has been saved."""
        self._last_checkpoint_saved = ""

    def is_there(self, path: str) -> bool:
        """Tell whether there is a file, or a folder of a sharded checkpoint."""
        return bool(self._fs.exists(path))

    def _monitor_candidates(self, trainer: "Trainer") -> dict[str, Tensor]:
        logged = super()._monitor_candidates(trainer)
        return {**logged, **self.ranks(logged)}


def batches_trained(trainer: "Trainer", *, of_epoch: bool = False) -> int:
    """Count the batches that were trained on, resumed runs added up, in all or of this epoch.

    Steps are no measure where a module steps its optimisers by itself. Read from
    `_TrainingEpochLoop.batch_progress`, 2.4.0 and 2.6.6.
    """
    progress = trainer.fit_loop.epoch_loop.batch_progress
    return int((progress.current if of_epoch else progress.total).ready)


def begin_validation_again(trainer: "Trainer") -> bool:
    """Let a validation that a checkpoint has cut in two be read as a whole; tell if there is one.

    Lightning would count the batches that were read before as read, and then read as many as are
    left from the loader's beginning: a mean over some, and over others twice. Read from
    `_EvaluationLoop.reset`, which takes the loaded progress, 2.4.0 and 2.6.6.
    """
    loop = trainer.fit_loop.epoch_loop.val_loop
    done, begun = loop.batch_progress.current.completed, loop.batch_progress.current.ready
    batches = sum(trainer.num_val_batches)
    is_cut = begun > done or 0 < done < batches < math.inf
    if not (loop.restarting and is_cut):
        return False
    loop.batch_progress.reset_on_run()
    return True


def steps_by_itself(trainer: "Trainer") -> bool:
    """Tell whether the module steps several optimisers by itself, as that of a GAN does."""
    return len(trainer.optimizers) > 1 and not trainer.lightning_module.automatic_optimization


def let_last_be_found() -> None:
    """Let `ckpt_path="last"` look where a checkpoint that a monitor brings keeps its files, too.

    Lightning looks for the latest file before any `setup`, and so before the monitor's checkpoint
    stands in for the Trainer's own, whose `_find_last_checkpoints` it asks instead. That method
    of `ModelCheckpoint` is told to ask ours too; without a monitor nothing is other than before.
    Read from `_CheckpointConnector._parse_ckpt_path`, 2.4.0 and 2.6.6.
    """
    for kind in CheckpointBase.__bases__:
        stock = kind._find_last_checkpoints  # type: ignore[attr-defined]  # noqa: SLF001
        if not hasattr(stock, "asks_monitors"):
            kind._find_last_checkpoints = _asking_monitors(stock)  # type: ignore[attr-defined]  # noqa: SLF001


def _asking_monitors(stock: "Callable[[Any, Trainer], set[str]]") -> Any:  # noqa: ANN401
    def find(self: Any, trainer: "Trainer") -> set[str]:  # noqa: ANN401 - a ModelCheckpoint
        brought = [getattr(monitor, "checkpoint", None) for monitor in monitors(trainer)]
        others = [one for one in brought if isinstance(one, CheckpointBase) and one is not self]
        return stock(self, trainer).union(*(stock(one, trainer) for one in others))

    find.asks_monitors = True  # type: ignore[attr-defined]
    return find


def is_checking(trainer: "Trainer") -> bool:
    """Tell whether a validation is a check: inside fit, and not the sanity check.

    Type checkers do not see that `state` is always there; 2.4.0 and 2.6.6.
    """
    return trainer.state.fn == "fit" and not trainer.sanity_checking


def may_stop(trainer: "Trainer") -> bool:
    """Tell whether a stop that is asked for now is carried out now.

    Lightning keeps a stop that is asked for too early and carries it out later, whatever the
    losses do in between. Read from `FitLoop._can_stop_early`, 2.4.0 and 2.6.6: an epoch counts
    as done when its last batch is.
    """
    loop = trainer.fit_loop
    progress: Any = loop.epoch_progress.current
    epochs = progress.processed + loop.epoch_loop.batch_progress.is_last_batch
    enough_epochs = not trainer.min_epochs or epochs >= trainer.min_epochs
    return enough_epochs and (not trainer.min_steps or trainer.global_step >= trainer.min_steps)


def trainer_callbacks(trainer: "Trainer") -> list["Callback"]:
    """Give the Trainer's own list of callbacks.

    Public, but set where type checkers do not look; 2.4.0 and 2.6.6.
    """
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return callbacks


def monitors(trainer: "Trainer") -> list["Callback"]:
    """List the monitors of a Trainer."""
    return [one for one in trainer_callbacks(trainer) if isinstance(one, MonitorBase)]


def go_first(trainer: "Trainer", callback: "Callback") -> None:
    """Move a callback to the front of the Trainer's list.

    There it sees a validation's end while averaged weights are still in the module, and what it
    publishes is there for all others. Safe in its own `setup`, which walks that list.
    """
    callbacks = trainer_callbacks(trainer)
    callbacks.remove(callback)
    callbacks.insert(0, callback)


class DataParallel(NamedTuple):
    """This rank's place among those that hold data of their own.

    Attributes:
        rank: Its number.
        size: How many there are: fewer than ranks where several (of tensor parallelism) share.
    """

    rank: int
    size: int


def data_parallel(trainer: "Trainer") -> DataParallel:
    """Tell this rank's place among those that hold data of their own.

    Public, but only parallel strategies have it; 2.4.0 and 2.6.6.
    """
    sampling = getattr(trainer.strategy, "distributed_sampler_kwargs", None) or {}
    return DataParallel(
        sampling.get("rank", trainer.global_rank), sampling.get("num_replicas", trainer.world_size)
    )


def load_weights(trainer: "Trainer", path: str) -> None:
    """Load a checkpoint's weights into the module, whatever the strategy.

    `Strategy.load_checkpoint` takes `weights_only` from 2.6.0 on; the file is this run's own.
    """
    strategy = trainer.strategy
    takes = inspect.signature(strategy.load_checkpoint).parameters
    trusted = {"weights_only": False} if "weights_only" in takes else {}
    strategy.load_model_state_dict(strategy.load_checkpoint(path, **trusted))


def is_dry_run(trainer: "Trainer") -> bool:
    """Tell whether nothing is to be written: `fast_dev_run`, which type checkers do not see."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]


def to_device(trainer: "Trainer", module: "LightningModule", batch: Any) -> Any:  # noqa: ANN401
    """Bring a batch to the device with all hooks, as Lightning's own loops do.

    Read from `_EvaluationLoop._evaluation_step` and `_DataFetcher`, 2.4.0 and 2.6.6.
    """
    batch = trainer.precision_plugin.convert_input(batch)
    batch = module._on_before_batch_transfer(batch, dataloader_idx=0)  # noqa: SLF001
    return trainer.strategy.batch_to_device(batch, dataloader_idx=0)


def own_sampler(loader: object) -> object:
    """Give the sampler that a loader has, or had before Lightning shared its samples out to ranks.

    Read from `DistributedSamplerWrapper`, 2.4.0 and 2.6.6.
    """
    sampler = getattr(loader, "sampler", None)
    return getattr(getattr(sampler, "dataset", None), "_sampler", sampler)


def logged_step(trainer: "Trainer") -> int:
    """Give the step at which Lightning logs right now.

    Read from `_LoggerConnector.log_metrics`, 2.4.0 and 2.6.6.
    """
    return int(getattr(trainer.fit_loop.epoch_loop, "_batches_that_stepped", trainer.global_step))


def fills_hp_metric(logger: object) -> bool:
    """Tell whether a TensorBoard logger has the column `hp_metric`, -1 until it is logged.

    Read from `TensorBoardLogger.log_hyperparams`, 2.4.0 and 2.6.6.
    """
    return bool(getattr(logger, "_default_hp_metric", False))


def is_untouched_default(checkpoint: object) -> bool:
    """Tell whether a checkpoint callback is what a Trainer brings by itself.

    The Trainer does not keep who brought it; one that has every default is taken for its own.
    """
    kinds = [kind for kind in CheckpointBase.__bases__ if type(checkpoint) is kind]
    return bool(kinds) and _settings(checkpoint) == _settings(kinds[0]())


def _settings(checkpoint: object) -> dict[str, Any]:
    apart = ("kth_value", *ATTACHED)
    return {name: value for name, value in vars(checkpoint).items() if name not in apart}
