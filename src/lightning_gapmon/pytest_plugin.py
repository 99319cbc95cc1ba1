"""A fixture for tests that train: `gapmon_gate(history)` fails where `gapmon check` would."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pytest

# pytest loads this module in every project that has the package: the rest comes when it is used.
if TYPE_CHECKING:
    from lightning_gapmon.analysis.gate.result import GateResult
    from lightning_gapmon.analysis.history.history import History

    Gate = Callable[..., GateResult]


@pytest.fixture
def gapmon_gate(request: pytest.FixtureRequest) -> "Gate":
    """Judge a run in a test as `gapmon check` does: `gapmon_gate(monitor.history)`.

    It takes the settings of the gate too: `fail_on`, `warn_on`, `max_val`, `max_gap`,
    `min_checks`, and as `baseline` the histories of before. The test fails where the gate does,
    and where nothing could be judged; else what came of each check is given back.
    """

    def judge(
        history: "History",
        *,
        fail_on: Iterable[str] = (),
        warn_on: Iterable[str] = (),
        max_val: float | None = None,
        max_gap: float | None = None,
        min_checks: int | None = None,
        baseline: "Iterable[History] | None" = None,
    ) -> "GateResult":
        from lightning_gapmon.analysis.gate.gate import gate  # noqa: PLC0415
        from lightning_gapmon.analysis.gate.policy import Policy  # noqa: PLC0415
        from lightning_gapmon.analysis.gate.result import Judged  # noqa: PLC0415
        from lightning_gapmon.analysis.study import Run  # noqa: PLC0415
        from lightning_gapmon.analysis.verdicts.diagnose import diagnose  # noqa: PLC0415
        from lightning_gapmon.report.gate_text import lines  # noqa: PLC0415

        policy = Policy(
            fail_on=tuple(fail_on),
            warn_on=tuple(warn_on),
            max_val=max_val,
            max_gap=max_gap,
            min_checks=min_checks,
        )
        run = Judged(name=request.node.name, history=history, diagnosis=diagnose(history))
        before = None if baseline is None else [Run(name="", history=one) for one in baseline]
        outcome = gate([run], policy, baseline=before)
        if outcome.code:
            pytest.fail("\n".join(line.text for line in lines(outcome)), pytrace=False)
        return outcome

    return judge
