"""A language model of letters: texts differ in length, so that each loss weighs as many tokens.

python examples/language_model.py
"""

import torch
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

from lightning_gapmon import GapMonitor, GapMonitorMixin

LETTERS = "abcdefgh"
PAD = len(LETTERS)


class LetterModel(GapMonitorMixin, LightningModule):
    """Guesses each letter from those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(PAD + 1, 16)
        self.memory = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, PAD)

    def loss_step(self, texts: Tensor) -> tuple[Tensor, Tensor]:
        """Give the mean loss over tokens, and how many they are: padding counts for nothing."""
        seen, following = texts[:, :-1], texts[:, 1:]
        guesses = self.head(self.memory(self.embedding(seen))[0])
        loss = cross_entropy(guesses.transpose(1, 2), following, ignore_index=PAD)
        return loss, (following != PAD).sum()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use a plain Adam."""
        return torch.optim.Adam(self.parameters(), lr=0.01)


def texts(count: int) -> list[Tensor]:
    """Make texts of 3 to 20 letters in which the next letter is often the following one."""
    made = []
    for _ in range(count):
        steps = torch.randint(1, 3, (int(torch.randint(3, 21, ())),))
        made.append(steps.cumsum(0) % len(LETTERS))
    return made


def padded(batch: list[Tensor]) -> Tensor:
    """Fill short texts up."""
    return pad_sequence(batch, batch_first=True, padding_value=PAD)


def main() -> None:
    """Train, watched."""
    seed_everything(0)
    train, val = (
        DataLoader(texts(count), 16, shuffle=shuffle, collate_fn=padded)  # type: ignore[arg-type]
        for count, shuffle in ((200, True), (100, False))
    )
    trainer = Trainer(accelerator="cpu", max_epochs=4, callbacks=[GapMonitor()], logger=False)
    trainer.fit(LetterModel(), train, val)


if __name__ == "__main__":
    main()
