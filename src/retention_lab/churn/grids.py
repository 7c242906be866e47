"""Spells collapsed to a day grid in the engine, the input of every curve and test of survival."""

from __future__ import annotations

import ibis.expr.types as ir
import pandas as pd
from ibis import _

from retention_lab import checks
from retention_lab.checks import BadData
from retention_lab.survival.tally import CAUSE
from retention_lab.tables.engine import collect

GRID_ROWS = 1_000_000  # groups times days times causes: thirty years of monthly cohorts stay below


def by(spells: ir.Table, *columns: str) -> pd.DataFrame:
    """Count events and censorings by the chosen columns and day.

    Parameters
    ----------
    spells
        As `endpoints.spells` makes them.
    columns
        Columns of it to keep apart, such as `cohort` or an attribute of customers.

    Returns
    -------
    DataFrame
        One row per combination that occurs, in order: `columns`, `day`, `events`, `censored` and
        one `events_<cause>` per cause that occurs; as `survival.tally.tally` takes it.

    Raises
    ------
    BadData
        If a column is missing, or there are more than a million combinations.
    """
    checks.columns("spells", spells.columns, [*columns, "day", "event_observed", "cause"])
    keys = [*columns, "day"]
    happened = _.event_observed.cast("int64")
    counts = collect(
        spells.group_by([*keys, "cause"]).agg(events=happened.sum(), censored=(1 - happened).sum()),
        max_rows=GRID_ROWS,
    )
    for cause in sorted(counts.loc[counts["events"] > 0, "cause"].dropna().unique()):
        counts[f"{CAUSE}{cause}"] = counts["events"].where(counts["cause"] == cause, 0)
    return counts.drop(columns="cause").groupby(keys, as_index=False, dropna=False).sum()


def from_day(spells: ir.Table, reached: ir.Table, *, day: int) -> pd.DataFrame:
    """Count by whether a milestone had been reached by the end of a day, from that day on.

    Who reaches it later counts as not having reached it, and who left before is in neither group:
    so nobody is credited with days that had to be survived to get there.

    Parameters
    ----------
    spells
        As `endpoints.spells` makes them.
    reached
        `customer_id`, `spell`, `day` (on which the milestone came, counted as that of an event).
    day
        Day since time zero on which the groups are made.

    Returns
    -------
    DataFrame
        As `by`: `reached` (truth value), `day` (since that day), `events`, `censored`, and the
        causes.

    Raises
    ------
    BadParameter
        If `day` is negative.
    BadData
        If a column is missing, or nobody was followed for longer than `day`.

    References
    ----------
    Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1, 710-719.
    """
    checks.at_least("day", day, 0)
    keys = ["customer_id", "spell"]
    checks.columns("spells", spells.columns, [*keys, "day", "event_observed", "cause"])
    checks.columns("reached", reached.columns, [*keys, "day"])
    sooner = reached.filter(_.day <= day).select(_whose="customer_id", _which="spell").distinct()
    staying = spells.filter(_.day > day).mutate(day=_.day - day)
    match = [
        staying.customer_id == sooner["_whose"],
        staying.spell == sooner["_which"],
    ]
    joined = staying.left_join(sooner, match)
    grid = by(joined.mutate(reached=joined["_whose"].notnull()), "reached")  # noqa: PD004  Ibis
    if grid.empty:
        raise BadData(
            f"Nobody was followed for longer than {day} days, so no curve begins there: choose an "
            "earlier day."
        )
    return grid
