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
from lightning_gapmon.analysis.rules.plateau import Plateau
from lightning_gapmon.analysis.rules.prechelt import (
    GeneralizationLoss,
    ProgressQuotient,
    SuccessiveRises,
)
from lightning_gapmon.analysis.rules.rule import After, AllOf, AnyOf, Rule, StopReason
from lightning_gapmon.analysis.rules.smoothed import Smoothed
from lightning_gapmon.analysis.rules.trend_reversal import TrendReversal

__all__ = [
    "After",
    "AllOf",
    "AnyOf",
    "Budget",
    "Custom",
    "Divergence",
    "GapLimit",
    "GeneralizationLoss",
    "Grace",
    "LrAware",
    "NonFinite",
    "Patience",
    "Plateau",
    "ProgressQuotient",
    "Rule",
    "Smoothed",
    "StopReason",
    "SuccessiveRises",
    "Target",
    "TrendReversal",
]
