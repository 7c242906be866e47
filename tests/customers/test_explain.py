"""Why a figure moved: the parts add up, find what was planted, and name the customers behind."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import ibis
import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers import groups
from retention_lab.customers.compare import Side
from retention_lab.customers.explain import Printed, explain, explain_sides
from retention_lab.customers.measures import estimate, measure
from retention_lab.inference.proportions import difference
from retention_lab.record import SMALL
from retention_lab.tables.period import parse

AS_OF = dt.date(2024, 1, 31)
JULY, AUGUST = parse("2023-07"), parse("2023-08")
RETURNED, VALUE = measure("returned_90"), measure("average_order_value")


@dataclass(frozen=True)
class Shop:
    """What the split needs of a snapshot."""

    orders: ibis.Table
    customers: ibis.Table
    order_lines: ibis.Table | None = None
    as_of: dt.date = AS_OF
    minor_per_unit: int = 100
    where: str = ""
    name: str = "A shop"
    currency: str = "GBP"
    content_hash: str = ""

    @property
    def tables(self):
        return {"orders", "customers"} | (
            {"order_lines"} if self.order_lines is not None else set()
        )


def shop_of(rows, customers, *, lines=None, **about):
    """Make a shop of orders (customer_id, ordered_on, amount, coupon) and customers."""
    orders = pd.DataFrame(rows)
    orders["order_id"] = [f"o{number}" for number in range(len(orders))]
    orders["ordered_on"] = pd.to_datetime(orders["ordered_on"])
    if "coupon" not in orders:
        orders["coupon"] = None
    typed = {"coupon": "string", "ordered_on": "date", "amount": "int64", "discount": "int64"}
    table = ibis.memtable(orders.assign(discount=0)).cast(typed)
    people = ibis.memtable(pd.DataFrame(customers).assign(signed_up_at="", referred_by=""))
    lines = None if lines is None else ibis.memtable(pd.DataFrame(lines))
    return Shop(orders=table, customers=people, order_lines=lines, **about)


def month(rng, *, period, channels, again, first):
    """Draw new customers of a month: `channels` counts them, `again` is how likely each returns."""
    rows, people = [], []
    for channel, count in channels.items():
        for number in range(count):
            who = f"{first}-{channel}-{number}"
            day = period.first + dt.timedelta(days=int(rng.integers(period.days)))
            people.append({"customer_id": who, "channel": channel, "country": "UK"})
            days = [day, day + dt.timedelta(days=40)][: 1 + (rng.random() < again[channel])]
            rows += [
                {"customer_id": who, "ordered_on": each, "amount": int(rng.integers(500, 9_000))}
                for each in days
            ]
    return rows, people


def two_months(seed=1, *, july, august, then, now):
    rng = np.random.default_rng(seed)
    old = month(rng, period=JULY, channels=july, again=then, first="july")
    new = month(rng, period=AUGUST, channels=august, again=now, first="august")
    return old[0] + new[0], old[1] + new[1]


BEFORE, LATER = (
    {"code": 100, "search": 300, "organic": 600},
    {"code": 700, "search": 300, "organic": 600},
)
RATES = {"code": 0.1, "search": 0.3, "organic": 0.5}
PROMOTION = {"july": BEFORE, "august": LATER, "then": RATES, "now": RATES}
COOLED = {
    "july": BEFORE,
    "august": BEFORE,
    "then": RATES,
    "now": {name: rate - 0.1 for name, rate in RATES.items()},
}


def sum_of(explained):
    return sum(part.value for part in explained.parts)


def test_a_promotion_that_brings_other_people_is_found_as_mix():
    found = explain(shop_of(*two_months(**PROMOTION)), RETURNED, period=AUGUST, against=JULY)
    # Shares of code, search, organic: 1/10, 3/10, 6/10, then 7/16, 3/16, 6/16.
    moved = {"code": 7 / 16 - 0.1, "search": 3 / 16 - 0.3, "organic": 6 / 16 - 0.6}
    truth = sum(share * RATES[name] for name, share in moved.items())
    mix, rate = found.part("mix").interval, found.part("rate").interval
    assert mix.low < truth < mix.high < 0
    assert rate.low < 0 < rate.high
    assert found.by == ("channel",)


def test_people_who_come_back_less_are_found_as_rate():
    found = explain(shop_of(*two_months(**COOLED)), RETURNED, period=AUGUST, against=JULY)
    mix, rate = found.part("mix").interval, found.part("rate").interval
    assert rate.low < -0.1 < rate.high < 0
    assert mix.low <= 0 <= mix.high


@pytest.mark.parametrize("name", ["returned_90", "average_order_value", "revenue_per_customer"])
@pytest.mark.parametrize("seed", range(2))
def test_the_parts_add_up_to_the_change_and_customers_to_the_parts(name, seed):
    shop = shop_of(*two_months(seed, **PROMOTION))
    found = explain(shop, measure(name), period=AUGUST, against=JULY)
    new, old = (estimate(shop, measure(name), period=each) for each in (AUGUST, JULY))
    assert sum_of(found) == pytest.approx(new.value.value - old.value.value, abs=1e-12)
    for part in ("mix", "rate"):
        customers = found.customers(part)
        assert customers["contribution"].sum() == pytest.approx(found.part(part).value, abs=1e-10)
        assert customers.groupby("side").size().to_dict() == {
            "now": new.customers,
            "before": old.customers,
        }


def test_the_change_has_the_interval_that_reports_print():
    shop = shop_of(*two_months(**PROMOTION))
    found = explain(shop, RETURNED, period=AUGUST, against=JULY)
    assert (
        found.comparison.difference.value
        == found.comparison.now.value.value - found.comparison.before.value.value
    )
    counts = [
        number
        for each in (found.comparison.now, found.comparison.before)
        for number in (round(each.value.value * each.customers), each.customers)
    ]
    newcombe = difference(*counts)
    assert (found.comparison.difference.low, found.comparison.difference.high) == pytest.approx(
        (newcombe.low, newcombe.high)
    )


def test_buyers_of_both_months_make_the_split_of_their_spending_surer():
    rng = np.random.default_rng(3)
    rows, people = [], []
    for number in range(400):
        usual = int(rng.integers(1_000, 20_000))
        people.append({"customer_id": f"c{number}", "channel": "search", "country": "UK"})
        rows += [
            {
                "customer_id": f"c{number}",
                "ordered_on": day,
                "amount": usual + int(rng.integers(99)),
            }
            for day in ("2023-07-10", "2023-08-10")
        ]
    found = explain(shop_of(rows, people), VALUE, period=AUGUST, against=JULY)
    apart = np.hypot(
        *(
            each.value.high - each.value.value
            for each in (found.comparison.now, found.comparison.before)
        )
    )
    assert found.comparison.difference.high - found.comparison.difference.value < apart / 50
    rate = found.part("rate").interval
    assert rate.high - rate.value < apart / 50


def test_customers_with_something_over_nothing_are_kept_in_all_others():
    rows, people = two_months(**PROMOTION)
    for person in people[:30]:
        person["channel"] = "odd"
    shop = shop_of(rows, people)
    odd = [person["customer_id"] for person in people[:30]]

    def counted(shop, period):
        found = RETURNED.rows(shop, period)
        return found.mutate(x=found.customer_id.isin(odd).ifelse(0, found.x), y=found.y + 1)

    found = explain(shop, replace(RETURNED, rows=counted), period=AUGUST, against=JULY)
    assert "odd" not in set(found.singles["group"])
    assert sum_of(found) == pytest.approx(found.comparison.difference.value, abs=1e-12)


def printed(value=0.4, **about):
    return Printed(value=value, as_of=AS_OF, **{"same_method": True, **about})


def restated():
    """Today's data, and earlier ones in which ten of July's customers had not come back."""
    rows, people = two_months(**PROMOTION)
    again = [row for row in rows if row["customer_id"].startswith("july-organic")]
    seen, second = set(), []
    for row in again:
        second += [row] if row["customer_id"] in seen else []
        seen.add(row["customer_id"])
    gone = [id(row) for row in second[:10]]
    return shop_of(rows, people), shop_of([r for r in rows if id(r) not in gone], people)


@pytest.mark.parametrize("same_method", [True, False])
def test_restated_data_and_another_definition_are_told_apart_by_the_earlier_data(same_method):
    today, earlier = restated()
    known = estimate(earlier, RETURNED, period=JULY).value.value
    before = printed(known + 0.02, same_method=same_method, earlier=earlier)
    found = explain(today, RETURNED, period=AUGUST, against=JULY, printed=before)
    assert [part.name for part in found.parts] == ["restated", "definition", "mix", "rate"]
    assert found.part("definition").value == pytest.approx(-0.02, abs=1e-12)
    assert found.part("restated").value == pytest.approx(10 / 1_000)
    assert found.part("restated").interval is None
    assert sum_of(found) == pytest.approx(
        found.comparison.now.value.value - before.value, abs=1e-12
    )
    behind = found.customers("restated")
    assert behind["contribution"].sum() == pytest.approx(10 / 1_000)
    assert len(behind) == 20  # ten customers, as they are now and as they were before
    with pytest.raises(BadData, match="counted in another way"):
        found.customers("definition")


def test_customers_of_another_first_month_are_restated_too():
    rows, people = two_months(**PROMOTION)
    sooner = {"customer_id": "august-code-0", "ordered_on": "2023-07-31", "amount": 5}
    today, earlier = shop_of([*rows, sooner], people), shop_of(rows, people)
    before = printed(estimate(earlier, RETURNED, period=JULY).value.value, earlier=earlier)
    found = explain(today, RETURNED, period=AUGUST, against=JULY, printed=before)
    behind = found.customers("restated")
    assert behind[["customer_id", "side"]].to_numpy().tolist() == [["august-code-0", "now"]]
    assert behind["contribution"].sum() == pytest.approx(found.part("restated").value, abs=1e-15)


@pytest.mark.parametrize(
    ("same_method", "names"),
    [(True, ["restated", "definition"]), (False, ["restated or definition"])],
)
def test_without_the_earlier_data_the_method_decides_what_can_be_told(same_method, names):
    today, _earlier = restated()
    before = printed(0.45, same_method=same_method)
    found = explain(today, RETURNED, period=AUGUST, against=JULY, printed=before)
    assert [part.name for part in found.parts] == [*names, "mix", "rate"]
    assert found.part(names[0]).value == pytest.approx(found.comparison.before.value.value - 0.45)
    assert sum_of(found) == pytest.approx(found.comparison.now.value.value - 0.45, abs=1e-12)
    with pytest.raises(BadData, match="no longer there"):
        found.customers(names[0])


def test_what_arrived_after_the_day_of_the_earlier_report_is_a_part_of_its_own():
    today, then = restated()
    known = estimate(then, RETURNED, period=JULY).value.value
    found = explain(
        today,
        RETURNED,
        period=AUGUST,
        against=JULY,
        printed=printed(known, earlier=then, then=then),
    )
    assert [part.name for part in found.parts] == ["restated", "definition", "later", "mix", "rate"]
    assert found.part("restated").value == 0
    assert found.part("later").value == pytest.approx(10 / 1_000)
    assert found.customers("restated").empty
    assert found.customers("later")["contribution"].sum() == pytest.approx(10 / 1_000)
    assert sum_of(found) == pytest.approx(found.comparison.now.value.value - known, abs=1e-12)


def test_two_populations_of_one_period_are_compared():
    rows, people = two_months(**PROMOTION)
    for number, person in enumerate(people):
        person["country"] = "DE" if number % 3 else "UK"
    shop = shop_of(rows, people)
    german = shop.customers.filter(shop.customers.country == "DE")
    part = replace(
        shop,
        customers=german,
        orders=shop.orders.semi_join(german, "customer_id"),
        where="country = 'DE'",
    )
    new, old = Side(shop=part, period=AUGUST), Side(shop=shop, period=AUGUST)
    found = explain_sides(RETURNED, new, old, by=["channel"])
    assert sum_of(found) == pytest.approx(found.comparison.difference.value, abs=1e-12)
    # Germans are among all: the difference is surer than of two independent groups.
    widths = [
        each.value.high - each.value.low for each in (found.comparison.now, found.comparison.before)
    ]
    assert found.comparison.difference.high - found.comparison.difference.low < np.hypot(*widths)
    with pytest.raises(BadParameter, match="Compare with another period"):
        explain_sides(RETURNED, new, new)


def test_without_dimensions_all_is_rate_and_mix_has_no_interval():
    rows, people = two_months(**PROMOTION)
    bare = shop_of(rows, [{"customer_id": each["customer_id"]} for each in people])
    found = explain(bare, RETURNED, period=AUGUST, against=JULY)
    assert found.by == ()
    assert (found.part("mix").value, found.part("mix").interval) == (0, None)
    assert found.part("rate").value == pytest.approx(found.comparison.difference.value)
    assert found.dimensions.empty


def test_dimensions_that_could_have_moved_the_figure_come_first():
    rows, people = two_months(**PROMOTION)
    for number, person in enumerate(people):
        person["country"] = "DE" if number % 2 else "UK"
    found = explain(shop_of(rows, people), RETURNED, period=AUGUST, against=JULY)
    assert found.by == ("channel", "country")
    assert list(found.dimensions["dimension"]) == ["channel", "country"]
    assert set(found.singles["dimension"]) == {"channel", "country"}
    channel, country = found.dimensions["mix"]
    assert channel < -0.05 < country


def test_groups_of_fewer_than_ten_customers_are_not_shown():
    assert groups.LEAST == SMALL
    few = {"code": 9, "search": 100, "organic": 200}
    counts = {**PROMOTION, "july": few, "august": {**few, "code": 50, "tv": 5}}
    rates = {**RATES, "tv": 0.2}
    shop = shop_of(*two_months(**{**counts, "now": rates}))
    found = explain(shop, RETURNED, period=AUGUST, against=JULY, by=["channel"])
    # With 9 and 0 before and 55 now, all others would be too few; the next smallest joins them.
    assert list(found.groups["group"]) == ["all others", "organic"]
    assert set(found.customers("mix")["group"]) == {"all others", "organic"}
    for side in ("customers_now", "customers_before"):
        assert found.groups[side].sum() == (355 if side == "customers_now" else 309)


def test_a_large_group_that_is_new_keeps_its_name():
    counts = {**PROMOTION, "august": {**LATER, "tv": 200}, "now": {**RATES, "tv": 0.05}}
    found = explain(shop_of(*two_months(**counts)), RETURNED, period=AUGUST, against=JULY)
    tv = found.groups.set_index("group").loc["tv"]
    assert tv["customers_before"] == 0
    assert tv["rate"] == 0
    assert tv["mix"] < 0


def test_rare_values_and_missing_ones_are_named_so():
    channels = {name: 20 + 10 * place for place, name in enumerate("abcdefg")}
    rates = dict.fromkeys(channels, 0.4)
    rows, people = two_months(july=channels, august=channels, then=rates, now=rates)
    for person in people:
        person["channel"] = None if person["channel"] == "g" else person["channel"]
    found = explain(shop_of(rows, people), RETURNED, period=AUGUST, against=JULY, by=["channel"])
    assert list(found.groups["group"]) == ["all others", *"bcdef", "unknown"]


def test_two_dimensions_together_name_both():
    rows, people = two_months(**PROMOTION)
    for number, person in enumerate(people):
        person["country"] = "DE" if number % 2 else "UK"
    shop = shop_of(rows, people)
    found = explain(shop, RETURNED, period=AUGUST, against=JULY, by=["channel", "country"])
    assert "channel = code, country = DE" in set(found.groups["group"])
    assert len(found.groups) == 6


def test_only_what_the_first_order_tells_is_a_dimension():
    rows = [
        {"customer_id": "a", "ordered_on": "2023-07-01", "amount": 1, "coupon": "X"},
        {"customer_id": "b", "ordered_on": "2023-07-01", "amount": 1, "coupon": None},
        {"customer_id": "b", "ordered_on": "2023-07-20", "amount": 1, "coupon": "X"},
    ]
    lines = [
        ("o0", 1, "tea", 1, 900),
        ("o0", 2, "pots", 5, 200),  # dearer, as there are five
        ("o1", 1, "tea", 1, 500),
        ("o1", 2, "cups", 1, 500),  # as dear: the first line counts
        ("o2", 1, "gold", 1, 99_999),  # later
    ]
    columns = ["order_id", "line", "product_family", "quantity", "unit_price"]
    people = [{"customer_id": who, "channel": "web", "lifetime": 3} for who in "ab"]
    shop = shop_of(rows, people, lines=pd.DataFrame(lines, columns=columns))
    names = groups.dimensions(shop)
    assert names == ["channel", "first_coupon", "first_family"]  # and no number such as lifetime
    seen = groups.with_dimensions(RETURNED.rows(shop, JULY), shop, names).execute()
    a, b = seen.set_index("customer_id").loc[["a", "b"]].to_dict("records")
    assert (a["in_first_coupon"], a["in_first_family"]) == ("yes", "pots")
    assert (b["in_first_coupon"], b["in_first_family"]) == ("no", "tea")


def test_what_cannot_be_compared_is_refused():
    shop = shop_of(*two_months(**PROMOTION))
    about = {"period": AUGUST, "against": JULY}
    with pytest.raises(BadParameter, match="Compare with another period"):
        explain(shop, RETURNED, period=JULY, against=JULY)
    with pytest.raises(BadParameter, match=r"no dimension 'chanel'. Did you mean 'channel'"):
        explain(shop, RETURNED, **about, by=["chanel"])
    with pytest.raises(BadData, match="is complete on 2023-11-29"):
        explain(replace(shop, as_of=dt.date(2023, 11, 28)), RETURNED, **about)
    with pytest.raises(BadData, match="Nobody stands behind"):
        explain(shop, RETURNED, period=AUGUST, against=parse("2023-06"))
    with pytest.raises(BadParameter, match="explain has no part 'restated'"):
        explain(shop, RETURNED, **about).customers("restated")


def test_a_month_in_which_nobody_returned_as_before_is_refused():
    nobody = dict.fromkeys(RATES, 0.0)
    shop = shop_of(*two_months(**{**PROMOTION, "then": nobody, "now": nobody}))
    with pytest.raises(BadData, match="alike"):
        explain(shop, RETURNED, period=AUGUST, against=JULY)
