"""The names on the wire, and how they give way to the user's."""

from hypothesis import given, strategies as st

from lightning_gapmon.board.tags import Tags

DEFAULTS = {
    "loss/train",
    "loss/val",
    "loss/train_probe",
    "loss/train_fair",
    "gap/absolute",
    "gap/relative",
    "gap/stderr",
}


def test_names_are_those_that_people_monitor() -> None:
    """The names are a promise: configurations out there monitor them."""
    assert set(Tags().names()) == DEFAULTS


def test_names_stay_where_nothing_is_taken() -> None:
    """The user's own tags do not move ours unless they are the same."""
    assert Tags().avoiding({"train_loss", "val/loss", "loss"}) == Tags()


def test_all_names_move_together_when_one_is_taken() -> None:
    """One prefix finds all of a run's numbers, whichever of them was taken."""
    moved = Tags().avoiding(["loss/val"])

    assert set(moved.names()) == {f"gapmon/{name}" for name in DEFAULTS}


def test_names_move_further_when_the_prefix_is_taken_too() -> None:
    """A module that logs under the prefix keeps its tags as well."""
    moved = Tags().avoiding({"loss/val", "gapmon/gap/absolute"})

    assert moved.val == "gapmon/gapmon/loss/val"


@given(st.sets(st.sampled_from([prefix + n for n in DEFAULTS for prefix in ("", "gapmon/")])))
def test_no_tag_of_the_user_is_ever_used(taken: set[str]) -> None:
    """Whatever the module logs, the names given are none of its own, and differ."""
    names = Tags().avoiding(taken).names()

    assert not taken & set(names)
    assert len(set(names)) == len(DEFAULTS)
