"""The evidence behind an outlook: each part, or why it cannot be told."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.churn.associations import Associations
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing, gather
from retention_lab.churn.outlook import Outlook
from retention_lab.survival.logrank import LogRank
from retention_lab.tables.playbook import Attribute, Milestone

from .shops import drawn, shop

AS_OF = dt.date(2024, 6, 18)
ONBOARDED = Milestone(name="onboarding", label="Onboarding", event="onboarded")
NEVER = Milestone(name="never", label="Never", event="nothing")
COUNTRY = Attribute(name="country", label="Country", column="country")
PLAYBOOK = SimpleNamespace(churn=SimpleNamespace(lost_after=(90, 20, 500)))


def gathered(*tables, factors=(ONBOARDED, COUNTRY), rows=None, as_of=AS_OF, lost_after=None):
    """The evidence of a shop that has only some of the drawn tables."""
    rows = rows or drawn(12, customers=300)
    made = shop({name: rows[name] for name in ("customers", *tables)}, as_of)
    made.name = "Corner shop"
    kind = "cancelled" if "subscriptions" in tables else "returned"
    seen = Outlook(endpoint=Endpoint(kind=kind), horizon=30, factors=factors, unused=())
    book = (
        PLAYBOOK
        if lost_after is None
        else SimpleNamespace(churn=SimpleNamespace(lost_after=lost_after))
    )
    return made, gather(made, seen, book, day=5)


@pytest.fixture(scope="module")
def contract():
    return gathered("subscriptions", "orders", "events")


@pytest.fixture(scope="module")
def orders_only():
    return gathered("orders", factors=(COUNTRY,))


def customers(grid):
    return int(grid[["events", "censored"]].to_numpy().sum())


def test_a_shop_with_everything_has_every_part(contract):
    made, found = contract
    assert isinstance(found.differ, LogRank)
    assert isinstance(found.associations, Associations)
    assert set(found.causes["cause"]) == {"voluntary", "involuntary", "other"}
    assert list(found.by_milestone) == list(found.side_by_side) == ["Onboarding"]
    assert found.repeat["label"].unique().tolist() == ["Country"]
    assert customers(found.joined) == made.subscriptions.count().execute()


def test_a_shop_of_orders_says_which_parts_a_contract_would_take(orders_only):
    made, found = orders_only
    assert found.causes == Missing(
        why="Without a contract nobody gives notice, so there is no cause to count."
    )
    assert isinstance(found.lately, Missing)
    assert found.by_milestone == found.side_by_side == {}
    assert isinstance(found.lost, pd.DataFrame)
    # The first return of each customer, once.
    assert customers(found.joined) == made.orders.customer_id.nunique().execute()


def test_a_contract_without_orders_says_what_takes_orders():
    _, found = gathered("subscriptions", "events")
    assert found.lost.why == (
        "Silent days are counted between purchases, and the data hold no orders."
    )
    assert found.repeat == Missing(why="The data hold no orders.")


def test_without_attributes_repeat_purchases_are_not_compared():
    _, found = gathered("orders", "events", factors=(ONBOARDED,))
    assert found.repeat.why.startswith("Repeat purchases are compared by attributes")


def test_causes_that_nobody_wrote_down_are_not_drawn():
    rows = drawn(12, customers=300)
    rows["subscriptions"]["cancel_reason"] = None
    _, found = gathered("subscriptions", rows=rows, factors=(COUNTRY,))
    assert found.causes == Missing(why="The data do not tell why customers left.")


def test_milestones_of_a_few_are_absent():
    _, found = gathered("subscriptions", "events", factors=(NEVER, ONBOARDED))
    assert list(found.side_by_side) == ["Onboarding"]


def test_silent_days_that_can_be_told_are_told_without_the_others(orders_only):
    _, found = orders_only
    assert found.lost["days"].tolist() == [20, 90]  # nobody was silent for 500
    assert found.lost["refused"].tolist() == [False, True]


def test_few_silent_customers_are_not_counted():
    _, found = gathered("orders", lost_after=(500,), factors=(COUNTRY,))
    assert found.lost.why == (
        "Fewer than 10 customers were silent for long enough to say how many return."
    )


def test_quarters_of_joining_are_in_order_and_the_oldest_are_one():
    days = pd.date_range("2021-01-15", "2024-03-15", freq="MS")
    rows = {"customers": [], "subscriptions": []}
    for number, day in enumerate(days.repeat(12)):
        rows["customers"].append((f"c{number}", day, "UK"))
        rows["subscriptions"].append((f"c{number}", day, pd.NaT, None))
    made = shop(rows, AS_OF)
    seen = Outlook(endpoint=Endpoint(kind="cancelled"), horizon=30, factors=(), unused=())
    made.name = "Corner shop"
    found = gather(made, seen, PLAYBOOK, day=5)
    assert found.joined["group"].unique().tolist() == [
        "before 2023 Q2",
        *("2023 Q2", "2023 Q3", "2023 Q4", "2024 Q1"),
    ]
    assert isinstance(found.differ, Missing)  # nobody left
    assert isinstance(found.associations, Missing)


def test_quarters_are_not_told_apart_where_all_left_on_one_day():
    days = pd.date_range("2023-01-15", "2024-03-15", freq="MS").repeat(12)
    left = pd.Timestamp("2024-06-17")
    rows = {
        "customers": [(f"c{number}", day, "UK") for number, day in enumerate(days)],
        "subscriptions": [
            (f"c{number}", day, left if number % 3 else pd.NaT, "other" if number % 3 else None)
            for number, day in enumerate(days)
        ],
    }
    _, found = gathered("subscriptions", rows=rows, factors=())
    assert set(found.joined["group"]) == {"everybody"}
    assert customers(found.joined) == len(days)
    assert "on one day" in found.differ.why


def test_cancellations_of_the_last_days_are_counted_by_cause(contract):
    made, found = contract
    rows = made.subscriptions.execute()
    late = rows["cancelled_at"] >= pd.Timestamp("2024-05-18 23:00")  # midnight in London
    causes = rows.loc[late, "cancel_reason"].fillna("other").value_counts()
    assert found.lately.set_index("cause")["events"].to_dict() == causes.to_dict()
