"""Whether the arms have the sizes that were planned, in all and in each stratum, day after day."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from retention_lab.checks import BadData
from retention_lab.inference.sample_ratio import FAIL, anytime

Sizes = Mapping[tuple[str, str, str], int]


def balance(sizes: Sizes, weights: Mapping[str, float]) -> pd.DataFrame:
    """Test the arms against their planned shares, everybody first, then each stratum.

    The test may be repeated every day; see `inference.sample_ratio.anytime`.

    Parameters
    ----------
    sizes
        Customers by day, stratum and arm.
    weights
        Planned share of each arm.

    Returns
    -------
    DataFrame
        `stratum` (empty for everybody), a column of customers per arm, `p_value`; no row as long as
        there is nobody.
    """
    rows = [(*key, customers) for key, customers in sizes.items()]
    frame = pd.DataFrame(rows, columns=["as_of", "stratum", "arm", "customers"])
    parts = {"": frame, **dict(iter(frame.groupby("stratum")))} if rows else {}
    told = []
    for stratum, part in parts.items():
        days = part.pivot_table(index="as_of", columns="arm", values="customers", aggfunc="sum")
        so_far = days.reindex(columns=[*weights]).fillna(0).astype("int64").sort_index().cumsum()
        tested = anytime(so_far.to_numpy(), planned=[*weights.values()])
        told.append({"stratum": stratum, **so_far.iloc[-1], "p_value": tested.p_value[-1]})
    return pd.DataFrame(told, columns=["stratum", *weights, "p_value"])


def refuse_unbalanced(found: pd.DataFrame, *, experiment: str) -> None:
    """Refuse to go on where a group is further off than luck takes one in 1,000 tests.

    Raises
    ------
    BadData
        Naming the strata, without counts: they may be small.
    """
    off = found[found["p_value"] * len(found) < FAIL]["stratum"]
    if len(off):
        where = ", ".join(f"the stratum {name!r}" if name else "all together" for name in off)
        raise BadData(
            f"{experiment}: the sizes of the arms are further from the plan than luck takes one "
            f"test in 1,000 ({where}), so nothing was written. Look for what favours an arm: rows "
            "of the log that are gone, customers whose id changed, or a salt used before."
        )
