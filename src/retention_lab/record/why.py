"""What is claimed of why a figure moved: the parts of the change, and the group named beside it.

What rests on fewer than `SMALL` customers is not recorded.
"""

from __future__ import annotations

import re
from contextlib import suppress

from retention_lab import __version__
from retention_lab.checks import BadData
from retention_lab.customers import explain
from retention_lab.customers.explain import Explained, Part, PartName
from retention_lab.customers.groups import FIRST_COUPON, FIRST_FAMILY
from retention_lab.customers.measures import Estimate, measure
from retention_lab.customers.newest import Newest
from retention_lab.customers.notable import Notable, notable
from retention_lab.inference.interval import Interval
from retention_lab.record import previous as previous_report
from retention_lab.record.ledger import BEFORE, Claim, Ledger, Unit
from retention_lab.record.previous import Previous
from retention_lab.record.small import SMALL, of_share
from retention_lab.tables import snapshot
from retention_lab.tables.period import Period
from retention_lab.tables.population import looks_ahead
from retention_lab.tables.snapshot import Snapshot

CLAIMS: dict[PartName, str] = {
    "restated": "why_restated",
    "definition": "why_definition",
    "restated or definition": "why_restated_or_definition",
    "later": "why_later",
    "mix": "why_mix",
    "rate": "why_rate",
}
_MEANINGS: dict[PartName, str] = {
    "restated": "What the earlier figure would be with today's data, minus what it was.",
    "definition": "The earlier figure as counted today, on the data of then, minus as printed.",
    "restated or definition": (
        "The earlier figure as of today, minus as printed; the data of then are not there to tell "
        "restated data from another way of counting."
    ),
    "later": "What data that arrived after the earlier report add to its figure.",
    "mix": (
        "The change in the shares of the groups, at the mean of each group's two rates (Kitagawa); "
        "delta-method interval."
    ),
    "rate": (
        "The change in the rate of each group, at the mean of its two shares (Kitagawa); "
        "delta-method interval."
    ),
}


def printed(
    previous: Previous | None,
    claim: Claim,
    *,
    earlier: Snapshot | None = None,
    then: Snapshot | None = None,
) -> explain.Printed | None:
    """Find what an earlier report printed of the period of a claim, by whichever name.

    `earlier` is the snapshot of that report, if it still exists, `then` today's data as of its day.

    Returns
    -------
    Printed or None
        None where nothing was printed of that period.
    """
    if previous is None:
        return None
    stem = claim.name.removesuffix(BEFORE)
    for name in (stem, stem + BEFORE):
        found = previous.results.get(name)
        if found and _is_of(found, claim):
            alike = found.definition == claim.definition and found.method_version == __version__
            return explain.Printed(
                value=found.value,
                as_of=previous.as_of,
                same_method=alike,
                earlier=earlier,
                then=then,
            )
    return None


def _is_of(found: previous_report.Printed, claim: Claim) -> bool:
    """Tell whether a printed result is of the same thing, perhaps counted in another way."""
    days, other = (re.findall(r"within (\d+) days", each.definition) for each in (found, claim))
    return (found.period, found.unit, days) == (claim.period, claim.unit, other)


def as_printed(
    ledger: Ledger, previous: Previous | None, *, shop: Snapshot, source: str
) -> explain.Printed | None:
    """Find what the report before printed of the month before, with the data of then.

    Returns
    -------
    Printed or None
        None where it printed nothing of that month.
    """
    if "returned" + BEFORE not in ledger:
        return None
    return with_data(previous, ledger["returned" + BEFORE], shop=shop, source=source)


def with_data(
    previous: Previous | None, claim: Claim, *, shop: Snapshot, source: str
) -> explain.Printed | None:
    """Find what an earlier report printed of the period of a claim, with the data of then.

    `shop` was taken from `source` (empty for frames, of which no earlier data are kept); other
    snapshots are chosen as it is. A complete period does not grow, so today's data are cut at the
    day of that report only where `shop` was chosen by what customers did later.

    Returns
    -------
    Printed or None
        None where it printed nothing of that period.
    """
    if previous is None or printed(previous, claim) is None:
        return None
    alike = {"zone": shop.zone, "where": shop.where}
    earlier = then = None
    with suppress(BadData):  # nobody of those chosen had bought by then
        earlier = snapshot.kept(source, name=previous.snapshot, **alike) if source else None
        if source and looks_ahead(shop.where):
            then = snapshot.take(source, as_of=previous.as_of, **alike)
    return printed(previous, claim, earlier=earlier, then=then)


def claimed(found: Estimate) -> Claim:
    """Return an estimate as reports record it, to be found among what they printed."""
    name = found.measure.name
    return Claim(
        name="returned" if name.startswith("returned_") else name,
        value=found.value.value,
        low=found.value.low,
        high=found.value.high,
        unit=found.measure.unit,
        n=found.customers,
        definition=found.measure.definition,
        period=str(found.period),
    )


def returned(
    ledger: Ledger,
    shop: Snapshot,
    found: Newest | None,
    *,
    days: int,
    printed: explain.Printed | None = None,
) -> Explained | None:
    """Explain the newest complete month of new customers against the month before, and record it.

    Returns
    -------
    Explained or None
        None where a month has too few customers, or all did alike: there is nothing to explain.
    """
    if found is None or found.before is None:
        return None
    period, against = (
        Period(first=each.month, last=each.last_day) for each in (found.cohort, found.before)
    )
    with suppress(BadData):
        explained = explain.explain(
            shop, measure(f"returned_{days}"), period=period, against=against, printed=printed
        )
        return explained if why(ledger, explained) else None
    return None


def why(ledger: Ledger, explained: Explained) -> bool:
    """Record the parts of a change and the group that tells it best; say whether there are enough.

    A part of a share is in points; what is a difference of two known figures has no interval.
    """
    found = explained.comparison
    sides = found.now, found.before
    if any(map(too_small, sides)):
        return False
    about = f"{sides[0].period.name} against {sides[1].period.name}"
    for part in explained.parts:
        ledger.record(
            CLAIMS[part.name],
            _value(part),
            unit=_unit(explained),
            n=sum(each.customers for each in sides),
            about=about,
            label=f"{explained.measure.label}: {part.name}",
            definition=_MEANINGS[part.name],
            currency=found.currency if explained.measure.unit == "money" else "",
        )
    _group(ledger, explained)
    return True


def _value(part: Part) -> float | Interval:
    return part.value if part.interval is None else part.interval


def _unit(explained: Explained) -> Unit:
    return "points" if explained.measure.unit == "share" else explained.measure.unit


def _group(ledger: Ledger, explained: Explained) -> None:
    group = notable(explained)
    if group is None or _tells_of_few(group, explained):
        return
    who, compared = kind(group.dimension, group.group), explained.comparison
    for suffix, share, side in (
        ("", group.share_now, compared.now),
        (BEFORE, group.share_before, compared.before),
    ):
        ledger.record(
            "why_group" + suffix,
            share,
            unit="share",
            n=side.customers,
            about=who,
            label=f"Share of {who}, {side.period.name}",
            definition="Customers of this kind, of all customers of the figure.",
        )
    for name, rate, whose in (
        ("why_group_rate", group.rate, who),
        ("why_others_rate", group.others, "all others"),
    ):
        ledger.record(
            name,
            rate,
            unit=explained.measure.unit,
            n=group.customers if name == "why_group_rate" else None,
            about=whose,
            label=f"{explained.measure.label}: {whose}",
            definition=explained.measure.definition,
            currency=compared.currency if explained.measure.unit == "money" else "",
        )


def too_small(side: Estimate) -> bool:
    """Say whether a figure rests on fewer customers than may be shown, or tells of as few."""
    share = side.measure.unit == "share"
    return side.customers < SMALL or (share and of_share(side.value.value, side.customers))


def _tells_of_few(group: Notable, explained: Explained) -> bool:
    """Look at the group on both sides, at those in it who did, and at all others who did."""
    found = explained.comparison
    shares = ((group.share_now, found.now), (group.share_before, found.before))
    if group.customers < SMALL or any(of_share(share, side.customers) for share, side in shares):
        return True
    others = (found.now if group.share_now else found.before).customers - group.customers
    rates = ((group.rate, group.customers), (group.others, others))
    return explained.measure.unit == "share" and any(of_share(*each) for each in rates)


def kind(dimension: str, group: str) -> str:
    """Name the customers of a group: `customers of acquisition channel “social”`."""
    quoted = f"\N{LEFT DOUBLE QUOTATION MARK}{group}\N{RIGHT DOUBLE QUOTATION MARK}"
    if dimension == FIRST_COUPON:
        had = "a coupon or a discount" if group == "yes" else "neither coupon nor discount"
        return f"customers whose first order had {had}"
    if dimension == FIRST_FAMILY:
        return f"customers whose dearest first item was {quoted}"
    return f"customers of {dimension.replace('_', ' ')} {quoted}"
