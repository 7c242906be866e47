"""The picture of a comparison."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
import vl_convert

from retention_lab.charts.compare import compared
from retention_lab.customers.compare import Comparison
from retention_lab.customers.measures import Estimate, measure
from retention_lab.inference.interval import Interval
from retention_lab.reports import figures
from retention_lab.tables.period import parse
from retention_lab.wording import Instead


def comparison(name, *, currency="GBP", customers=150):
    value = Interval(value=0.123456, low=0.1, high=0.2)
    now, before = (
        Estimate(measure=measure(name), period=parse(period), customers=size, value=value)
        for period, size in (("2026-08", 160), ("2026-07", customers))
    )
    return Comparison(
        now=now,
        before=before,
        difference=value,
        lift=None,
        overlap=0,
        currency=currency,
        where_now="",
        where_before="",
    )


@pytest.mark.parametrize(
    ("name", "currency", "form", "heading"),
    [
        ("returned_90", "GBP", ".1%", "Returned within 90 days"),
        ("average_order_value", "GBP", ",.2f", "Average order value (GBP)"),
        ("average_order_value", "JPY", ",.0f", "Average order value (JPY)"),
        ("purchase_frequency", "GBP", ",.2f", "Orders per customer"),
    ],
)
def test_picture_shows_both_sides_with_words_and_formats(name, currency, form, heading):
    chart = compared(comparison(name, currency=currency))
    spec = chart.to_dict()
    meta = spec["usermeta"]
    assert ["value", heading] in meta["labels"]
    assert meta["formats"] == {"value": form, "low": form, "high": form, "customers": ",.0f"}
    (rows,) = spec["datasets"].values()
    assert [row["side"] for row in rows] == ["August 2026", "July 2026"]
    assert {"side", "value", "low", "high", "customers"} == set(rows[0])
    assert spec["description"].startswith(f"{measure(name).label}. August 2026: ")
    assert meta["caption"].startswith(measure(name).definition)
    assert "August 2026" in vl_convert.vegalite_to_svg(spec)
    assert "July 2026" in str(figures.figure(spec, number=1, where="a cell"))


def test_picture_of_few_customers_is_a_sentence():
    assert compared(comparison("returned_90", customers=9)) == Instead(
        "No picture: a side has, or tells of, fewer than 10 customers."
    )


def test_picture_puts_now_above_before():
    found = comparison("returned_90")
    turned = dataclasses.replace(found, now=found.before, before=found.now)
    for each, names in (
        (found, ["August 2026", "July 2026"]),
        (turned, ["July 2026", "August 2026"]),
    ):
        spec = compared(each).to_dict()
        assert spec["layer"][0]["encoding"]["y"]["sort"] == names
        assert pd.DataFrame(next(iter(spec["datasets"].values())))["side"].tolist() == names
