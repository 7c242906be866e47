"""The effect of a test by segment: whether segments differ at all, and what luck makes of each.

Whoever looks at enough segments finds one that stands out. So the effects of an attribute are
tested against each other first, each is pulled towards their average, and what is said to differ
allows for how many were looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import pandas as pd
from scipy.special import ndtr

from retention_lab.checks import BadData, Refusal
from retention_lab.experiments.guarding import LEAST
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import Marked
from retention_lab.inference.means import Estimate
from retention_lab.inference.multiplicity import adjusted
from retention_lab.inference.shrinkage import interaction, shrunk
from retention_lab.survival.contrasts import difference
from retention_lab.survival.retention import retained

_FEWEST = 3  # segments from which a spread between them can be told
_PULLED = ["shrunk", "shrunk_low", "shrunk_high"]
_LEFT = ["arm", "segment", "value", "customers", "customers_control"]
_EFFECTS = [*_LEFT, "effect", "std_error", "low", "high"]
_ROWS = [*_EFFECTS, *_PULLED, "p_value", "p_adjusted"]
_TESTED = ["groups", "statistic", "degrees_of_freedom", "p_value", "p_adjusted"]
_MEAN = ["mean", "mean_low", "mean_high"]
_INTERACTIONS = ["arm", "segment", *_TESTED, *_MEAN]


@dataclass(frozen=True, kw_only=True, eq=False)
class Subgroups:
    """Effects by segment: differences of shares at the endpoint's day, a gain positive.

    Parameters
    ----------
    rows
        One row per arm but control, attribute (`segment`) and `value`, in order: `customers` and
        `customers_control`; `effect`, `std_error`, `low`, `high` of the value alone; `shrunk`,
        `shrunk_low`, `shrunk_high`, pulled towards the average of the attribute (missing where it
        has two values, which tell no spread); `p_value` of its effect being that of the other
        values, `p_adjusted` by Benjamini and Hochberg over all rows of the arm.
    interactions
        One row per arm and attribute: `groups` (values compared), `statistic`,
        `degrees_of_freedom` and `p_value` of all having one effect, `p_adjusted` by Holm over all
        rows, `mean`, `mean_low`, `mean_high` (the average effect).
    left_out
        `arm`, `segment`, `value`, `customers`, `customers_control` of the values with too few.
    examined
        Values of which some arm's effect was looked at.
    why
        A sentence for each attribute, or attribute and arm, of which nothing can be said; for
        "segments" where the plan names none.
    """

    rows: pd.DataFrame
    interactions: pd.DataFrame
    left_out: pd.DataFrame
    examined: int
    why: Mapping[str, str]


def subgroups(marked: Marked, plan: Plan) -> Subgroups:
    """Compare each arm with control within each value of the attributes that the plan names.

    A value needs `LEAST` customers with the event by the endpoint's day in either arm, and as many
    who were followed to it without; else it is left out. What cannot be told is a sentence in
    `why`, and nothing is raised.

    References
    ----------
    Kalbfleisch & Prentice (2002), s. 1.4, for the shares; `inference.shrinkage` for the rest;
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289-300.
    """
    told: list[dict[str, Any]] = []
    small: list[dict[str, Any]] = []
    why: dict[str, str] = {}
    if not plan.segments:
        why["segments"] = "The plan names no segments, so none were looked at."
    for segment in plan.segments:
        try:
            grid = _grid(marked, segment, plan=plan)
        except Refusal as refusal:
            why[segment] = str(refusal)
            continue
        for arm in plan.arms[1:]:
            enough, few = _measured(grid, segment, arm=arm.name, plan=plan)
            if len(enough) < 2:
                why[f"{segment}, {arm.name}"] = _alone(segment, arm=arm.name, plan=plan)
                enough, few = [], [*enough, *few]
            told += enough
            small += few
    rows, interactions = compared(pd.DataFrame(told, columns=_EFFECTS))
    return Subgroups(
        rows=rows,
        interactions=interactions,
        left_out=pd.DataFrame(small, columns=_LEFT),
        examined=len(rows.drop_duplicates(["segment", "value"])),
        why=why,
    )


def compared(effects: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test effects against each other and pull them, within each arm and attribute.

    Parameters
    ----------
    effects
        The first columns of `Subgroups.rows`, up to `high`; two values or more of an attribute.

    Returns
    -------
    DataFrame, DataFrame
        `rows` and `interactions` of `Subgroups`.

    Raises
    ------
    BadData
        As `inference.shrinkage.interaction` does.
    """
    rows: list[dict[Any, Any]] = []
    tests: list[dict[str, Any]] = []
    for (arm, segment), part in effects.groupby(["arm", "segment"], sort=False):
        tested = interaction(part)
        rows += _pulled(part, tested.mean).to_dict("records")
        mean = dict(zip(_MEAN, (tested.mean.value, tested.mean.low, tested.mean.high), strict=True))
        tests.append(
            {
                "arm": arm,
                "segment": segment,
                "groups": len(part),
                "statistic": tested.statistic,
                "degrees_of_freedom": tested.degrees_of_freedom,
                "p_value": tested.p_value,
                **mean,
            }
        )
    told = pd.DataFrame(rows, columns=_ROWS).astype(dict.fromkeys(_PULLED, "Float64"))
    found = pd.DataFrame(tests, columns=_INTERACTIONS)
    if len(told):
        told["p_adjusted"] = told.groupby("arm", sort=False)["p_value"].transform(_in_all)
        found["p_adjusted"] = adjusted(found["p_value"].to_numpy("float64")).p_values
    return told, found


def _pulled(rows: pd.DataFrame, mean: Estimate) -> pd.DataFrame:
    """Add what the values of one attribute say of each other."""
    pulled = pd.DataFrame(index=rows.index, columns=_PULLED)
    if len(rows) >= _FEWEST:
        pulled = shrunk(rows).segments[["shrunk", "low", "high"]].set_axis(_PULLED, axis=1)
    # Against the average of them all, as against that of the others: the z is the same.
    spread = (rows["std_error"] ** 2 - mean.std_error**2).map(sqrt)
    z = (rows["effect"] - mean.value) / spread
    return rows.join(pulled).assign(p_value=2 * ndtr(-z.abs()))


def _in_all(p_values: pd.Series) -> pd.Series:
    """Adjust the p-values of an arm for there being so many (Benjamini and Hochberg)."""
    found = adjusted(p_values.to_numpy("float64"), method="benjamini-hochberg")
    return pd.Series(found.p_values, index=p_values.index)


def _grid(marked: Marked, segment: str, *, plan: Plan) -> pd.DataFrame:
    if plan.cluster is not None:
        raise BadData(
            f"Customers of one {plan.cluster} are not independent, and effects by segment are told "
            "of independent customers only."
        )
    return marked.grid(segment)


def _measured(
    grid: pd.DataFrame, segment: str, *, arm: str, plan: Plan
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Give the effect of an arm on each value of an attribute, and the values with too few."""
    both = grid[grid["arm"].isin([arm, plan.arms[0].name])]
    enough: list[dict[str, Any]] = []
    few: list[dict[str, Any]] = []
    for value, part in both.groupby(segment):
        cells = [part[part["arm"] == name] for name in (arm, plan.arms[0].name)]
        row = {"arm": arm, "segment": segment, "value": value, **_customers(*cells)}
        if all(_enough(cell, day=plan.endpoint.day) for cell in cells):
            enough.append(row | _effect(*cells, plan=plan))
        else:
            few.append(row)
    return enough, few


def _alone(segment: str, *, arm: str, plan: Plan) -> str:
    return (
        f"By {segment.replace('_', ' ')}, fewer than two groups have {LEAST} customers or more on "
        f"either side of the outcome both in {arm} and in {plan.arms[0].name}, so nothing can be "
        "compared."
    )


def _customers(treated: pd.DataFrame, control: pd.DataFrame) -> dict[str, int]:
    counts = [int(each["events"].sum() + each["censored"].sum()) for each in (treated, control)]
    return dict(zip(("customers", "customers_control"), counts, strict=True))


def _enough(cell: pd.DataFrame, *, day: int) -> bool:
    """Say whether enough had the event by the day, and enough were followed to it without."""
    by_then, left = cell["day"] <= day, cell["day"] >= day
    did = cell.loc[by_then, "events"].sum()
    without = cell.loc[~by_then, "events"].sum() + cell.loc[left, "censored"].sum()
    return bool(min(did, without) >= LEAST)


def _effect(treated: pd.DataFrame, control: pd.DataFrame, *, plan: Plan) -> dict[str, float]:
    """Give the gain in the share that is retained, or has returned."""
    columns = ["day", "events", "censored"]
    ends = [retained(each[columns], day=plan.endpoint.day) for each in (treated, control)]
    gain = difference(*(ends if plan.endpoint.kind == "retained" else ends[::-1]))
    return {
        "effect": gain.value,
        "std_error": gain.std_error,
        "low": gain.low,
        "high": gain.high,
    }
