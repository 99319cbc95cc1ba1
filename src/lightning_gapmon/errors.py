"""What the package raises.

    GapMonitorError
    ├── ConfigurationError (ValueError)  an argument that cannot work
    ├── HistoryError (ValueError)        numbers that are no history
    ├── LossError (TypeError)            a step gave something that is no loss
    ├── DataError (RuntimeError)         a user's data that cannot be read
    ├── StateError (ValueError)          a checkpoint's state that cannot be read
    └── LogFormatError (ValueError)      a log file that cannot be read

Every message says what was found, what was expected and what to do.
"""


class GapMonitorError(Exception):
    """Anything that this package raises on purpose."""


class ConfigurationError(GapMonitorError, ValueError):
    """An argument that cannot work, refused before training starts."""


class HistoryError(GapMonitorError, ValueError):
    """Numbers that do not make a history."""


class LossError(GapMonitorError, TypeError):
    """A step gave something that is no loss."""


class DataError(GapMonitorError, RuntimeError):
    """Data that cannot be read apart from training."""


class StateError(GapMonitorError, ValueError):
    """A state that this version cannot continue from."""


class LogFormatError(GapMonitorError, ValueError):
    """A log file that is not what its name or its first lines say."""
