"""The guide's own example of metrics, on a real shop, against a count without our code."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from retention_lab.record import Ledger
from retention_lab.record import metrics as recorded
from retention_lab.tables import metrics, snapshot

from .cases import dataset
from .test_online_retail import AS_OF, ROOT, YEARS, sales, shop  # noqa: F401  one is a fixture

GUIDE = ROOT / "data" / "README.md"
FIRST = pd.Timestamp("2011-09-02")  # 90 days before the end of AS_OF


@pytest.fixture(scope="module")
def raw():
    """Read the lines of the days that are counted, as published, by pandas alone."""
    days = [("InvoiceDate", ">=", FIRST)]
    return pd.read_parquet(dataset("online_retail_ii", YEARS[1]), filters=days)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    """Read the example as a newcomer would: copied from the guide into a file."""
    section = GUIDE.read_text(encoding="utf-8").split("## Own metrics")[1]
    path = Path(tmp_path_factory.mktemp("own"), "metrics.yml")
    path.write_text(re.search("```yaml\n(.*?)```", section, re.DOTALL)[1], encoding="utf-8")
    return metrics.load(path)


@pytest.fixture(scope="module")
def ledger(chosen, tmp_path_factory):
    def second_year(text):  # holds both periods, and is read in half the time
        return "\n".join(line for line in text.splitlines() if YEARS[0] not in line)

    source = shop(tmp_path_factory.mktemp("shop"), change=second_year)
    taken = snapshot.take(source, as_of=AS_OF)
    made = Ledger()
    assert recorded.metrics(made, taken, chosen, days=90) == {}
    return made


def ratio(y, x):
    """Ratio of sums with the delta method's interval, clustered by customer."""
    sides = pd.DataFrame({"y": y, "x": x}).fillna(0)
    n, found = len(sides), sides["y"].sum() / sides["x"].sum()
    squares = ((sides["y"] - found * sides["x"]) ** 2).sum()
    margin = stats.t.ppf(0.975, n - 1) * np.sqrt(n / (n - 1) * squares) / sides["x"].sum()
    return pytest.approx([found, max(0, found - margin), found + margin, n])


def figures(claim):
    return [claim.value, claim.low, claim.high, claim.n]


def test_items_per_order_equal_an_independent_count(ledger, sales):  # noqa: F811  a fixture
    by = sales[sales["day"] >= FIRST].groupby("Customer ID")
    assert figures(ledger["items_per_order"]) == ratio(
        by["Quantity"].sum(), by["Invoice"].nunique()
    )


def test_the_refunded_share_equals_an_independent_count(ledger, sales, raw):  # noqa: F811  a fixture
    back = raw[
        raw["Invoice"].str.startswith("C")
        & raw["Customer ID"].notna()
        & raw["StockCode"].str.match(r"\d{5}|DCGS|SP1002|PADS")
        & (raw["InvoiceDate"] >= FIRST)
        & (raw["InvoiceDate"] < "2011-12-01")
    ]
    pence = (-back["Quantity"] * back["Price"] * 100).round()
    sold = sales[sales["day"] >= FIRST].groupby("Customer ID")["pence"].sum()
    assert figures(ledger["refund_share"]) == ratio(pence.groupby(back["Customer ID"]).sum(), sold)
