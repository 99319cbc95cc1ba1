"""Watch the gap between training and validation loss in PyTorch Lightning.

Names are resolved on first use (PEP 562): importing the package loads neither torch nor
Lightning.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.outlook.outlook import Outlook, outlook
    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.replay import replay
    from lightning_gapmon.analysis.rules.budget import Budget
    from lightning_gapmon.analysis.rules.custom import Custom
    from lightning_gapmon.analysis.rules.expression import register_rule
    from lightning_gapmon.analysis.rules.gap_limit import GapLimit
    from lightning_gapmon.analysis.rules.limits import Divergence, NonFinite, Target
    from lightning_gapmon.analysis.rules.patience import Patience
    from lightning_gapmon.analysis.rules.rule import Rule, StopReason
    from lightning_gapmon.analysis.verdicts.diagnose import diagnose
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
    from lightning_gapmon.collect.overlap.find import find_overlap
    from lightning_gapmon.monitor.callback import GapMonitor
    from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
    from lightning_gapmon.monitor.losses.mixin import GapMonitorMixin
    from lightning_gapmon.report.alerts import WandbAlert, Webhook

_HOMES = {
    "Budget": "analysis.rules.budget",
    "Custom": "analysis.rules.custom",
    "Diagnosis": "analysis.verdicts.diagnosis",
    "Divergence": "analysis.rules.limits",
    "GapCheckpoint": "monitor.checkpoints.checkpoint",
    "GapLimit": "analysis.rules.gap_limit",
    "GapMonitor": "monitor.callback",
    "GapMonitorMixin": "monitor.losses.mixin",
    "History": "analysis.history.history",
    "NonFinite": "analysis.rules.limits",
    "Observation": "analysis.history.observation",
    "Outlook": "analysis.outlook.outlook",
    "Overlap": "analysis.overlap",
    "Patience": "analysis.rules.patience",
    "Rule": "analysis.rules.rule",
    "StopReason": "analysis.rules.rule",
    "Target": "analysis.rules.limits",
    "WandbAlert": "report.alerts",
    "Webhook": "report.alerts",
    "diagnose": "analysis.verdicts.diagnose",
    "find_overlap": "collect.overlap.find",
    "outlook": "analysis.outlook.outlook",
    "register_rule": "analysis.rules.expression",
    "replay": "analysis.replay",
}

__all__ = [
    "Budget",
    "Custom",
    "Diagnosis",
    "Divergence",
    "GapCheckpoint",
    "GapLimit",
    "GapMonitor",
    "GapMonitorMixin",
    "History",
    "NonFinite",
    "Observation",
    "Outlook",
    "Overlap",
    "Patience",
    "Rule",
    "StopReason",
    "Target",
    "WandbAlert",
    "Webhook",
    "diagnose",
    "find_overlap",
    "outlook",
    "register_rule",
    "replay",
]


def __getattr__(name: str) -> object:
    """Import the home of a public name when it is first asked for."""
    if name == "__version__":
        return import_module("importlib.metadata").version("lightning-gapmon")
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
