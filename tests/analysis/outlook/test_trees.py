"""The table that comes with the package, and how it is read."""

from importlib.resources import files

import numpy as np
import pytest

from lightning_gapmon.analysis.outlook.curve import NAMES
from lightning_gapmon.analysis.outlook.trees import Table, Tree, load


def test_the_sum_is_of_the_leaves_that_the_features_fall_into() -> None:
    """A value at a threshold belongs below it, deeper forks are followed, numbers are leaves."""
    table = Table({"x": 10.0}, {"x": [[1, 0.5, [0, 2.0, 1.0, 2.0], 4.0], 0.25]})

    assert table.value("x", [2.0, 0.5]) == 11.25
    assert table.value("x", [2.1, 0.5]) == 12.25
    assert table.value("x", [0.0, 0.6]) == 14.25


def test_a_chance_is_the_logistic_of_its_sum() -> None:
    """Log-odds of log 3 are three to one."""
    assert Table({"chance": np.log(3)}, {"chance": []}).chance([]) == pytest.approx(0.75)


def test_the_table_fits_the_features() -> None:
    """Each fork asks for a feature that there is; the chance's may ask for the level too."""
    table = load()
    asked = {name: set().union(*map(_asked, trees)) for name, trees in table.trees.items()}

    assert set(asked) == set(table.start) == {"chance", "low", "final", "high", "half"}
    assert asked["chance"] <= set(range(len(NAMES) + 1))
    assert max(asked["chance"]) == len(NAMES)
    assert all(asked[name] <= set(range(len(NAMES))) for name in ("low", "final", "high", "half"))


def test_the_table_is_small() -> None:
    """Tens of kilobytes go with the package."""
    table = files("lightning_gapmon.analysis.outlook").joinpath("table.json")

    assert len(table.read_bytes()) < 60_000


def _asked(tree: Tree) -> set[int]:
    if not isinstance(tree, list):
        return set()
    feature, _, below, above = tree
    assert isinstance(feature, int)
    return {feature} | _asked(below) | _asked(above)
