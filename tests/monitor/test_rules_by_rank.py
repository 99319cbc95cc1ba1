"""A rule of the user's that answers differently by rank stops all ranks or none."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch.strategies import DDPStrategy
from tests.fits import Scripted, loader, trainer
from tests.monitor.test_two_ranks import RANKS, Here
from tests.ranks import run_ranks

from lightning_gapmon import Custom, GapMonitor, History, NonFinite, Patience
from lightning_gapmon.monitor.checks.rank_zero import stop_reason

SCRIPT = [3.0, 2.0, 1.0, 0.5]
HISTORY = History.from_curves(train=[1.0], val=[1.0])


def _says(answer: str) -> Custom:
    return Custom(lambda _: answer)


@pytest.mark.parametrize(
    ("rule", "asks"),
    [
        (_says("so"), True),
        (Patience(3) | _says("so"), True),
        ((_says("so") & Patience(3)).after(2), True),
        (_says("so").smoothed(), True),
        (_says("so").lr_aware(), True),
        (_says("so").grace(2), True),
        (Patience(3).lr_aware() | NonFinite(3), False),
    ],
    ids=repr,
)
def test_a_rule_of_the_users_is_known_as_one(rule: Any, asks: bool) -> None:  # noqa: ANN401, FBT001 - what is parametrised
    """Wherever it stands in another."""
    assert rule.asks_user is asks


def _ranks(rank: int, sent: list[object]) -> Any:  # noqa: ANN401 - a Trainer's part
    def broadcast(one: object) -> object:
        sent.append(one)
        return sent[0]

    strategy = SimpleNamespace(broadcast=broadcast)
    return SimpleNamespace(world_size=2, is_global_zero=rank == 0, strategy=strategy)


def test_no_other_rule_costs_a_broadcast() -> None:
    """A rule of the package is a pure function of what all ranks hold; a lone process asks it."""
    sent: list[object] = []
    stop_reason(_ranks(0, sent), Patience(1), HISTORY)
    alone = SimpleNamespace(world_size=1)

    assert sent == []
    assert stop_reason(alone, _says("so"), HISTORY) is not None  # type: ignore[arg-type]


def test_rank_zero_decides() -> None:
    """The others do not even ask."""
    sent: list[object] = []
    first = stop_reason(_ranks(0, sent), _says("so"), HISTORY)
    second = stop_reason(_ranks(1, sent), _says(""), HISTORY)

    assert first == second is not None
    assert len(sent) == 2


def _fits(rank: int, folder: Path) -> dict[str, tuple[int, int | None]]:
    torch.set_num_threads(1)
    stops_at = {"rank 0 stops": (2, 99), "rank 1 would stop": (99, 2)}
    ended: dict[str, tuple[int, int | None]] = {}
    for name, at in stops_at.items():

        def far(history: History, most: int = at[rank]) -> bool:
            return len(history) >= most

        monitor = GapMonitor(stop=Custom(far), summary=False)
        runner = trainer(
            folder,
            monitor,
            strategy=DDPStrategy(cluster_environment=Here(rank)),
            devices=RANKS,
            max_epochs=4,
        )
        runner.fit(Scripted(SCRIPT), loader(8), loader(4))
        reason = monitor.stop_reason
        ended[name] = (len(monitor.history), reason.check if reason else None)
    return ended


def test_two_ranks_stop_together(tmp_path: Path) -> None:
    """Real ones: at rank 0's word, and not at rank 1's."""
    first, second = run_ranks(_fits, tmp_path, world_size=RANKS, folder=tmp_path, seconds=180)

    assert first == second == {"rank 0 stops": (2, 2), "rank 1 would stop": (4, None)}
