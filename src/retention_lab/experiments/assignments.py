"""The log of who is in which experiment, the log of each day's run, and what they say of today."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import pyarrow as pa

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import heldback
from retention_lab.churn.heldback import CONTACTED
from retention_lab.experiments.plan import Plan, digest
from retention_lab.state import Ledger, State
from retention_lab.tables.snapshot import Snapshot

Row = Mapping[str, Any]


def ledger(state: State) -> Ledger:
    """Open the log of assignments: a row per customer and experiment."""
    return state.ledger("assignments", key=("source", "experiment", "customer_id"))


def runs(state: State) -> Ledger:
    """Open the log of runs: a row per experiment, day and what the data were then, of counts."""
    return state.ledger("assignment-runs", key=("source", "experiment", "as_of", "snapshot"))


@dataclass(kw_only=True)
class Known:
    """What the logs say on one day of one experiment.

    `earlier` are customers assigned on earlier days, `today` those of this day; `sizes` counts the
    assigned by day, stratum and arm; `arrived` says how many arrived in each stratum. `conflicting`
    are in a test, or were held back by a list, that contact would spoil; `contacted` were assigned
    elsewhere, or stood on a list, within the days of rest.
    """

    earlier: set[str] = field(default_factory=set)
    today: set[str] = field(default_factory=set)
    sizes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    arrived: dict[str, int] = field(default_factory=dict)
    conflicting: set[str] = field(default_factory=set)
    contacted: set[str] = field(default_factory=set)

    def own(self, row: Row, day: str) -> None:
        """Take in a row of the experiment itself."""
        (self.today if row["as_of"] == day else self.earlier).add(row["customer_id"])
        stratum = row["stratum"]
        self.sizes[row["as_of"], stratum, row["arm"]] += 1
        # By its number, not by counting: whoever was forgotten had a place in a block, too.
        self.arrived[stratum] = max(self.arrived.get(stratum, 0), row["arrival"] + 1)


def known(state: State, shop: Snapshot, plan: Plan) -> Known:
    """Read both kinds of logs once: assignments, and lists for the CRM."""
    found = Known(conflicting=heldback.resting(state, shop))
    rested = str(shop.as_of - dt.timedelta(days=plan.rest_days))
    for row in _rows(ledger(state), shop):
        if row["experiment"] == plan.name:
            found.own(row, str(shop.as_of))
            continue
        recent = rested < row["as_of"]
        if row["experiment"] in plan.exclusive_with and row["until"] >= str(shop.as_of):
            found.conflicting.add(row["customer_id"])
        if recent:
            found.contacted.add(row["customer_id"])
    for kind in get_args(heldback.KindName):
        for row in _rows(heldback.ledger(state, kind), shop):
            if row["group"] == CONTACTED and rested < row["as_of"] <= str(shop.as_of):
                found.contacted.add(row["customer_id"])
    return found


def rows(chosen: pa.Table, shop: Snapshot, plan: Plan, found: Known) -> Iterator[Row]:
    """Rows for the log of those who are assigned: customer, stratum, moment of arrival and arm."""
    day, arrived = shop.as_of, Counter(found.arrived)
    same = {"source": shop.name, "experiment": plan.name, "as_of": str(day)}
    known = {"until": str(day + dt.timedelta(days=plan.endpoint.day)), "plan": digest(plan)}
    table = chosen.select(["customer_id", "arm", "stratum", "reached_at"])
    for batch in table.to_batches(max_chunksize=100_000):
        for one in batch.to_pylist():
            arrival = arrived[one["stratum"]]
            arrived[one["stratum"]] += 1
            moment = {"reached_at": one["reached_at"].isoformat(), "arrival": arrival}
            yield {**same, **one, **moment, **known}


def today(state: State, shop: Snapshot, plan: Plan) -> dict[str, list[str]]:
    """Who is in each arm of the shop's day, as the log has them."""
    customers: dict[str, list[str]] = {arm: [] for arm in plan.weights}
    for row in _rows(ledger(state), shop):
        if row["experiment"] == plan.name and row["as_of"] == str(shop.as_of):
            customers[row["arm"]].append(row["customer_id"])
    return customers


def past_runs(state: State, shop: Snapshot) -> list[Row]:
    """Rows that the log of runs has of all experiments on a shop, oldest first."""
    return [*_rows(runs(state), shop)]


def _rows(log: Ledger, shop: Snapshot) -> Iterator[Row]:
    return (row for row in log.rows() if row["source"] == shop.name)


def refuse_clusters(plan: Plan) -> None:
    """Refuse to draw customers one by one where a plan says that they depend on each other.

    Raises
    ------
    BadParameter
        When the plan names a cluster.
    """
    if plan.cluster is not None:
        raise BadParameter(
            f"{plan.name} is a test of whole groups of customers with the same {plan.cluster} "
            "(`cluster`), and customers are assigned here one by one, so a group would be torn "
            "apart. Draw whole groups elsewhere and map the table assignments; the read-out heeds "
            "the cluster."
        )


def refuse_lost(state: State, shop: Snapshot, past: list[Row], found: Known) -> None:
    """Refuse an empty log of assignments where runs assigned customers who were not all forgotten.

    A log that lost some of its rows is refused when the state is opened.

    Raises
    ------
    BadData
        When it is empty: to go on would assign the same customers anew.
    """
    erasures = (_rows(each, shop) for each in state.ledgers if each.name == "erasures")
    forgotten = sum(row["ledgers"].get("assignments", 0) for each in erasures for row in each)
    if not found.sizes and sum(row["new"] for row in past) > forgotten:
        raise BadData(
            f"Runs of {past[0]['experiment']} have assigned customers, and the log of assignments "
            f"in {state.folder} has none of them. To go on would assign them anew: bring the state "
            "back from a backup (`retention-lab restore`)."
        )


def seen(past: list[Row]) -> dict[str, int]:
    """Say how many milestones of each local day were looked at in time, by the fullest run."""
    days: dict[str, int] = {}
    for row in past:
        for day, customers in row["seen"].items():
            days[day] = max(days.get(day, 0), customers)
    return days
