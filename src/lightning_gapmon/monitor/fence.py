"""The fence: what only watches ends no fit; it is switched off, and that is said once."""


def switched_off(option: str, error: Exception) -> str:
    """Say that what only watches has failed, and that the fit goes on without it.

    Example:
        >>> switched_off("probe", ValueError("no sample"))
        'GapMonitor(probe=...) is switched off, and the fit ... it: found ValueError: no sample'
    """
    return (
        f"GapMonitor({option}=...) is switched off, and the fit goes on without it: found "
        f"{type(error).__name__}: {error}"
    )
