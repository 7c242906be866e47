"""Arms of a test whose customers depend on each other, such as those of one household.

Pseudo-values are added up by cluster, and clusters are the draws. Where customers of one cluster
are in two arms, the difference of the arms scatters less than is said here, if they are alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pandas as pd
import pyarrow as pa
from ibis import _

from retention_lab.customers.measures import sum_of_products
from retention_lab.experiments.patterns import UNKNOWN, from_millionths, in_millionths
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import Marked
from retention_lab.inference.means import Estimate, mean
from retention_lab.inference.moments import RatioMoments
from retention_lab.tables import engine

_WHO = ["arm", "day", "event_observed"]


def by_cluster(
    marked: Marked, plan: Plan, values: pd.DataFrame, *, alpha: float = 0.05
) -> Mapping[str, Estimate]:
    """Mean of pseudo-values in each arm, whose standard error heeds the plan's clusters.

    A customer whose cluster is not known is one of its own.

    Parameters
    ----------
    values
        As `patterns.valued` gives them: `arm`, `day`, `event_observed`, `gain`.

    Raises
    ------
    BadData
        If an arm has fewer than two clusters.

    References
    ----------
    Cochran (1977), Sampling Techniques, 3rd ed., eq. 6.9-6.13: a ratio of sums by cluster.
    """
    found = engine.collect(_sums(marked, plan, values))
    return {
        str(row["arm"]): from_millionths(
            mean(
                RatioMoments(
                    **{name: int(row[name]) for name in ("n", "y", "x", "yy", "xy", "xx")}
                ),
                alpha=alpha,
            )
        )
        for row in found.to_dict("records")
    }


def _sums(marked: Marked, plan: Plan, values: pd.DataFrame) -> ibis.Table:
    """Add up by cluster in the engine, and then over the clusters of each arm."""
    people = marked.people.filter(_.known)
    told = values.assign(_y=in_millionths(values["gain"]))[[*_WHO, "_y"]].drop_duplicates()
    rows = pa.Table.from_pandas(told, preserve_index=False)
    each = engine.put(rows, con=people.get_backend()).rename({f"_{name}": name for name in _WHO})
    joined = people.inner_join(each, [people[name] == each[f"_{name}"] for name in _WHO])
    cluster = joined[plan.cluster or ""]
    own = (cluster == UNKNOWN).ifelse(joined.customer_id, ibis.null("string"))
    summed = (
        joined.mutate(_own=own, _cluster=cluster)
        .group_by("arm", "_cluster", "_own")
        .agg(y=_["_y"].sum().cast("int64"), x=_.count())
    )
    return summed.group_by("arm").agg(
        n=_.count(),
        y=summed.y.sum(),
        x=summed.x.sum(),
        yy=sum_of_products(summed.y, summed.y),
        xy=sum_of_products(summed.x, summed.y),
        xx=sum_of_products(summed.x, summed.x),
    )
