"""Which cells of a cohort triangle can be shown so that none tells of a few customers.

Three sums run through a triangle. Along a column, the weighted mean times its customers is the sum
of the complete cells. Along a row, those who bought in a period or later include those of the next,
so two neighbours tell who was last seen between them. Along a calendar month, the revenue of all
cohorts is that of returning customers, which another picture shows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retention_lab.record import SMALL
from retention_lab.record.small import (
    Mask,
    apart,
    cells,
    covered,
    gives_away,
    of_share,
    splits,
)

_SHARES = ["share", "low", "high"]
_OF = {"active": _SHARES, "active_later": [f"later_{name}" for name in _SHARES]}
Places = NDArray[np.int64]

_MEANS = {"active": "share", "active_later": "later_share"}


def hidden_in(
    triangle: pd.DataFrame, means: pd.DataFrame, *, cohorts: int, periods: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cells and the means to draw, less what would tell of fewer than `SMALL` customers.

    Parameters
    ----------
    triangle, means
        A triangle of `customers.cohorts` and its `weighted_mean`.
    cohorts, periods
        As many of the newest cohorts, and of the first periods after that of the first purchase,
        are drawn.

    Returns
    -------
    DataFrame, DataFrame
        The cells that are drawn, with the columns of `triangle`: a hidden `active` is a word, its
        shares and its revenue are missing. And the rows of `means`, a hidden share missing.
    """
    frame = triangle[triangle["period"] <= periods + 1].reset_index(drop=True)
    drawn, small = _drawn(frame, cohorts=cohorts, periods=periods)
    large = means[means["period"].between(1, periods) & (means["size"] >= SMALL)]
    stand = [_can_stand(period, frame, drawn, small) for period in large["period"]]
    large = large[np.array(stand, dtype=bool)]
    hidden = _hidden(frame, drawn, means=large["period"])
    shown = frame.assign(revenue=frame["revenue"].astype("float64").mask(hidden["revenue"]))
    for count, shares in _OF.items():
        shown.loc[hidden[count], shares] = np.nan
    shown["active"] = cells(frame["active"], hidden["active"])
    return shown[drawn], _means(large, frame, drawn, hidden)


def _drawn(frame: pd.DataFrame, *, cohorts: int, periods: int) -> tuple[Mask, Mask]:
    """Say of each cell whether it is drawn, and whether its cohort is too small for that."""
    begun = frame["period"].between(1, periods)
    sizes = frame.groupby("cohort")["size"].first()
    reached = sizes.index.isin(frame.loc[begun, "cohort"])
    small = covered(sizes, unknown=~reached) & reached
    newest = sizes.index[reached & ~small][-cohorts:]
    drawn = (begun & frame["cohort"].isin(newest)).to_numpy()
    return drawn, frame["cohort"].isin(sizes.index[small]).to_numpy()


def _can_stand(period: int, frame: pd.DataFrame, drawn: Mask, small: Mask) -> bool:
    """Say whether the customers of a mean tell of no cohort that is too small to be drawn."""
    column = frame.index[frame["complete"] & (frame["period"] == period)]
    unseen = ~drawn[column]
    hidden = covered(frame.loc[column, "size"], unknown=unseen, hidden=small[column])
    return bool((hidden == unseen).all())


def _hidden(frame: pd.DataFrame, drawn: Mask, *, means: pd.Series) -> pd.DataFrame:
    """Say of each cell what of it to hide: `active`, `active_later` and `revenue`."""
    columns = _places(frame[frame["complete"] & frame["period"].isin(means)], frame["period"])
    active = splits(frame["active"], frame["size"])
    active = _covered(active, columns, frame, count="active", unknown=~drawn)
    # Where nobody bought later still, both counts are one.
    last = frame.groupby("cohort")["active_later"].shift(-1, fill_value=0).eq(0).to_numpy()
    later = splits(frame["active_later"], frame["size"]) | ~_steps(frame) | (active & last)
    later = _covered(later, columns, frame, count="active_later", unknown=~drawn)
    months = _places(frame[frame["period"] >= 1], _calendar(frame))
    revenue = _covered(active, months, frame, count="active", unknown=~drawn, shares=False)
    return pd.DataFrame({"active": active, "active_later": later, "revenue": revenue})


def _places(cells: pd.DataFrame, key: pd.Series) -> list[Places]:
    return [part.index.to_numpy() for _key, part in cells.groupby(key)]


def _covered(
    hidden: Mask,
    groups: list[Places],
    frame: pd.DataFrame,
    *,
    count: str,
    unknown: Mask,
    shares: bool = True,
) -> Mask:
    """Hide the next smallest cells of each group whose sum is known.

    Where no `shares` are shown of them, no cell tells what it leaves of its cohort.
    """
    found = hidden.copy()
    for places in groups:
        part = frame.iloc[places]
        wholes = part["size"] if shares else None
        found[places] |= covered(
            part[count], wholes=wholes, unknown=unknown[places], hidden=hidden[places]
        )
    return found


def _steps(frame: pd.DataFrame) -> Mask:
    """Say of each cell whether those who never bought after it are nobody, or more than a few."""
    kept = np.ones(len(frame), dtype=bool)
    for _cohort, row in frame.groupby("cohort"):
        seen = row.index[~splits(row["active_later"], row["size"])]
        kept[seen] = apart(row.loc[seen, "active_later"])
    return kept


def _calendar(frame: pd.DataFrame) -> pd.Series:
    """Number the calendar month, or the week, in which a period lies."""
    days = frame["cohort"].dt
    monthly = days.is_month_start.all()
    begun = 12 * days.year + days.month if monthly else days.to_period("W").map(_ordinal)
    number: pd.Series = begun + frame["period"]
    return number


def _ordinal(week: pd.Period) -> int:
    return int(week.ordinal)


def _means(
    means: pd.DataFrame, frame: pd.DataFrame, drawn: Mask, hidden: pd.DataFrame
) -> pd.DataFrame:
    """Hide a mean where it tells of a few by itself, or of cells though all of them are hidden."""
    shown = means.copy()
    complete = frame[frame["complete"]]
    for count, share in _MEANS.items():
        unseen = hidden[count] | ~drawn
        tells = [
            of_share(mean, size) for mean, size in zip(means[share], means["size"], strict=True)
        ]
        for place, period in enumerate(means["period"]):
            part = complete[complete["period"] == period]
            every = {"wholes": part["size"], "unknown": ~drawn[part.index]}
            tells[place] |= unseen[part.index].all() and gives_away(part[count], **every)
        shown.loc[tells, share] = np.nan
    return shown
