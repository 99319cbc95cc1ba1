"""The names on the wire, and how they give way to the user's."""

from hypothesis import given, strategies as st

from lightning_gapmon.board.tags import Tags

DEFAULTS = {
    "Loss/train",
    "Loss/val",
    "Loss/train_probe",
    "Loss/train_fair",
    "Loss/gap",
    "Loss/gap_relative",
    "Loss/gap_stderr",
    "Loss/outlook",
    "Loss/verdict",
    "Loss/stop",
}


def test_names_are_those_that_people_monitor() -> None:
    """The names are a promise: configurations out there monitor them."""
    assert set(Tags().names()) == DEFAULTS


def test_names_are_free_where_nothing_is_the_same() -> None:
    """Names that only look alike do not move ours."""
    assert Tags().are_free({"train_loss", "val/loss", "loss", "loss/val", "Loss", "Loss/gaps"})


def test_all_names_move_together() -> None:
    """One prefix finds all of a run's numbers, whichever of them was taken."""
    moved = Tags().moved()

    assert set(moved.names()) == {f"gapmon/{name}" for name in DEFAULTS}
    assert moved.moved().val == "gapmon/gapmon/Loss/val"


def test_a_prefix_is_ours_alone() -> None:
    """Below a prefix that the module uses for anything, nothing of ours is written."""
    moved = Tags().moved()

    assert not moved.are_free({"gapmon/mine"})
    assert moved.are_free({"gapmonitor/mine", "Loss/val"})


@given(st.sets(st.sampled_from([prefix + n for n in DEFAULTS for prefix in ("", "gapmon/")])))
def test_names_that_are_free_are_none_of_the_users(taken: set[str]) -> None:
    """Whatever the module logs, moving on ends at names that are none of its own and differ."""
    tags = Tags()
    while not tags.are_free(taken):
        tags = tags.moved()

    assert not taken & set(tags.names())
    assert len(set(tags.names())) == len(DEFAULTS)
