"""Precision, accumulation, optimisers and `torch.compile`: the means stay exact."""

import json
from typing import Any

import pytest
from tests.strategies.fit_script import TRAIN, VAL
from tests.strategies.launch import outputs, run_ranks_of
from tests.strategies.variants import VARIANTS, fit_all


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Fit all variants in one process of their own."""
    folder = tmp_path_factory.mktemp("variants")
    codes = run_ranks_of(fit_all, folder / "found.json", ranks=1, folder=folder)
    assert codes == [0], outputs(folder)
    return dict(json.loads((folder / "found.json").read_text()))


@pytest.mark.parametrize("side", ["train", "val"])
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_means_are_those_of_the_batches(variant: str, side: str, found: dict[str, Any]) -> None:
    """Each check's loss is the sample-weighted mean of what the module computed itself."""
    noted, columns = found[variant]["noted"][side], found[variant]["history"]["columns"]

    assert columns[f"{side}_n"] == [TRAIN if side == "train" else VAL] * 3
    for epoch in range(3):
        losses = noted[str(epoch)]
        mean = sum(loss * n for loss, n in losses) / sum(n for _, n in losses)

        assert columns[side][epoch] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize(
    ("variant", "source"),
    [
        ("LBFGS", "given to the mixin"),
        ("LBFGS logged", "logged by the module"),
        ("scheduler", "returned by the steps"),
    ],
)
def test_sources_are_as_meant(variant: str, source: str, found: dict[str, Any]) -> None:
    """What is tried above is what was used."""
    assert source in found[variant]["source"]
