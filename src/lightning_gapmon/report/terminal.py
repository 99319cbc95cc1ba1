"""stub"""


def show(outcome: object) -> None:
    """Stub."""
    print(outcome.stop_reason, len(outcome.history))  # type: ignore
