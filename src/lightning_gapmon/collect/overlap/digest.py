"""Digests: the exact content of a sample as 16 bytes, whatever its type, by index."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence, Set as AbstractSet
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import numpy as np
import torch
from torch.utils.data import IterableDataset, Subset, TensorDataset

from lightning_gapmon.errors import ConfigurationError

if TYPE_CHECKING:
    from hashlib import blake2b as Hasher  # noqa: N812 - a class, whatever its name

DIGEST_BYTES = 16

Key = Callable[[Any], object]


def digest(value: object) -> bytes:
    """Give 16 bytes that are equal for equal content and, but for 2^-64, different for other.

    Arrays and tensors of the same type of number, shape and values are equal; lists and tuples
    of equal elements are equal; otherwise the type counts: 1 is neither 1.0 nor "1".

    Raises:
        ConfigurationError: The value is of a type whose content is not known.

    Example:
        >>> digest([1, "a"]) == digest((1, "a")), digest(1) == digest(1.0)
        (True, False)
    """
    hasher = hashlib.blake2b(digest_size=DIGEST_BYTES)
    _feed(hasher, value)
    return hasher.digest()


def row_digests(rows: torch.Tensor) -> list[bytes]:
    """Give the digest of each row, the same as `digest(row)`, reading all bytes at once."""
    rows = _plain(rows)
    start = hashlib.blake2b(digest_size=DIGEST_BYTES)
    _head(start, _number_type(rows), tuple(rows.shape[1:]))
    if not rows.numel():
        return [start.digest()] * len(rows)
    digests = []
    for row in _bytes(rows).reshape(len(rows), -1):
        hasher = start.copy()
        hasher.update(row.data)
        digests.append(hasher.digest())
    return digests


def _feed(hasher: "Hasher", value: object) -> None:
    """Add a value: a tag for its kind, its size, its content."""
    feed = next((feed for kind, feed in FEEDS if isinstance(value, kind)), _feed_other)
    feed(hasher, value)


def _head(hasher: "Hasher", tag: str, size: object) -> None:
    hasher.update(f"{tag}:{size};".encode())


def _feed_tensor(hasher: "Hasher", value: torch.Tensor) -> None:
    value = _plain(value)
    _head(hasher, _number_type(value), tuple(value.shape))
    if value.numel():
        hasher.update(_bytes(value).data)


def _plain(value: torch.Tensor) -> torch.Tensor:
    """Bring a tensor to the host, dense, in order."""
    value = value.detach()
    value = value.dequantize() if value.is_quantized else value
    dense = value if value.layout == torch.strided else value.to_dense()
    return dense.cpu().resolve_conj().resolve_neg().contiguous()


def _number_type(value: torch.Tensor) -> str:
    return str(value.dtype).removeprefix("torch.")


def _bytes(value: torch.Tensor) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    numbers: np.ndarray[Any, np.dtype[np.uint8]] = value.reshape(-1).view(torch.uint8).numpy()
    return numbers


def _feed_array(hasher: "Hasher", value: "np.ndarray[Any, Any] | np.generic") -> None:
    array = np.asarray(value)
    if array.dtype.hasobject:
        _head(hasher, "objects", array.shape)
        _feed(hasher, array.tolist())
        return
    _head(hasher, array.dtype.name, array.shape)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    hasher.update(np.ascontiguousarray(native).tobytes())


def _feed_text(hasher: "Hasher", value: str) -> None:
    _feed_raw(hasher, value.encode("utf-8", "surrogatepass"), "text")


def _feed_bytes(hasher: "Hasher", value: bytes | bytearray | memoryview) -> None:
    _feed_raw(hasher, bytes(value), "bytes")


def _feed_raw(hasher: "Hasher", value: bytes, tag: str) -> None:
    _head(hasher, tag, len(value))
    hasher.update(value)


def _feed_number(hasher: "Hasher", value: complex | None) -> None:
    _head(hasher, type(value).__name__, repr(value))


def _feed_name(hasher: "Hasher", value: object) -> None:
    name = value.name if isinstance(value, Enum) else str(value)
    _feed_raw(hasher, f"{type(value).__qualname__} {name}".encode(), "name")


def _feed_mapping(hasher: "Hasher", value: Mapping[object, object]) -> None:
    _head(hasher, "mapping", len(value))
    for key, held in sorted((digest(key), digest(held)) for key, held in value.items()):
        hasher.update(key + held)


def _feed_set(hasher: "Hasher", value: AbstractSet[object]) -> None:
    _head(hasher, "set", len(value))
    hasher.update(b"".join(sorted(map(digest, value))))


def _feed_sequence(hasher: "Hasher", value: Sequence[object]) -> None:
    _head(hasher, "sequence", len(value))
    for held in value:
        _feed(hasher, held)


def _feed_other(hasher: "Hasher", value: Any) -> None:  # noqa: ANN401 - whatever a dataset gives
    """Add an image (what has a mode, a size and bytes), a dataclass, or an object's attributes."""
    kind = type(value).__qualname__
    if all(hasattr(value, name) for name in ("mode", "size", "tobytes")):
        _head(hasher, "image", (value.mode, value.size))
        _feed_raw(hasher, value.tobytes(), "bytes")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        _feed_raw(hasher, kind.encode(), "object")
        _feed_mapping(hasher, {field.name: getattr(value, field.name) for field in fields})
    elif hasattr(value, "__dict__") and not callable(value):
        _feed_raw(hasher, kind.encode(), "object")
        _feed_mapping(hasher, vars(value))
    else:
        msg = (
            f"Found a sample with a {kind}, whose content cannot be compared; expected tensors, "
            "arrays, images, text, bytes, numbers, or these in lists, dicts and objects. "
            "Give key=, a function from a sample to what is to be compared."
        )
        raise ConfigurationError(msg)


FEEDS: tuple[tuple[Any, Callable[["Hasher", Any], None]], ...] = (
    (torch.Tensor, _feed_tensor),
    ((np.ndarray, np.generic), _feed_array),
    (str, _feed_text),
    ((bytes, bytearray, memoryview), _feed_bytes),
    ((Enum, PurePath), _feed_name),
    ((int, float, complex, type(None)), _feed_number),
    (Mapping, _feed_mapping),
    (AbstractSet, _feed_set),
    (Sequence, _feed_sequence),
)


class Indexed(Protocol):
    """A map-style dataset."""

    def __len__(self) -> int:
        """Count the samples."""
        ...

    def __getitem__(self, index: int, /) -> object:
        """Give a sample."""
        ...


def is_indexed(dataset: object) -> TypeGuard[Indexed]:
    """Tell whether a dataset has a length and gives a sample for an index."""
    needed = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    return needed and not isinstance(dataset, IterableDataset)


def inputs(sample: Any) -> Any:  # noqa: ANN401 - whatever a dataset gives
    """Take the first element of a tuple or list, the usual place of the inputs, else all of it.

    A label does not leak, and the same input under two labels is a leak all the same: so in a
    sample `(x, y)` it is `x` that is compared.

    Example:
        >>> inputs(("an image", 7)), inputs({"text": "as it is"})
        ('an image', {'text': 'as it is'})
    """
    return sample[0] if isinstance(sample, (tuple, list)) and sample else sample


def fingerprints(dataset: Indexed, indices: Sequence[int], *, key: Key = inputs) -> list[bytes]:
    """Give the digest of each of these samples.

    The inputs of a `TensorDataset`, and of subsets of it, are read as one tensor.
    """
    if key is inputs:
        base, places = _unwrapped(dataset, indices)
        if type(base) is TensorDataset:
            rows = base.tensors[0]
            return row_digests(rows[torch.as_tensor(places, dtype=torch.long, device=rows.device)])
    return [digest(key(dataset[index])) for index in indices]


def _unwrapped(dataset: object, indices: Sequence[int]) -> tuple[object, Sequence[int]]:
    """Look through subsets, such as those of `random_split`."""
    while type(dataset) is Subset:
        held = dataset.indices
        dataset, indices = dataset.dataset, [int(held[index]) for index in indices]
    return dataset, indices
