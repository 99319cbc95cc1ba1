"""Patience is what Lightning calls patience; Lightning's own callback is the oracle."""

import math

import pytest
import torch
from hypothesis import given, settings, strategies as st
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping

from lightning_gapmon import History, Observation, Patience, replay
from lightning_gapmon.errors import ConfigurationError

values = st.integers(-20, 20).map(lambda n: n / 4)


def _lightning_stops_at(val: list[float], patience: int, min_delta: float) -> int | None:
    stopping = EarlyStopping(
        "val", patience=patience, min_delta=min_delta, check_finite=False, verbose=False
    )
    for check, value in enumerate(val, start=1):
        stop, _ = stopping._evaluate_stopping_criteria(torch.tensor(value, dtype=torch.float64))
        if stop:
            return check
    return None


def _ours_stops_at(rule: Patience, val: list[float], planned: int | None = None) -> int | None:
    return replay(rule, train=val, val=val, planned=planned).stopped_at


@given(
    val=st.lists(values | st.just(math.nan), max_size=40),
    patience=st.integers(1, 8),
    min_delta=st.integers(0, 8).map(lambda n: n / 4),
)
@settings(max_examples=400, deadline=None)
def test_stops_where_early_stopping_stops(
    val: list[float], patience: int, min_delta: float
) -> None:
    """Patience and min_delta mean what they mean in Lightning, ties and NaN among them."""
    ours = _ours_stops_at(Patience(patience, min_delta), val)

    assert ours == _lightning_stops_at(val, patience, min_delta)


class _Scripted(LightningModule):
    """A module whose validation loss is read from a list."""

    def __init__(self, val: list[float]) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.val = val

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Learn nothing in particular."""
        loss: torch.Tensor = self.layer(batch[0]).mean()
        return loss

    def validation_step(self, _batch: list[torch.Tensor], _: int) -> None:
        """Log the next loss of the script."""
        self.log("val", torch.tensor(self.val[self.current_epoch]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Use plain gradient descent."""
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize(
    "val", [[3.0, 2.0, 2.5, 2.5, 1.0], [1.0, 1.0, 1.0, 0.5], [4.0, 3.0, 2.0, 1.0]]
)
def test_stops_where_a_trainer_stops(val: list[float]) -> None:
    """A real Trainer with EarlyStopping ends after the same check."""
    data = torch.utils.data.TensorDataset(torch.ones(2, 1))
    loader = torch.utils.data.DataLoader(data, num_workers=0)
    trainer = Trainer(
        max_epochs=len(val),
        num_sanity_val_steps=0,
        callbacks=[EarlyStopping("val", patience=2)],
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(_Scripted(val), loader, loader)
    stopped = trainer.current_epoch if trainer.should_stop else None

    assert _ours_stops_at(Patience(2), val) == stopped


@pytest.mark.parametrize(
    ("checks", "planned", "wait"),
    [("20%", 100, 20), ("20%", 101, 21), ("20%", 10, 5), ("10%", 70, 7), ("20%", None, 10)],
)
def test_share_of_the_plan(checks: str, planned: int | None, wait: int) -> None:
    """A share is of the planned checks, at least 5, and 10 without a plan."""
    val = [1.0] * 60

    assert Patience(checks).patience(planned) == wait
    assert _ours_stops_at(Patience(checks), val, planned) == wait + 1


def test_relative_min_delta_of_a_negative_loss() -> None:
    """For a loss below zero a relative improvement is still a fall."""
    assert _ours_stops_at(Patience(2, 0.1, "relative"), [-10.0, -10.5, -10.9]) == 3
    assert _ours_stops_at(Patience(2, 0.1, "relative"), [-10.0, -10.5, -11.1]) is None


def _history(**columns: list[float]) -> History:
    rows = zip(*columns.values(), strict=True)
    checks = [dict(zip(columns, row, strict=True)) for row in rows]
    return History(
        Observation(check=i + 1, epoch=i, **{"step": 10 * i, **row})
        for i, row in enumerate(checks)
    )


def test_min_delta_in_standard_errors() -> None:
    """An improvement within the error bar counts only where the error is not known."""
    val = [2.0, 1.9, 1.8]
    rule = Patience(2, 1.0, "stderr")

    assert replay(rule, _history(val=val, val_stderr=[0.5] * 3)).stopped_at == 3
    assert replay(rule, _history(val=val, val_stderr=[0.05] * 3)).stopped_at is None
    assert replay(rule, _history(val=val)).stopped_at is None


def test_patience_in_steps() -> None:
    """Steps are counted from the best check, whatever the distance of the checks."""
    history = _history(val=[2.0, 1.0, 1.5, 1.5, 1.5], step=[10, 20, 60, 119, 120])
    result = replay(Patience(steps=100), history)

    assert result.stopped_at == 5
    assert "no improvement for 100 steps since" in str(result.reason)


def test_patience_in_seconds() -> None:
    """Time is counted from the best check, and unknown time never stops."""
    val = [2.0, 1.0, 1.5, 1.5]

    timed = _history(val=val, seconds=[1.0, 2.0, 61.0, 62.0])
    assert replay(Patience(seconds=60), timed).stopped_at == 4
    assert replay(Patience(seconds=60), _history(val=val)).stopped_at is None


def test_reason_calls_no_check_the_best_that_others_undercut() -> None:
    """With a min_delta the last improvement that counted need not be the best check."""
    val = [2.0, 1.95, 1.92]
    reason = replay(Patience(2, min_delta=0.1), train=val, val=val).reason
    plain = replay(Patience(2), train=val, val=[2.0, 2.5, 2.2]).reason

    assert reason is not None
    assert (
        reason.message
        == "not enough improvement for 2 checks since the validation loss 2.000 at check 1"
    )
    assert "no improvement for 2 checks since the best validation loss 2" in str(plain)


def test_never_finite_is_said() -> None:
    """Where no loss was ever finite, the reason does not speak of a best."""
    reason = replay(Patience(2), train=[1.0] * 3, val=[math.nan] * 3).reason

    assert "no improvement for 2 checks and no finite validation loss yet" in str(reason)


@pytest.mark.parametrize("checks", [0, -1, True, 2.5, "0%", "101%", "x%", "20"])
def test_refuses_what_cannot_be_waited_for(checks: object) -> None:
    """A patience that is no count and no share is refused with what to write."""
    with pytest.raises(ConfigurationError, match=r"expected a number of checks from 1, such as"):
        Patience(checks)  # type: ignore[arg-type]


def test_refuses_a_negative_min_delta() -> None:
    """An improvement cannot be a rise."""
    with pytest.raises(ConfigurationError, match=r"Found min_delta=-1\.0; expected a finite"):
        Patience(3, -1.0)


def test_refuses_an_unknown_mode() -> None:
    """The modes are named."""
    with pytest.raises(ConfigurationError, match=r'Found mode=\'rel\'; expected "absolute"'):
        Patience(3, 0.1, "rel")  # type: ignore[arg-type]


@pytest.mark.parametrize(("steps", "seconds"), [(0, None), (None, -1.0), (5, 5.0)])
def test_refuses_odd_units(steps: int | None, seconds: float | None) -> None:
    """One unit is waited for, and it is above zero."""
    with pytest.raises(ConfigurationError, match=r"expected one of them, above 0"):
        Patience(steps=steps, seconds=seconds)
