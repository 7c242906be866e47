"""Who was assigned: by the shop's table if it names the test, else by the log of daily runs."""

from __future__ import annotations

import datetime as dt
from functools import cache
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from retention_lab import state as states
from retention_lab.checks import BadData
from retention_lab.experiments import assignments
from retention_lab.experiments.assigned import assigned, digests
from retention_lab.experiments.plan import Plan
from retention_lab.tables import engine

ZERO = pd.Timestamp("2026-05-04 09:30")
MOMENT = pd.Timestamp("2026-05-04 22:59:59")  # the day in London ends at 23:00 UTC, in summer
LATE = pd.Timestamp("2026-06-30 23:00")  # the end of the shop's day
PLAN = Plan.model_validate(
    {
        "name": "check_in",
        "title": "Check-in",
        "owner": "Customer Success",
        "hypothesis": "A check-in keeps more.",
        "milestone": "onboarded",
        "channel": "email",
        "arms": [
            {"name": "control", "share": 0.5},
            {"name": "hello", "share": 0.5, "message": "hello_v1"},
        ],
        "starts": "2026-04-01",
        "ends": "2026-06-30",
        "endpoint": {"kind": "retained", "day": 30},
        "primary": {"smallest_effect": 0.03},
        "assumptions": {"entry_per_day": 30},
    }
)
LOGGED = {
    "source": "Shop",
    "experiment": "check_in",
    "as_of": "2026-05-04",
    "arrival": 0,
    "until": "2026-06-03",
    "plan": "one",
    "customer_id": "a",
    "arm": "hello",
    "stratum": "",
    "reached_at": "2026-05-04T09:30:00",
}
_TIME = pa.timestamp("us")
_KINDS = {"repeated": pa.bool_(), "time_zero": _TIME, "assigned_at": _TIME}


@cache
def duckdb():
    return engine.connect()


def put(rows, *columns):
    arrays = {
        name: pa.array([row[place] for row in rows], _KINDS.get(name, pa.string()))
        for place, name in enumerate(columns)
    }
    return engine.put(pa.table(arrays), con=duckdb())


def shop_of(*rows):
    names = ["experiment", "customer_id", "arm", "stratum", "time_zero", "assigned_at"]
    table = put(rows, *names, "plan_digest")
    about = {"name": "Shop", "zone": "Europe/London", "as_of": dt.date(2026, 6, 30)}
    customers = put([], "customer_id")
    tables = {"customers": customers, "assignments": table} if rows else {"customers": customers}
    return SimpleNamespace(**about, tables=tables, **tables)


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def test_the_log_is_read_for_one_plan_of_one_shop(state):
    other = [{"customer_id": "b", "experiment": "other"}, {"customer_id": "c", "source": "Else"}]
    assignments.ledger(state).append([LOGGED, *({**LOGGED, **each} for each in other)])
    rows = engine.collect(assigned(shop_of(), PLAN, state=state))
    assert rows.to_numpy().tolist() == [["a", "hello", "", ZERO, MOMENT, "one"]]


def test_what_was_logged_after_the_day_of_the_shop_is_not_known(state):
    later = {**LOGGED, "customer_id": "z", "as_of": "2026-07-01"}
    assignments.ledger(state).append([LOGGED, later])
    assert engine.collect(assigned(shop_of(), PLAN, state=state))["customer_id"].tolist() == ["a"]


def test_a_table_that_names_the_test_counts_alone_with_all_its_rows(state):
    assignments.ledger(state).append([LOGGED])
    own = ("check_in", "b", None, None, None, ZERO, None)
    shop = shop_of(own, own, ("other", "c", "hello", "", ZERO, ZERO, None))
    rows = engine.collect(assigned(shop, PLAN, state=state))
    assert rows["customer_id"].tolist() == ["b", "b"]
    assert rows[["arm", "time_zero", "plan_digest"]].isna().all(axis=None)


def test_a_table_of_other_tests_leaves_it_to_the_log(state):
    assignments.ledger(state).append([LOGGED])
    shop = shop_of(("other", "c", "hello", "", ZERO, ZERO, None))
    assert engine.collect(assigned(shop, PLAN, state=state))["customer_id"].tolist() == ["a"]


@pytest.mark.parametrize("rows", [[], [("check_in", "a", "hello", "", ZERO, LATE, None)]])
def test_nobody_assigned_by_the_day_is_refused_in_words(rows, state):
    for one in (None, state):
        with pytest.raises(BadData, match="Nobody has been assigned to check_in by 2026-06-30"):
            assigned(shop_of(*rows), PLAN, state=one)


def test_customers_are_counted_once_by_the_plan_that_assigned_them():
    rows = [("a", "one"), ("a", "one"), ("b", "two"), ("c", None), ("d", "two")]
    rows += [("e", "one"), ("e", "two")]
    people = [(who, who in "ae") for who in "abcde"]
    told = put(rows, "customer_id", "plan_digest")
    found = digests(told, people=put(people, "customer_id", "repeated"))
    assert found == {"": 1, "one": 2, "two": 3}
