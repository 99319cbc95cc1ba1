"""Shares as people write them."""


def read_share(text: object) -> float | None:
    """Read a share such as `"20%"`; None where it is none, or not above 0 % and up to 100 %.

    Example:
        >>> read_share("20%"), read_share("200%")
        (0.2, None)
    """
    if not (isinstance(text, str) and text.endswith("%")):
        return None
    try:
        share = float(text[:-1]) / 100
    except ValueError:
        return None
    return share if 0 < share <= 1 else None
