"""Watch the gap between training and validation loss in PyTorch Lightning.

Names are resolved on first use (PEP 562): importing the package loads neither torch nor
Lightning.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_gapmon.analysis.diagnosis import Diagnosis, diagnose
    from lightning_gapmon.analysis.history import History
    from lightning_gapmon.analysis.observation import Observation
    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.replay import replay
    from lightning_gapmon.analysis.rules.limits import Divergence, NonFinite, Target
    from lightning_gapmon.analysis.rules.patience import Patience
    from lightning_gapmon.analysis.rules.rule import Rule, StopReason
    from lightning_gapmon.collect.fingerprint import find_overlap
    from lightning_gapmon.monitor.callback import GapMonitor
    from lightning_gapmon.monitor.checkpoint import GapCheckpoint
    from lightning_gapmon.monitor.mixin import GapMonitorMixin

_HOMES = {
    "Diagnosis": "analysis.diagnosis",
    "Divergence": "analysis.rules.limits",
    "GapCheckpoint": "monitor.checkpoint",
    "GapMonitor": "monitor.callback",
    "GapMonitorMixin": "monitor.mixin",
    "History": "analysis.history",
    "NonFinite": "analysis.rules.limits",
    "Observation": "analysis.observation",
    "Overlap": "analysis.overlap",
    "Patience": "analysis.rules.patience",
    "Rule": "analysis.rules.rule",
    "StopReason": "analysis.rules.rule",
    "Target": "analysis.rules.limits",
    "diagnose": "analysis.diagnosis",
    "find_overlap": "collect.fingerprint",
    "replay": "analysis.replay",
}

__all__ = [
    "Diagnosis",
    "Divergence",
    "GapCheckpoint",
    "GapMonitor",
    "GapMonitorMixin",
    "History",
    "NonFinite",
    "Observation",
    "Overlap",
    "Patience",
    "Rule",
    "StopReason",
    "Target",
    "diagnose",
    "find_overlap",
    "replay",
]


def __getattr__(name: str) -> object:
    """Import the home of a public name when it is first asked for."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
