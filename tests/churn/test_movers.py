"""Lists of who rose and who slipped: who is on them, why, and what is logged of it."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest

from retention_lab import state as states
from retention_lab.checks import BadData, BadParameter
from retention_lab.churn import heldback, movers
from retention_lab.churn.listing import Run
from retention_lab.churn.movers import SLIPPED
from retention_lab.customers.rising import people
from retention_lab.customers.rising import rising as interest
from retention_lab.customers.standing import standing
from retention_lab.tables import frames, snapshot
from retention_lab.tables.segment import Segment
from retention_lab.tables.worth import Rising

from . import members

AS_OF = dt.date(2025, 6, 30)
END = pd.Timestamp("2025-06-30 12:00")
RISERS = [f"r{number}" for number in range(6)]  # the first does not consent


def drawn(seed=3, *, customers=500):
    """Customers who buy every 40 days or so, a few of them every other day of late."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        rate = rng.gamma(2, 1 / 80)
        days = rng.uniform(70, 500) - np.concatenate([[0], rng.exponential(1 / rate, 40).cumsum()])
        rows += [(f"c{number:03d}", day) for day in days[days > 0]]
    for number, one in enumerate(RISERS):
        rows += [(one, day) for day in (400, 250, *range(1, 17 + 2 * number, 2))]
    orders = pd.DataFrame(rows, columns=["customer_id", "ago"])
    orders["ordered_at"] = END - pd.to_timedelta(orders["ago"].round().astype(int), unit="D")
    orders["amount"] = rng.gamma(3, 10, len(orders)).round(2)
    orders["order_id"] = [f"o{number}" for number in range(len(orders))]
    return orders.drop(columns="ago")


def made(orders):
    ids = sorted(set(orders["customer_id"]))
    consents = pd.DataFrame(
        {
            "customer_id": ids,
            "channel": "email",
            "valid_from": pd.Timestamp("2023-01-01"),
            "granted": [one != "r0" for one in ids],
        }
    )
    customers = pd.DataFrame({"customer_id": ids, "signed_up_at": pd.Timestamp("2023-01-01")})
    source = frames.source_of(
        {"orders": orders, "consents": consents, "customers": customers},
        name="Corner shop",
        time_zone="UTC",
        currency="GBP",
        settings={"business_time_zone": "Europe/London", "complete_to": AS_OF},
    )
    return snapshot.take(source, as_of=AS_OF)


@pytest.fixture(scope="module")
def shop():
    return made(drawn())


@pytest.fixture
def state(tmp_path):
    return states.opened(tmp_path / "state")


def rows_of(file):
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def logged(state, kind):
    return list(heldback.ledger(state, kind).rows())


def test_a_list_of_risers_has_the_alerts_who_consent_and_says_why(shop, state, tmp_path):
    book = members.book(hold_back=0.01)
    found = movers.rising(shop, book, state=state, out=tmp_path / "a.csv")
    told = interest(shop.orders, as_of=AS_OF, within=30, false_alerts=0.1)
    assert (found.customers, found.consenting) == (told.alerts, told.alerts - 1)
    rows = {row["customer_id"]: row for row in rows_of(found.file)}
    assert set(RISERS[1:]) <= set(rows)
    assert "r0" not in rows
    one = rows["r1"]
    assert list(one) == ["customer_id", "rank", "bought", "expected", "why", "channel"]
    assert one["why"] == (
        f"bought on 9 days of the last 30, where about {float(one['expected']):.1f} were expected"
    )
    chance = told.patterns.set_index(["frequency", "recency", "T", "recent"])["p_value"]
    every = people(shop.orders, as_of=AS_OF, within=30).to_pandas().set_index("customer_id")
    ranks = sorted(rows, key=lambda customer: int(rows[customer]["rank"]))
    chances = [chance[tuple(every.loc[customer])] for customer in ranks]
    assert chances == sorted(chances)


def test_the_log_of_risers_is_not_that_of_those_at_risk(shop, state, tmp_path):
    movers.rising(shop, members.book(), state=state, out=tmp_path / "a.csv")
    assert not logged(state, "churn")
    row = logged(state, "rising")[0]
    assert row.pop("why").startswith("bought on ")
    assert row | {"customer_id": "", "group": ""} == {
        "source": "Corner shop",
        "as_of": "2025-06-30",
        "channel": "email",
        "customer_id": "",
        "group": "",
        "rank": 1,
        "file": "a.csv",
        "endpoint": "returned",
        "horizon": 90,
        "hold_back": 0.1,
    }
    assert heldback.compared(shop, state).lists.empty


def test_whoever_another_kind_of_list_held_back_rests_here_as_well(shop, state, tmp_path):
    row = {"source": "Corner shop", "as_of": "2025-06-01", "channel": "sms"}
    row |= {"group": "held back", "horizon": 90}
    heldback.ledger(state).append([row | {"customer_id": "r1"}])
    heldback.ledger(state, "slipped").append([row | {"customer_id": "r2"}])
    found = movers.rising(shop, members.book(), state=state, out=tmp_path / "a.csv")
    assert found.resting == 2
    assert {"r1", "r2"}.isdisjoint(each["customer_id"] for each in logged(state, "rising"))


def test_a_customer_is_in_the_same_group_on_every_kind_of_list_of_a_day(shop, state, tmp_path):
    book = members.book(hold_back=0.5)
    movers.rising(shop, book, state=state, out=tmp_path / "a.csv")
    groups = {row["customer_id"]: row["group"] for row in logged(state, "rising")}
    assert {*groups.values()} == {"contacted", "held back"}
    run = Run(shop=shop, playbook=book, state=state, out=tmp_path / "b.csv", kind=SLIPPED)
    everybody = ibis.memtable({"customer_id": [*groups], "key": ["a"] * len(groups)})
    said = {"key": ["a"], "weight": [9], "behind": [0.0], "revenue": [1.0], "why": ["said"]}
    found = run.listed(everybody, pd.DataFrame(said))
    assert found.logged == len(groups)
    assert {row["customer_id"]: row["group"] for row in logged(state, "slipped")} == groups


def test_a_list_of_who_slipped_begins_with_those_who_had_brought_the_most(shop, state, tmp_path):
    book = members.book(hold_back=0.01, capacity=1_000)
    found = movers.slipped(shop, book, state=state, out=tmp_path / "a.csv")
    both = standing(shop, book.segments, thresholds=None, days=90)
    before, now = (each.to_pandas().set_index("customer_id") for each in (both.before, both.now))
    best = before.index[before["cohort"] == "high-value repeat"]
    left = [one for one in best if now["cohort"][one] != "high-value repeat"]
    everybody = {row["customer_id"] for row in logged(state, "slipped")}
    assert everybody == set(left) - {"r0"}
    assert found.customers == len(left)
    rows = rows_of(found.file)
    brought = [float(row["revenue"]) for row in rows]
    assert brought == sorted(brought, reverse=True)
    one, row = rows[0]["customer_id"], rows[0]
    then, today = before.loc[one], now.loc[one]
    assert float(row["revenue"]) == then["revenue_within"] / 100
    assert row["why"] == (
        f"high-value repeat on 2025-04-01, after buying on {then['purchases_within']} days for "
        f"{then['revenue_within'] / 100:,.2f} GBP in 365 days; now {today['cohort']}, last bought "
        f"{today['last_days']} days ago"
    )
    assert found.sentences == (
        "The lines between groups are drawn of the customers of 2025-04-01; to freeze them, name a "
        "file by --thresholds.",
    )


def test_where_there_is_nobody_to_list_nothing_is_written(shop, state, tmp_path):
    out, book = tmp_path / "a.csv", members.book()
    rare = book.model_copy(update={"rising": Rising(within=30, false_alerts=1e-30)})
    with pytest.raises(BadData, match="None of the 506 customers of Corner shop who can be judged"):
        movers.rising(shop, rare, state=state, out=out)
    early = dataclasses.replace(shop, as_of=dt.date(2024, 3, 1))
    with pytest.raises(BadData, match="Nobody had bought 60 days ago"):
        movers.rising(early, book, state=state, out=out)
    with pytest.raises(BadData, match="Nobody had bought 200 days before 2024-03-01"):
        movers.slipped(early, book, state=state, out=out, days=200)
    once = Segment(name="one-time", bought="once", **members.REVIEWED)
    rules = book.segments.model_copy(update={"cohorts": (once,)})
    with pytest.raises(BadParameter, match="no cohort of repeat buyers"):
        movers.slipped(shop, book.model_copy(update={"segments": rules}), state=state, out=out)
    assert not out.exists()
    assert not logged(state, "rising")
    assert not logged(state, "slipped")
