"""The effect of a test by segment: whether segments differ at all, and what luck makes of each.

Whoever looks at enough segments finds one that stands out. So the effects of an attribute are
tested against each other first, each is pulled towards their average, and what is said to differ
allows for how many were looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

import pandas as pd
from scipy.special import ndtr

from retention_lab.checks import BadData, Refusal
from retention_lab.experiments.guarding import LEAST
from retention_lab.experiments.plan import Plan
from retention_lab.inference.multiplicity import adjusted
from retention_lab.inference.shrinkage import interaction, shrunk
from retention_lab.survival.contrasts import difference
from retention_lab.survival.retention import retained

if TYPE_CHECKING:
    from retention_lab.experiments.validity_tables import Marked

_FEWEST = 3  # segments from which a spread between them can be told
_PULLED = ["shrunk", "shrunk_low", "shrunk_high"]
_LEFT = ["arm", "segment", "value", "customers", "customers_control"]
_ROWS = [*_LEFT, "effect", "std_error", "low", "high", *_PULLED, "p_value", "p_adjusted"]
_TESTED = ["groups", "statistic", "degrees_of_freedom", "p_value", "p_adjusted"]
_INTERACTIONS = ["arm", "segment", *_TESTED, "mean", "mean_low", "mean_high"]


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
    found = _Found()
    if not plan.segments:
        found.why["segments"] = "The plan names no segments, so none were looked at."
    for segment in plan.segments:
        try:
            if plan.cluster is not None:
                raise BadData(
                    f"Customers of one {plan.cluster} are not independent, and effects by segment "
                    "are told of independent customers only."
                )
            _examine(marked.grid(segment), segment, plan=plan, found=found)
        except Refusal as refusal:
            found.why[segment] = str(refusal)
    return found.gathered()


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What is found, attribute by attribute."""

    rows: list[dict[Any, Any]] = field(default_factory=list)
    interactions: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def gathered(self) -> Subgroups:
        """Put all attributes together, with p-values that allow for how many there are."""
        rows = pd.DataFrame(self.rows, columns=_ROWS)
        told = pd.DataFrame(self.interactions, columns=_INTERACTIONS)
        if len(rows):
            each = rows.groupby("arm", sort=False)["p_value"]
            rows["p_adjusted"] = each.transform(_benjamini_hochberg)
            told["p_adjusted"] = adjusted(told["p_value"].to_numpy("float64")).p_values
        return Subgroups(
            rows=rows.astype(dict.fromkeys(_PULLED, "Float64")),
            interactions=told,
            left_out=pd.DataFrame(self.left_out, columns=_LEFT),
            examined=len(rows.drop_duplicates(["segment", "value"])),
            why=self.why,
        )


def _benjamini_hochberg(p_values: pd.Series) -> pd.Series:
    found = adjusted(p_values.to_numpy("float64"), method="benjamini-hochberg")
    return pd.Series(found.p_values, index=p_values.index)


def _examine(grid: pd.DataFrame, segment: str, *, plan: Plan, found: _Found) -> None:
    """Compare the values of one attribute, arm by arm."""
    day, (control, *arms) = plan.endpoint.day, [arm.name for arm in plan.arms]
    cells = {
        key: cell[["day", "events", "censored"]] for key, cell in grid.groupby(["arm", segment])
    }
    none = grid[:0]
    for arm in arms:
        rows, small = [], []
        for value in sorted(grid[segment].unique()):
            pair = [cells.get((name, value), none) for name in (arm, control)]
            row = {"arm": arm, "segment": segment, "value": value, **_customers(*pair)}
            if all(_enough(each, day=day) for each in pair):
                rows.append(row | _effect(*pair, plan=plan))
            else:
                small.append(row)
        if len(rows) < 2:
            found.why[f"{segment}, {arm}"] = (
                f"By {segment.replace('_', ' ')}, fewer than two groups have {LEAST} customers or "
                f"more on either side of the outcome both in {arm} and in {control}, so nothing "
                "can be compared."
            )
            small = [*rows, *small]
        else:
            _tell(pd.DataFrame(rows), found=found)
        found.left_out.extend(small)


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
    ends = [retained(each, day=plan.endpoint.day) for each in (treated, control)]
    gain = difference(*(ends if plan.endpoint.kind == "retained" else ends[::-1]))
    return {
        "effect": gain.value,
        "std_error": gain.std_error,
        "low": gain.low,
        "high": gain.high,
    }


def _tell(rows: pd.DataFrame, *, found: _Found) -> None:
    """Test the values of one attribute and arm against each other, and pull them together."""
    tested = interaction(rows)
    pulled = pd.DataFrame(index=rows.index, columns=_PULLED)
    if len(rows) >= _FEWEST:
        pulled = shrunk(rows).segments[["shrunk", "low", "high"]].set_axis(_PULLED, axis=1)
    # Against the average of them all, as against that of the others: the z is the same.
    spread = (rows["std_error"] ** 2 - tested.mean.std_error**2).map(sqrt)
    z = (rows["effect"] - tested.mean.value) / spread
    found.rows.extend(rows.join(pulled).assign(p_value=2 * ndtr(-z.abs())).to_dict("records"))
    found.interactions.append(
        {
            **rows.iloc[0][["arm", "segment"]],
            "groups": len(rows),
            "statistic": tested.statistic,
            "degrees_of_freedom": tested.degrees_of_freedom,
            "p_value": tested.p_value,
            "mean": tested.mean.value,
            "mean_low": tested.mean.low,
            "mean_high": tested.mean.high,
        }
    )
