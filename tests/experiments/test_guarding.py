"""What margin of each guardrail can be shown, against textbook formulas and by single customers."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from ibis import _
from scipy.stats import norm

from retention_lab.experiments import guarding
from retention_lab.experiments.design.guardrail import ONE_SIDED, Guardrail
from retention_lab.experiments.design.proportions import Proportions
from retention_lab.experiments.design.sizing import sample_size
from retention_lab.experiments.guarding import guardrails
from retention_lab.experiments.plan import Plan
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

from .acting import AS_OF, frames, shop, shop_of

PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "CRM",
    "hypothesis": "It helps.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "hello", "share": 0.5, "message": "hi"}],
    "starts": "2027-01-11",
    "ends": "2027-06-11",
    "endpoint": {"kind": "returned", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "assumptions": {"entry_per_day": 50},
}
ZERO = pd.Timestamp("2025-05-01 10:00:00")


class Bare(SimpleNamespace):
    """As much of a snapshot as is looked at."""

    __getattr__ = Snapshot.__getattr__


def plan_of(*rails):
    names = ("metric", "margin", "better")
    said = [dict(zip(names, rail, strict=True)) for rail in rails]
    return Plan.model_validate({**PLAN, "guardrails": said})


@cache
def many(unsubscribed, *, customers=2_000):
    """A shop of customers who reached the milestone at one time, of whom some unsubscribed."""
    con = engine.connect()
    ids = [f"c{n}" for n in range(customers)]
    at = pa.array([ZERO] * customers, pa.timestamp("us"))
    gone = [ZERO + pd.Timedelta(days=2) if n < unsubscribed else None for n in range(customers)]
    amounts = pa.array(np.random.default_rng(1).integers(0, 10_000, customers))
    rows = {
        "events": {"event": ["onboarded"] * customers, "occurred_at": at, "occurred_on": at},
        "messages": {"sent_at": at, "unsubscribed_at": pa.array(gone, pa.timestamp("us"))},
        "orders": {
            "ordered_at": pa.array([ZERO + pd.Timedelta(days=1)] * customers, pa.timestamp("us")),
            "ordered_on": pa.array([ZERO.date()] * customers),
            "amount": amounts,
        },
    }
    tables = {name: pa.table({"customer_id": ids, **each}) for name, each in rows.items()}
    for name in ("messages", "orders"):  # begun before, with somebody who was not at the milestone
        first = tables[name].slice(0, 1).to_pandas().assign(customer_id="x")
        first[f"{name.replace('messages', 'sent').replace('orders', 'ordered')}_at"] = ZERO
        first = pa.Table.from_pandas(first, schema=tables[name].schema)
        tables[name] = pa.concat_tables([tables[name], first])
    made = {name: engine.put(table, con=con) for name, table in tables.items()}
    about = {"name": "Shop", "zone": "UTC", "as_of": AS_OF, "currency": "GBP"}
    return Bare(**about, minor_per_unit=100, tables=made)


def by_name(shop, *rails, customers=8_500):
    found = guardrails(shop, plan_of(*rails), customers=customers)
    return {row["metric"]: row for row in found.to_dict("records")}


def test_a_share_needs_what_the_textbook_says():
    found = by_name(many(200), ("unsubscribe", 0.03, "lower"))["unsubscribe"]
    assert (found["value"], found["followed"], found["did"], found["safe"]) == (
        0.1,
        2_000,
        200,
        False,
    )
    # Chow, Shao & Wang (2008), s. 4.2.2: n of an arm, with the variance as things are; the score
    # test reckons with that under the margin, which is somewhat larger here
    z = norm.isf(0.025) + norm.ppf(0.8)
    textbook = 2 * z**2 * 2 * 0.1 * 0.9 / 0.03**2
    assert textbook < found["needed"] < 1.1 * textbook
    again = by_name(many(200), ("unsubscribe", 0.03, "lower"), customers=found["needed"])
    assert again["unsubscribe"]["power"] == pytest.approx(0.8, abs=1e-3)
    assert again["unsubscribe"]["smallest"] == pytest.approx(0.03, abs=1e-5)


@pytest.mark.parametrize(("better", "margin"), [("lower", 0.03), ("higher", -0.03)])
def test_harm_lies_above_where_less_is_better_and_below_where_more_is(better, margin):
    arms = [{"name": "control", "share": 0.2}, {"name": "hello", "share": 0.8, "message": "hi"}]
    plan = plan_of(("unsubscribe", 0.03, better)).model_dump(exclude_defaults=True)
    plan = Plan.model_validate(plan | {"arms": arms})  # with halves, both sides are alike
    found = guardrails(many(200), plan, customers=8_500).iloc[0]
    kernel = Proportions(control=0.1, allocation=(0.2, 0.8))
    rail = Guardrail(design=kernel, margin=margin)
    assert found["needed"] == sample_size(rail, 0.0, errors=ONE_SIDED).total


def test_a_mean_needs_what_its_spread_says_in_whole_units_of_the_currency():
    shop, margin = many(200), 2.5
    found = by_name(shop, ("revenue_per_customer", margin, "higher"))["revenue_per_customer"]
    amounts = engine.collect(shop.orders.filter(_.customer_id != "x"))["amount"] / 100
    assert found["value"] == pytest.approx(amounts.mean())
    # Chow, Shao & Wang (2008), s. 3.2.2: four times the variance over the squared margin
    z = norm.isf(0.025) + norm.ppf(0.8)
    textbook = 4 * amounts.var(ddof=1) * z**2 / margin**2
    assert found["needed"] == pytest.approx(textbook, abs=2)
    detectable = z * np.sqrt(4 * amounts.var(ddof=1) / 8_500)
    assert found["smallest"] == pytest.approx(detectable)
    assert (found["currency"], found["unit"], found["planned"]) == ("GBP", "money", 8_500)


@pytest.mark.parametrize("did", [0, 3, 9])
def test_a_rare_share_is_taken_on_the_safe_side_and_tells_nothing_of_the_few(did):
    found = by_name(many(did), ("unsubscribe", 0.005, "lower"))["unsubscribe"]
    ten = by_name(many(10), ("unsubscribe", 0.005, "lower"))["unsubscribe"]
    assert found["safe"]
    assert not ten["safe"]
    assert found["value"] == did / 2_000
    for name in ("needed", "smallest", "power"):
        assert found[name] == ten[name]


def test_what_cannot_be_told_says_why_and_the_others_are_told():
    rails = [
        ("orders", 0.1, "higher"),  # exactly one of each customer
        ("unsubscribe", 0.95, "lower"),
        ("tickets", 0.1, "lower"),
        ("csat", 0.1, "higher"),
        ("average_order_value", 5, "higher"),
    ]
    found = by_name(many(200), *rails)
    assert "It was the same for all customers followed" in found["orders"]["why"]
    assert "there is room for 0.9" in found["unsubscribe"]["why"]
    assert "There is no outcome 'tickets'" in found["tickets"]["why"]
    assert "Shop has no tickets" in found["csat"]["why"]
    assert found["average_order_value"]["why"] == ""
    assert pd.isna(found["csat"]["value"])
    assert found["orders"]["value"] == 1


def test_few_customers_followed_tell_nothing_of_how_many_they_are():
    found = by_name(many(3, customers=9), ("unsubscribe", 0.1, "lower"))["unsubscribe"]
    assert found["why"].startswith("Fewer than 10 customers who reached onboarded were followed")
    assert pd.isna(found["value"])


def test_who_came_before_the_records_of_a_table_is_not_taken_for_one_without():
    tables = dict(frames())
    begin = pd.Timestamp("2025-03-01")
    tables["tickets"] = tables["tickets"].loc[tables["tickets"]["opened_at"] >= begin]
    shops = [by_name(each, ("support_contacts", 1, "lower")) for each in (shop(), shop_of(tables))]
    whole, part = (each["support_contacts"] for each in shops)
    first = tables["tickets"]["opened_at"].min()
    since = (frames()["events"]["occurred_at"] >= first).sum()
    late = (frames()["events"]["occurred_at"] > pd.Timestamp("2025-06-01")).sum()
    assert part["followed"] == since - late < whole["followed"]


def test_no_planned_customers_leave_what_is_needed():
    found = by_name(many(200), ("unsubscribe", 0.03, "lower"), customers=0)["unsubscribe"]
    assert found["needed"] > 0
    assert pd.isna(found["smallest"])
    assert found["why"]


def test_a_plan_without_guardrails_has_no_rows():
    empty = guardrails(shop(), plan_of(), customers=100)
    assert empty.empty
    assert [*empty.columns] == [*guarding._FRAME]
