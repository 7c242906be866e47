"""Cut lines that a person puts by hand: where they can be put, and where they start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from ibis import _

from retention_lab.customers.groups import LEAST, VALUES, dimensions
from retention_lab.customers.rfm import EVERYBODY, MEASURES, Cuts
from retention_lab.customers.rfm_cells import Steps
from retention_lab.customers.standing import Standing
from retention_lab.customers.thresholds import Thresholds
from retention_lab.tables.engine import collect
from retention_lab.tables.parsing import minor_digits
from retention_lab.tables.snapshot import Snapshot

QUOTE = "'"
_PURCHASES, _PLACES = 12, 100  # the fewest purchases and steps of money that lines can be put at


def steps(here: Standing) -> Steps:
    """Choose steps that hold the lines in use well inside, with round sums of money."""
    cuts = here.thresholds.cuts
    top = {
        name: max(max(cuts.edges(name, key)) for key in getattr(cuts, name)) for name in MEASURES
    }
    money = 2 * max(top["monetary"], 10 ** minor_digits(here.currency))
    step = next(
        digit * 10**power
        for power in range(19)
        for digit in (1, 2, 5)
        if digit * 10**power * _PLACES >= money
    )
    return Steps(
        days=max(here.within, top["recency"], here.rules.activity[-1] + 1),
        purchases=max(_PURCHASES, 2 * top["frequency"]),
        money=-(-money // step) * step,
        step=step,
        unit=10 ** minor_digits(here.currency),
    )


def nearest(cuts: Cuts, to: Steps) -> dict[str, list[float]]:
    """Put lines on the nearest steps; of nested ones, the line in the middle of all."""
    found = {}
    for name in MEASURES:
        unit = to.unit if name == "monetary" else 1
        places = [place / unit for place in to.places(name).tolist() if place >= 0]
        lines = [median(each) for each in zip(*getattr(cuts, name).values(), strict=True)]
        found[name] = [min((abs(at - line), at) for at in places)[1] for line in lines]
    return found


def by_hand(here: Standing, lines: Mapping[str, Sequence[float]]) -> Thresholds:
    """Make thresholds of lines for everybody; whoever answers for the last rule has them.

    `lines` are days, purchases and whole units of money by measure.
    """
    last = here.rules.cohorts[-1]
    cuts = {name: {EVERYBODY: tuple(lines[name])} for name in MEASURES}
    return Thresholds(
        owner=last.owner,
        review_by=last.review_by,
        as_of=here.as_of,
        method="fixed",
        within=here.within,
        cuts=Cuts(currency=here.currency, **cuts),
    )


def filters(shop: Snapshot) -> list[str]:
    """Conditions that choose customers by the commonest values of their attributes."""
    people, found = shop.customers, []
    for name in (each for each in dimensions(shop) if each in people.columns):
        counts = people.group_by(value=people[name]).agg(n=_.count())
        shown = counts.filter(_.value.notnull() & (_.n >= LEAST))
        rows = collect(shown.order_by(_.n.desc(), _.value).limit(VALUES))
        words = (value.replace(QUOTE, 2 * QUOTE) for value in sorted(rows["value"]))
        found += [f"{name} = '{value}'" for value in words]
    return found
