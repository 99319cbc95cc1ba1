"""stub"""


def write(outcome: object, path: object) -> None:
    """Stub."""
