"""A rule that waits for the learning rate, and how little it lets the rate delay."""

import pytest

from lightning_gapmon import Budget, History, NonFinite, Observation, Patience, replay


def _plateau_run(val: list[float], *, patience: int, planned: int | None = None) -> History:
    """Halve the rate as torch's ReduceLROnPlateau does, with its countdown in each check."""
    seen, best, bad, lr = [], float("inf"), 0, 0.1
    for check, loss in enumerate(val, start=1):
        wait = patience - bad + 1
        seen.append(
            Observation(
                check=check,
                epoch=check,
                step=check,
                val=loss,
                train=1 / check,
                lr=lr,
                lr_drop_in=wait,
            )
        )
        best, bad = (loss, 0) if loss < best else (best, bad + 1)
        if bad > patience:
            lr, bad = lr / 10, 0
    return History(seen, planned=planned)


@pytest.mark.parametrize("patience", [1, 2, 3, 5])
def test_a_scheduler_does_not_keep_an_overfit_run_alive(patience: int) -> None:
    """With its best at 16 of 40 a run is stopped, and each drop for nothing delays no further."""
    val = [2.0 - 0.05 * min(i, 16) + 0.03 * max(0, i - 16) for i in range(1, 41)]
    run = _plateau_run(val, patience=patience, planned=40)
    alone, aware = (replay(rule, run).stopped_at for rule in (Patience(7), Patience(7).lr_aware()))

    # the first drop comes patience + 1 bad checks after 16, is seen a check later, and is given 7
    assert alone == 23
    assert aware is not None
    assert aware <= 16 + patience + 2 + 7


def test_the_default_stops_such_a_run() -> None:
    """Before its end, although the scheduler acts again and again."""
    val = [2.0 - 0.05 * min(i, 16) + 0.03 * max(0, i - 16) for i in range(1, 41)]
    run = _plateau_run(val, patience=2, planned=40)

    assert (replay(Budget().lr_aware() | NonFinite(3), run).stopped_at or 40) < 37


def test_a_drop_that_pays_is_followed_by_another_fresh_start() -> None:
    """Steps that each bring a new best are waited for, one after the other."""
    val = [3.0] * 4 + [2.0] * 4 + [1.0] * 4
    lr = [0.1] * 4 + [0.01] * 4 + [0.001] * 4
    run = History.from_curves(train=val, val=val, lr=lr)

    assert replay(Patience(4), run).stopped_at is None
    assert replay(Patience(3), run).stopped_at == 4
    assert replay(Patience(4).lr_aware(), run).stopped_at is None


def test_a_drop_that_has_not_paid_gives_no_second_fresh_start() -> None:
    """What came before the best goes on counting."""
    val = [3.0, 1.0, *[2.0] * 10]
    lr = [0.1] * 4 + [0.01] * 3 + [0.001] * 5
    run = History.from_curves(train=val, val=val, lr=lr)
    reason = replay(Patience(5).lr_aware(), run).reason

    # afresh at check 5, whose loss is the first; the drop at 8 changes nothing
    assert reason is not None
    assert reason.check == 10


def test_the_reason_names_the_fresh_start() -> None:
    """Beside a best that is older, the wait is explained."""
    val = [3.0, 1.0, *[2.0] * 10]
    run = History.from_curves(train=val, val=val, lr=[0.1] * 4 + [0.01] * 8)
    reason = replay(Patience(4).lr_aware(), run).reason

    assert reason is not None
    assert "for 4 checks since the best validation loss 2.000 at check 5" in reason.message
    assert reason.message.endswith("(counted afresh from check 5, where the learning rate fell)")
    assert replay(Patience(2).lr_aware(), run).reason is not None
    assert "afresh" not in str(replay(Patience(2).lr_aware(), run).reason)


def test_a_stop_is_held_while_the_first_drop_is_about_to_come() -> None:
    """A countdown that counts down holds the stop, until it has acted in vain."""
    val = [3.0, 1.0, *[2.0] * 20]
    run = _plateau_run(val, patience=6)

    assert replay(Patience(5), run).stopped_at == 7
    assert (replay(Patience(5).lr_aware(), run).stopped_at or 99) in range(10, 18)


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        (Patience(3), 1),
        (Patience(3).after(2), 3),
        (Patience(3).after(2) | NonFinite(3), 3),
        (Patience(3).after(2) & NonFinite(3), 3),
        (Patience(3).after(epochs=4), 5),
        (Patience(3).lr_aware(), 6),
        (Patience(3).lr_aware().after(7), 8),
        (Patience(3).after(1).grace(2).smoothed(3), 2),
    ],
)
def test_what_is_told_beside_a_rule_is_of_the_checks_that_it_sees(
    rule: Patience, first: int
) -> None:
    """A warm-up or a fresh start of the rule hides its beginning from the outlook too."""
    run = History.from_curves(train=[1.0] * 10, val=[1.0] * 10, lr=[0.1] * 5 + [0.01] * 5)

    assert rule.view(run)[0].check == first
