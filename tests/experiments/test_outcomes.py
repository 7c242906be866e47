"""Outcomes from time zero on, held against loops over customers in pandas."""

from __future__ import annotations

import datetime as dt
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis import _

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.adding import Adding
from retention_lab.experiments.milestones import first_reached
from retention_lab.experiments.outcomes import KNOWN, moments, outcome
from retention_lab.inference.moments import RatioMoments, ratio
from retention_lab.tables import engine
from retention_lab.tables.metrics import Metric

from .acting import AS_OF, frames, shop, shop_of

DAYS = 40
SUMS = ("sum_y", "sum_yy", "sum_x", "sum_xx", "sum_xy")


def metric(name, sql, unit):
    words = {"label": name, "better": "higher", "owner": "CRM", "review_by": "2027-01-01"}
    return Metric.model_validate({"name": name, "sql": sql, "unit": unit, **words})


OWN = {
    each.name: each
    for each in (
        metric("solved", "count(tickets.resolved_at) / count(tickets.ticket_id)", "share"),
        metric("refunds", "sum(returns.amount)", "money"),
        metric("halves", "sum(orders.amount) / 3 / count(orders.order_id)", "money"),
    )
}


def people(of):
    """Those who reached the milestone, in two arms."""
    reached = first_reached(of, "onboarded")
    arm = (reached.customer_id.right(1).cast("int64") % 2 == 0).ifelse("control", "hello")
    return reached.mutate(arm=arm)


def within(who, zero, until, name, time):
    """Rows of a customer between two instants, pandas' way."""
    rows = frames()[name]
    after = rows[time] >= zero if time == "sent_at" else rows[time] > zero
    return rows[(rows["customer_id"] == who) & after & (rows[time] < until)]


def by_hand(who, zero):
    """Both sides of every outcome of one customer."""
    until = zero + pd.Timedelta(days=DAYS)

    def of(table, time):
        return within(who, zero, until, table, time)

    orders, returns = of("orders", "ordered_at"), of("returns", "returned_at")
    sent, tickets = of("messages", "sent_at"), of("tickets", "opened_at")
    days = orders["ordered_at"].dt.date.nunique()
    spent, back = (round(100 * table["amount"].sum()) for table in (orders, returns))
    solved = tickets[tickets["resolved_at"] < until]
    gave = {"click": "clicked_at", "open": "opened_at", "conversion": "converted_at"}
    sides = {did: (int((sent[at] < until).any()), 1) for did, at in gave.items()}
    sides |= {
        "unsubscribe": (int(len(of("messages", "unsubscribed_at")) > 0), 1),
        "orders": (days, 1),
        "revenue_per_customer": (spent - back, 1),
        "average_order_value": (spent, days),
        "return_rate": (back, spent),
        "support_contacts": (len(tickets), 1),
        "csat": (int((solved["csat"] >= 4).sum()), len(solved)),
        "solved": (len(solved), len(tickets)),
        "refunds": (back, 1),
        "halves": (spent, 3 * len(orders)),  # a third of the amount, by order
    }
    return sides


@cache
def truth():
    """Sums of every outcome by arm."""
    end, rows = pd.Timestamp("2025-07-01"), []
    for who, zero in frames()["events"].groupby("customer_id")["occurred_at"].min().items():
        seen = zero + pd.Timedelta(days=DAYS) <= end
        arm = "control" if int(who[-1]) % 2 == 0 else "hello"
        for name, sides in by_hand(who, zero).items():
            y, x = sides if seen else (0, 0)
            rows.append((name, arm, int(seen), y, y * y, x, x * x, x * y, int(not seen)))
    columns = ["name", "arm", "customers", *SUMS, "left_out"]
    return pd.DataFrame(rows, columns=columns).groupby(["name", "arm"]).sum()


@pytest.mark.parametrize("name", [name for name in [*KNOWN, *OWN] if name != "visit"])
def test_moments_are_those_of_loops_over_customers(name):
    found = moments(shop(), people(shop()), name, days=DAYS, by=["arm"], metrics=OWN)
    by_loops = truth().loc[name].reset_index()
    assert found[by_loops.columns].to_dict("records") == by_loops.to_dict("records")
    assert (found["did"] <= found["counted"]).all()
    assert (found["counted"] <= found["customers"]).all()


def test_outcomes_at_once_are_those_of_each_whether_they_share_rows_or_not():
    names = ["orders", "revenue_per_customer", "csat"]
    made = [outcome(name) for name in names]
    found = Adding(shop=shop(), people=people(shop()), days=DAYS, by=["arm"]).sums(made)
    for name in names:
        alone = moments(shop(), people(shop()), name, days=DAYS, by=["arm"])
        assert found[name]["y*y"].tolist() == alone["sum_yy"].tolist()
        assert found[name]["y*x"].tolist() == alone["sum_xy"].tolist()


@pytest.mark.parametrize("name", ["csat", "click"])
def test_what_comes_after_the_days_changes_nothing(name):
    early = AS_OF - dt.timedelta(days=60)
    then = people(shop(early))
    counted = then.filter(_.reached_at < pd.Timestamp(early) - pd.Timedelta(days=DAYS))
    ids = engine.collect(counted)["customer_id"].tolist()
    later = people(shop()).filter(_.customer_id.isin(ids))
    known_then = moments(shop(early), counted, name, days=DAYS, by=["arm"], metrics=OWN)
    known_now = moments(shop(), later, name, days=DAYS, by=["arm"], metrics=OWN)
    pd.testing.assert_frame_equal(known_then, known_now)
    assert known_now["customers"].sum() == len(ids) > 30


def one(name, *, zero, **tables):
    """Moments of the customer `a`, with a time zero."""
    row = {"customer_id": ["a"], "event": ["onboarded"], "occurred_at": [pd.Timestamp(zero)]}
    made = shop_of({"events": pd.DataFrame(row), "orders": frames()["orders"], **tables})
    return moments(made, first_reached(made, "onboarded"), name, days=30).iloc[0]


def test_the_second_of_time_zero_is_before_it_and_that_of_the_end_after_it():
    zero, second = pd.Timestamp("2025-05-01 10:00:00"), pd.Timedelta(seconds=1)
    end = zero + pd.Timedelta(days=30)
    at = {zero: 0, zero + second: 1, end - second: 1, end: 0}
    ids = [f"c{n}" for n in range(len(at))]
    orders = {"order_id": ids, "customer_id": ids, "ordered_at": [*at], "amount": 5.0}
    events = {"customer_id": ids, "event": "onboarded", "occurred_at": zero}
    made = shop_of({"events": pd.DataFrame(events), "orders": pd.DataFrame(orders)})
    reached = first_reached(made, "onboarded")
    found = moments(made, reached, "orders", days=30, by=["customer_id"])
    assert found["sum_y"].tolist() == [*at.values()]


def test_whoever_gets_no_message_counts_and_a_message_of_the_same_second_does():
    zero, hour = pd.Timestamp("2025-05-01 10:00:00"), pd.Timedelta(hours=1)
    ids = ["at once", "before", "none"]
    sent = {"message_id": ids[:2], "customer_id": ids[:2], "sent_at": [zero, zero - hour]}
    messages = pd.DataFrame(sent).assign(clicked_at=zero + hour, unsubscribed_at=zero + hour)
    events = pd.DataFrame({"customer_id": ids, "event": "onboarded", "occurred_at": zero})
    made = shop_of({"events": events, "orders": frames()["orders"], "messages": messages})
    reached = first_reached(made, "onboarded")
    for name, did in {"click": [1, 0, 0], "unsubscribe": [1, 1, 0]}.items():
        found = moments(made, reached, name, days=30, by=["customer_id"])
        assert found["did"].tolist() == did
        assert found["sum_x"].tolist() == [1, 1, 1]


def test_a_visit_counts_once_from_after_time_zero_on():
    zero, hour = pd.Timestamp("2025-05-01 10:00:00"), pd.Timedelta(hours=1)
    visits = {"a": [zero + hour, zero + 2 * hour], "b": [zero], "c": [zero + hour * 24 * 30]}
    rows = [(who, "onboarded", zero) for who in "abc"]
    rows += [(who, "visit", at) for who, times in visits.items() for at in times]
    events = pd.DataFrame(rows, columns=["customer_id", "event", "occurred_at"])
    made = shop_of({"events": events, "orders": frames()["orders"]})
    reached = first_reached(made, "onboarded")
    found = moments(made, reached, "visit", days=30, by=["customer_id"])
    assert found["did"].tolist() == [1, 0, 0]
    with pytest.raises(BadData, match="Visits cannot be told: Shop has no events named visit"):
        moments(shop(), people(shop()), "visit", days=30)


def test_sums_of_squares_are_exact_beyond_64_bits():
    big, n = 10**9, 40  # ten million whole units in minor ones, from forty resellers
    zero = pd.Timestamp("2025-05-01 10:00:00")
    ids = [f"c{number}" for number in range(n)]
    con = engine.connect()
    at = pa.array([zero] * n, pa.timestamp("us"))
    later = pa.array([zero + pd.Timedelta(days=1)] * n, pa.timestamp("us"))
    days = pa.array([dt.date(2025, 5, 2)] * n)
    amounts = pa.array([big + number for number in range(n)])
    rows = {"customer_id": ids, "ordered_at": later, "ordered_on": days, "amount": amounts}
    orders = engine.put(pa.table(rows), con=con)
    reached = engine.put(pa.table({"customer_id": ids, "reached_at": at}), con=con)
    tables = {"orders": orders}
    made = SimpleNamespace(name="Shop", zone="UTC", as_of=AS_OF, tables=tables, orders=orders)
    found = moments(made, reached, "average_order_value", days=30).iloc[0]
    assert found["sum_yy"] == sum((big + number) ** 2 for number in range(n)) > 2**63
    names = {name: int(found[f"sum_{name}"]) for name in ("y", "yy", "x", "xx", "xy")}
    values = np.arange(n) + big
    error = np.std(values, ddof=1) / np.sqrt(n)
    whole = ratio(RatioMoments(n=n, **names), alpha=0.05)
    assert whole.value == values.mean()
    # 2.0227 is the 97.5 % quantile of Student's t with 39 degrees of freedom (tables)
    assert whole.high - whole.value == pytest.approx(2.0227 * error, rel=1e-4)


def test_who_buys_daily_is_one_customer_and_each_day_one_order():
    zero = pd.Timestamp("2025-05-01 10:00:00")
    at = zero + pd.to_timedelta(np.arange(1, 100), unit="h") * 12
    orders = pd.DataFrame({"order_id": range(99), "customer_id": "a", "ordered_at": at})
    orders = orders.assign(order_id=orders["order_id"].astype(str), amount=0.0)
    found = one("orders", zero=zero, orders=orders)
    assert (found["customers"], found["sum_y"], found["sum_yy"]) == (1, 30, 30**2)
    free = one("revenue_per_customer", zero=zero, orders=orders)
    assert (free["did"], free["sum_yy"], free["counted"]) == (0, 0, 1)


def test_nobody_followed_for_so_long_is_refused():
    with pytest.raises(BadData, match="No customer has been followed for 181 days by 2025-06-30"):
        moments(shop(), people(shop()), "orders", days=181)
    nobody = people(shop()).filter(_.customer_id == "nobody")
    with pytest.raises(BadData, match="Nobody has a time zero"):
        moments(shop(), nobody, "orders", days=1)


def test_a_group_that_was_not_followed_stands_with_nobody():
    late = people(shop()).mutate(arm=(_.reached_at < pd.Timestamp("2025-03-20")).ifelse("a", "b"))
    found = moments(shop(), late, "orders", days=110, by=["arm"])
    assert found["customers"].tolist()[1] == 0
    assert found["sum_xx"].tolist()[1] == 0
    assert found["left_out"].tolist()[1] > 0


def test_a_shop_without_the_table_is_told_so():
    bare = shop_of({name: frames()[name] for name in ("events", "orders")})
    with pytest.raises(BadData, match="Returned share of revenue cannot be told: Shop has no retu"):
        moments(bare, people(bare), "return_rate", days=30)
    gross = moments(bare, people(bare), "revenue_per_customer", days=30)
    assert gross["sum_y"].iloc[0] > 0


def test_an_unknown_outcome_is_refused_with_those_there_are():
    with pytest.raises(BadParameter, match=r"'unsubscribes'\. Did you mean 'unsubscribe'"):
        outcome("unsubscribes")
    with pytest.raises(BadParameter, match=r"csat, solved, refunds, halves\. Define others"):
        outcome("nonsense", metrics=OWN)


def test_values_that_are_no_numbers_are_refused_in_words():
    bad = {"bad": metric("bad", "sum(sqrt(-orders.amount)) / count(orders.order_id)", "money")}
    with pytest.raises((BadData, BadParameter), match="bad"):
        moments(shop(), people(shop()), "bad", days=DAYS, metrics=bad)


def test_a_missing_column_of_people_is_named():
    with pytest.raises(BadData, match="people lacks the column"):
        moments(shop(), people(shop()), "orders", days=DAYS, by=["country"])
