"""`gapmon demo`: a small network that overfits, trained in a process of its own."""

import subprocess
import sys
from importlib.util import find_spec

import click

from lightning_gapmon.errors import ConfigurationError

MODULE = "lightning_gapmon.monitor.demo"  # this process loads neither torch nor Lightning
NEEDED = (("torch",), ("lightning", "pytorch_lightning"))  # of each, one will do


@click.command("demo", short_help="Train a small network until it overfits.")
@click.option("--max-epochs", type=click.IntRange(min=1), default=60, help="Epochs at most [60].")
@click.option("--folder", default="runs/demo", help="Where its logs go [runs/demo].")
@click.option("--stop", metavar="RULE", help="A rule, such as 'Budget.eager()'.")
@click.option("--accelerator", default="cpu", help="What it runs on [cpu].")
@click.option("--devices", type=click.IntRange(min=1), default=1, help="How many of them [1].")
def command(*, stop: str | None, **options: object) -> int:
    """Train a small network until it overfits, and see what the monitor says.

    It takes seconds: a hundred handwritten digits of scikit-learn, or noisy patterns where that
    is not installed. Look at what it leaves with gapmon report runs/demo.
    """
    missing = [names[0] for names in NEEDED if not any(map(find_spec, names))]
    if missing:
        msg = (
            f"Found no {' and no '.join(missing)} in this environment; expected what the demo "
            f"trains with. Install it: pip install {' '.join(missing)}"
        )
        raise ConfigurationError(msg)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    words += [f"--stop={stop}"] if stop else []
    return subprocess.run([sys.executable, "-m", MODULE, *words], check=False).returncode  # noqa: S603
