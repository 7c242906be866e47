"""The triangle of revenue so far: its means, and no step that tells of a few."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_lab.charts.frame import as_mime, listed
from retention_lab.charts.revenue import revenue_triangle
from retention_lab.customers import cohorts
from retention_lab.record.small import few
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..customers.orders import order_table  # noqa: TID252  one maker of orders

AS_OF = dt.date(2023, 9, 14)


def drawn_rows(seed, *, size, again):
    """Orders of six monthly cohorts of `size`; each customer buys in a later month by chance."""
    rng = np.random.default_rng(seed)
    rows = []
    for month in range(1, 7):
        for number in range(size):
            rows.append((f"{month}-{number}", f"2023-{month:02}-05", int(rng.integers(1, 9_000))))
            rows += [
                (f"{month}-{number}", f"2023-{later:02}-09", int(rng.integers(1, 9_000)))
                for later in range(month + 1, 10)
                if rng.random() < again
            ]
    return rows


def triangle(rows):
    return cohorts.revenue_triangle(order_table(rows), as_of=AS_OF)


ROWS = drawn_rows(1, size=40, again=0.5)


@pytest.fixture(scope="module")
def frame():
    return triangle(ROWS)


def table(chart):
    """The data table of a chart that draws."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(spec, number=1, where="here")
    return listed(chart)


def test_a_cell_is_the_mean_of_its_customers_with_student_s_interval(frame):
    cells = table(revenue_triangle(frame, currency="GBP"))
    cell = cells[(cells["cohort"] == "Feb 2023") & (cells["period"] == 2)].iloc[0]
    orders = pd.DataFrame(ROWS, columns=["who", "day", "amount"])
    known = orders[orders["who"].str.startswith("2-") & (orders["day"] < "2023-05")]
    spent = known.groupby("who")["amount"].sum() / 100
    low, high = stats.t.interval(0.95, len(spent) - 1, spent.mean(), stats.sem(spent))
    assert cell[["mean", "low", "high"]].tolist() == pytest.approx(
        [spent.mean(), low, high], abs=0.006
    )
    assert cell["size"] == len(spent) == 40


def test_cells_that_are_not_over_hold_no_number(frame):
    cells = table(revenue_triangle(frame, currency="GBP"))
    assert (cells["mean"].isna() == ~cells["complete"].astype(bool)).all()
    newest = cells.groupby("cohort", sort=False)["period"].max()
    assert newest.tolist() == [8, 7, 6, 5, 4, 3]


@pytest.mark.parametrize("seed", range(3))
def test_no_step_along_a_row_is_of_a_few(seed):
    frame = triangle(drawn_rows(seed, size=60, again=0.2))
    cells = table(revenue_triangle(frame, currency="GBP"))
    named = frame.assign(cohort=frame["cohort"].dt.strftime("%b %Y"))
    shown = cells[cells["mean"].notna()].merge(named, on=["cohort", "period"])
    assert 6 < len(shown) < frame["complete"].sum()  # some are hidden, or it shows nothing
    assert not few(shown["active"]).any()
    for _cohort, row in shown.groupby("cohort"):
        assert row["period"].tolist() == list(range(len(row)))  # none after a hidden one


def test_cohorts_of_a_few_are_a_sentence():
    assert isinstance(
        revenue_triangle(triangle(drawn_rows(1, size=5, again=0.5)), currency="GBP"), Instead
    )


def test_money_without_minor_units_is_whole(frame):
    pounds, yen = (table(revenue_triangle(frame, currency=currency)) for currency in ("GBP", "JPY"))
    assert yen["mean"].dropna().to_numpy() == pytest.approx(
        100 * pounds["mean"].dropna().to_numpy(), abs=0.6
    )
