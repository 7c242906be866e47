"""Factors as spans of states."""

from __future__ import annotations

import datetime as dt

import pytest

from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.factors import LEVELS, spans, states, usable
from retention_lab.churn.landmarks import people_collapsed
from retention_lab.tables.engine import collect

from .knowing import ALL, COUNTRY, MILESTONE, PURCHASES, RECENCY, SUPPORT, TENURE
from .shops import drawn, shop
from .test_endpoints import AS_OF


@pytest.mark.parametrize(
    ("without", "left"),
    [
        ((), ALL),
        (("events",), (SUPPORT, PURCHASES, COUNTRY, RECENCY, TENURE)),
        (("tickets",), (MILESTONE, PURCHASES, COUNTRY, RECENCY, TENURE)),
        (("orders",), (MILESTONE, SUPPORT, COUNTRY, TENURE)),
    ],
)
def test_factors_are_usable_where_the_shop_has_their_table(without, left):
    made = shop({name: t for name, t in drawn(1).items() if name not in without}, AS_OF)
    assert usable(made, ALL, timed=False) == left
    fixed = tuple(factor for factor in left if factor not in (RECENCY, TENURE))
    assert usable(made, ALL, timed=True) == fixed


def test_an_attribute_that_customers_lack_is_not_usable():
    county = COUNTRY.model_copy(update={"column": "county"})
    assert usable(shop(drawn(1), AS_OF), [county, COUNTRY], timed=False) == (COUNTRY,)


def test_attributes_of_the_shop_take_the_place_of_named_ones_that_are_not_there():
    made, county = shop(drawn(1), AS_OF), COUNTRY.model_copy(update={"column": "county"})
    own = COUNTRY.model_copy(update={"name": "country", "label": "Country"})
    assert usable(made, [county.model_copy(update={"name": "county"})], timed=False) == (own,)
    assert usable(made, [TENURE], timed=False) == (TENURE,)  # none is named, so none is wanted
    taken = TENURE.model_copy(update={"name": "country"})
    assert usable(made, [taken, county], timed=False) == (taken,)


def test_states_are_those_of_the_playbook_and_an_attribute_has_its_data_tell():
    assert states(MILESTONE)[0] == "not yet"
    assert states(COUNTRY) == ()


def test_spans_follow_upon_one_another_to_the_end_of_the_as_of_day():
    made = shop(drawn(3), AS_OF)
    for factor in (MILESTONE, SUPPORT, PURCHASES, RECENCY):
        found = collect(spans(made, factor)).sort_values(["customer_id", "from_at", "to_at"])
        assert found["state"].between(0, max(len(states(factor)) - 1, 0)).all()
        following = found.groupby("customer_id")["from_at"].shift(-1)
        assert (following.isna() | (following == found["to_at"])).all()
        last = found[following.isna()]["to_at"]
        assert set(last.astype(str)) == {"2024-05-20 23:00:00"}  # midnight in London, summer time


def test_spans_that_change_nothing_are_put_together():
    orders = [(f"o{day}", "a", f"2024-01-{day:02}", 1) for day in (1, 2, 3, 4, 5)]
    found = collect(spans(shop({"orders": orders}, dt.date(2024, 2, 1)), PURCHASES))
    assert sorted(found["state"]) == [1, 2]  # from the first on, and from the third on


def test_rare_values_of_an_attribute_are_all_others():
    names = [f"v{number:02}" for number in range(LEVELS + 3) for _ in range(20 - number)]
    ids = [f"c{number:03}" for number in range(len(names))]
    rows = {
        "customers": [(i, "2024-01-01", name) for i, name in zip(ids, names, strict=True)],
        "subscriptions": [(i, "2024-01-01", None, None) for i in ids],
    }
    found = people_collapsed(shop(rows, AS_OF), Endpoint(kind="cancelled"), [COUNTRY])
    by_name = dict(zip(found["land"], found["weight"], strict=True))
    assert len(by_name) == LEVELS + 1
    assert by_name["all others"] == 10 + 9 + 8
    assert by_name["v00"] == 20


def test_a_shop_has_its_own_attributes_where_none_of_the_named_ones_is_there():
    county = COUNTRY.model_copy(update={"column": "county", "name": "county"})
    (own,) = usable(shop(drawn(1), AS_OF), [county], timed=True)
    assert (own.name, own.column, own.label) == ("country", "country", "Country")
