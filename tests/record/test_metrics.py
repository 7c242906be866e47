"""What is recorded of own metrics, and which names they may not take."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from retention_lab.customers import metrics as figures
from retention_lab.record import SMALL, Ledger, comeback, metrics, periods

from ..tables import drawn  # noqa: TID252  not installed
from ..tables.drawn import metric  # noqa: TID252

REFUNDS = metric("sum(returns.amount) / sum(orders.amount)", name="refund_share")
BASKET = metric("sum(orders.amount) / count(orders.order_id)", unit="money", name="basket")
VISITS = metric("count(events.event)", unit="count", name="visits")


@pytest.fixture(scope="module")
def tables():
    return drawn.frames()


@pytest.fixture(scope="module")
def shop(tables):
    return drawn.shop(tables)


def recorded(shop, *chosen, days=90):
    ledger = Ledger()
    return ledger, metrics.metrics(ledger, shop, chosen, days=days)


def names(ledger):
    return [claim.name for claim in ledger.claims()]


def test_each_metric_is_recorded_now_before_and_as_a_change(shop):
    ledger, missing = recorded(shop, REFUNDS, BASKET, VISITS)
    assert missing == {}
    assert names(ledger) == [
        f"{name}{suffix}"
        for name in ("refund_share", "basket", "visits")
        for suffix in ("", "_before", "_change")
    ]
    now = figures.figure(shop, REFUNDS, period=drawn.LAST)
    claim = ledger["refund_share"]
    assert (claim.value, claim.low, claim.n) == (now.point, now.value.low, now.customers)
    assert (claim.about, claim.period) == ("2025-04-01 to 2025-06-29", "2025-04-01/2025-06-29")
    assert ledger["refund_share_before"].period == "2025-01-01/2025-03-31"


def test_the_days_before_a_month_are_as_many_and_no_month(tables):
    ledger, _ = recorded(drawn.shop(tables, as_of=dt.date(2025, 4, 30)), BASKET, days=30)
    assert ledger["basket"].period == "2025-04-01/2025-04-30"
    assert ledger["basket_before"].period == "2025-03-02/2025-03-31"


def test_units_are_those_of_the_metric(shop):
    ledger, _ = recorded(shop, REFUNDS, BASKET, VISITS)
    assert [ledger[f"{name}_change"].unit for name in ("refund_share", "basket", "visits")] == [
        "points",
        "money",
        "count",
    ]
    assert (ledger["basket"].unit, ledger["basket"].currency) == ("money", "GBP")
    assert ledger["visits"].low is ledger["visits_change"].low is None


def test_the_definition_holds_the_formula(shop):
    ledger, _ = recorded(shop, REFUNDS)
    assert all(REFUNDS.expression in claim.definition for claim in ledger.claims())


def test_what_is_not_shown_says_why(tables):
    few = drawn.shop({name: tables[name] for name in ("customers", "orders")})
    ledger, missing = recorded(few, REFUNDS, BASKET)
    assert missing == {"refund_share": "Shop has no returns."}
    assert "basket" in ledger
    assert "refund_share" not in ledger


@pytest.mark.parametrize("customers", [SMALL - 1, SMALL])
def test_few_customers_are_not_shown(customers):
    few = drawn.shop(drawn.frames(customers=customers))
    ledger, missing = recorded(few, BASKET, VISITS)
    assert ("basket" in ledger) is ("visits" in ledger) is (customers >= SMALL)
    if customers < SMALL:
        assert missing["basket"].startswith("fewer than 10 customers stand behind it")


def test_only_the_period_before_is_left_out_where_the_records_are_short(tables):
    short = drawn.shop(tables, records_from=drawn.FROM + dt.timedelta(days=1))
    ledger, missing = recorded(short, BASKET)
    assert (names(ledger), missing) == (["basket"], {})


def test_without_metrics_nothing_is_recorded(shop):
    ledger, missing = recorded(shop)
    assert (ledger.claims(), missing) == ([], {})


@pytest.mark.parametrize("module", [comeback, periods])
def test_no_metric_may_take_the_name_of_a_result_of_the_overview(module):
    text = Path(module.__file__).read_text(encoding="utf-8")
    taken = re.findall(r'record\(\s*"(\w+)"', text)
    assert len(taken) > 5
    for name in taken:
        with pytest.raises(ValidationError, match="name of the reports' own"):
            metric(REFUNDS.expression, name=name)
