"""What goes with leaving or returning: planted effects are found, and only those."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.churn.associations import associations
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.model import coefficients
from retention_lab.tables.playbook import Attribute, Milestone, Purchases, Recency, Tenure

from .shops import frame_of, shop

STAY, AGAIN = Endpoint(kind="cancelled"), Endpoint(kind="returned")
ZERO, AS_OF = pd.Timestamp("2024-01-01 12:00"), dt.date(2024, 12, 31)
ONBOARDED = Milestone(name="onboarding", label="Onboarding", event="onboarded")
COUNTRY = Attribute(name="country", label="Country", column="country")


def at(days):
    return (ZERO + pd.to_timedelta(days, unit="D")).floor("s")


def members(n=900, *, seed=5, ratio=0.5, late=None, involuntary=0.0):
    """Members who leave at 0.004 a day, those onboarded at `ratio` times that from then on.

    Every other one is of the UK, where after 100 days the rate is `late` times the other; payments
    fail at the rate `involuntary`.
    """
    rng = np.random.default_rng(seed)
    rows = {"customers": [], "subscriptions": [], "events": []}
    for number in range(n):
        who, land, done = f"c{number}", ("UK", "FR")[number % 2], rng.exponential(40)
        hours = np.arange(0, 366, 0.25)
        rate = np.where(hours < done, 0.004, 0.004 * ratio)
        rate *= np.where(
            (land == "UK") & (late is not None), np.where(hours < 100, 1, late or 1), 1
        )
        gone = np.searchsorted(np.cumsum(rate * 0.25), rng.exponential()) * 0.25 + 0.1
        failed = rng.exponential(1 / involuntary) if involuntary else np.inf
        end, why = min((gone, "voluntary"), (failed, "involuntary"))
        rows["customers"].append((who, ZERO, land))
        left = (at(end), why) if end < 365 else (pd.NaT, None)
        rows["subscriptions"].append((who, ZERO, *left))
        if done < end:
            rows["events"].append((who, "onboarded", at(done)))
    return shop({name: frame_of(name, table) for name, table in rows.items()}, AS_OF)


def test_a_planted_effect_is_found_and_one_that_is_not_there_is_not():
    found = associations(members(), STAY, [ONBOARDED, COUNTRY])
    told = coefficients(found).set_index("factor")
    assert told.loc["onboarding", "low"] < 0.5 < told.loc["onboarding", "high"] < 1
    assert told.loc["country", "low"] < 1 < told.loc["country", "high"]
    assert told.loc["onboarding", "reference"] == "not yet"
    assert found.changing == []
    assert not found.unwished


def test_customers_are_counted_who_were_ever_in_a_state():
    made = members(n=300)
    found = associations(made, STAY, [ONBOARDED])
    reached = made.events.customer_id.nunique().execute()
    assert coefficients(found)["customers"].tolist() == [reached]
    ends = made.subscriptions.execute().merge(made.events.execute()[["customer_id"]])
    assert coefficients(found)["events"].tolist() == [ends["cancelled_at"].notna().sum()]


def test_a_ratio_that_changes_with_time_is_flagged_by_its_label():
    found = associations(members(n=1_500, late=4.0), STAY, [ONBOARDED, COUNTRY])
    assert found.changing == ["Country"]
    tests = found.proportional.set_index("factor")
    assert tests["changes"].to_dict() == {"onboarding": False, "country": True}
    assert (tests["p_value"] * 2 < 0.05).equals(tests["changes"])


def test_ratios_stand_where_a_change_with_time_cannot_be_tested():
    lands = ["UK", "FR"] * 60
    left = [number < 20 or number % 3 == 0 for number in range(120)]
    rows = {
        "customers": [(f"c{i}", ZERO, land) for i, land in enumerate(lands)],
        "subscriptions": [
            (f"c{i}", ZERO, ZERO + pd.Timedelta(days=9), "voluntary")
            if gone
            else (f"c{i}", ZERO, pd.NaT, None)
            for i, gone in enumerate(left)
        ],
    }
    made = shop({name: frame_of(name, table) for name, table in rows.items()}, AS_OF)
    found = associations(made, STAY, [COUNTRY])
    assert len(coefficients(found)) == 1
    assert found.proportional.empty
    assert found.changing == []


def test_cancellations_that_nobody_asked_for_are_set_apart():
    made = members(involuntary=0.004)
    found = associations(made, STAY, [ONBOARDED, COUNTRY])
    asked = made.subscriptions.execute()["cancel_reason"].eq("voluntary").sum()
    assert found.unwished
    assert found.fit.events == asked
    told = coefficients(found).set_index("factor")
    assert told.loc["onboarding", "low"] < 0.5 < told.loc["onboarding", "high"]


def test_of_returns_the_first_counts_and_purchases_tell_nobody_apart():
    rng, orders, customers = np.random.default_rng(8), [], []
    for number in range(400):
        who, land = f"c{number}", ("UK", "FR")[number % 2]
        customers.append((who, ZERO, land))
        days = np.cumsum([0, *rng.exponential(150 if land == "UK" else 300, 5)])
        orders += [(f"{who}{day}", who, at(day), 100) for day in days if day < 365]
    made = shop({"customers": customers, "orders": orders}, AS_OF)
    factors = [
        Purchases(name="purchases", label="Purchases", within=90, cuts=(1, 2)),
        Recency(name="recency", label="Recency", days=(30, 90)),
        Tenure(name="tenure", label="Tenure", days=(30,)),
        COUNTRY,
    ]
    found = associations(made, AGAIN, factors)
    assert [factor.name for factor in found.factors] == ["country"]
    assert found.counts["customers"].tolist() == [200]  # the others are the reference
    assert found.fit.events <= 400
    row = coefficients(found).iloc[0]
    planted = 2.0 if row["state"] == "UK" else 0.5
    assert row["low"] < planted < row["high"]


def test_customers_whom_nothing_tells_apart_are_refused_with_what_to_do():
    made = members(n=100)
    with pytest.raises(BadData, match="name them in the playbook"):
        associations(named(made), STAY, [])


def named(made):
    """A made-up snapshot has no name; a sentence needs one."""
    made.name = "Corner shop"
    return made
