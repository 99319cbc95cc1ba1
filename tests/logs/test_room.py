"""The room of the logs has its names at its door, and loads nothing until they are used."""

import subprocess
import sys

import pytest

from lightning_gapmon import logs


@pytest.mark.parametrize("name", logs.__all__)
def test_every_name_is_found_at_its_home(name: str) -> None:
    """On first use."""
    assert getattr(logs, name).__module__ == f"lightning_gapmon.logs.{logs._HOMES[name]}"


def test_the_names_are_sorted_and_complete() -> None:
    """What is listed is what is known."""
    assert logs.__all__ == sorted(logs._HOMES)
    with pytest.raises(
        AttributeError, match=r"'lightning_gapmon\.logs' has no attribute 'scalar'"
    ):
        _ = logs.scalar


def test_nothing_heavy_is_loaded_before_it_is_used() -> None:
    """Numpy and TensorBoard's protos come with the first reading, not with the room."""
    code = "import sys, lightning_gapmon.logs; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )

    assert not {"numpy", "tensorboard", "fsspec"} & {*done.stdout.split()}
