"""Who is likely to stay, asked of a lab: the churn page's first screen, results and picture."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

import retention_lab
from retention_lab.lab import churning
from retention_lab.record import SMALL

from . import shops

ASKED = {"playbook": "", "owner": "Billing"}


@functools.cache
def buying():
    return churning.churn(shops.lab().snapshot, horizon=45, **ASKED)


@functools.cache
def subscribed():
    """Three months of a contract: too young for a test of earlier forecasts."""
    rng = np.random.default_rng(2)
    began = pd.Timestamp("2025-06-01 09:00") + pd.to_timedelta(rng.uniform(0, 60, 300), unit="D")
    ended = began + pd.to_timedelta(rng.exponential(100, 300), unit="D")
    kept = ended < pd.Timestamp("2025-08-31")
    frame = pd.DataFrame({"customer_id": np.arange(300), "started_at": began})
    frame["cancelled_at"] = pd.Series(ended).where(kept)
    frame["cancel_reason"] = np.where(kept, "voluntary", None)
    lab = retention_lab.from_frames(subscriptions=frame, currency="GBP", name="Club")
    return churning.churn(lab.snapshot, horizon=30, **ASKED)


def test_answer_begins_with_the_headline_and_says_who_does_what():
    parts = buying().sentence.split("\n\n")
    assert parts[0].startswith("**We expect about ")
    assert " customers to buy again by 15 October 2025 (" in parts[0]
    assert "(Billing, by 7 September 2025)" in parts[2]
    assert parts[3].startswith("Orders are complete to")


def test_frame_has_a_row_for_each_recorded_result_and_the_table_defines_it():
    answer = buying()
    assert answer.frame["name"].is_unique
    assert {"churn_customers", "churn_expected", "churn_came", "churn_brier"} <= set(
        answer.frame["name"]
    )
    told = answer.frame.set_index("name")
    assert (told.drop("churn_forecasts_held")["n"] >= SMALL).all()
    assert told.loc["churn_expected_before", "text"] in answer.sentence
    earlier = told.index.str.endswith("_before").sum()
    assert len(answer.table) == len(answer.frame) - earlier


def test_picture_is_that_of_earlier_forecasts_or_else_of_how_long_customers_stay():
    assert buying().chart.description.startswith("Earlier forecasts and what came.")
    assert subscribed().chart.description.startswith("Still subscribed, by days")


def test_a_young_contract_gets_an_unchecked_forecast():
    text = subscribed().sentence.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    assert "of today's subscribers by " in text
    assert "This forecast is unchecked" in text
    assert "have the consents of customers mapped" in text


def test_who_is_asked_about_is_said():
    lab = shops.lab().where("country = 'UK'")
    text = churning.churn(lab.snapshot, horizon=45, **ASKED).sentence
    assert "Only customers with `country = 'UK'` are in this report." in text


@pytest.mark.parametrize("horizon", [200, 243])
def test_a_horizon_beyond_the_history_is_answered_by_why_not(horizon):
    answer = churning.churn(shops.lab().snapshot, horizon=horizon, **ASKED)
    assert "How many customers will buy again cannot be said yet." in answer.sentence
    assert "**Do:** nothing yet." in answer.sentence
    assert answer.frame.empty
