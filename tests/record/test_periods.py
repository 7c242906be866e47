"""What is recorded of a period and the one before, as far as the records reach back."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from retention_lab.customers import activity, kpis
from retention_lab.record import SMALL, Ledger, periods

from ..customers.orders import START, order_table, random_rows  # noqa: TID252  not installed

AS_OF = dt.date(2024, 1, 31)
NOW = {"revenue", "orders", "buyers", "average_order_value", "purchase_frequency", "buyers_again"}
RATES = {"retention_rate", "kept_share"}


def shop_of(rows, *, records_from=START, currency="GBP", minor_per_unit=100):
    return SimpleNamespace(
        orders=order_table(rows),
        as_of=AS_OF,
        records_from=records_from,
        currency=currency,
        minor_per_unit=minor_per_unit,
    )


def recorded(rows, *, days=60, **shop):
    ledger = Ledger()
    periods.periods(ledger, shop_of(rows, **shop), days=days)
    return ledger


def names(ledger):
    return {claim.name for claim in ledger.claims()}


def before(found):
    return {f"{name}_before" for name in found}


def test_both_periods_are_recorded_in_whole_units():
    rows = random_rows(1, customers=400)
    ledger, orders = recorded(rows), order_table(rows)
    assert names(ledger) == NOW | RATES | before(NOW | RATES)
    now = kpis.period_kpis(orders, start=dt.date(2023, 12, 3), end=AS_OF)
    then = kpis.period_kpis(orders, start=dt.date(2023, 10, 4), end=dt.date(2023, 12, 2))
    assert ledger["revenue"].value == pytest.approx(now.revenue / 100)
    assert ledger["revenue_before"].value == pytest.approx(then.revenue / 100)
    value = ledger["average_order_value"]
    assert value.low == pytest.approx(now.average_order_value.low / 100)
    assert value.high == pytest.approx(now.average_order_value.high / 100)
    assert (value.unit, value.currency, value.n) == ("money", "GBP", now.orders)
    assert ledger["orders"].value == now.orders
    assert ledger["buyers_again"].value == now.repeat_share.value
    assert ledger["revenue"].about == "2023-12-03 to 2024-01-31"
    assert [claim.name for claim in ledger.claims() if claim.key] == ["revenue", "retention_rate"]


def test_rates_are_recorded_with_their_intervals():
    rows = random_rows(1, customers=400)
    rate = kpis.retention_rate(order_table(rows), end=AS_OF, days=60)
    claim = recorded(rows)["retention_rate"]
    assert (claim.value, claim.low, claim.high) == (rate.rate.value, rate.rate.low, rate.rate.high)
    assert claim.n == rate.active_at_start


def test_yen_have_no_minor_units():
    rows = random_rows(1, customers=400)
    pounds, yen = recorded(rows), recorded(rows, currency="JPY", minor_per_unit=1)
    assert yen["revenue"].value == pytest.approx(100 * pounds["revenue"].value)
    assert yen["revenue"].text.startswith("¥")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (59, set()),
        (60, NOW),
        (119, NOW),
        (120, NOW | RATES | before(NOW)),
        (179, NOW | RATES | before(NOW)),
        (180, NOW | RATES | before(NOW | RATES)),
    ],
)
def test_only_periods_that_the_records_cover_are_recorded(history, expected):
    records_from = AS_OF - dt.timedelta(days=history - 1)
    rows = random_rows(1, customers=400)
    assert names(recorded(rows, records_from=records_from)) == expected


@pytest.mark.parametrize("buyers", [0, 1, SMALL - 1, SMALL])
def test_a_period_of_few_customers_is_not_recorded(buyers):
    rows = [(f"c{n}", day, 100) for n in range(buyers) for day in ("2023-12-15", "2023-11-15")]
    found = names(recorded([*rows, ("long ago", "2023-01-01", 100)]))
    assert found == (NOW | RATES | before(NOW) if buyers >= SMALL else set())


def active(rows, *, edges=(30, 60), **shop):
    ledger = Ledger()
    return ledger, periods.activity(ledger, shop_of(rows, **shop), edges=edges)


def test_activity_is_recorded_for_now_and_a_period_before():
    rows = random_rows(1, customers=400)
    ledger, tiers = active(rows)
    then = AS_OF - dt.timedelta(days=60)
    assert list(tiers) == [AS_OF, then]
    for day, name in ((AS_OF, "active_share"), (then, "active_share_before")):
        table = activity.activity_tiers(order_table(rows), as_of=day, edges=(30, 60))
        assert ledger[name].n == table["customers"].sum()
        assert ledger[name].value == pytest.approx(1 - table["share"].iloc[-1])


@pytest.mark.parametrize(("history", "days"), [(61, 0), (62, 1), (121, 1), (122, 2)])
def test_activity_is_not_recorded_where_nobody_could_have_been_away_for_longer(history, days):
    records_from = AS_OF - dt.timedelta(days=history - 1)
    ledger, tiers = active(random_rows(1, customers=400), records_from=records_from)
    assert len(tiers) == len(ledger.claims()) == days


def test_activity_of_customers_who_joined_since_is_recorded_for_now_only():
    ledger, tiers = active([(f"c{n}", "2024-01-05", 1) for n in range(SMALL)])
    assert list(tiers) == [AS_OF]
    assert names(ledger) == {"active_share"}


def test_activity_of_few_customers_is_not_recorded():
    ledger, tiers = active([(f"c{n}", "2023-03-05", 1) for n in range(SMALL - 1)])
    assert len(tiers) == 2
    assert ledger.claims() == []
