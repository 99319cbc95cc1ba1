"""Attack the promises of the package with what nobody thought of: drawn by a seed, for minutes.

    python -m tests.attack --seed 1 --minutes 3 --ranks 2

Prints what was compared, and each difference with the round that shows it again alone: `--seed 1
--only pairs --round 4`. Ends with 1 if there was any.
"""

import argparse
import faulthandler
import sys
import time
from collections.abc import Callable, Sequence
from random import Random

from tests.attack import files, kills, pairs, prefixes
from tests.attack.tally import Tally

Attack = Callable[..., None]
# Each with its share of the time: a fit takes longer than a file.
ATTACKS: dict[str, tuple[Attack, float]] = {
    "pairs": (pairs.attack, 0.4),
    "kills": (kills.attack, 0.3),
    "files": (files.attack, 0.15),
    "prefixes": (prefixes.attack, 0.15),
}
ON_RANKS = ("pairs", "kills")  # the others know of no ranks
HUNG = 600.0  # seconds; the ranks have deadlines of their own
STDERR = 2  # the file itself, whatever stands for it in this process


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack, and tell.

    Returns:
        1 if there was a difference.
    """
    options = read_options(arguments)
    names = [options.only] if options.only else ON_RANKS if options.ranks > 1 else tuple(ATTACKS)
    whole = sum(ATTACKS[name][1] for name in names)
    found = [
        _attack(name, options, seconds=60 * options.minutes * ATTACKS[name][1] / whole)
        for name in names
    ]
    return int(any(found))


def _attack(name: str, options: argparse.Namespace, *, seconds: float) -> int:
    attack, _ = ATTACKS[name]
    given = {"ranks": options.ranks} if name in ON_RANKS else {}
    tally, end, number = Tally(), time.monotonic() + seconds, options.round or 0
    while not tally.compared or (options.round is None and time.monotonic() < end):
        known = len(tally.differences)
        faulthandler.dump_traceback_later(HUNG, exit=True, file=STDERR)
        attack(Random(f"{options.seed} {name} {number}"), tally, **given)  # noqa: S311
        faulthandler.cancel_dump_traceback_later()
        again = f"--seed {options.seed} --ranks {options.ranks} --only {name} --round {number}"
        for difference in tally.differences[known:]:
            sys.stdout.write(f"{name}: {difference}\n    again: {again}\n")
        number += 1
        if tally.differences and not tally.compared:
            break
    sys.stdout.write(f"{name}, seed {options.seed}, {options.ranks} rank(s): {tally}\n")
    sys.stdout.flush()
    return len(tally.differences)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=3.0, help="for all attacks together")
    parser.add_argument("--ranks", type=int, choices=[1, 2], default=1)
    parser.add_argument("--only", choices=list(ATTACKS))
    parser.add_argument("--round", type=int, help="this one alone")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
