"""What the engine counts for the checks of a test: as pandas counts it, row by row."""

from __future__ import annotations

import datetime as dt
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity_tables import SCHEMA, counted, marked
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

AS_OF, END = dt.date(2026, 6, 30), pd.Timestamp("2026-06-30 23:00")  # midnight in London
ZERO = pd.Timestamp("2026-05-04 09:30")  # a Monday
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Customer Success",
    "hypothesis": "A check-in keeps more.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [
        {"name": "control", "share": 0.5},
        {"name": "hello", "share": 0.25, "message": "hello_v1"},
        {"name": "gift", "share": 0.25, "message": "gift_v1"},
    ],
    "starts": "2026-04-01",
    "ends": "2026-06-30",
    "endpoint": {"kind": "retained", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 30},
}
COLUMNS = {
    "customers": ["customer_id"],
    "events": ["customer_id", "event", "occurred_at", "occurred_on"],
    "subscriptions": ["customer_id", "started_at", "cancelled_at"],
    "orders": ["customer_id", "ordered_at", "ordered_on"],
    "described": ["customer_id", "country", "household"],
    "messages": ["customer_id", "campaign", "stage", "sent_at", "delivered_at"],
    "assigned": SCHEMA.names,
}


class Shop(SimpleNamespace):
    __getattr__ = Snapshot.__getattr__  # what is not there is refused in a sentence


def plan_of(**said):
    return Plan.model_validate({**PLAN, **said})


@cache
def duckdb():
    return engine.connect()


def at(days=0.0):
    return ZERO + pd.Timedelta(days=days)


def put(name, rows):
    frame = pd.DataFrame(rows, columns=COLUMNS[name])
    kinds = {"_at": pa.timestamp("us"), "_on": pa.date32(), "ero": pa.timestamp("us")}
    arrays = {
        column: pa.array(
            [None if pd.isna(one) else one for one in frame[column]],
            kinds.get(column[-3:], pa.string()),
        )
        for column in frame
    }
    return engine.put(pa.table(arrays), con=duckdb())


def shop_of(assigned=(), **rows):
    """A shop that knows all who are assigned, unless its customers are told."""
    known = [(who,) for who in sorted({row[0] for row in assigned})]
    tables = {name: put(name, table) for name, table in {"customers": known, **rows}.items()}
    about = {"name": "Shop", "zone": "Europe/London", "as_of": AS_OF}
    records = {"records_from": dt.date(2026, 3, 1)}
    return Shop(**about, **records, tables=tables, **tables)


def tally(assigned, *, plan=None, **rows):
    """Counts by arm of hand-made rows."""
    found = counted(marked(shop_of(assigned, **rows), plan or plan_of(), put("assigned", assigned)))
    return SimpleNamespace(**vars(found), of=found.arms.set_index("arm"))


def alike(*customers, arm="hello", zero=ZERO, assigned=None):
    return [(who, arm, "", zero, assigned or zero) for who in customers]


# Who counts, once, and where


def test_a_customer_counts_in_the_arm_of_the_first_assignment():
    found = tally(
        [
            *alike("a", arm="hello", assigned=at(1)),
            *alike("a", arm="control", assigned=at(3)),
            *alike("b", arm="hello", assigned=at(2)),
            *alike("b", arm="hello", assigned=at(2)),
            *alike("c", arm="gift", assigned=at(1)),
        ]
    )
    assert found.arms["arm"].tolist() == ["gift", "hello"]
    assert found.of["customers"].to_dict() == {"gift": 1, "hello": 2}
    assert found.of["repeated"].to_dict() == {"gift": 0, "hello": 2}
    assert found.of["crossed"].to_dict() == {"gift": 0, "hello": 1}


def test_customers_whom_the_shop_does_not_know_are_told_and_count_in_no_effect():
    orders = [("a", at(1), at(1).date())]
    plan = plan_of(endpoint={"kind": "returned", "day": 30})
    found = tally(alike("a", "typo"), plan=plan, customers=[("a",)], orders=orders)
    assert found.of.loc["hello", ["customers", "stranger"]].tolist() == [2, 1]
    assert found.grid[["events", "censored"]].to_numpy().sum() == 1


def test_days_of_enrolment_are_local_and_their_weeks_begin_on_monday():
    # 23:30 UTC on Sunday 3 May is Monday in London.
    late = pd.Timestamp("2026-05-03 23:30")
    shop = {"orders": [("a", late + pd.Timedelta(days=9), dt.date(2026, 5, 13))]}
    plan = plan_of(endpoint={"kind": "returned", "day": 30})
    found = tally(alike("a", zero=late), plan=plan, **shop)
    assert found.sizes["enrolled_on"].tolist() == [pd.Timestamp("2026-05-04")]
    assert found.grid.to_dict("records") == [
        {"week": pd.Timestamp("2026-05-04"), "arm": "hello", "day": 10, "events": 1, "censored": 0}
    ]


def test_what_is_assigned_after_the_day_of_the_shop_is_not_known():
    rows = [*alike("a", zero=END - pd.Timedelta(seconds=1)), *alike("b", zero=END)]
    assert tally(rows).of["customers"].to_dict() == {"hello": 1}


def test_an_assignment_without_an_arm_is_in_an_arm_of_no_plan():
    found = tally([("a", None, None, ZERO, ZERO)])
    assert found.sizes[["stratum", "arm"]].to_numpy().tolist() == [["", ""]]


# Moments


def test_time_zero_is_compared_with_the_first_time_at_the_milestone():
    events = [(who, "onboarded", at(), at().date()) for who in ("same", "later", "early")]
    events += [("same", "onboarded", at(2), at(2).date())]
    rows = [
        *alike("same", assigned=at(1)),
        *alike("later", zero=at(1), assigned=at(1)),
        *alike("never", assigned=at(1)),
        *alike("early", assigned=at(-1)),
        ("none", "hello", "", None, at(1)),
    ]
    found = tally(rows, events=events)
    assert found.of.loc["hello", ["off", "early"]].tolist() == [3, 1]


def test_an_outcome_comes_first_where_its_day_was_over_at_the_assignment():
    ends = {"before": 0.5, "same": 1.5, "after": 5}
    subscriptions = [(who, at(-90), at(days)) for who, days in ends.items()]
    found = tally(alike(*ends, assigned=at(1.6)), subscriptions=subscriptions)
    assert found.of.loc["hello", "outcome_first"] == 1
    late = tally(alike(*ends, assigned=at(2)), subscriptions=subscriptions)
    assert late.of.loc["hello", "outcome_first"] == 2


def test_the_outcome_before_the_milestone_counts_where_the_shop_knows_so_far_back():
    plan = plan_of(endpoint={"kind": "returned", "day": 30})
    times = {"inside": -3, "edge": -30, "older": -30.1, "zero": 0, "none": 4}
    orders = [(who, at(days), at(days).date()) for who, days in times.items()]
    unknown = pd.Timestamp("2026-03-20")
    orders += [("new", unknown - pd.Timedelta(days=1), unknown.date())]
    rows = [*alike(*times), *alike("new", zero=unknown)]
    found = tally(rows, plan=plan, orders=orders)
    assert found.of.loc["hello", ["reaching", "earlier"]].tolist() == [5, 2]


# Messages


def test_messages_count_for_the_arm_that_is_sent_them():
    def sent(who, campaign, days=1.0, **more):
        return (who, campaign, more.get("stage"), at(days), more.get("delivered"))

    messages = [
        sent("own", "hello_v1", delivered=at(1)),
        sent("own", "gift_v1", days=-1),  # before time zero: of another matter
        sent("plan", "check_in"),
        sent("stage", "summer", stage="hello_v1"),
        sent("other", "newsletter"),
        sent("gift", "gift_v1"),
        sent("quiet", "check_in"),
        sent("quiet", "newsletter"),
        sent("fresh", "hello_v1", days=57),
    ]
    rows = [
        *alike("own", "plan", "stage", "other", "gift"),
        *alike("fresh", zero=at(56)),
        *alike("quiet", "silent", arm="control"),
    ]
    found = tally(rows, messages=messages)
    told = ["due", "sent", "delivered", "wrong"]
    assert found.of.loc["hello", told].tolist() == [5, 3, 1, 1]
    assert found.of.loc["control", told].tolist() == [2, 0, 0, 1]


# What is not there


def test_what_the_shop_lacks_is_said_and_the_rest_is_counted():
    found = tally(alike("a"), events=[("a", "activated", at(), at().date())])
    assert found.missing.keys() == {"milestone", "outcome", "before", "messages"}
    assert "has no event 'onboarded'" in str(found.missing["milestone"])
    assert "map them in its source file" in str(found.missing["messages"])
    assert found.grid.empty
    assert [*found.arms] == ["arm", "customers", "repeated", "crossed", "stranger"]


def test_nobody_assigned_is_nobody_in_every_table():
    subscriptions = [("a", at(-9), at(9))]
    found = tally([], subscriptions=subscriptions)
    assert found.sizes.empty
    assert found.arms.empty
    assert found.grid.empty


def test_assignments_without_a_column_are_refused():
    with pytest.raises(BadData, match="assigned lacks the column"):
        marked(shop_of(), plan_of(), put("customers", []))


# One row per customer


ROWS = [*alike("a", "b"), *alike("c", arm="control"), *alike("d", arm="else")]
SPANS = [(who, at(-9), at(day)) for who, day in {"a": 5, "b": 5, "d": 7}.items()]
SPANS += [("c", at(-9), None)]


def test_followed_customers_collapse_to_grids_of_the_arms_of_the_plan():
    found = marked(shop_of(ROWS, subscriptions=SPANS), plan_of(), put("assigned", ROWS))
    assert engine.collect(found.arms)["customer_id"].sort_values().tolist() == ["a", "b", "c"]
    assert engine.collect(found.people.count().as_table()).iloc[0, 0] == 4
    # From Monday 4 May 09:30 UTC to the end of 30 June in London are 57 days of 24 hours.
    assert found.grid().to_dict("records") == [
        {"arm": "control", "day": 57, "events": 0, "censored": 1},
        {"arm": "hello", "day": 6, "events": 2, "censored": 0},
    ]
    assert found.grid("week", "arm").columns.tolist()[:3] == ["arm", "week", "day"]


def test_a_grid_without_an_outcome_says_what_lacks():
    found = marked(shop_of(), plan_of(), put("assigned", ROWS))
    with pytest.raises(BadData, match="has no subscriptions"):
        found.grid()


def test_attributes_that_a_plan_names_are_text_and_unknown_where_missing():
    customers = put("described", [("a", "DE", "1"), ("b", None, "1"), ("c", "FR", None)])
    shop = shop_of(subscriptions=SPANS)
    shop.customers = customers
    plan = plan_of(segments=["country"], strata=["country"], cluster="household")
    rows = engine.collect(marked(shop, plan, put("assigned", ROWS)).people).set_index("customer_id")
    assert rows.sort_index()["country"].tolist() == ["DE", "unknown", "FR", "unknown"]
    assert rows.sort_index()["household"].tolist() == ["1", "1", "unknown", "unknown"]
    with pytest.raises(BadParameter, match="customers of Shop has no attribute 'town'"):
        marked(shop, plan_of(segments=["town"]), put("assigned", ROWS))


def test_who_has_no_time_zero_is_followed_from_the_assignment():
    rows = [("a", "hello", "", None, at(2)), ("b", "hello", "", at(1), at(3))]
    rows += [("c", "hello", "", at(4), at(3))]
    found = engine.collect(marked(shop_of(), plan_of(), put("assigned", rows)).people)
    assert found.sort_values("customer_id")["reached_at"].tolist() == [at(2), at(1), at(3)]


# Against pandas


@pytest.mark.parametrize("kind", ["retained", "returned"])
def test_counts_are_those_of_pandas_in_any_order_of_rows(kind):
    rng, plan = np.random.default_rng(20261122), plan_of(endpoint={"kind": kind, "day": 20})
    ids = [f"c{number}" for number in range(150)]

    def days(low, high, size=1):
        return np.round(rng.uniform(low, high, size), 3)

    assigned = [
        (who, arm, rng.choice(["x", "y"]), at(zero), at(zero + days(-0.2, 3)[0]))
        for who in [*ids, *rng.choice(ids, 30)]
        for arm, zero in [(rng.choice(["control", "hello", "gift"]), days(-70, 50)[0])]
    ]
    times = [(who, at(day)) for who in rng.choice(ids, 400) for day in days(-90, 56)]
    orders = [(who, moment, (moment + pd.Timedelta(hours=1)).date()) for who, moment in times]
    subscriptions = [
        (w, m, None if rng.random() < 0.3 else m + pd.Timedelta(days=9)) for w, m in times
    ]
    rows = {"orders": orders, "subscriptions": subscriptions}
    found = tally(assigned, plan=plan, **rows)
    shuffled = {name: rng.permutation(np.array(one, object)).tolist() for name, one in rows.items()}
    again = tally([assigned[i] for i in rng.permutation(len(assigned))], plan=plan, **shuffled)
    for name in ("sizes", "arms", "grid"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(again, name))
    people = pd.DataFrame(assigned, columns=SCHEMA.names).sort_values(["assigned_at", "arm"])
    own = people.groupby("customer_id")
    first = own.first().assign(
        repeated=own.size() > 1, crossed=own["arm"].min() != own["arm"].max()
    )
    happened = pd.DataFrame(times if kind == "returned" else subscriptions).iloc[:, [0, -1]]
    happened.columns = ["customer_id", "moment"]
    pairs = first.reset_index().merge(happened, on="customer_id")
    zero = pairs[["time_zero", "assigned_at"]].min(axis=1)  # from when on they are followed
    begin = zero - pd.Timedelta(days=20)
    before = (pairs["moment"] >= begin) & (pairs["moment"] < zero)
    before &= begin >= pd.Timestamp("2026-03-02")
    first["earlier"] = first.index.isin(pairs.loc[before, "customer_id"])
    told = ["repeated", "crossed", "earlier"]
    expected = first.groupby("arm")[told].sum()
    assert found.of[told].to_numpy().tolist() == expected.to_numpy().tolist()
    assert found.sizes["customers"].sum() == found.of["customers"].sum() == len(first)
    known = found.of["customers"].sum() - found.of["left_out"].sum()
    assert found.grid[["events", "censored"]].to_numpy().sum() == known
