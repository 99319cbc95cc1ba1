"""When to stop: rules are pure functions of the history, one module a family.

Importing this loads the whole catalogue, wrappers with it.
"""

from lightning_gapmon.analysis.rules.budget import Budget
from lightning_gapmon.analysis.rules.custom import Custom
from lightning_gapmon.analysis.rules.gap_limit import GapLimit
from lightning_gapmon.analysis.rules.grace import Grace
from lightning_gapmon.analysis.rules.limits import Divergence, NonFinite, Target
from lightning_gapmon.analysis.rules.lr_aware import LrAware
from lightning_gapmon.analysis.rules.patience import Patience
from lightning_gapmon.analysis.rules.rule import After, AllOf, AnyOf, Rule, StopReason
from lightning_gapmon.analysis.rules.smoothed import Smoothed

__all__ = [
    "After",
    "AllOf",
    "AnyOf",
    "Budget",
    "Custom",
    "Divergence",
    "GapLimit",
    "Grace",
    "LrAware",
    "NonFinite",
    "Patience",
    "Rule",
    "Smoothed",
    "StopReason",
    "Target",
]
