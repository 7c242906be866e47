"""The picture of the ladder: both shares of each tier, and nothing of a few."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.charts.frame import as_mime, listed
from retention_lab.charts.loyalty import loyalty
from retention_lab.inference.proportions import wilson
from retention_lab.reports import figures
from retention_lab.wording import Instead


def frame(customers, revenue, one_away):
    """What `customers.loyalty.tiers` gives."""
    sizes = pd.Series(customers)
    total = sum(revenue)
    shares = [each / total if total > 0 else None for each in revenue]
    return pd.DataFrame(
        {
            "tier": ["Gold", "Silver", "Bronze", "Resting"],
            "customers": sizes,
            **wilson(sizes, [sum(customers)] * 4),
            "revenue_within": revenue,
            "revenue_share": pd.array(shares, "Float64"),
            "one_away": one_away,
        }
    )


def table(chart):
    """The data table of a chart that draws."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(spec, number=1, where="here")
    return listed(chart)


def test_each_tier_has_its_shares_of_customers_and_of_revenue():
    chart = loyalty(frame([50, 100, 400, 450], [600, 300, 101, -1], [20, 60, 450, 0]))
    drawn = table(chart)
    assert drawn["tier"].tolist() == ["Gold", "Silver", "Bronze", "Resting"]
    assert drawn["share"].tolist() == [0.05, 0.1, 0.4, 0.45]
    assert drawn["revenue_share"].tolist() == pytest.approx([0.6, 0.3, 0.101, -0.001])
    assert drawn["one_away"].tolist() == [20, 60, 450, 0]
    assert "Gold 5.0" in chart.description


def test_a_tier_of_a_few_shows_neither_its_size_nor_its_revenue():
    drawn = table(loyalty(frame([5, 100, 400, 450], [600, 300, 100, 0], [20, 60, 450, 0])))
    assert drawn["customers"].tolist() == ["<10", "–", 400, 450]  # noqa: RUF001
    hidden = drawn.loc[:1, ["share", "low", "high", "revenue_share"]]
    assert hidden.isna().all().all()


def test_without_revenue_only_customers_are_drawn_and_a_few_customers_are_a_sentence():
    drawn = table(loyalty(frame([0, 0, 40, 60], [0, 0, 0, 0], [0, 0, 60, 0])))
    assert drawn["revenue_share"].isna().all()
    assert isinstance(loyalty(frame([1, 2, 3, 1], [4, 3, 2, 1], [0, 0, 0, 0])), Instead)
