"""A real shop, from raw files to the figures of the report, against a count without our code.

The shop: Online Retail II, two files of different types that overlap in nine days.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from retention_lab.customers.cohorts import calendar_triangle, returned
from retention_lab.tables import engine, snapshot, source

from .cases import ABSENT, dataset, load, meets

ROOT = Path(__file__).parents[2]
YEARS = ("year_2009_2010.parquet", "year_2010_2011.parquet")
AS_OF = dt.date(2011, 11, 30)


def shop(tmp_path, *, change=lambda text: text):
    """Load the shipped source file from a folder of its own, so that its snapshots are new."""
    folder = dataset("online_retail_ii")
    text = (ROOT / "data" / "sources" / "online_retail_ii.yml").read_text(encoding="utf-8")
    text = text.replace("${RETENTION_LAB_DATA:-../../../shared/data}/online_retail_ii", str(folder))
    path = tmp_path / "online_retail_ii.yml"
    path.write_text(change(text), encoding="utf-8")
    return source.load(path)


@pytest.fixture(scope="module")
def raw():
    """All lines as published, the overlap counted once, by pandas alone."""
    first, second = (pd.read_parquet(dataset("online_retail_ii", year)) for year in YEARS)
    first["InvoiceDate"] = pd.to_datetime(first["InvoiceDate"])
    overlap = first["InvoiceDate"] >= "2010-12-01"
    assert overlap.sum() == 22_523  # identical rows, as the data's README counts them
    return pd.concat([first[~overlap], second], ignore_index=True)


@pytest.fixture(scope="module")
def sales(raw):
    """The lines that the shipped source file keeps, as of the date."""
    product = raw["StockCode"].str.match(r"\d{5}|DCGS|SP1002|PADS")
    kept = raw[
        ~raw["Invoice"].str.startswith("C")
        & raw["Customer ID"].notna()
        & product
        & (raw["Quantity"] > 0)
        & (raw["Price"] > 0)
        & (raw["InvoiceDate"] < "2011-12-01")
    ]
    pence = (kept["Price"] * 100).round().astype("int64") * kept["Quantity"].astype("int64")
    return kept.assign(pence=pence, day=kept["InvoiceDate"].dt.normalize())


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    return snapshot.take(shop(tmp_path_factory.mktemp("shop")), as_of=AS_OF)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """What the whole source holds, up to its last day."""
    loaded = shop(tmp_path_factory.mktemp("all"))
    con = engine.connect()
    tables, counts = snapshot.cut(loaded, as_of=dt.date(2011, 12, 9), con=con)
    return tables, counts


def test_the_counts_of_left_out_lines_are_those_of_the_data_readme(everything):
    _, counts = everything
    lines = counts["order_lines"]
    fits = lines.fits.groupby("reason")["rows"].sum()
    assert lines.left_out["rows"].sum() == 525_461 + 541_909
    assert fits["stands in two files"] == 22_523
    assert fits["cancellation"] == 10_206 + 9_288
    assert fits["missing customer_id"] == 107_927 + 135_080
    assert fits["non-positive quantity"] == 12_326 + 10_624
    assert fits["non-positive unit_price"] == 3_687 + 3 + 2_515 + 2


def test_every_line_of_the_source_is_used_or_left_out_once(everything, raw):
    tables, counts = everything
    left_out = counts["order_lines"].left_out.groupby("reason")["rows"].sum()
    assert left_out.sum() - left_out["stands in two files"] == len(raw)
    assert left_out["used"] == int(tables["order_lines"].count().execute())


def test_customers_orders_and_revenue_equal_an_independent_count(taken, sales):
    assert taken.rows["order_lines"] == len(sales)
    assert taken.rows["orders"] == sales["Invoice"].nunique()
    assert taken.rows["customers"] == sales["Customer ID"].nunique()
    orders = engine.collect(taken.orders.aggregate(amount=taken.orders.amount.sum()))
    assert orders["amount"].item() == sales["pence"].sum()


def test_cohorts_equal_an_independent_count(taken, sales):
    days = sales.drop_duplicates(["Customer ID", "day"])[["Customer ID", "day"]]
    month = days["day"].dt.to_period("M")
    first = month.groupby(days["Customer ID"]).transform("min")
    age = (month.dt.year - first.dt.year) * 12 + month.dt.month - first.dt.month
    counts = (
        days.assign(cohort=first.dt.to_timestamp(), period=age)
        .groupby(["cohort", "period"])["Customer ID"]
        .nunique()
    )

    triangle = calendar_triangle(taken.orders, as_of=AS_OF).set_index(["cohort", "period"])
    active = triangle["active"]
    pd.testing.assert_series_equal(active[active > 0], counts, check_names=False, check_dtype=False)
    sizes = triangle["size"].groupby("cohort").first()
    pd.testing.assert_series_equal(sizes, counts.xs(0, level="period"), check_names=False)


def test_returns_within_90_days_equal_an_independent_count(taken, sales):
    days = sales.drop_duplicates(["Customer ID", "day"]).sort_values("day")
    first = days.groupby("Customer ID")["day"].first()
    second = days.groupby("Customer ID")["day"].nth(1)
    second.index = days.loc[second.index, "Customer ID"]
    came = ((second - first) <= pd.Timedelta(days=90)).reindex(first.index, fill_value=False)
    counts = came.groupby(first.dt.to_period("M").dt.to_timestamp()).sum()

    ours = returned(taken.orders, as_of=AS_OF, days=90).set_index("cohort")["returned"]
    pd.testing.assert_series_equal(
        ours, counts, check_names=False, check_dtype=False, check_freq=False
    )


def test_the_first_year_alone_meets_the_published_counts(tmp_path):
    cases = load("rfm_cohorts.json")
    if not cases:
        pytest.skip(ABSENT)
    case = cases["orii-counts-01"]

    def first_year(text):
        text = text.replace(next(line for line in text.splitlines() if YEARS[1] in line) + "\n", "")
        rule = "      - reason: not a product"
        start = text.index(rule)
        return text[:start] + text[text.index("      - non-positive quantity", start) :]

    loaded = shop(tmp_path, change=first_year)
    tables, counts = snapshot.cut(loaded, as_of=dt.date(2010, 12, 9), con=engine.connect())
    lines = counts["order_lines"]
    fits = lines.fits.groupby("reason")["rows"].sum()
    used = lines.left_out.groupby("reason")["rows"].sum()["used"]
    # Our money is whole pence per line; a few prices have tenths, so the published sum is met by
    # the raw columns of exactly the lines that we keep.
    raw = pd.read_parquet(dataset("online_retail_ii", YEARS[0]))
    kept = raw[
        raw["Customer ID"].notna()
        & ~raw["Invoice"].str.startswith("C")
        & (raw["Quantity"] > 0)
        & (raw["Price"] > 0)
    ]
    orders = engine.collect(tables["orders"].aggregate(amount=tables["orders"].amount.sum()))
    assert abs(orders["amount"].item() / 100 - case["expected"]["kept_revenue"]) < 0.05
    meets(
        case,
        {
            "raw_rows": int(lines.left_out["rows"].sum()),
            "rows_without_customer": int(fits["missing customer_id"]),
            "cancellation_rows": int(fits["cancellation"]),
            "kept_rows": int(used),
            "kept_customers": int(tables["customers"].count().execute()),
            "kept_invoices": int(tables["orders"].count().execute()),
            "kept_revenue": float((kept["Quantity"] * kept["Price"]).sum()),
        },
    )


def test_cdnow_merges_the_purchases_of_a_day(tmp_path):
    folder = dataset("cdnow")
    text = (ROOT / "data" / "sources" / "cdnow.yml").read_text(encoding="utf-8")
    path = tmp_path / "cdnow.yml"
    path.write_text(text.replace("${RETENTION_LAB_DATA:-../../../shared/data}/cdnow", str(folder)))
    tables, counts = snapshot.cut(
        source.load(path), as_of=dt.date(1998, 6, 30), con=engine.connect()
    )
    # 69,659 transactions, 67,591 customer-days, 23,570 customers: the case cdnow-counts-02.
    assert counts["orders"].left_out["rows"].sum() == 69_659
    assert int(tables["orders"].count().execute()) == 67_591
    assert int(tables["customers"].count().execute()) == 23_570
