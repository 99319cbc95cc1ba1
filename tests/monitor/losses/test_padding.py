"""Repeats of a distributed sampler, against the sampler itself."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Dataset, DistributedSampler

from lightning_gapmon.collect.meter.sums import Sums
from lightning_gapmon.monitor.losses.padding import Padding
from lightning_gapmon.monitor.losses.recorder import Recorder


class Numbers(Dataset[int]):
    """The numbers from 0."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        """Count them."""
        return self.size

    def __getitem__(self, index: int) -> int:
        """Give one."""
        return index


def _loader(
    size: int,
    rank: int,
    ranks: int,
    batch_size: int = 3,
    *,
    shuffle: bool = False,
    drop_last: bool = False,
) -> DataLoader[int]:
    sampler: DistributedSampler[int] = DistributedSampler(
        Numbers(size), ranks, rank, shuffle=shuffle, drop_last=drop_last
    )
    return DataLoader(Numbers(size), batch_size=batch_size, sampler=sampler)


def _left(padding: Padding, loader: DataLoader[int], index: int = 0) -> list[int]:
    batches = []
    for batch in loader:
        padding.begin_batch(index)
        batches.append(padding.without(batch.double(), index))
    return [int(number) for number in torch.cat(batches).tolist()]


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 5), st.booleans())
@settings(max_examples=60)
def test_each_sample_is_left_once(
    size: int,
    ranks: int,
    batch_size: int,
    shuffle: bool,  # noqa: FBT001
) -> None:
    """Over all ranks each sample is there exactly once, whatever the sizes and the order."""
    found = []
    for rank in range(ranks):
        loader = _loader(size, rank, ranks, batch_size, shuffle=shuffle)
        padding = Padding()
        padding.watch(loader)
        found += _left(padding, loader)

    assert sorted(found) == list(range(size))


def test_each_pass_begins_anew() -> None:
    """At the next check the same sample is the repeat."""
    loader, padding = _loader(7, 1, 2), Padding()
    padding.watch([loader])

    for _ in range(2):
        assert _left(padding, loader) == [1, 3, 5]
        assert padding.repeats == 0
        padding.reset()


def test_repeats_are_counted_over_loaders() -> None:
    """The note says how many there are."""
    padding = Padding()
    padding.watch({"a": _loader(7, 0, 2), "b": _loader(5, 0, 4), "c": DataLoader(Numbers(3))})

    assert padding.repeats == 1 + 3


def test_a_sampler_that_drops_has_no_repeats() -> None:
    """`drop_last=True` leaves samples out instead."""
    padding = Padding()
    padding.watch(_loader(7, 0, 2, drop_last=True))

    assert padding.repeats == 0


def test_other_loaders_are_left_alone() -> None:
    """Lists, streams and whatever else serves batches have no repeats."""
    padding = Padding()
    padding.watch([[torch.ones(2)], DataLoader(Numbers(5), batch_size=2)])
    losses = torch.ones(2)

    assert padding.without(losses, 0) is losses
    assert padding.without(losses, 1) is losses
    assert padding.without(losses, 7) is losses
    assert padding.repeats == 0


class Blocks(DistributedSampler[int]):
    """Gives each rank a block, padded at its end."""

    def __iter__(self) -> Iterator[int]:
        """Go through it."""
        start = self.rank * self.num_samples
        return iter([i % 7 for i in range(start, start + self.num_samples)])


@pytest.mark.parametrize("batched", [False, True])
def test_an_order_that_is_not_known_is_left_alone(batched: bool) -> None:  # noqa: FBT001
    """Where another order or batching puts the repeats elsewhere, none is cut: it is said."""
    padding = Padding()
    if batched:
        sampler = Backwards(
            DistributedSampler(Numbers(7), 2, 1, shuffle=False), 2, drop_last=False
        )
        loader = DataLoader(Numbers(7), batch_sampler=sampler)
    else:
        loader = DataLoader(Numbers(7), batch_size=4, sampler=Blocks(Numbers(7), 2, 1))
    padding.watch(loader)
    losses: Tensor = torch.ones(4)

    assert padding.without(losses, 0) is losses
    assert padding.repeats == 1


class Backwards(BatchSampler):
    """Gives the batches last first."""

    def __iter__(self) -> Iterator[list[int]]:
        """Go through them."""
        return reversed(list(super().__iter__()))


def _recorded(losses: list[Tensor]) -> tuple[Recorder, Sums]:
    """Track the validation batches of rank 1 of 2, which has 4 of 7 samples, the last a repeat."""
    recorder = Recorder({})
    recorder.padding.watch(_loader(7, 1, 2, batch_size=2))
    for loss in losses:
        recorder.begin("val", torch.ones(2))
        recorder.track(loss, None)
        recorder.end()
    (row,) = recorder.meter("val", "mixin").rows(torch.device("cpu")).tolist()
    return recorder, Sums(*row)


def test_one_loss_a_sample_leaves_the_repeat_out() -> None:
    """Of 1, 2, 3 and the repeat 9 the mean is 2."""
    recorder, sums = _recorded([torch.tensor([1.0, 2.0]), torch.tensor([3.0, 9.0])])

    assert (sums.n, sums.mean) == (3, 2.0)
    assert recorder.padding.repeats == 0


def test_means_hold_their_repeats() -> None:
    """A mean tells nothing of its samples: nothing is cut, and the repeat is said."""
    recorder, sums = _recorded([torch.tensor(1.0), torch.tensor(3.0)])

    assert (sums.n, sums.mean) == (4, 2.0)
    assert recorder.padding.repeats == 1


@pytest.mark.parametrize(
    ("losses", "n"),
    [
        ([torch.ones(10), torch.ones(10)], 20),
        ([torch.ones(4), torch.ones(4)], 8),
        ([torch.ones(2), torch.ones(1)], 3),
        ([torch.ones(1), torch.ones(2)], 3),
        ([torch.ones(0), torch.ones(1)], 1),
    ],
    ids=["five tokens a sample", "two views", "the last masked", "the first masked", "all masked"],
)
def test_losses_that_are_not_one_a_sample_are_left_alone(losses: list[Tensor], n: int) -> None:
    """None of them is cut unless its batch has one a sample, and the repeat is said."""
    recorder, sums = _recorded(losses)
    cut = len(losses[1]) == 2

    assert sums.n == n - cut
    assert recorder.padding.repeats == 1


def test_a_masked_batch_with_one_loss_left_weighs_one() -> None:
    """Beside four losses of 1 a 6 of the shape (1,) is one loss, and of () the mean of four."""
    means = []
    for last in (torch.full((1,), 6.0), torch.tensor(6.0)):
        recorder = Recorder({})
        for loss in (torch.ones(4), last):
            recorder.begin("val", torch.ones(4))
            recorder.track(loss, None)
            recorder.end()
        (row,) = recorder.meter("val", "mixin").rows(torch.device("cpu")).tolist()
        means.append(Sums(*row).mean)

    assert means == [(4 + 6) / 5, (4 + 4 * 6) / 8]


def test_elsewhere_one_number_is_a_mean() -> None:
    """What a step returns or logs as (1,) weighs its batch."""
    recorder = Recorder({})
    for loss, size in ((torch.ones(1), 6), (torch.full((1,), 5.0), 2)):
        recorder.begin("val", torch.ones(size))
        recorder.returned(loss)
        recorder.logged("val_loss", loss, {})
        recorder.end()

    for source in ("outputs", "logged"):
        meter = recorder.meter("val", source, names={"val": "val_loss"})
        assert Sums(*meter.rows(torch.device("cpu"))[0].tolist()).mean == 2.0
