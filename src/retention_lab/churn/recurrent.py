"""Repeat purchases as events that recur: who buys more often, from the first purchase on.

References
----------
Andersen & Gill (1982), Annals of Statistics 10, 1100-1120. Lin, Wei, Yang & Ying (2000), Journal of
the Royal Statistical Society B 62, 711-730: the robust variance, for customers who differ in more
than their attributes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import design, endpoints, model
from retention_lab.churn.factors import described
from retention_lab.survival import cox
from retention_lab.survival.cox import CoxFit
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Attribute, Factor
from retention_lab.tables.snapshot import Snapshot

ROWS = 500_000  # spells between purchases that one fit holds in memory: about a gigabyte at most


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """A Cox model of all repeat purchases of every customer; its covariance is robust.

    `counts` are the `customers` and `events` of each column (`name`); `left_out` are sentences.
    """

    fit: CoxFit
    states: design.Design
    counts: pd.DataFrame

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Those that tell customers apart."""
        return self.states.factors

    @property
    def levels(self) -> Mapping[str, tuple[design.Group, ...]]:
        """The groups of states of each factor, its reference first."""
        return self.states.levels


def repeat_purchases(
    shop: Snapshot, factors: Sequence[Factor], *, alpha: float = 0.05
) -> pd.DataFrame:
    """How much more often customers of one attribute buy again than those of another.

    A comparison of customers who differ in much else, too; no proof of a cause. The rows are those
    of `churn.model.coefficients`; what is raised is that of `fit`.
    """
    return model.coefficients(fit(shop, factors), alpha=alpha)


def fit(shop: Snapshot, factors: Sequence[Factor]) -> Recurrent:
    """Fit the rate of all purchases after the first, on the time since it.

    Every pause between two purchases is a row at risk from its start to its end, to the second: two
    purchases may fall into one day. The variance is robust, with each customer's rows together, as
    who has bought often is likely to go on doing so.

    Parameters
    ----------
    factors
        Those of the playbook; the attributes among them are used.

    Raises
    ------
    BadParameter
        If none of the factors is an attribute of customers.
    BadData
        If an attribute or the orders are missing, there are more than `ROWS` purchases, nobody
        bought again, or no attribute tells customers apart.
    """
    fixed = [factor for factor in factors if isinstance(factor, Attribute)]
    if not fixed:
        raise BadParameter(
            "Repeat purchases are compared by attributes of customers, and the factors "
            f"({', '.join(one.name for one in factors) or 'none given'}) have none. Give the "
            "playbook a factor of the kind attribute."
        )
    rows = _rows(shop, fixed)
    states = design.of(rows, fixed)
    if not states.factors:
        raise BadData(" ".join(states.left_out))
    patterns = states.matrix(rows)
    fitted = cox.fit(
        patterns,
        start=rows["start"],
        stop=rows["stop"],
        event_observed=rows["event_observed"],
        cluster=rows["customer_id"],
    )
    return Recurrent(fit=fitted, states=states, counts=_counts(rows, patterns))


def _rows(shop: Snapshot, factors: Sequence[Attribute]) -> pd.DataFrame:
    pauses = endpoints.spells(shop, endpoints.Endpoint(kind="returned"))
    found = int(collect(pauses.agg(n=_.count()))["n"].sum())
    if found > ROWS:
        raise BadData(
            f"The shop has {found:,} purchases, and a robust fit holds each of them in memory, at "
            f"most {ROWS:,}. Take fewer customers with `where`, such as those of one country."
        )
    first = pauses.zero_at.min().over(group_by="customer_id")
    timed = described(pauses, shop, factors).mutate(
        start=_seconds(pauses.zero_at) - _seconds(first),
        stop=_seconds(pauses.until_at) - _seconds(first),
    )
    names = [factor.name for factor in factors]
    told = timed.select("customer_id", "start", "stop", "event_observed", *names)
    return collect(told, max_rows=ROWS).assign(weight=1)


def _seconds(time: ir.TimestampValue) -> ir.IntegerValue:
    return time.truncate("s").epoch_seconds()


def _counts(rows: pd.DataFrame, patterns: pd.DataFrame) -> pd.DataFrame:
    """Customers and repeat purchases of each column of a design."""
    one_each = ~rows["customer_id"].duplicated()
    counts = {
        name: patterns[mask].sum().astype("int64")
        for name, mask in (("customers", one_each), ("events", rows["event_observed"]))
    }
    return pd.DataFrame(counts).rename_axis("name").reset_index()
