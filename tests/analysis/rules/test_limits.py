"""Stops at a level of the loss, or where it is no number."""

from lightning_gapmon import History, NonFinite, Observation


def test_a_loss_that_was_not_measured_is_no_broken_one() -> None:
    """A check at which the module logs no validation loss stops nothing."""
    heard = Observation(check=1, epoch=0, step=1, val=1.0, val_n=8.0)
    unheard = Observation(check=2, epoch=1, step=2, val_n=0.0)
    broken = Observation(check=2, epoch=1, step=2, val_n=8.0)

    assert NonFinite()(History([heard, unheard])) is None
    assert NonFinite()(History([heard, broken])) is not None
