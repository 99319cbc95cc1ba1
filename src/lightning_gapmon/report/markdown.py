"""A verdict as Markdown, for TensorBoard's Text tab."""

from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis
from lightning_gapmon.analysis.wording import number


def verdict(diagnosis: Diagnosis) -> str:
    """Write a verdict with its evidence and remedies.

    Example:
        >>> from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis
        >>> print(verdict(Diagnosis(verdict="plateau", message="flat", evidence={"slope": 0.0})))
        **plateau**: flat
        <BLANKLINE>
        | evidence | value |
        |---|---|
        | slope | 0.000 |
    """
    parts = [f"**{diagnosis.verdict}**: {diagnosis.message}"]
    if diagnosis.since is not None:
        parts.append(f"Since check {diagnosis.since}.")
    if diagnosis.evidence:
        rows = [f"| {name} | {number(value)} |" for name, value in diagnosis.evidence.items()]
        parts.append("\n".join(["| evidence | value |", "|---|---|", *rows]))
    if diagnosis.remedies:
        parts.append("\n".join(f"- {remedy}" for remedy in diagnosis.remedies))
    return "\n\n".join(parts)
