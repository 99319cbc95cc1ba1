"""The one summary that tells the Gap tab what a run knows of itself."""

from lightning_gapmon.board.state import is_due, read_state, state_summary


def test_the_documents_of_a_long_run_stay_small() -> None:
    """All of them together hold some ten times the checks of the run, not their square."""
    written, held = 0, 0
    for checks in range(1, 2001):
        if is_due(checks, written):
            written, held = checks, held + checks

    assert held < 13 * 2000
    assert 2000 - written < 2000 / 10


def test_a_short_run_is_written_at_each_check() -> None:
    """While a run is young, nothing about it is late."""
    assert all(is_due(checks, checks - 1) for checks in range(1, 20))


def test_a_summary_holds_what_was_put_in() -> None:
    """A document comes out as it went in, with TensorBoard's class of data said."""
    document = {"name": "é\u2028</script>", "columns": {"val": [1.5, None]}}
    value = state_summary(document).value[0]

    assert read_state(value.tensor.string_val[0]) == document
    assert value.metadata.data_class == 2  # DATA_CLASS_TENSOR; unset, it would be dropped
    assert value.metadata.plugin_data.plugin_name == "gapmon"


def test_what_is_no_document_is_none() -> None:
    """Anybody may write a summary under our name."""
    assert [read_state(text) for text in (b"", b"[1]", b"\xff", b"3")] == [None] * 4
