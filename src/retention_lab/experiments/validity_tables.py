"""One row per assigned customer, kept in the engine, and what collapses from it to small tables.

Each customer counts once, in the arm of the first assignment; what came later is counted as a
repetition or a crossover. Nothing later than the shop's day is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData, Refusal
from retention_lab.churn.endpoints import UNKNOWN, end_of
from retention_lab.experiments import following
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_marks import MARKS, Marking, Part, clock
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

_TEXT, _TIME = pa.string(), pa.timestamp("us")
SCHEMA = pa.schema(
    {"customer_id": _TEXT, "arm": _TEXT, "stratum": _TEXT, "time_zero": _TIME, "assigned_at": _TIME}
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Collapsed:
    """Counts of one test as of one day, the input of `validity.checks`.

    Parameters
    ----------
    sizes
        `enrolled_on` (local day of the first assignment), `stratum`, `arm`, `customers`; in order.
    arms
        One row per arm that occurs, in order: `arm`, and of its customers how many there are
        (`customers`), how many were assigned several times (`repeated`) and to several arms
        (`crossed`), and how many the shop does not know (`stranger`).

        Of *milestone*: `off` (time zero is not when the milestone was first reached), `early`
        (assigned before time zero). Of *outcome*: `left_out` (the endpoint says nothing of them),
        `outcome_first` (the event's day was over when they were assigned). Of *before*: `earlier`
        (had the outcome in as many days before time zero as the endpoint counts after it), of those
        `reaching`, whom the shop knows for so long. Of *messages*: `sent` (what their arm is sent,
        since time zero), `delivered` of that, `wrong` (what another arm is sent), all three of
        those `due`, who were assigned a week ago or longer.
    grid
        `arm` (of the plan), `week` (Monday of enrolment), `day`, `events`, `censored`, as
        `following.grid`; of *outcome*, and empty without.
    missing
        Why the columns of one of these four are not there.
    """

    sizes: pd.DataFrame
    arms: pd.DataFrame
    grid: pd.DataFrame
    missing: Mapping[Part, Refusal]


@dataclass(frozen=True, kw_only=True, eq=False)
class Marked:
    """Everybody who was assigned, and what is known of each.

    Parameters
    ----------
    people
        One row per customer, kept in the engine, those of unknown arms included (an arm that is
        missing is an empty text): the columns of `SCHEMA`, `enrolled_on` (local day of the first
        assignment), `week` (its Monday), `reached_at` and `reached_on` (from when on the customer
        is followed: time zero, or the assignment where that came before or there is none), the
        truth values that `Collapsed.arms` counts, and, of *outcome*, `day`, `event_observed` and
        `known` as `following.followed`; then the attributes that the plan names in its strata,
        segments, covariates and cluster, as text, "unknown" where missing.
    missing
        Why the columns of a part are not there.
    """

    people: ir.Table
    missing: Mapping[Part, Refusal]
    plan: Plan
    _grids: dict[tuple[str, ...], pd.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def arms(self) -> ir.Table:
        """Those of `people` who are in an arm of the plan, and known to the shop."""
        return self.people.filter(_.arm.isin([*self.plan.weights]) & ~_.stranger)

    def grid(self, *by: str) -> pd.DataFrame:
        """Count events and censorings of those in the plan's arms of whom the outcome is known.

        Each grid is counted once, as effects, curves and segments ask for the same.

        Returns
        -------
        DataFrame
            In order: `arm`, `by`, `day`, `events`, `censored`.

        Raises
        ------
        BadData
            If the shop cannot tell the outcome, or a column is missing.
        """
        if "outcome" in self.missing:
            raise BadData(str(self.missing["outcome"]))
        if by not in self._grids:
            self._grids[by] = following.grid(self.arms, *dict.fromkeys(("arm", *by)))
        return self._grids[by].copy()


def marked(shop: Snapshot, plan: Plan, assigned: ir.Table) -> Marked:
    """Make one row per assigned customer, once, for all that is read from a test.

    Parameters
    ----------
    assigned
        One row per assignment of this test: the columns of `SCHEMA` (times in naive UTC).
        Repetitions and arms that the plan does not know are marked.

    Raises
    ------
    BadParameter
        If the plan names an attribute that customers do not have.
    BadData
        If a column is missing.
    """
    checks.columns("assigned", assigned.columns, SCHEMA.names)
    people = _first(shop, assigned)
    asked = Marking(shop=shop, plan=plan, people=people)
    missing: dict[Part, Refusal] = {}
    joined: ir.Table = people
    tells = []
    for parts, find, tell in MARKS:
        try:
            found = find(asked)
        except Refusal as refusal:
            missing |= dict.fromkeys(parts, refusal)
        else:
            theirs = found.rename({f"_of_{parts[0]}": "_whose"})
            joined = joined.left_join(theirs, joined.customer_id == theirs[f"_of_{parts[0]}"])
            tells.append(tell)
    told = {name: value for tell in tells for name, value in tell(asked, joined).items()}
    wide = _with_attributes(joined.select(*people.columns, **told), shop, plan)
    return Marked(people=engine.keep(wide, where="assignments"), missing=missing, plan=plan)


def counted(marked: Marked) -> Collapsed:
    """Count what the checks of a test's validity rest on: by arm, for how many each mark holds."""
    people = marked.people
    told = {
        name: _[name].cast("int64").sum()
        for name, kind in people.schema().items()
        if kind.is_boolean() and name not in ("event_observed", "known")
    }
    sizes = people.group_by("enrolled_on", "stratum", "arm").agg(customers=_.count())
    empty = pd.DataFrame(columns=["arm", "week", "day", "events", "censored"])
    return Collapsed(
        sizes=_in_order(engine.collect(sizes), "enrolled_on", "stratum", "arm"),
        arms=_in_order(engine.collect(people.group_by("arm").agg(customers=_.count(), **told))),
        grid=empty if "outcome" in marked.missing else marked.grid("week"),
        missing=marked.missing,
    )


def _in_order(frame: pd.DataFrame, *by: str) -> pd.DataFrame:
    return frame.sort_values([*by] or "arm", ignore_index=True)


def _first(shop: Snapshot, assigned: ir.Table) -> ir.Table:
    """One row per customer: the first assignment, and what is known of the others.

    It is asked for a few times and not kept: reading the assignments again is quicker.
    """
    known = assigned.filter(_.assigned_at < end_of(shop)).select(*SCHEMA.names)
    named = known.mutate(arm=_.arm.fill_null(""), stratum=_.stratum.fill_null(""))
    counts = named.group_by(_whose=_.customer_id).agg(rows=_.count())
    # Hardly anybody, as a rule: so it is they alone whose rows are put in order.
    twice = engine.keep(counts.filter(_.rows > 1).select("_whose"), where="assignments")
    first = named.mutate(repeated=False, crossed=False)
    if not engine.collect(twice.limit(1)).empty:
        of_twice = named.customer_id == twice["_whose"]
        others = first.anti_join(twice, of_twice)
        theirs = _earliest(named.semi_join(twice, of_twice))
        first = others.union(engine.keep(theirs, where="assignments"))
    zero = ibis.least(first.time_zero.fill_null(first.assigned_at), first.assigned_at)
    local = clock(shop).local_date
    day = local(first.assigned_at)
    return first.mutate(
        enrolled_on=day, week=day.truncate("W"), reached_at=zero, reached_on=local(zero)
    )


def _earliest(rows: ir.Table) -> ir.Table:
    """Keep the first assignment of customers who have several."""
    own = ibis.window(group_by="customer_id")
    ordered = ibis.window(group_by="customer_id", order_by=["assigned_at", "arm"])
    placed = rows.mutate(
        _place=ibis.row_number().over(ordered),
        repeated=True,
        crossed=_.arm.min().over(own) != _.arm.max().over(own),
    )
    return placed.filter(placed["_place"] == 0).drop("_place")


def _with_attributes(people: ir.Table, shop: Snapshot, plan: Plan) -> ir.Table:
    cluster = () if plan.cluster is None else (plan.cluster,)
    names = dict.fromkeys((*plan.strata, *plan.segments, *plan.covariates, *cluster))
    customers = shop.customers
    checks.known(f"The table customers of {shop.name}", "attribute", names, customers.columns)
    described = customers.select(
        _whose="customer_id", **{name: customers[name].cast("string") for name in names}
    )
    joined = people.left_join(described, people.customer_id == described["_whose"])
    texts = {name: joined[name].fill_null(UNKNOWN) for name in names}
    stranger = joined["_whose"].isnull()  # noqa: PD003  Ibis
    return joined.mutate(**texts, stranger=stranger).drop("_whose")
