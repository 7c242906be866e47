"""What goes with leaving, or with returning: each factor on every customer's own clock.

A comparison of customers who differ in much else, too; no proof of a cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadData
from retention_lab.churn import design, episodes
from retention_lab.churn import factors as known_factors
from retention_lab.churn.design import Design
from retention_lab.churn.endpoints import Endpoint
from retention_lab.survival import cox
from retention_lab.survival.cox import CoxFit
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Factor, Purchases
from retention_lab.tables.snapshot import Snapshot

UNWISHED = "involuntary"
LEVEL = 0.05  # of all tests of one picture together (Bonferroni)


@dataclass(frozen=True, kw_only=True)
class Associations:
    """A Cox model of the days since time zero, its factors changing as they did.

    `proportional` has a row per column of the model, none where that cannot be tested: `factor`,
    `label`, `state`, `statistic`, `p_value` (of the ratio being the same at all times), `changes`
    (whether it is not). `unwished` says whether cancellations that nobody asked for were set apart,
    as the end of what was seen.
    """

    fit: CoxFit
    states: Design
    counts: pd.DataFrame
    proportional: pd.DataFrame
    unwished: bool

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Those that tell customers apart."""
        return self.states.factors

    @property
    def levels(self) -> Mapping[str, tuple[design.Group, ...]]:
        """The groups of states of each factor, its reference first."""
        return self.states.levels

    @property
    def changing(self) -> list[str]:
        """Labels of the factors whose ratio is not the same at all times."""
        return list(dict.fromkeys(self.proportional.loc[self.proportional["changes"], "label"]))


def associations(shop: Snapshot, endpoint: Endpoint, factors: Sequence[Factor]) -> Associations:
    """Fit what goes with the event; of returns, with the first.

    Up to the first return everybody has bought once, so purchases tell nobody apart there.

    Raises
    ------
    BadData
        If no factor tells customers apart, or there are too few events to compare them.
    """
    timed = known_factors.usable(shop, factors, timed=True)
    if endpoint.kind == "returned":
        timed = tuple(factor for factor in timed if not isinstance(factor, Purchases))
    rows = episodes.episodes(shop, endpoint, timed)
    if endpoint.kind == "returned":
        rows = rows.filter(_.spell == 1)
    wished = rows.mutate(
        event_observed=_.event_observed & (_.cause.fill_null("") != UNWISHED),
    )
    frame = episodes.collapsed(wished, timed)
    frame = frame[frame["stop"] > frame["start"]]  # who was not followed for a day tells nothing
    states = design.of(frame, timed)
    if not states.factors:
        raise BadData(
            f"Nothing that {shop.name} knows of its customers tells them apart here. Map events, "
            "tickets or attributes, name them in the playbook, or wait for more customers."
        )
    matrix = states.matrix(frame)
    by = ["start", "stop", "event_observed"]
    grouped = pd.concat([matrix, frame[[*by, "weight"]]], axis=1)
    grouped = grouped.groupby([*matrix.columns, *by])["weight"].sum().reset_index()
    fitted = cox.fit(
        grouped[matrix.columns],
        start=grouped["start"],
        stop=grouped["stop"],
        event_observed=grouped["event_observed"],
        weights=grouped["weight"],
    )
    events = (frame["weight"] * frame["event_observed"]).to_numpy() @ matrix.to_numpy()
    counts = _customers(wished, states).assign(events=events.astype("int64"))
    return Associations(
        fit=fitted,
        states=states,
        counts=counts,
        proportional=_proportional(fitted, states),
        unwished=UNWISHED in set(frame["cause"].dropna()),
    )


def _columns(states: Design) -> list[tuple[str, Factor, design.Group]]:
    return [
        (design.column(factor, group), factor, group)
        for factor in states.factors
        for group in states.levels[factor.name][1:]
    ]


def _customers(rows: ir.Table, states: Design) -> pd.DataFrame:
    """Count the customers who were ever in each group of states."""
    named = _columns(states)
    counts = {
        f"n{place}": rows.customer_id.nunique(where=rows[factor.name].isin(group))
        for place, (_name, factor, group) in enumerate(named)
    }
    found = collect(rows.aggregate(**counts)).iloc[0]
    return pd.DataFrame({"name": [name for name, *_rest in named], "customers": found.to_list()})


def _proportional(fitted: CoxFit, states: Design) -> pd.DataFrame:
    """Test each ratio for being the same at all times; none where too few days have an event."""
    named = pd.DataFrame(
        [
            {
                "name": name,
                "factor": factor.name,
                "label": factor.label,
                "state": design.words(group),
            }
            for name, factor, group in _columns(states)
        ]
    )
    try:
        found = cox.proportional_hazards(fitted)[["name", "statistic", "p_value"]]
    except BadData:
        found = pd.DataFrame({"name": [], "statistic": [], "p_value": []})
    tests = named.merge(found)
    return tests.assign(changes=tests["p_value"] * len(tests) < LEVEL).drop(columns="name")
