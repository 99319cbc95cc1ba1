"""Portions: every sample that is looked at is read once, by one who holds it, as many by each."""

from itertools import pairwise

from hypothesis import given, strategies as st

from lightning_gapmon.collect.overlap.partition import CHUNK, About, Portion, evenly, portions

ranks = st.lists(st.sampled_from([0, 1, 3, 100, 1000]), min_size=1, max_size=6)


@given(st.integers(0, 1000), st.integers(1, 50))
def test_indices_are_even(size: int, limit: int) -> None:
    """Indices rise, stay inside, are as many as allowed, and their distances differ by one."""
    taken = list(evenly(size, limit))
    steps = {b - a for a, b in pairwise(taken)}

    assert len(taken) == min(size, limit)
    assert all(0 <= index < size for index in taken)
    assert min(steps, default=1) >= 1
    assert max(steps, default=1) - min(steps, default=1) <= 1


def _indices(portion: Portion) -> list[int]:
    return [index for chunk in portion.chunks for index in chunk]


@given(st.integers(0, 3000), st.integers(1, 2000), st.integers(1, 9))
def test_ranks_with_the_same_data_share_them(size: int, limit: int, count: int) -> None:
    """Each sample that is looked at is read by one, and none reads more than a chunk more."""
    found = [_indices(portion) for portion in portions([About(size=size)] * count, limit)]

    assert sorted(sum(found, [])) == list(evenly(size, limit))  # noqa: RUF017 - a few lists
    assert max(map(len, found)) - min(map(len, found)) <= CHUNK
    assert all(
        len(chunk) <= CHUNK for s in portions([About(size=size)], limit) for chunk in s.chunks
    )


@given(ranks, st.integers(1, 500))
def test_ranks_with_other_data_read_their_own(sizes: list[int], limit: int) -> None:
    """Indices count through data that differ; who holds the same as another shares with it."""
    own = list(dict.fromkeys(sizes))
    found = portions([About(size=size) for size in sizes], limit)
    read = [index for portion in found for index in _indices(portion)]

    assert sorted(read) == list(evenly(sum(own), limit))
    for portion, size in zip(found, sizes, strict=True):
        assert portion.offset == sum(own[: own.index(size)])
        assert all(0 <= index - portion.offset < size for index in _indices(portion))


def test_samples_that_change_do_not_tell_data_apart() -> None:
    """Where one rank saw its samples change, only the sizes say whether data are the same."""
    same = [About(size=2, firsts=b"a"), About(size=2, firsts=b"b")]
    changing = [same[0], About(size=2, firsts=b"b", steady=False)]

    assert [portion.offset for portion in portions(same, 9)] == [0, 2]
    assert [portion.offset for portion in portions(changing, 9)] == [0, 0]
