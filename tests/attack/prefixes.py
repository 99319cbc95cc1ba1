"""Drawn histories through all that judges one: pure, and of a prefix what was said at the time."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from tests import curves
from tests.analysis.rules.test_catalogue import EACH
from tests.attack.tally import Tally

from lightning_gapmon import History, Observation, diagnose, outlook

Judge = Callable[[History], object]
ODD = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300, -1e300, 5e-324)
JUDGES: Mapping[str, Judge] = {
    "diagnose": diagnose,
    "diagnose live": partial(diagnose, live=True),
    "diagnose above a baseline": partial(diagnose, baseline=1.0),
    "outlook": outlook,
    **{repr(traits.rule): traits.rule for traits in EACH},
}


def attack(draw: Random, tally: Tally, *, judges: Mapping[str, Judge] = JUDGES) -> None:
    """Ask as the history grows, and again of each prefix as a view and as a run of its own."""
    whole = history(draw)
    grown = History(planned=whole.planned)
    then: list[dict[str, str]] = []
    for seen in whole:
        grown.append(seen)
        then.append({name: said(judge, grown) for name, judge in judges.items()})
    for size in sorted(range(1, len(whole) + 1), key=lambda _: draw.random())[:8]:
        fresh = History(list(whole)[:size], planned=whole.planned)
        for name, judge in judges.items():
            now = {said(judge, fresh), said(judge, whole[:size]), said(judge, grown[:size])}
            same = now == {then[size - 1][name]} and "raised" not in then[size - 1][name]
            told = f"{name} said {then[size - 1][name]}, then {now}"
            tally.expect("prefixes", same, f"{told} at {size} of {whole.to_json()}")


def said(judge: Judge, run: History) -> str:
    """Ask; an error is an answer too, though never the right one."""
    try:
        return repr(judge(run))
    except Exception as error:  # noqa: BLE001 - whatever it is: a judge never raises
        return f"raised {error!r}"


def history(draw: Random) -> History:
    """Draw a run: a known shape, in any unit, with any numbers spoilt or not measured."""
    checks = draw.choice((1, 3, 8, 20, 40))
    unit = 10.0 ** draw.randint(-6, 6)
    train, val = curves.draw(
        draw.choice((curves.good, curves.u_shape, curves.stall, curves.blow_up, curves.flat)),
        checks=checks,
        noise=draw.choice((0.0, 0.01, 0.3)),
        seed=draw.getrandbits(32),
        unit=unit,
        shift=draw.choice((0.0, -1.0, -100.0)),
    )
    spoilt = draw.choice((0.0, 0.05, 0.5))
    measured = [name for name in NUMBERS if draw.random() < 0.5]

    def check(index: int) -> Observation:
        numbers = {name: unit * abs(draw.gauss(0, 1)) for name in measured}
        numbers |= {"train": train[index], "val": val[index]}
        numbers |= {name: draw.choice(ODD) for name in numbers if draw.random() < spoilt}
        return Observation(check=index + 1, epoch=index // 2, step=10 * index, **numbers)  # type: ignore[arg-type]

    planned = draw.choice((None, checks, 2 * checks, max(1, checks // 2)))
    return History(map(check, range(checks)), planned=planned)


# Any number may stand there; a plan is drawn apart, one for the run and its prefixes.
NUMBERS = [
    field.name
    for field in dataclasses.fields(Observation)
    if field.type in (float, "float") and field.name != "planned"
]
