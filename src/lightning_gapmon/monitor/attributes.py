"""All that can be read of a monitor: its options, and what has come out of the last fit."""

from typing import TYPE_CHECKING

from lightning_gapmon.monitor.parts import Read

if TYPE_CHECKING:
    from lightning_gapmon.analysis.history.history import History
    from lightning_gapmon.analysis.history.observation import Observation
    from lightning_gapmon.analysis.outcome import Outcome
    from lightning_gapmon.analysis.outlook.outlook import Outlook
    from lightning_gapmon.analysis.overlap import Overlap
    from lightning_gapmon.analysis.rules.rule import Rule, StopReason
    from lightning_gapmon.analysis.verdicts.diagnosis import Diagnosis
    from lightning_gapmon.monitor.checkpoints.checkpoint import GapCheckpoint
    from lightning_gapmon.monitor.losses.batch_size import BatchSize
    from lightning_gapmon.monitor.settings import Overlay, ProbeData, RestoreBest
    from lightning_gapmon.report.verdict_event import OnVerdict


class Attributes:
    """The attributes of a `GapMonitor`, each read from the part that holds it."""

    train: "Read[str | None]" = Read("_settings.losses")
    val: "Read[str | None]" = Read("_settings.losses")
    batch_size: "Read[BatchSize | None]" = Read("_settings.losses")
    loader: "Read[int | None]" = Read("_settings.losses")
    is_loss: "Read[bool]" = Read("_settings.losses")
    stop: "Read[Rule | None]" = Read("_settings")
    checkpoint: "Read[bool | GapCheckpoint]" = Read("_settings.weights")
    restore_best: "Read[RestoreBest]" = Read("_settings.weights")
    probe: "Read[ProbeData | None]" = Read("_settings.evidence")
    leakage: "Read[int | None]" = Read("_settings.evidence")
    baseline: "Read[float | None]" = Read("_settings.evidence")
    start: "Read[bool]" = Read("_settings.evidence")
    prog_bar: "Read[bool]" = Read("_settings.show")
    summary: "Read[bool]" = Read("_settings.show")
    publish: "Read[bool]" = Read("_settings.show")
    overlay: "Read[Overlay | None]" = Read("_settings.show")
    on_verdict: "Read[OnVerdict | None]" = Read("_settings.show")

    history: "Read[History]" = Read("_shown")
    best: "Read[Observation | None]" = Read("_shown")
    stop_reason: "Read[StopReason | None]" = Read("_shown")
    diagnosis: "Read[Diagnosis]" = Read("_shown")
    outlook: "Read[Outlook]" = Read("_shown")
    overlaps: "Read[list[Overlap]]" = Read("_shown")
    outcome: "Read[Outcome | None]" = Read("_shown")
