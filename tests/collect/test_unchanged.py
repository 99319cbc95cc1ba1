"""What a module gathers in its attributes is as it was before."""

from collections import defaultdict, deque
from typing import Any

import pytest
import torch
from torch import nn

from lightning_gapmon.collect.unchanged import unchanged_attributes


class Gathering(nn.Module):
    """Has one of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.count, self.mean, self.name = 1, 0.5, "a"
        self.nothing: Any = None
        self.outputs: list[Any] = [1, [2]]
        self.by_name: dict[str, list[int]] = {"a": [1]}
        self.found: defaultdict[str, set[int]] = defaultdict(set, b={1})
        self.last: deque[int] = deque([1, 2], maxlen=2)

    def gather(self) -> None:
        """Change all of them, in place where that is possible."""
        self.count, self.mean, self.name, self.nothing = 2, 1.5, "b", 3
        self.outputs[1].append(3)
        self.outputs.append(4)
        self.by_name["a"].append(2)
        self.by_name["c"] = []
        self.found["b"].add(2)
        self.found["d"].add(5)
        self.last.append(3)

    def fail(self) -> None:
        """Change all of them, and raise."""
        self.gather()
        raise KeyError


def _state(module: nn.Module) -> dict[str, Any]:
    own = vars(module).keys() - vars(nn.Module()).keys()
    return {name: repr(vars(module)[name]) for name in own}


def test_each_kind_is_given_back() -> None:
    """Numbers, texts and None by value; lists, dicts, sets and deques are the same objects."""
    module = Gathering()
    before, outputs = _state(module), module.outputs
    with unchanged_attributes(module):
        module.gather()
        changed = _state(module)

    assert all(changed[name] != before[name] for name in before)
    assert _state(module) == before
    assert module.outputs is outputs


def test_it_is_given_back_after_an_error() -> None:
    """A step that raises leaves nothing either."""
    module = Gathering()
    before = _state(module)
    with pytest.raises(KeyError), unchanged_attributes(module):
        module.fail()

    assert _state(module) == before


def test_what_torch_keeps_stays_as_it_has_become() -> None:
    """A parameter or a buffer that comes up meanwhile is not taken away again."""
    module = Gathering()
    with unchanged_attributes(module):
        module.weight = nn.Parameter(torch.ones(1))
        module.eval()

    assert dict(module.named_parameters()).keys() == {"weight"}
    assert not module.training


def test_lists_in_dicts_in_dicts_are_given_back_and_circles_end() -> None:
    """However deep a module gathers what it keeps by side and epoch."""
    module = nn.Module()
    kept: dict[str, Any] = {"val": {0: [1.0]}}
    kept["itself"] = kept
    module.kept = kept  # type: ignore[assignment]
    with unchanged_attributes(module):
        kept["val"][0].append(2.0)
        kept["val"][1] = [3.0]

    assert kept["val"] == {0: [1.0]}
