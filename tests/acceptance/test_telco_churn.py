"""A shop of subscriptions alone: one look at the customers of a telephone company."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from retention_lab.tables import engine, snapshot, source

from .cases import dataset

ROOT = Path(__file__).parents[2]
MONTH = pd.Timedelta(days=30.4375)
LAST = pd.Timestamp("2019-12-31")


@pytest.fixture(scope="module")
def raw():
    return pd.read_csv(dataset("telco_churn", "Telco-Customer-Churn.csv")).set_index("customerID")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = dataset("telco_churn")
    text = (ROOT / "data" / "sources" / "telco_churn.yml").read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("telco") / "telco_churn.yml"
    path.write_text(
        text.replace("${RETENTION_LAB_DATA:-../../../shared/data}/telco_churn", str(folder))
    )
    return snapshot.take(source.load(path))


def test_every_customer_has_one_subscription_as_long_as_the_file_says(shop, raw):
    rows = engine.collect(shop.subscriptions).set_index("customer_id")
    # 7,043 customers, 1,869 of whom left and 11 of whom came this month: the README of the data.
    assert shop.rows == {"customers": 7_043, "subscriptions": 7_043}
    assert (rows["cancelled_at"] == LAST).sum() == rows["cancelled_at"].notna().sum() == 1_869
    assert (rows["started_at"] == LAST).sum() == 11
    durations = (LAST - rows["started_at"])[raw.index]
    assert (durations == raw["tenure"] * MONTH).all()
    assert (rows["cancelled_at"].notna()[raw.index] == (raw["Churn"] == "Yes")).all()
    assert (rows["plan"][raw.index] == raw["Contract"]).all()
    assert rows["cancel_reason"].isna().all()


def test_shop_is_known_to_the_day_of_the_look(shop):
    assert shop.as_of == shop.complete_to == LAST.date()
    assert shop.records_from == dt.date(2013, 12, 30)  # 72 months before


def test_customers_are_described_as_in_the_file(shop, raw):
    people = engine.collect(shop.customers).set_index("customer_id").loc[raw.index]
    for name, column in (("contract", "Contract"), ("payment_method", "PaymentMethod")):
        assert (people[name] == raw[column]).all()
    assert (people["senior"] == raw["SeniorCitizen"].map({0: "No", 1: "Yes"})).all()
    assert set(people["internet_service"]) == {"DSL", "Fiber optic", "No"}
