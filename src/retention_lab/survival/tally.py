"""From rows to a day grid, and from a day grid to the units at risk.

A grid has the columns `day` (since time zero), `events` and `censored` (counts of that day), and
where some came late `entered` (who came under observation after that day; all others were there
from the start). `events_<cause>` splits the events by cause. Several rows of one day, such as those
of several cohorts, are added up.

A unit is at risk on day t when it came under observation before t and has been followed for t days
or longer, so somebody censored on the day of an event still counts among those at risk there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from retention_lab import checks
from retention_lab.checks import BadData

CAUSE = "events_"  # how a column begins that counts the events of one cause


def from_rows(rows: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Collapse one row per unit into a grid, which gives the same numbers.

    Parameters
    ----------
    rows
        `durations` (days from time zero to the event or the end of observation, whole or not; 0 is
        ordinary), `event_observed` (truth values, or 1 and 0). Where there are such columns:
        `entry` (day of coming under observation, before `durations`; 0: there from the start),
        `weights` (how many units a row stands for), `cause` (of the event).
    by
        Columns to keep apart, such as groups and strata.

    Returns
    -------
    DataFrame
        One row per combination of `by` and day that occurs, in order: `by`, `day`, `events`,
        `censored`, and `events_<cause>` and `entered` where the rows have what they count.

    Raises
    ------
    BadData
        If a column or a value is missing, a number is negative, a truth value or weight is none,
        or somebody comes no sooner than they leave.
    """
    checks.columns("rows", rows.columns, ["durations", "event_observed", *by])
    for column in by:
        _refuse_missing(rows[column], name=column)
    _refuse_unfit(rows["durations"], name="durations")
    rows = rows.reset_index(drop=True)  # whatever it was, repeated or not
    event, weight = _events(rows), _weights(rows)
    counts = {"events": weight * event, "censored": weight * ~event} | _causes(rows, event, weight)
    leaving = rows[[*by]].assign(day=rows["durations"], **counts)
    moves = pd.concat([leaving, _coming(rows, by, weight)]) if "entry" in rows else leaving
    grid = moves.groupby([*by, "day"], observed=True).sum().astype("int64")
    return grid.reset_index()


def tally(grid: pd.DataFrame) -> pd.DataFrame:
    """Add up a grid by day, with the units at risk.

    Returns
    -------
    DataFrame
        One row for day 0 and for each day on which anybody left or came, in order: `day`,
        `at_risk`, `events`, `censored`, then the `events_<cause>` of the grid.

    Raises
    ------
    BadData
        If a column or a value is missing, a number is negative, the grid holds nobody, or more
        leave on a day than came before it.
    """
    checks.columns("grid", grid.columns, ["day", "events", "censored"])
    causes = [name for name in grid.columns if str(name).startswith(CAUSE)]
    counted = ["events", "censored", *causes, *({"entered"} & {*grid.columns})]
    for column in ["day", *counted]:
        _refuse_unfit(grid[column], name=column)
    counts = grid.groupby("day")[counted].sum()
    counts = counts[counts.sum(axis=1) > 0]
    if counts.empty:
        raise BadData("A survival curve of nobody cannot be drawn: the grid has no counts.")
    days = counts.reindex(counts.index.union([0]), fill_value=0).rename_axis("day").reset_index()
    came = days.pop("entered") if "entered" in days else 0
    leaving = days["events"] + days["censored"]
    days.insert(1, "at_risk", (leaving - came)[::-1].cumsum()[::-1])
    if (short := days["at_risk"] < leaving).any():
        raise BadData(
            f"More leave on day {days.loc[short, 'day'].iloc[0]:g} than had come before it: the "
            "column entered must count late comers only, on a day before the one they leave on."
        )
    return days


def _events(rows: pd.DataFrame) -> pd.Series:
    values = rows["event_observed"]
    _refuse_missing(values, name="event_observed")
    if not values.isin([0, 1]).all():
        wrong = values[~values.isin([0, 1])].iloc[0]
        raise BadData(f"The column event_observed must hold true or false (1 or 0), got {wrong!r}.")
    return values.astype("bool")


def _weights(rows: pd.DataFrame) -> pd.Series:
    if "weights" not in rows:
        return pd.Series(1, index=rows.index)
    weights = rows["weights"]
    _refuse_unfit(weights, name="weights")
    if (weights % 1 != 0).any():
        wrong = weights[weights % 1 != 0].iloc[0]
        raise BadData(f"The column weights counts units, so it must hold whole numbers: {wrong:g}.")
    return weights.astype("int64")


def _causes(rows: pd.DataFrame, event: pd.Series, weight: pd.Series) -> dict[str, pd.Series]:
    if "cause" not in rows:
        return {}
    observed = rows.loc[event, "cause"]
    _refuse_missing(observed, name="cause")
    names = sorted(observed.unique())
    return {f"{CAUSE}{name}": weight * (event & (rows["cause"] == name)) for name in names}


def _coming(rows: pd.DataFrame, by: Sequence[str], weight: pd.Series) -> pd.DataFrame:
    _refuse_unfit(rows["entry"], name="entry")
    late = rows["entry"] > 0
    if n := int((late & (rows["entry"] >= rows["durations"])).sum()):
        raise BadData(
            f"The column entry is not before durations in {n} row(s), so nobody was seen there: "
            "leave these rows out, or mend the two columns."
        )
    return rows.loc[late, [*by]].assign(day=rows["entry"], entered=weight)


def _refuse_missing(values: pd.Series, *, name: str) -> None:
    if n := int(values.isna().sum()):
        raise BadData(f"The column {name} lacks {n} value(s): fill them, or leave these rows out.")


def _refuse_unfit(values: pd.Series, *, name: str) -> None:
    _refuse_missing(values, name=name)
    if not pd.api.types.is_numeric_dtype(values):
        raise BadData(f"The column {name} must hold numbers, got {values.dtype}: convert it first.")
    array = values.to_numpy("float64")
    if (wrong := array[(array < 0) | (array == np.inf)]).size:
        raise BadData(
            f"The column {name} must hold finite numbers of at least 0, got {wrong[0]:g}: mend "
            "these rows, or leave them out."
        )
