"""What is claimed of a test that is read: the effect of the arm it is about, and its money.

Nothing is recorded of an effect that may not be shown, nor of fewer customers than may be told.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from retention_lab.checks import BadData
from retention_lab.experiments import stakes, verdicts
from retention_lab.experiments.effects import Effect
from retention_lab.experiments.readout import Readout
from retention_lab.experiments.sequential import Looked
from retention_lab.experiments.stakes import Money
from retention_lab.inference.interval import Interval
from retention_lab.record.effects import outcome
from retention_lab.record.ledger import Ledger
from retention_lab.record.looking import told
from retention_lab.record.small import few, splits

_BY = "Of all assigned to the arm, reached or not; a gain is positive."


def record(ledger: Ledger, seen: Readout) -> None:
    """Record the size of a test and, as far as it may be shown, what its verdict rests on."""
    size = assigned(seen)
    if size and not few(size):
        ledger.record(
            "verdict_customers",
            size,
            unit="count",
            label="Customers in the test",
            definition="Assigned so far to an arm of the plan, each in the first one.",
        )
    effect, looked = effect_of(seen), looked_of(seen)
    _harms(ledger, seen)
    if effect is None or looked is None:
        return
    _points(ledger, seen, effect, looked)
    if seen.decision.money is not None:
        _money(ledger, seen.decision.money, currency=seen.currency, about=effect.arm)


def assigned(seen: Readout) -> int:
    """Customers in arms of the plan, of everybody assigned so far."""
    if seen.collapsed is None:
        return 0
    arms = seen.collapsed.arms
    return int(arms.loc[arms["arm"].isin([*seen.plan.weights]), "customers"].sum())


def effect_of(seen: Readout) -> Effect | None:
    """The effect of the arm that the verdict is about, if it may be shown."""
    found = next((one for one in seen.effects if one.arm == seen.decision.arm), None)
    if found is None or not seen.shows:
        return None
    return None if few([found.customers, found.customers_control]).any() else found


def looked_of(seen: Readout) -> Looked | None:
    """The looks at the arm that the verdict is about."""
    return next((one for one in seen.looked if one.arm == seen.decision.arm), None)


def harms(seen: Readout) -> dict[str, dict[Hashable, Any]]:
    """Guardrails that are shown to be harmed, by the name of their claim; rows of `measured`."""
    if seen.measured is None or not seen.shows:
        return {}
    harmed = seen.measured["harmed"] & (seen.measured["role"] == "guardrail")
    rows = seen.measured[harmed].to_dict("records")
    return {f"verdict_harm_{row['arm']}_{row['metric']}": row for row in rows}


def _harms(ledger: Ledger, seen: Readout) -> None:
    for name, row in harms(seen).items():
        did, of = ([row[part], row[f"{part}_control"]] for part in ("did", "customers"))
        if few(of).any() or (row["unit"] == "share" and splits(did, of).any()):
            continue
        ledger.record(
            name,
            float(row["difference"]),
            interval=(float(row["low"]), float(row["high"])),
            unit="points" if row["unit"] == "share" else row["unit"],
            currency=seen.currency,
            n=sum(of),
            difference=True,
            about=row["arm"],
            label=f"{row['label']}, arm less control",
            definition="A guardrail of the plan: average of all followed for the days of the "
            "endpoint. Range at 95 %.",
        )


def _points(ledger: Ledger, seen: Readout, effect: Effect, looked: Looked) -> None:
    try:
        found = stakes.in_points(seen.plan, effect, looked)
    except BadData:  # what the page says instead is in `why`
        return
    about: dict[str, Any] = {
        "about": effect.arm,
        "n": effect.customers + effect.customers_control,
        "unit": "points",
        "difference": True,
    }
    ledger.record(
        "verdict_effect",
        _plain(found),
        key=True,
        label=outcome(seen.plan, who=True),
        definition=f"Share of {effect.arm} less that of {effect.control}. {_BY} Its range holds at "
        "all looks together; after an early stop both are the corrected ones.",
        **about,
    )
    _raw(ledger, effect, looked, about)
    ledger.record(
        "verdict_matters",
        verdicts.matters(seen.plan, effect, seen.decision.money),
        unit="points",
        difference=True,
        label="Least effect that matters",
        definition="From which on the messages pay; where that is not known, the smallest effect "
        f"of the plan times the share reached. {_BY}",
        about=effect.arm,
    )
    _shares(ledger, effect, what=outcome(seen.plan))
    _pace(ledger, seen, effect, looked)
    if not looked.stopped and len(looked.coming):
        _coming(ledger, seen, effect, looked)


def _raw(ledger: Ledger, effect: Effect, looked: Looked, about: dict[str, Any]) -> None:
    """Record the effect as it was seen, where it was corrected for an early stop."""
    if looked.estimate is None or stakes.corrected(looked) is None:
        return
    raw = effect.adjusted or effect.difference
    ledger.record(
        "verdict_raw",
        looked.estimate if looked.unit == "points" or raw is None else raw.value,
        label="The same, as seen at the stop",
        definition=f"Not corrected for the early stop, which flatters it. {_BY}",
        **about,
    )


def _coming(ledger: Ledger, seen: Readout, effect: Effect, looked: Looked) -> None:
    """Record what the next look and the last would have to see for a gain."""
    if looked.unit != "points" and not looked.smallest:
        return
    # The plan's smallest effect is known in points and in the unit of the test.
    smallest = verdicts.matters(seen.plan, effect, None)
    scale = 1.0 if looked.unit == "points" else smallest / (looked.smallest or 1.0)
    for name, place, what in (("verdict_next", 0, "next"), ("verdict_finish", -1, "last")):
        row = looked.coming.iloc[place]
        least = scale * float(row["upper"]) * float(row["std_error"])
        if not least < 1:  # the first looks may ask for more than can be
            continue
        ledger.record(
            name,
            least,
            unit="points",
            difference=True,
            about=effect.arm,
            label=f"Least effect that the {what} look could show",
            definition=f"Bound of the {what} look times the standard error expected then. {_BY}",
        )


def _pace(ledger: Ledger, seen: Readout, effect: Effect, looked: Looked) -> None:
    """Record by what a log-rank test decides, which is no difference of shares at one day."""
    held = stakes.corrected(looked) or looked.interval
    if looked.unit == "points" or held is None:
        return
    value, low, high = (told(seen, looked, each) for each in (held.value, held.low, held.high))
    kept = seen.plan.endpoint.kind == "retained"
    ledger.record(
        "verdict_pace",
        Interval(value=value, low=low, high=high),
        unit="share",
        difference=True,
        about=effect.arm,
        label=f"{'Less often gone' if kept else 'More often back'}, day by day, than in control",
        definition=f"By this the test decides (log-rank). {_BY} Its range holds at all looks "
        "together; after an early stop both are the corrected ones.",
    )


def _shares(ledger: Ledger, effect: Effect, *, what: str) -> None:
    """Record both shares, unless one of them tells of a few."""
    of, had = [effect.customers, effect.customers_control], [effect.events, effect.events_control]
    if effect.share is None or effect.share_control is None or splits(had, of).any():
        return
    for name, arm, share, n in (
        ("verdict_share", effect.arm, effect.share, of[0]),
        ("verdict_share_control", effect.control, effect.share_control, of[1]),
    ):
        ledger.record(
            name,
            _plain(share),
            unit="share",
            n=n,
            about=arm,
            label=f"{what}, {arm}",
            definition="Of all assigned to the arm; whoever was not followed for so long counts "
            "for as long as they were (Kaplan-Meier). Range at 95 %.",
        )


def _money(ledger: Ledger, found: Money, *, currency: str, about: str) -> None:
    words: dict[str, Any] = {"unit": "money", "currency": currency, "about": about}
    ledger.record(
        "verdict_per_customer",
        found.per_customer,
        label="Worth of sending to all, per customer",
        definition="Effect times what one more customer is worth, less what the messages cost. "
        f"{_BY} Its range is that of the effect alone.",
        **words,
    )
    ledger.record(
        "verdict_break_even",
        found.break_even,
        label="Cost of a message at which it neither gains nor loses",
        definition="What the effect earns with each message sent; below 0 it never pays.",
        **words,
    )
    worth = found.worth if found.worth_range is None else found.worth_range
    ledger.record(
        "verdict_worth",
        worth,
        label="Worth of one more customer",
        definition=found.worth_why,
        **words,
    )
    ledger.record(
        "verdict_chance_of_loss",
        found.chance_of_loss,
        unit="share",
        about=about,
        label="Chance that sending to all loses money",
        definition="As far as the effect may be off; nothing was known before the test.",
    )
    _yearly(ledger, found, words)


def _yearly(ledger: Ledger, found: Money, words: dict[str, Any]) -> None:
    if found.per_year is None or found.customers_per_year is None or found.regret is None:
        return
    pace = (
        f"{found.customers_per_year:,.0f} customers a year, by the pace of {found.enrol_days} days"
    )
    ledger.record(
        "verdict_per_year",
        found.per_year,
        label="Worth of sending to all, a year",
        definition=f"The worth per customer times {pace}. The effect until the endpoint's day "
        "alone counts, and is taken to stay as it is.",
        **words,
    )
    ledger.record(
        "verdict_regret",
        found.regret,
        label="Lost on average in a year, as the better choice of today may be the worse",
        definition=f"Expected regret, of {pace}; what knowing the truth would be worth.",
        **words,
    )
    if found.waiting is not None:
        ledger.record(
            "verdict_waiting",
            found.waiting,
            label="What one more look is worth in a year",
            definition=f"What it may still change, less what waiting costs meanwhile, of {pace}.",
            **words,
        )


def _plain(found: Interval) -> Interval:
    """Leave out what more an estimate knows."""
    return Interval(value=found.value, low=found.low, high=found.high)
