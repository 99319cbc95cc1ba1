"""Verdicts on curves of real runs: small networks on few digits, trained until they memorise."""

import pytest

from lightning_gapmon import History
from lightning_gapmon.analysis.history.observation import Observation
from lightning_gapmon.analysis.verdicts.diagnose import Diagnosis, diagnose

# (what was trained, validation loss, probe loss, standard error of both) at each check
OVERFIT = {
    "100 digits, learning rate 0.01": (
        (
            "1.762 1.006 0.905 0.662 0.711 0.813 0.621 0.506 0.627 0.608 0.554 0.601 "
            "0.689 0.742 0.765 0.76 0.746 0.737 0.732 0.73"
        ),
        (
            "1.6897 0.6457 0.4242 0.2245 0.085 0.1375 0.08 0.0316 0.0228 0.011 0.0045 "
            "0.0036 0.004 0.0029 0.0016 0.001 0.0006 0.0005 0.0005 0.0004"
        ),
    ),
    "100 digits, a tenth of the labels wrong": (
        (
            "2.016 1.462 1.015 0.788 0.64 0.71 0.547 0.674 0.51 0.587 0.531 0.531 0.668 "
            "0.55 0.628 0.669 0.675 0.616 0.642 0.662 0.693"
        ),
        (
            "1.9852 1.4866 1.0096 0.7995 0.6625 0.584 0.4312 0.3719 0.342 0.2269 0.195 "
            "0.1769 0.1193 0.0987 0.1865 0.1281 0.0884 0.0901 0.055 0.0492 0.0873"
        ),
    ),
    "60 digits, learning rate 0.01": (
        (
            "1.853 1.079 1.248 0.776 0.852 0.68 0.679 0.844 0.67 0.624 0.72 0.871 0.847 "
            "0.77 0.757 0.76 0.774 0.793 0.816 0.835 0.847 0.853"
        ),
        (
            "1.734 0.7358 0.4862 0.2764 0.2007 0.1039 0.1062 0.0724 0.0189 0.021 0.006 "
            "0.0091 0.0036 0.0027 0.0029 0.0021 0.0014 0.0008 0.0007 0.0006 0.0005 0.0005"
        ),
    ),
    "150 digits, a seventh of the labels wrong": (
        (
            "1.811 0.995 0.945 0.733 0.693 0.652 0.595 0.675 0.754 0.734 0.626 0.777 0.63 "
            "0.75 0.753 0.762 0.842 0.828 0.828"
        ),
        (
            "1.7826 1.0247 0.9217 0.6644 0.6031 0.4612 0.359 0.296 0.335 0.2603 0.1976 "
            "0.1678 0.1047 0.0827 0.0589 0.0482 0.0497 0.0441 0.023"
        ),
    ),
    "150 digits, 30 epochs": (
        (
            "1.591 1.145 0.885 0.726 0.868 0.668 0.613 0.663 0.744 0.639 0.705 0.752 "
            "0.676 0.738 0.724 0.762 0.739 0.739 0.749 0.752 0.783 0.749 0.773 0.781 "
            "0.788 0.761 0.79 0.805 0.784 0.808"
        ),
        (
            "1.44 0.9 0.34 0.19 0.126 0.09 0.056 0.05 0.04 0.03 0.02 0.018 0.015 0.013 "
            "0.012 0.011 0.01 0.009 0.008 0.007 0.006 0.005 0.0045 0.004 0.0038 0.0035 "
            "0.003 0.0027 0.0023 0.0021"
        ),
    ),
}


def _judged(run: str) -> Diagnosis:
    val, probe = (map(float, curve.split()) for curve in OVERFIT[run])
    history = History(
        Observation(check=i + 1, epoch=i, step=7 * i, train=p, probe=p, val=v, val_stderr=0.04)
        for i, (v, p) in enumerate(zip(val, probe, strict=True))
    )
    return diagnose(history)


@pytest.mark.parametrize("run", OVERFIT)
def test_a_network_that_memorises_is_found_to_overfit(run: str) -> None:
    """Train went to zero while validation halted or came up."""
    found = _judged(run)

    assert found.verdict == "overfitting"
    assert found.form in ("gap", "both")
