"""The fitted table behind the outlook: sums of small trees, read on first use."""

import json
import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, TypeAlias

# A leaf is a number; a fork is [feature, threshold, if at most that, if above].
Tree: TypeAlias = "float | list[Any]"


class Table(NamedTuple):
    """What `benchmarks/fit_outlook.py` writes.

    Attributes:
        start: What each sum starts from, by its name.
        trees: What is added, by its name.
    """

    start: dict[str, float]
    trees: dict[str, list[Tree]]

    def value(self, name: str, features: Sequence[float]) -> float:
        """Add up the leaves that the features fall into.

        Example:
            >>> table = Table({"end": 1.0}, {"end": [[0, 0.5, -1.0, 2.0]]})
            >>> table.value("end", [0.5]), table.value("end", [0.6])
            (0.0, 3.0)
        """
        total = self.start[name]
        for tree in self.trees[name]:
            node = tree
            while isinstance(node, list):
                node = node[2] if features[node[0]] <= node[1] else node[3]
            total += node
        return total

    def chance(self, features: Sequence[float]) -> float:
        """Read the sum of the trees of the chance as log-odds."""
        return 1 / (1 + math.exp(-self.value("chance", features)))


@cache
def load() -> Table:
    """Read the table that comes with the package."""
    text = files(__package__).joinpath("table.json").read_text("utf-8")
    plain = json.loads(text)
    return Table(plain["start"], plain["trees"])
