"""Which losses a fit watches: where they come from, and under which names they go out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lightning_gapmon.analysis.loss_names import Side
from lightning_gapmon.board.tags import Tags

Source = Literal["mixin", "logged", "outputs"]
Names = Mapping[Side, str]
SIDES: tuple[Side, Side] = ("train", "val")
SOURCES: tuple[Source, ...] = ("mixin", "logged", "outputs")  # the first that has both sides


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """All that is settled about the losses of a fit, from numbers that all ranks share.

    Attributes:
        train: Source of the train loss; None while none has been heard.
        val: Source of the validation loss, likewise.
        names: Under which names the module logs them; what no source needs says nothing.
        tags: Under which names the checks go out: none that the module logs itself.
        late: Whether the validation loss only comes with the module's own validation epoch end.
        loader: The validation loader that is watched, as chosen; None for the mean of all.
        lost: Whether a loss that was watched was not heard at the last validation.
        opposed: Whether the losses were guessed among several that may oppose each other, as those
            of a GAN do; then no run is stopped by them.
    """

    train: Source | None = None
    val: Source | None = None
    names: Names = field(default_factory=dict)
    tags: Tags = field(default_factory=Tags)
    late: bool = False
    loader: int | None = None
    lost: bool = False
    opposed: bool = False

    @property
    def settled(self) -> bool:
        """Whether both sides have a source, which stays for as long as it is heard."""
        return self.train is not None and self.val is not None and not self.lost

    def loaders(self, count: int) -> Sequence[int]:
        """Number the validation loaders whose losses are watched, out of so many."""
        every = range(count)
        return every if self.loader is None else every[self.loader : self.loader + 1]

    @property
    def ranked_by(self) -> str | None:
        """The tag that checkpoints are ranked by; None while there is no validation loss."""
        return self.tags.val if self.val else None

    @property
    def val_names(self) -> set[str]:
        """The names under which the validation loss is logged: ours, and the module's own."""
        return {self.tags.val, self.names.get("val", self.tags.val)}
