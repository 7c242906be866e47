"""What the customers of a shop are worth: what is expected of them, where a model has earned it.

A model that could not be fitted, or was no better than a naive forecast of days held back, gives no
value; then what was observed stands alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, sqrt

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.customers.btyd import Tracking, daily
from retention_lab.customers.measures import sum_of_products
from retention_lab.customers.spending import kept, spending
from retention_lab.customers.summary import PATTERNS
from retention_lab.customers.trial import Trial, trial
from retention_lab.inference import moments
from retention_lab.inference.btyd import fitting, totals
from retention_lab.inference.btyd.fitting import Fit
from retention_lab.inference.btyd.maximum import normal
from retention_lab.inference.btyd.totals import Terms
from retention_lab.inference.interval import Interval
from retention_lab.tables.engine import collect
from retention_lab.tables.segment import Segments
from retention_lab.tables.snapshot import Snapshot
from retention_lab.tables.worth import Value

TOO_LITTLE = (
    "How often customers buy cannot be learnt and tested here: the records are too short, too few "
    "customers came back, or nothing in their purchases tells who has stopped buying."
)
NO_BETTER = (
    "A model of how often each customer buys was no better than supposing that everybody buys as "
    "often as before, so it is not used."
)
UNSETTLED = (
    "A model of how often customers buy did well on the days held back, but cannot be settled on "
    "all days known now."
)


WORTHLESS = (
    "A model of how often customers buy did well on the days held back, but what they spent, less "
    "what was sent back, gives their purchases no value."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Worth:
    """What customers are expected to bring within `months`, and what they brought.

    Money is in minor units of `currency`: revenue less returns where it was observed; where it is
    expected times `margin`, less what is usually sent back, and discounted by `yearly_discount`.

    `observed` has a row per `group` (value cohort) of two customers or more, in the order of the
    rules: `customers`, `value` (mean revenue of the last `within` days per customer), `low`,
    `high`. `by` has, of the groups that the model tells of, `group`, `customers`, `active`
    (expected number not gone), `expected` (purchases, not discounted), `value`, `low`, `high`;
    `total` is of all of them. Both are None where no model has earned it, and `why` says so.

    `left_out` customers, who bought on more than half of all days, are in no model. Of what is
    bought a share `kept` is usually not sent back, which the values allow for. `money` says why a
    purchase counts as the mean of its cohort; it is empty where it counts as Gamma-Gamma expects of
    each customer.
    """

    months: int
    yearly_discount: float
    margin: float
    currency: str
    within: int
    customers: int
    left_out: int
    observed: pd.DataFrame
    trial: Trial | None = None
    by: pd.DataFrame | None = None
    total: Interval | None = None
    model: str = ""
    kept: float = 1.0
    money: str = ""
    why: str = ""

    @property
    def tracking(self) -> Tracking | None:
        """How the model fared on the days held back."""
        return None if self.trial is None else self.trial.tracking

    @property
    def weeks(self) -> pd.DataFrame | None:
        """Purchases of the days held back, as expected and as they came."""
        return None if self.trial is None else self.trial.weeks

    @property
    def returned(self) -> Interval | None:
        """Share of those who had bought once that came back in the days held back."""
        return None if self.trial is None else self.trial.returned

    @property
    def factor(self) -> float | None:
        """What one customer in ten did at least, as a multiple of what was expected."""
        return None if self.trial is None else self.trial.factor


def worth(shop: Snapshot, now: ir.Table, *, value: Value, rules: Segments) -> Worth:
    """Say what the customers of a shop are worth, or why that cannot be said.

    Parameters
    ----------
    shop
        With orders.
    now
        Its customers as `customers.segments.segmented` gives them, of a summary of
        ``rules.within`` days.
    value
        Months, discount and margin of the playbook.
    rules
        Its cohorts.

    Raises
    ------
    BadData
        If the shop has no orders.
    """
    whole = collect(now.agg(customers=_.count(), left_out=daily(now).cast("int64").sum()))
    customers, left_out = whole.fillna(0).astype("int64").iloc[0]
    seen = Worth(
        months=value.months,
        yearly_discount=value.yearly_discount,
        margin=value.margin,
        currency=shop.currency,
        within=rules.within,
        customers=int(customers),
        left_out=int(left_out),
        observed=_observed(now, [rule.name for rule in rules.cohorts]),
        trial=trial(shop),
    )
    if seen.tracking is None:
        return replace(seen, why=TOO_LITTLE)
    if not seen.tracking.beats_naive:
        return replace(seen, why=NO_BETTER)
    rows = _histories(now.filter(~daily(now)), seen.observed["group"].tolist())
    try:
        fit = fitting.likelier(rows)
    except BadData:
        return replace(seen, why=UNSETTLED)
    try:
        return _valued(replace(seen, model=fit.process.model), fit, rows, shop=shop, now=now)
    except BadData:
        return replace(seen, why=WORTHLESS)


def _observed(now: ir.Table, names: list[str]) -> pd.DataFrame:
    """Mean revenue of the last days per customer, by cohort."""
    y = now.revenue_within
    sums = now.group_by(group=now.cohort).agg(n=_.count(), y=y.sum(), yy=sum_of_products(y, y))
    rows = []
    for each in _in_order(collect(sums), names).to_dict("records"):
        if each["n"] > 1:
            found = moments.mean(n=each["n"], total=int(each["y"]), squares=int(each["yy"]))
            rows.append((each["group"], each["n"], found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=["group", "customers", "value", "low", "high"])


def _in_order(frame: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Sort by group as the rules stand, and not at all within."""
    return frame.sort_values("group", key=lambda group: group.map(names.index), kind="stable")


def _valued(seen: Worth, fit: Fit, rows: pd.DataFrame, *, shop: Snapshot, now: ir.Table) -> Worth:
    if seen.model == "BG/NBD":  # it takes whoever bought once for a customer for ever
        rows = rows[rows["frequency"] > 0]
    unit, share = shop.minor_per_unit, kept(shop, now)
    spent, money = spending(now.filter(~daily(now)), rows, unit=unit)
    terms = Terms(
        months=seen.months,
        monthly_discount=(1 + seen.yearly_discount) ** (1 / 12) - 1,
        margin=seen.margin * (1.0 if money else share),
    )
    told = totals.totals(fit, spent, rows, terms=terms, off=_off(seen.tracking)).reset_index()
    told[["value", "low", "high"]] *= unit
    middle, low, high = told[["value", "low", "high"]].to_numpy("float64")[-1].tolist()
    total = Interval(value=middle, low=low, high=high)
    return replace(seen, by=told[:-1], total=total, kept=share, money=money)


def _histories(known: ir.Table, names: list[str]) -> pd.DataFrame:
    """Customers by cohort and history, with what they spent on all repeat purchases together."""
    keys = {"group": known.cohort, **{name: known[name] for name in ("frequency", "recency", "T")}}
    counted = known.group_by(**keys).agg(weight=_.count(), spent=_.repeat_revenue.sum())
    rows = collect(counted, max_rows=PATTERNS).sort_values(["frequency", "recency", "T"])
    return _in_order(rows[rows["group"].isin(names)], names)


def _off(tracking: Tracking | None) -> float:
    """How far the total of the days held back was off, beyond what its own range allows for.

    One such distance says little, but without it a range would only hold what the model knows.
    """
    if tracking is None:
        return 0.0
    expected = tracking.expected
    error = log(expected.high / expected.value) / normal(0.05)
    return sqrt(max(log(max(tracking.actual, 0.5) / expected.value) ** 2 - error**2, 0.0))
