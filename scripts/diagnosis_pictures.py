"""Make the pictures of docs/diagnosis.md from real runs on scikit-learn's data sets.

    python -m scripts.diagnosis_pictures [--folder docs/images]

Needs matplotlib (the extra `plot`) and takes a few minutes.
"""

import argparse
import logging
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from benchmarks import gallery
from lightning.pytorch import LightningModule, Trainer, seed_everything
from matplotlib.ticker import MaxNLocator
from sklearn.datasets import load_digits
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from lightning_gapmon import GapMonitor, GapMonitorMixin, History, diagnose

BLUE, ORANGE = "#2a6fbb", "#c7511f"
KNOWN = {f"{setup.data}: {setup.name}": setup for setup in gallery.SETUPS}
# What each verdict looks like: the name of its picture, and the run that it is of.
SEEN = {
    "overfitting-both": KNOWN["digits: label noise, too big"],
    "overfitting-gap": KNOWN["digits: small data, SGD"],
    "good-fit": KNOWN["diabetes: linear"],
    "learning": KNOWN["digits: stopped too early"],
    "underfitting": KNOWN["digits: inputs say nothing"],
    "diverging": KNOWN["digits: learning rate at its limit"],
    "plateau": KNOWN["digits: two pixels"],
}


class Classifier(GapMonitorMixin, LightningModule):
    """A small network, with dropout or without."""

    def __init__(self, dropout: float, lr: float) -> None:
        super().__init__()
        self.lr = lr
        self.net = torch.nn.Sequential(
            torch.nn.Linear(64, 128),
            torch.nn.ReLU(),
            torch.nn.Dropout(dropout),
            torch.nn.Linear(128, 10),
        )

    def loss_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Compute one loss a digit."""
        return functional.cross_entropy(self.net(batch[0]), batch[1], reduction="none")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use plain gradient descent, whose curves are smooth."""
        return torch.optim.SGD(self.parameters(), lr=self.lr)


def digits(start: int, stop: int) -> TensorDataset:
    """Take some of the digits."""
    x, y = (torch.tensor(part) for part in load_digits(return_X_y=True))
    return TensorDataset(x[start:stop].float() / 16, y[start:stop])


def fit(module: Classifier, train: TensorDataset, val: TensorDataset, **asked: object) -> History:
    """Train, watched, to the end."""
    monitor = GapMonitor(stop=None, summary=False, **asked)
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=20,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[monitor],
    )
    trainer.fit(module, DataLoader(train, 32, shuffle=True), DataLoader(val, 256))
    return monitor.history


def draw(path: Path, title: str, curves: dict[str, tuple[str, list[float], list[float]]]) -> None:
    """Draw gaps over the checks, each with a band of two standard errors."""
    figure, axes = plt.subplots(figsize=(7, 3.4), dpi=120)
    axes.axhline(0, color="0.6", linewidth=1)
    for name, (colour, gap, stderr) in curves.items():
        checks = range(1, len(gap) + 1)
        low = [g - 2 * s for g, s in zip(gap, stderr, strict=True)]
        high = [g + 2 * s for g, s in zip(gap, stderr, strict=True)]
        axes.fill_between(checks, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(checks, gap, color=colour, label=name, linewidth=2)
    axes.set(title=title, xlabel="check", ylabel="validation loss - train loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def draw_verdict(path: Path, setup: gallery.Setup) -> None:
    """Draw the two losses of a run, with the best check and what its curves are told."""
    history, _, _, trivial = gallery.run(setup)
    found = diagnose(history, baseline=trivial)
    figure, axes = plt.subplots(figsize=(5.2, 2.8), dpi=110)
    checks = range(1, len(history) + 1)
    for name, colour, losses in (
        ("train", BLUE, history.train_fair),
        ("validation", ORANGE, history.val),
    ):
        axes.plot(checks, list(losses), color=colour, label=name, linewidth=2)
    axes.axvline(found.best or 1, color="0.6", linestyle=":", linewidth=1)
    told = " ".join(filter(None, (found.verdict.replace("_", " "), found.form)))
    axes.set(title=f"{setup.data}, {setup.name}: {told}", xlabel="check", ylabel="loss")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
    print(path.name, told, found.message, sep=": ")


def naive(history: History) -> list[float]:
    """Give the gap as it is usually plotted."""
    return [val - train for val, train in zip(history.val, history.train, strict=True)]


def main() -> None:
    """Train and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("docs/images"))
    folder = parser.parse_args().folder
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)

    for name, setup in SEEN.items():
        draw_verdict(folder / f"verdict-{name}.png", setup)
    seed_everything(0)
    dropout = fit(Classifier(0.5, 0.1), digits(0, 1000), digits(1000, 1797), probe=16)
    draw(
        folder / "gap-with-dropout.png",
        "Dropout 0.5: the usual gap, and the fair one",
        {
            "val - train loss of the epoch": (ORANGE, naive(dropout), [0.0] * len(dropout)),
            "val - probe (eval mode, same weights)": (
                BLUE,
                list(dropout.gap),
                list(dropout.gap_stderr),
            ),
        },
    )
    seed_everything(0)
    same = fit(Classifier(0.0, 0.1), digits(0, 1000), digits(0, 1000))
    draw(
        folder / "gap-same-data.png",
        "Validated on the training data, no dropout: the true gap is 0",
        {
            "val - train loss of the epoch": (ORANGE, naive(same), [0.0] * len(same)),
            "val - train loss at the end of the window": (
                BLUE,
                list(same.gap),
                list(same.end_stderr),
            ),
        },
    )
    inside = [abs(g) <= 2 * s for g, s in zip(same.gap, same.end_stderr, strict=True)]
    print(f"same data: {sum(inside)} of {len(inside)} gaps within two standard errors of 0")
    print("naive", [round(g, 4) for g in naive(same)])
    print("fair ", [round(g, 4) for g in same.gap])
    print("dropout: naive", round(naive(dropout)[-1], 3), "fair", round(dropout.gap[-1], 3))


if __name__ == "__main__":
    main()
