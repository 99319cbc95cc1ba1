"""Digests: equal for equal content, different for any other."""

import dataclasses
import enum
from collections import OrderedDict, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st
from torch.utils.data import Subset, TensorDataset

from lightning_gapmon.collect.overlap.digest import digest, fingerprints, row_digests
from lightning_gapmon.errors import ConfigurationError


class Colour(enum.Enum):
    """Two of them."""

    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Record:
    """Two fields."""

    x: object
    y: object = None


class Graph:
    """A thing with attributes."""

    def __init__(self, nodes: object) -> None:
        self.nodes = nodes


class Image:
    """What an image of Pillow has."""

    def __init__(self, size: tuple[int, int], content: bytes, mode: str = "L") -> None:
        self.size, self.mode, self._content = size, mode, content

    def tobytes(self) -> bytes:
        """Give the pixels."""
        return self._content


Pair = namedtuple("Pair", "a b")  # noqa: PYI024 - a plain one, as datasets give them
DIFFERENT: list[object] = [
    None,
    0,
    1,
    1.0,
    True,
    1j,
    "",
    "1",
    b"1",
    [],
    ["1"],
    [["1"]],
    ["1", "1"],
    ["11"],
    {},
    {"a": 1},
    {"a": 2},
    {"b": 1},
    {1, 2},
    {1},
    Colour.RED,
    Colour.BLUE,
    Path("a"),
    Path("b"),
    Record(1),
    Record(2),
    Graph(1),
    Graph(2),
    Image((1, 2), b"ab"),
    Image((2, 1), b"ab"),
    Image((2, 1), b"ac"),
    Image((2, 1), b"ac", mode="P"),
    torch.zeros(0),
    torch.zeros(2),
    torch.zeros(2, 1),
    torch.zeros(1, 2),
    torch.zeros(2, dtype=torch.float64),
    torch.zeros(2, dtype=torch.bfloat16),
    torch.zeros(2, dtype=torch.int64),
    torch.zeros(2, dtype=torch.complex64),
    torch.tensor(0.0),
    torch.tensor([0.0, float("nan")]),
    torch.tensor([0.0, -0.0]),
    np.array(["a", "b"]),
    np.array(["a", None], dtype=object),
    np.array("2020-01-01", dtype="datetime64[D]"),
]
EQUAL: list[tuple[object, object]] = [
    ([1, "a"], (1, "a")),
    (Pair(1, 2), (1, 2)),
    ({"a": 1, "b": 2}, OrderedDict(b=2, a=1)),
    ({1, 2}, frozenset([2, 1])),
    (b"ab", bytearray(b"ab")),
    (b"ab", memoryview(b"ab")),
    (torch.arange(6), np.arange(6)),
    (torch.arange(6).reshape(2, 3).T, torch.tensor([[0, 3], [1, 4], [2, 5]])),
    (torch.eye(3).to_sparse(), torch.eye(3)),
    (torch.tensor([1 + 2j]).conj(), torch.tensor([1 - 2j])),
    (torch.ones(2, requires_grad=True), torch.ones(2)),
    (np.arange(6)[::2], np.array([0, 2, 4])),
    (np.arange(3, dtype=">i4"), np.arange(3, dtype="<i4")),
    (np.float32(1.5), torch.tensor(1.5)),
    (Record(torch.ones(2)), Record(torch.ones(2))),
    (Graph([1]), Graph([1])),
    (Image((1, 2), b"ab"), Image((1, 2), b"ab")),
]


def test_other_content_has_another_digest() -> None:
    """No two of many values that differ in type, shape, order or content share a digest."""
    digests = [digest(value) for value in DIFFERENT]

    assert len(set(digests)) == len(DIFFERENT)
    assert {len(found) for found in digests} == {16}


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal_content_has_an_equal_digest(left: object, right: object) -> None:
    """Layout, container and byte order do not count."""
    assert digest(left) == digest(right)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain, plain)
def test_digests_are_equal_only_for_equal_content(left: object, right: object) -> None:
    """For nested plain values, equal digests mean that the values read the same, and back."""
    assert (digest(left) == digest(right)) == (_written(left) == _written(right))


def _written(value: object) -> str:
    """Write a value, its dicts in order of their keys."""
    if isinstance(value, dict):
        return "dict" + repr(sorted((key, _written(held)) for key, held in value.items()))
    return repr([_written(held) for held in value]) if isinstance(value, list) else repr(value)


@pytest.mark.parametrize(
    "rows",
    [
        torch.arange(12).reshape(3, 2, 2),
        torch.arange(12.0).reshape(3, 4)[:, ::2],
        torch.zeros(3, 0),
        torch.zeros(0, 3),
        torch.arange(3),
        torch.ones(2, 2, dtype=torch.bfloat16),
        torch.eye(3).to_sparse(),
    ],
)
def test_rows_have_the_digests_of_their_samples(rows: torch.Tensor) -> None:
    """Reading a tensor at once gives the digest that each row has by itself."""
    assert row_digests(rows) == [digest(row) for row in rows]


def test_unknown_content_is_refused() -> None:
    """A value without content that can be read is refused by the name of its type."""
    with pytest.raises(ConfigurationError, match="Found a sample with a function, whose content"):
        digest([1, lambda: None])


def test_subset_reads_the_samples_of_its_indices() -> None:
    """Subsets of subsets of tensors are read at once, with the digests of their samples."""
    base = TensorDataset(torch.arange(40.0).reshape(10, 4), torch.arange(10))
    inner = Subset(Subset(base, [9, 3, 5, 7]), [2, 0])

    assert fingerprints(inner, [0, 1]) == fingerprints(base, [5, 9])
    assert fingerprints(inner, [1]) == fingerprints([base[9]], [0])
