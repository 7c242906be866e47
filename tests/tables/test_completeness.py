"""How far tables reach, judged by their own past."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_lab.checks import BadParameter
from retention_lab.tables import completeness, snapshot
from retention_lab.tables.completeness import judged

from .shops import orders_map, shop

DAY = dt.timedelta(days=1)
SUNDAY = dt.date(2026, 11, 22)
FRIDAY = SUNDAY - 2 * DAY
FIELDS = ["InvoiceDate", "Quantity", "Customer ID"]
DATA = Path(__file__).parents[3] / "shared/data/online_retail_ii"


def daily(rows=100, *, until=SUNDAY, days=400, closed=()):
    """So many rows a day, none on weekdays that are closed."""
    dates = (until - n * DAY for n in range(days))
    return {date: rows for date in dates if date.weekday() not in closed}


def state(days, *, as_of=SUNDAY, excused=()):
    return judged("orders", days, as_of=as_of, excused=excused).state


def test_table_that_reaches_the_day_is_complete():
    found = judged("orders", daily(), as_of=SUNDAY)
    assert (found.state, found.last, found.rows, found.usual) == ("complete", SUNDAY, 100, 100)
    assert found.sentence == "orders are complete to Sunday 22 November."


def test_table_that_stops_before_the_day_is_late():
    found = judged("orders", daily(1_340, until=FRIDAY), as_of=SUNDAY)
    assert (found.state, found.last, found.rows) == ("late", FRIDAY, 1_340)
    assert found.sentence == (
        "orders reach only Friday 20 November (1,340 rows that day); the report is of Sunday 22 "
        "November."
    )
    lines = judged("order_lines", daily(1, until=FRIDAY), as_of=SUNDAY)
    assert lines.sentence.startswith("order lines reach only Friday 20 November (1 row that day)")


def test_table_without_rows_is_late():
    found = judged("events", {}, as_of=SUNDAY)
    assert (found.state, found.last, found.rows, found.usual) == ("late", None, 0, None)
    assert found.sentence == "events have no row yet; the report is of Sunday 22 November."


def test_closed_sunday_is_no_silence_but_a_monday_after_it_is():
    open_days = daily(closed=(6,))
    assert state(open_days) == "complete"
    assert state(open_days, as_of=SUNDAY + DAY) == "late"


def test_silence_may_be_half_as_long_again_as_the_longest_of_the_past_year():
    rare = {SUNDAY - n * 5 * DAY: 3 for n in range(80)}  # four silent days each time
    assert [state(rare, as_of=SUNDAY + n * DAY) for n in (6, 7)] == ["complete", "late"]
    long_ago = {day: 3 for day in rare if day > SUNDAY - 395 * DAY} | {SUNDAY - 420 * DAY: 3}
    assert state(long_ago, as_of=SUNDAY + 7 * DAY) == "late"


def test_table_with_few_days_of_rows_is_never_late():
    rare = {SUNDAY - n * 10 * DAY: 3 for n in range(39)}
    assert state(rare, as_of=SUNDAY + 300 * DAY) == "complete"


def test_days_that_are_excused_do_not_count_as_silence():
    days = daily(until=FRIDAY)
    assert state(days, excused={SUNDAY - DAY, SUNDAY}) == "complete"
    assert state(days, excused={SUNDAY}) == "late"
    assert state(days, excused={FRIDAY - DAY, FRIDAY, SUNDAY + DAY}) == "late"


@pytest.mark.parametrize(("rows", "found"), [(49, "thin"), (50, "complete"), (1_000, "complete")])
def test_day_with_less_than_half_of_the_least_of_its_weekday_is_thin(rows, found):
    # Other Sundays of the weeks before had 100 to 180 rows; other days do not matter.
    sundays = {SUNDAY - 7 * week * DAY: 90 + 10 * week for week in range(1, 9)}
    days = daily(5_000) | {SUNDAY - 364 * DAY: 100} | sundays | {SUNDAY: rows}
    assert state(days) == found


def test_thin_day_is_told_with_what_is_usual():
    found = judged("orders", daily() | {SUNDAY: 12}, as_of=SUNDAY)
    assert (found.state, found.rows, found.usual) == ("thin", 12, 100)
    assert found.sentence == (
        "orders of Sunday 22 November have 12 rows; in the weeks before, no Sunday had fewer than "
        "100."
    )


def test_day_that_was_as_thin_a_year_ago_is_not_thin():
    assert state(daily() | {SUNDAY: 12, SUNDAY - 364 * DAY: 15}) == "complete"
    assert state(daily() | {SUNDAY: 12, SUNDAY - 363 * DAY: 15}) == "thin"


def test_day_that_is_excused_is_not_thin():
    assert state(daily() | {SUNDAY: 12}, excused={SUNDAY}) == "complete"


@pytest.mark.parametrize(("days", "found"), [(21, "complete"), (22, "thin")])
def test_history_of_three_weeks_is_needed(days, found):
    assert state(daily(days=days) | {SUNDAY: 1}) == found


def test_half_of_a_few_rows_may_be_chance():
    assert state(daily(9) | {SUNDAY: 1}) == "complete"
    assert state(daily(10) | {SUNDAY: 1}) == "thin"


@given(
    st.dictionaries(
        st.integers(0, 500).map(lambda n: SUNDAY - n * DAY), st.integers(1, 500), max_size=300
    ),
    st.sets(st.integers(0, 30).map(lambda n: SUNDAY - n * DAY)),
)
def test_more_excuses_and_more_rows_never_make_a_table_worse(days, excused):
    found = judged("orders", days, as_of=SUNDAY, excused=excused)
    if found.state == "complete":
        assert state(days, excused=excused | {SUNDAY}) == "complete"
    if found.last == SUNDAY and found.state == "complete":
        assert state(days | {SUNDAY: found.rows + 1}, excused=excused) == "complete"
    assert found.sentence.endswith(".")


@pytest.mark.parametrize("rate", [0.3, 1, 10, 100])
def test_chance_alone_is_called_unusual_on_less_than_one_day_in_200(rate):
    rows = np.random.default_rng(20261122).poisson(rate, 1_000)
    start = SUNDAY - len(rows) * DAY
    days, wrong = {}, 0
    for n, count in enumerate(rows):
        days |= {start + n * DAY: int(count)} if count else {}
        wrong += n > 30 and state(days, as_of=start + n * DAY) != "complete"
    assert wrong < len(rows) / 200


TIMES = [SUNDAY - n * DAY for n in range(60)]


def table(prefix, *, times, **columns):
    frame = pd.DataFrame({"at": [f"{time}T12:00:00" for time in times]})
    return frame.assign(id=[f"{prefix}{n}" for n in range(len(frame))], who="ann", **columns)


@pytest.fixture
def source(tmp_path):
    """Orders to Sunday, their lines and the returns to Friday only."""
    orders = table("o", times=TIMES, amount="10.00")
    returns = table("r", times=TIMES[2:], amount="1.00")
    lines = orders.assign(quantity="1", unit_price="10.00")[2:]
    key = {"customer_id": "who", "amount": "amount"}
    return shop(
        tmp_path,
        tables={
            "orders": {
                "rows": "o.parquet",
                "columns": {**key, "order_id": "id", "ordered_at": "at"},
            },
            "order_lines": {
                "rows": "l.parquet",
                "columns": {"order_id": "id", "quantity": "quantity", "unit_price": "unit_price"},
            },
            "returns": {
                "rows": "r.parquet",
                "columns": {**key, "return_id": "id", "returned_at": "at"},
            },
        },
        files={"o.parquet": orders, "l.parquet": lines, "r.parquet": returns},
    )


def states(source, **given):
    found = completeness.arrivals(snapshot.take(source), **given)
    return {each.table: (each.state, each.last) for each in found}


def test_tables_of_a_snapshot_are_judged_each_by_its_own_days(source):
    assert states(source) == {
        "orders": ("complete", SUNDAY),
        "order_lines": ("late", FRIDAY),
        "returns": ("late", FRIDAY),
    }


def test_source_that_says_how_far_it_is_complete_is_believed(source):
    assert {each for each, _ in states(source, stated=SUNDAY).values()} == {"complete"}
    assert states(source, stated=FRIDAY) == states(source)


def test_lines_that_orders_are_made_from_stand_for_them(tmp_path):
    columns = {**orders_map()["columns"], "quantity": "n", "unit_price": "amount"}
    del columns["amount"]
    lines = "order_id,customer_id,ordered_at,amount,n\n1,ann,2025-01-05 10:00:00,10.00,2\n"
    tables = {
        "order_lines": {"rows": "lines.csv", "columns": columns},
        "orders": {"derive_from": "order_lines"},
    }
    source = shop(tmp_path, tables, {"lines.csv": lines})
    assert states(source) == {"order_lines": ("complete", dt.date(2025, 1, 5))}


def test_chosen_customers_tell_nothing_of_a_table(source):
    chosen = snapshot.take(source, where="order_days > 1")
    with pytest.raises(BadParameter, match=r"not over customers with 'order_days > 1'"):
        completeness.arrivals(chosen)


@pytest.mark.skipif(not DATA.exists(), reason="Online Retail II is not there")
def test_real_shop_is_called_unusual_where_its_last_day_breaks_off_at_noon():
    # Online Retail II ends on Friday 9 December 2011 at 12:50; Saturdays and Christmas are closed.
    files = [pd.read_parquet(file, columns=FIELDS) for file in DATA.glob("year_*.parquet")]
    sold = pd.concat(files).query("Quantity > 0 and `Customer ID`.notna()", engine="python")
    times = pd.to_datetime(sold["InvoiceDate"])
    days = {day: int(rows) for day, rows in times.dt.date.value_counts().items()}
    last = max(days)
    unusual = [
        day
        for day in (last - n * DAY for n in range(360))
        if state({date: rows for date, rows in days.items() if date <= day}, as_of=day)
        != "complete"
    ]
    assert last == dt.date(2011, 12, 9)
    assert unusual[0] == last
    assert len(unusual) <= 360 / 200
