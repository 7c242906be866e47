"""What is recorded of a period and the one before, as far as the records reach back."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest

from retention_lab.customers import activity, kpis
from retention_lab.inference.proportions import proportion
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


def bought(*, customers=100, orders=150, again=40):
    value = proportion(again, customers)
    return kpis.PeriodKpis(
        start=dt.date(2023, 12, 3),
        end=AS_OF,
        revenue=500_000,
        orders=orders,
        same_day_orders=0,
        customers=customers,
        repeat_customers=again,
        average_order_value=value,
        purchase_frequency=value,
        repeat_share=value,
    )


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (bought(), set()),
        (bought(again=0), set()),
        (bought(again=3), {"buyers_again"}),
        (bought(again=97), {"buyers_again"}),
        (bought(orders=100), set()),
        (bought(orders=103), {"orders", "average_order_value", "purchase_frequency"}),
    ],
)
def test_what_tells_of_a_few_buyers_is_not_recorded(found, missing):
    ledger = Ledger()
    periods.period(ledger, found, shop_of([("a", START, 1)]))
    assert names(ledger) == NOW - missing
    assert all(claim.n != found.orders for claim in ledger.claims() if "orders" in missing)


@pytest.mark.parametrize(
    ("kept", "new", "reactivated", "recorded"),
    [
        (*(60, 50, 20), RATES),
        (*(60, 50, 0), RATES),
        (*(60, 50, 3), set()),
        (*(60, 4, 20), set()),
        (*(5, 50, 20), set()),
        (*(95, 50, 20), set()),
    ],
)
def test_rates_that_tell_of_a_small_group_are_not_recorded(kept, new, reactivated, recorded):
    rate = kpis.RetentionRate(
        start=dt.date(2023, 12, 2),
        end=AS_OF,
        days=60,
        active_at_start=100,
        active_at_end=kept + new + reactivated,
        new=new,
        kept=kept,
        rate=proportion(kept, 100),
        kept_share=proportion(kept, 100),
    )
    ledger = Ledger()
    periods.retention(ledger, rate)
    assert names(ledger) == recorded


@pytest.mark.parametrize(
    ("customers", "hidden"),
    [
        ([40, 30, 200], [False, False, False]),
        ([40, 0, 200], [False, False, False]),
        ([3, 30, 200], [True, True, False]),  # the active are known together
        ([3, 0, 200], [True, False, True]),  # three are active: that must not be known
        ([40, 30, 3], [False, True, True]),
        ([3, 4, 200], [True, True, True]),
        ([5], [True]),
        ([40], [False]),
    ],
)
def test_tiers_are_hidden_until_no_total_tells_of_a_few(customers, hidden):
    tiers = pd.DataFrame({"customers": customers})
    assert periods.hidden_tiers(tiers).tolist() == hidden
    ledger = Ledger()
    periods._active(ledger, tiers, about="", days=90, suffix="")
    assert ("active_share" in ledger) is not (hidden[-1] or sum(customers) < SMALL)


def test_active_tiers_that_add_up_to_their_most_hide_the_last_tier_too():
    # Two of at most nine that make 18 are nine each, so how many are active must go.
    tiers = pd.DataFrame({"customers": [9, 9, 50]})
    assert periods.hidden_tiers(tiers).all()
