"""Why a real shop's figures moved, against a split of its customers by pandas alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from retention_lab.customers.explain import explain
from retention_lab.customers.measures import measure
from retention_lab.tables import engine, snapshot, source
from retention_lab.tables.period import parse

from .cases import dataset

pytestmark = pytest.mark.slow  # the snapshot takes most of it

ROOT = Path(__file__).parents[2]
AS_OF = dt.date(2011, 11, 30)
NOW, BEFORE = parse("2011-Q2"), parse("2011-Q1")


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = dataset("online_retail_ii")
    text = (ROOT / "data" / "sources" / "online_retail_ii.yml").read_text(encoding="utf-8")
    text = text.replace("${RETENTION_LAB_DATA:-../../../shared/data}/online_retail_ii", str(folder))
    path = tmp_path_factory.mktemp("shop") / "online_retail_ii.yml"
    path.write_text(text, encoding="utf-8")
    return snapshot.take(source.load(path), as_of=AS_OF)


@pytest.fixture(scope="module")
def customers(shop):
    """Each customer: first day, whether back within 90 days, and the country of the first order."""
    orders = engine.collect(shop.orders.select("customer_id", "ordered_on", "order_id"))
    days = orders.drop_duplicates(["customer_id", "ordered_on"]).sort_values("ordered_on")
    gaps = days["ordered_on"] - days.groupby("customer_id")["ordered_on"].transform("min")
    soon = gaps.between(pd.Timedelta(days=1), pd.Timedelta(days=90))
    found = pd.DataFrame(
        {
            "first": days.groupby("customer_id")["ordered_on"].min(),
            "back": soon.groupby(days["customer_id"]).any(),
        }
    )
    people = engine.collect(shop.customers.select("customer_id", "country"))
    return found.join(people.set_index("customer_id"))


def test_returns_by_country_split_as_pandas_splits_them(shop, customers):
    found = explain(shop, measure("returned_90"), period=NOW, against=BEFORE, by=["country"])
    named = set(found.groups["group"])
    assert "United Kingdom" in named
    group = customers["country"].where(customers["country"].isin(named), "all others")
    sides = [
        customers["first"].between(pd.Timestamp(each.first), pd.Timestamp(each.last))
        for each in (NOW, BEFORE)
    ]
    rates = [customers["back"][side].groupby(group[side]).mean() for side in sides]
    shares = [group[side].value_counts(normalize=True) for side in sides]
    mix = ((shares[0] - shares[1]) * (rates[0] + rates[1]) / 2).sum()
    rate = ((rates[0] - rates[1]) * (shares[0] + shares[1]) / 2).sum()
    assert found.part("mix").value == pytest.approx(mix, abs=1e-12)
    assert found.part("rate").value == pytest.approx(rate, abs=1e-12)
    assert mix + rate == pytest.approx(found.comparison.difference.value, abs=1e-12)


@pytest.mark.parametrize("name", ["returned_90", "average_order_value", "purchase_frequency"])
def test_every_part_is_the_sum_of_its_customers(shop, name):
    found = explain(shop, measure(name), period=NOW, against=BEFORE)
    assert found.by
    total = sum(part.value for part in found.parts)
    assert total == pytest.approx(found.comparison.difference.value, abs=1e-9)
    for part in ("mix", "rate"):
        behind = found.customers(part)["contribution"].sum()
        assert behind == pytest.approx(found.part(part).value, abs=1e-9)
