"""What is claimed of the worth of customers: names, units and definitions in one place.

What rests on fewer than `SMALL` customers, or would tell of as few, is not recorded.
"""

from __future__ import annotations

import pandas as pd

from retention_lab.customers.contracts import Contracts
from retention_lab.customers.trial import Trial
from retention_lab.customers.worth import Worth
from retention_lab.inference.interval import Interval
from retention_lab.record.ledger import Ledger
from retention_lab.record.small import SMALL, apart, covered, few, gives_away, of_share
from retention_lab.tables.parsing import minor_digits

OBSERVED = "worth_observed_"  # and the place of the cohort in the rules, from 1


def record(ledger: Ledger, worth: Worth) -> None:
    """Record what customers are expected to bring, how the model fared, and what was observed."""
    _observed(ledger, worth)
    if worth.trial is not None:
        _once(ledger, worth.trial)
        _tracked(ledger, worth.trial)
    _expected(ledger, worth)


def earned(worth: Worth) -> str:
    """Name what is counted: with a margin of 1 it is revenue, and no profit."""
    return "revenue" if worth.margin == 1 else f"margin ({100 * worth.margin:g} % of revenue)"


def units(found: Interval, currency: str) -> Interval:
    """Turn minor units into whole ones."""
    unit = 10 ** minor_digits(currency)
    return Interval(value=found.value / unit, low=found.low / unit, high=found.high / unit)


def everybody(worth: Worth) -> pd.DataFrame:
    """The cohorts of which the model tells, `customers` being all who are in them.

    Whoever bought nearly daily is in no model, but counted here: they could be few.
    """
    sizes = worth.observed.set_index("group")["customers"]
    by = worth.observed.iloc[:0].assign(value=0) if worth.by is None else worth.by
    return by.assign(customers=by["group"].map(sizes).astype("int64"))


def shown(cohorts: pd.DataFrame) -> pd.DataFrame:
    """The cohorts that may be shown, so that no few can be worked out from a total."""
    return cohorts.loc[~covered(cohorts["customers"])]


def followed(contracts: Contracts) -> pd.DataFrame:
    """The periods of subscriptions that may be shown: steps of nobody or of many."""
    if contracts.frame is None:
        return pd.DataFrame(columns=["period"])
    seen = contracts.frame[contracts.frame["seen"]].astype({"at_risk": "int64"})
    many = seen[seen["at_risk"] >= SMALL]
    return many[apart(many["at_risk"])] if len(many) else many


def _expected(ledger: Ledger, worth: Worth) -> None:
    every = everybody(worth)
    n, some = int(every["customers"].sum()), shown(every)
    if worth.total is None or n < SMALL or (some.empty and gives_away(every["customers"])):
        return
    what, about = earned(worth), f"the next {worth.months} months"
    ledger.record(
        "worth_total",
        units(worth.total, worth.currency),
        unit="money",
        n=n,
        key=True,
        about=about,
        currency=worth.currency,
        label=f"Expected {what}, {about}",
        definition=(
            f"Purchases expected of each customer by {worth.model}, times what each is expected to "
            "spend, less what is usually sent back; discounted by "
            f"{100 * worth.yearly_discount:g} % a year."
        ),
    )
    if some.empty:
        return
    top = some.sort_values("value").iloc[-1]
    ledger.record(
        "worth_top",
        float(top["value"]) / worth.total.value,
        unit="share",
        n=int(top["customers"]),
        about=str(top["group"]),
        label="Share of it in the cohort that brings most",
        definition=f"Expected {what} of the cohort over that of all, {about}.",
    )


def _tracked(ledger: Ledger, tried: Trial) -> None:
    """Record what was expected of the days held back, and what came."""
    found = tried.tracking
    if found is None or found.customers < SMALL or few(found.actual):
        return
    about, n = f"the last {tried.days} days", found.customers
    ledger.record(
        "worth_tracked",
        found.expected,
        unit="count",
        n=n,
        about=about,
        label="Purchases expected of the days held back",
        definition="By the model, told only what was known before; the range holds chance as well.",
    )
    ledger.record(
        "worth_naive",
        found.naive,
        unit="count",
        n=n,
        about=about,
        label="The same, if everybody bought as often as before",
        definition="Repeat purchases of the same customers in as many days before.",
    )
    ledger.record(
        "worth_came",
        found.actual,
        unit="count",
        n=n,
        about=about,
        label="Purchases that came",
        definition="Days with a purchase, of customers who had bought before the days held back.",
    )
    _single(ledger, tried, n=n)


def _single(ledger: Ledger, tried: Trial, *, n: int) -> None:
    """Record how far one customer may be off."""
    factor, nothing = tried.factor, tried.nothing
    if factor is None or nothing is None or of_share(nothing, n):
        return
    about = f"the last {tried.days} days"
    ledger.record(
        "worth_nothing",
        nothing,
        unit="share",
        n=n,
        about=about,
        label="Bought nothing in the days held back",
        definition="Of those who had bought before, the share without a purchase.",
    )
    if factor > 0:
        ledger.record(
            "worth_factor",
            factor,
            unit="per_customer",
            n=n,
            about=about,
            label="Times as often as expected, that one in ten bought at least",
            definition="Upper tenth of purchases over the number expected of the same customer.",
        )


def _once(ledger: Ledger, tried: Trial) -> None:
    """Record how many of those who had bought once came back."""
    found = tried.returned
    if found is None or tried.once < SMALL or of_share(found.value, tried.once):
        return
    ledger.record(
        "worth_returned",
        found,
        unit="share",
        n=tried.once,
        about=f"the last {tried.days} days",
        label="Bought again, of those who had bought once",
        definition=f"Share with a purchase in the {tried.days} days held back (Wilson).",
    )


def _observed(ledger: Ledger, worth: Worth) -> None:
    """Record what a customer of each cohort brought on average."""
    told = shown(worth.observed)
    for place, each in zip(told.index, told.to_dict("records"), strict=True):
        mean = Interval(value=each["value"], low=each["low"], high=each["high"])
        ledger.record(
            f"{OBSERVED}{place + 1}",
            units(mean, worth.currency),
            unit="money",
            n=each["customers"],
            about=each["group"],
            currency=worth.currency,
            label=f"Revenue per customer, last {worth.within} days: {each['group']}",
            definition="Revenue less returns of all customers of the cohort, over their number.",
        )
