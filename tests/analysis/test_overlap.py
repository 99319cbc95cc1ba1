"""Matching digests, against a comparison of all pairs."""

from hypothesis import given, strategies as st

from lightning_gapmon.analysis.overlap import match

small = st.dictionaries(st.integers(0, 30), st.sampled_from([b"a", b"b", b"c", b"d"]))


@given(small, small)
def test_match_is_what_comparing_all_pairs_gives(
    train: dict[int, bytes], val: dict[int, bytes]
) -> None:
    """Shared and repeated samples are those that a comparison of all pairs finds."""
    shared, repeated = match(train, val)

    assert {v: t for t, v in shared} == {
        v: min(t for t in train if train[t] == val[v]) for v in val if val[v] in train.values()
    }
    assert {v: f for f, v in repeated} == {
        v: min(f for f in val if val[f] == val[v])
        for v in val
        if any(f < v and val[f] == val[v] for f in val)
    }
    assert [v for _, v in shared] == sorted(v for _, v in shared)
