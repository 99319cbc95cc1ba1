"""One real fit as a script: the same for every strategy, on CPU, on GPU and on CI.

    python tests/fit_script.py --strategy ddp --devices 2 --accelerator cpu --out FOLDER

Each rank leaves `FOLDER/rank<R>.json`: what its monitor, its module and a witness of its own saw.
The train loss falls to nothing while the validation loss has its least on the way: the validation
targets are half of the training targets. All is deterministic: a resumed run can be compared with
an uninterrupted one to the last bit.
"""

import argparse
import os
import signal
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy, ModelParallelStrategy, Strategy
from tests.strategies.witness import Counted, Witness, known, write
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapCheckpoint, GapMonitorMixin, Patience

TRAIN, VAL, BATCH = 22, 13, 3  # two ranks: 11 training samples each; one repeat in validation
EPOCHS = 20
MESH_STRATEGIES = {"fsdp2": (0, 1), "tp": (1, 0), "fsdp2_tp": (2, 2)}


def data(samples: int, *, factor: float, batch_size: int = BATCH) -> DataLoader[Any]:
    """Make samples of a linear rule, numbered."""
    x = torch.randn(samples, 4, generator=torch.Generator().manual_seed(samples))
    y = factor * x.sum(1, keepdim=True)
    return DataLoader(TensorDataset(x, y, torch.arange(samples)), batch_size=batch_size)


class Notes(list[dict[str, Any]]):
    """What was heard, the probe's too: that is taken out of a module's plain lists again."""


class Net(GapMonitorMixin, pl.LightningModule):
    """Two layers, made parallel as the strategy asks; writes down each sample's loss."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__()
        self.options = options
        # Two linear layers without bias: losses move smoothly.
        self.net = nn.Sequential(nn.Linear(4, 8, bias=False), nn.Linear(8, 1, bias=False))
        weights = torch.Generator().manual_seed(0)
        for parameter in self.net.parameters():
            with torch.no_grad():
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=weights))
        self.losses: list[dict[str, Any]] = Notes()

    def configure_model(self) -> None:
        """Shard what is to be sharded."""
        mesh = self.device_mesh
        if mesh is None or any(isinstance(p, DTensor) for p in self.parameters()):
            return
        if mesh["tensor_parallel"].size() > 1:
            last = RowwiseParallel(output_layouts=Replicate(), use_local_output=False)
            parallelize_module(
                self.net, mesh["tensor_parallel"], {"0": ColwiseParallel(), "1": last}
            )
        if mesh["data_parallel"].size() > 1:
            fully_shard(self.net, mesh=mesh["data_parallel"])

    def loss_step(self, batch: list[Tensor]) -> Tensor:
        """Compute one loss a sample: a DTensor under tensor parallel."""
        x, y, numbers = batch
        out = self.net(x)
        if isinstance(out, DTensor):
            y = DTensor.from_local(y, out.device_mesh, [Replicate()])
        losses: Tensor = (out - y).square().mean(1)
        self._note(losses, numbers)
        fault(self, numbers)
        if self._hit("nan"):
            losses = losses * torch.nan
        return losses

    def _note(self, losses: Tensor, numbers: Tensor) -> None:
        if not self.trainer.sanity_checking:
            full = losses.full_tensor() if isinstance(losses, DTensor) else losses
            step: dict[str, Any] = {"train": self.training, "epoch": self.current_epoch}
            step |= {"numbers": numbers.tolist(), "losses": full.double().tolist()}
            self.losses.append(step)

    def _hit(self, fault: str) -> bool:
        options = self.options
        return (
            options.fault == fault
            and not self.training
            and self.current_epoch == options.fault_epoch
            and self.global_rank == options.fault_rank
        )

    def validation_step(self, batch: Any, *_: Any) -> Tensor:  # noqa: ANN401
        """Log as users do, beside the mixin."""
        loss = super().validation_step(batch)
        plain = loss.full_tensor() if isinstance(loss, DTensor) else loss
        self.log("val_loss", plain, sync_dist=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Take momentum along: it has to survive a resume."""
        return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.5)


def fault(module: Net, numbers: Tensor) -> None:
    """Raise or die where that was asked for."""
    if module._hit("raise"):
        msg = f"rank {module.global_rank} gives up at samples {numbers.tolist()}"
        raise ArithmeticError(msg)
    marker = module.options.out / "killed"
    if module._hit("kill") and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


class CPUFSDP(FSDPStrategy):
    """FSDP1 on CPU, for tests: Lightning and torch both refuse it unless they are told."""

    def __init__(self) -> None:
        super().__init__(process_group_backend="gloo", state_dict_type="sharded")

    def model_sharded_context(self) -> Any:  # noqa: ANN401 - any context will do
        """Wrap nothing early: that, too, asks for a device of its own."""
        return nullcontext()

    def _setup_model(self, model: nn.Module) -> nn.Module:
        from torch.distributed.fsdp import FullyShardedDataParallel  # noqa: PLC0415

        cpu = torch.device("cpu")
        return FullyShardedDataParallel(model, device_id=cpu, **self.kwargs)

    def _determine_device_ids(self) -> list[int]:
        return []


def strategy_of(options: argparse.Namespace) -> Strategy | str:
    """Make the strategy that was asked for by name."""
    name, ranks = options.strategy, options.devices * options.num_nodes
    if name in MESH_STRATEGIES:
        data_parallel, tensor_parallel = (size or ranks for size in MESH_STRATEGIES[name])
        return ModelParallelStrategy(
            data_parallel_size=data_parallel, tensor_parallel_size=tensor_parallel
        )
    if name == "fsdp" and options.accelerator == "cpu":
        return CPUFSDP()
    if name == "ddp_gloo_one_gpu":
        same = [torch.device("cuda", 0)] * options.devices
        return DDPStrategy(parallel_devices=same, process_group_backend="gloo")
    return str(name)


def trainer_for(options: argparse.Namespace, **settings: Any) -> pl.Trainer:  # noqa: ANN401 - a Trainer's own
    """Make a Trainer for the strategy, devices and precision that were asked for."""
    return pl.Trainer(
        strategy=strategy_of(options),
        devices="auto" if options.strategy == "ddp_gloo_one_gpu" else options.devices,
        num_nodes=options.num_nodes,
        accelerator=options.accelerator,
        precision=options.precision,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def fit(
    options: argparse.Namespace,
    name: str,
    *,
    epochs: int = EPOCHS,
    resume: Path | None = None,
    probe: int | None = None,
) -> tuple[Counted, pl.Trainer]:
    """Fit once, under a name of its own."""
    checkpoint = GapCheckpoint(dirpath=options.shared / name, filename="best-{epoch}")
    end = pl.callbacks.ModelCheckpoint(
        dirpath=options.shared / name,
        filename="end",
        enable_version_counter=False,
        save_on_train_epoch_end=True,
    )
    monitor = Counted(stop=Patience(2), checkpoint=checkpoint, restore_best=True, probe=probe)
    trainer = trainer_for(
        options,
        max_epochs=epochs,
        callbacks=[checkpoint, monitor, Witness(monitor, options.out / name), end],
        logger=pl.loggers.CSVLogger(options.out, name="logs", version=name),
        num_sanity_val_steps=1,
        log_every_n_steps=1,
    )
    module = Net(options)
    if options.compile:
        module.net.compile()
    loaders = data(TRAIN, factor=1.0), data(options.val_samples, factor=0.5)
    trainer.fit(module, *loaders, ckpt_path=resume)
    return monitor, trainer


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategy", default="auto")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--num-nodes", type=int, default=1)
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--out", type=Path, required=True, help="results and logs")
    parser.add_argument("--shared", type=Path, help="checkpoints; by default in --out")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--val-samples", type=int, default=VAL)
    parser.add_argument("--only-whole", action="store_true", help="the first of the three fits")
    parser.add_argument("--resume", action="store_true", help="from the last checkpoint, if any")
    parser.add_argument("--fault", choices=["none", "raise", "kill", "nan"], default="none")
    parser.add_argument("--fault-epoch", type=int, default=2)
    parser.add_argument("--fault-rank", type=int, default=1)
    options = parser.parse_args(arguments)
    options.shared = options.shared or options.out / "checkpoints"
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit until it stops; fit again in two parts, and with a probe; validate what was best."""
    options = read_options(arguments)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    process = os.environ.get("LOCAL_RANK", "0")
    last = options.shared / "whole" / "end.ckpt"
    resume = last if options.resume and last.exists() else None
    whole, trainer = fit(options, "whole", resume=resume)
    write(options.out / "whole", f"process{process}", known(whole))
    if options.only_whole:
        return
    loader = data(options.val_samples, factor=0.5)
    # FSDP1 cannot load into what it has wrapped once; FSDP2 has its optimiser refer to the module.
    fresh = Net(options) if options.strategy == "fsdp" else None
    (found,) = trainer.validate(fresh, loader, ckpt_path="best", verbose=False)
    write(options.out / "validated", f"process{process}", found)
    epochs = whole.best.check + 1 if whole.best else 1  # past the best, before the stop
    fit(options, "interrupted", epochs=epochs)
    resumed, _ = fit(options, "resumed", resume=options.shared / "interrupted" / "end.ckpt")
    write(options.out / "resumed", f"process{process}", known(resumed))
    fit(options, "probed", probe=TRAIN)


if __name__ == "__main__":
    main()
