"""Conditions over customers: their attributes, facts of their orders, and saved cohorts."""

from __future__ import annotations

import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.tables import population, saving, snapshot

from .customers import COUNTRIES, orders, people, people_shop
from .shops import frame, orders_map, shop


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return people_shop(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def taken(source):
    return snapshot.take(source)


@pytest.fixture(autouse=True)
def cohorts(tmp_path, monkeypatch):
    """A folder of cohorts for each test."""
    monkeypatch.setenv("RETENTION_LAB_COHORTS", str(tmp_path / "cohorts"))
    return tmp_path / "cohorts"


def ids(shop, where):
    return frame(population.chosen(shop, where))["customer_id"].tolist()


def facts():
    """What pandas says of each customer's orders."""
    day = orders()["ordered_at"].str[:10]
    found = orders().assign(day=day).groupby("customer_id")["day"].agg(["min", "max", "nunique"])
    return people().set_index("customer_id").join(found).fillna({"nunique": 0})


@pytest.mark.parametrize(
    ("where", "query"),
    [
        ("first_ordered_on between date '2025-02-05' and date '2025-02-20'", "min.between(@a, @b)"),
        ("first_ordered_on between '2025-02-05' and '2025-02-20'", "min.between(@a, @b)"),
        ("Last_Ordered_On >= date '2025-03-10' and country = 'UK'", "max >= @c & country == 'UK'"),
        ("order_days = 2 or channel = 'mail'", "nunique == 2 | channel == 'mail'"),
        ("order_days = 0", "nunique == 0"),
        ("first_ordered_on is null", "nunique == 0"),
        ("not (country = 'UK')", "country in ('France', 'Malta')"),
    ],
)
def test_condition_chooses_whom_pandas_chooses(taken, where, query):
    known = {"a": "2025-02-05", "b": "2025-02-20", "c": "2025-03-10"}
    wanted = facts().query(query, local_dict=known).index.tolist()
    assert 0 < len(wanted) < 40
    assert ids(taken, where) == sorted(wanted)


def test_empty_condition_means_everybody(taken):
    assert len(ids(taken, " ")) == 40


def test_facts_are_of_what_was_known_by_then(source):
    early = snapshot.take(source, as_of="2025-02-28")
    with pytest.raises(BadData, match="No customer of Shop fits 'order_days > 1'"):
        ids(early, "order_days > 1")


def test_filter_by_facts_works_in_a_snapshot_and_leaves_its_columns(source, taken):
    again = snapshot.take(source, where="order_days > 1")
    assert again.customers.columns == taken.customers.columns
    people_left = set(frame(again.customers)["customer_id"])
    assert set(frame(again.orders)["customer_id"]) == people_left
    assert again.rows["customers"] == len(people_left) == 13


def test_filter_of_a_filtered_snapshot_keeps_both_conditions(taken):
    british = snapshot.only(taken, "country = 'UK'")
    both = snapshot.only(british, "channel = 'mail' or channel = 'x'")
    assert both.where == "(country = 'UK') and (channel = 'mail' or channel = 'x')"
    assert ids(taken, both.where) == frame(both.customers)["customer_id"].tolist()
    assert both.rows["customers"] == 10


def test_cohort_in_a_condition_stands_for_its_customers(taken):
    saving.save("uk", shop=taken, where="country = 'UK'")
    saving.save("some", shop=taken, ids=["c03", "c01", "c21", "c01"])
    everybody = {f"c{i:02}" for i in range(40)}
    british = {f"c{i:02}" for i, country in enumerate(COUNTRIES) if country == "UK"}
    few = {"c01", "c03", "c21"}
    cases = {
        "cohort('uk')": british,
        "not cohort('uk')": everybody - british,  # those of no known country, too
        "cohort('some')": few,
        "not COHORT('some')": everybody - few,
        "cohort('uk') and cohort('some') and channel = 'mail'": {"c01", "c03"},
        "cohort('some') or order_days > 1 and not cohort('uk')": few
        | {f"c{i}" for i in (20, 22, 26, 28, 32, 34, 38)},
    }
    for where, wanted in cases.items():
        assert set(ids(taken, where)) == wanted, where
    filtered = snapshot.only(taken, "cohort('some')")
    assert set(frame(filtered.customers)["customer_id"]) == few


def test_rule_is_asked_afresh_of_each_snapshot_and_may_use_others(source, taken):
    saving.save("bought", shop=taken, where="order_days > 0")
    saving.save("uk-bought", shop=taken, where="cohort('bought') and country = 'UK'")
    early = snapshot.take(source, as_of="2025-02-05")
    assert ids(early, "cohort('uk-bought')") == ["c01", "c02", "c04"]
    assert len(ids(taken, "cohort('uk-bought')")) == 13


def test_condition_is_spelled_out_with_the_rules_of_today(taken):
    saving.save("uk", shop=taken, where="country = 'UK'")
    saving.save("some", shop=taken, ids=["c01"])
    where = "cohort('uk') and cohort('some')"
    spelled = population.spelled_out(where)
    assert spelled == "COALESCE(country = 'UK', FALSE) AND COHORT('some')"
    assert ids(taken, spelled) == ids(taken, where) == ["c01"]
    assert population.spelled_out("") == ""


def test_condition_is_identified_by_its_rules_and_by_the_content_of_its_lists(taken):
    assert population.identified("") == []
    saving.save("few", shop=taken, ids=ids(taken, "")[:3])
    saving.save("some", shop=taken, where="order_days > 1")
    where = "cohort('some') or cohort('few')"
    first = population.identified(where)
    assert first == population.identified(where)
    saving.save("few", shop=taken, ids=ids(taken, "")[:4], replace=True)
    second = population.identified(where)
    saving.save("some", shop=taken, where="order_days > 0", replace=True)
    assert len({tuple(each) for each in (first, second, population.identified(where))}) == 3


def test_condition_on_what_came_later_is_known_to_look_ahead(taken):
    saving.save("loyal", shop=taken, where="order_days > 1")
    saving.save("uk", shop=taken, where="country = 'UK'")
    saving.save("list", shop=taken, ids=["c01"])
    ahead = [
        "Order_Days > 1",
        "last_ordered_on > '2025-03-01'",
        "cohort('loyal')",
        "cohort('list')",
    ]
    for where in ahead:
        assert population.looks_ahead(where), where
        assert population.looks_ahead(f"country = 'UK' and not ({where})"), where
    fair = ["", "first_ordered_on > '2025-02-03'", "cohort('uk')", "country = 'order_days'"]
    assert not any(map(population.looks_ahead, fair))


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ("country = 'United Kingdom'", r": country has 'UK' \(20\), 'France' \(12\)\.$"),
        (
            "country = 'UK' and channel = 'email'",
            r": channel has 'mail' \(20\), 'search' \(20\); country has 'UK' .*\.$",
        ),
        (
            "first_ordered_on > date '2026-01-01'",
            ": first_ordered_on runs from 2025-02-02 to 2025-03-11.$",
        ),
        ("customer_id = 'eve'", ": check the spelling of the value.$"),
        ("referred_by = 'eve'", ": check the spelling of the value.$"),
    ],
)
def test_condition_that_fits_nobody_is_refused_with_what_there_is(taken, where, hint):
    with pytest.raises(BadData, match=hint) as refused:
        population.chosen(taken, where)
    assert str(refused.value).startswith(f"No customer of Shop fits {where!r}: ")


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("cohort('ukk')", r"no cohort 'ukk' in .*cohorts. Did you mean 'uk'\? It has: uk\. RETEN"),
        ('cohort("uk")', r"""The condition: COHORT\("uk"\) must give the name of one"""),
        ("cohort('uk', 'b')", "must give the name of one saved cohort"),
        ("cohort(country)", r"such as cohort\('uk-august'\)"),
        ("cohort('uk') + 1", "the engine refuses 'COALESCE"),
        ("frist_ordered_on > '2025-01-01'", "Did you mean 'first_ordered_on'"),
        ("cohort('uk') and contry = 'UK'", r"has no column 'contry'\. Did you mean 'coun"),
        ("country = 'UK' -- the old ones", "must be a condition without a comment"),
        ("country", "'country' is no condition"),
    ],
)
def test_condition_that_is_not_understood_is_refused(taken, where, words):
    saving.save("uk", shop=taken, where="country = 'UK'")
    with pytest.raises(BadParameter, match=words):
        population.chosen(taken, where)


def test_rule_that_does_not_fit_another_shop_is_named(tmp_path, taken):
    saving.save("uk", shop=taken, where="country = 'UK'")
    saving.save("some", shop=taken, ids=["c01"])
    other = snapshot.take(shop(tmp_path, {"orders": orders_map()}, name="Other shop"))
    with pytest.raises(BadParameter, match="The cohort 'uk' has no column 'country'"):
        population.chosen(other, "cohort('uk')")
    with pytest.raises(BadParameter, match="'some' lists customers of Shop, and this is Other sh"):
        population.chosen(other, "cohort('some')")


def test_attribute_that_takes_the_name_of_a_fact_is_refused_when_it_is_named(tmp_path):
    files = {"orders.csv": orders().assign(days=3).to_csv(index=False)}
    mapped = orders_map(attributes={"order_days": "days"})
    taken = snapshot.take(shop(tmp_path, {"orders": mapped}, files))
    assert len(ids(taken, "first_ordered_on is not null")) == 26
    with pytest.raises(BadParameter, match="order_days is an attribute of the customers of Shop"):
        population.chosen(taken, "order_days > 2")


@pytest.mark.spark
def test_same_customers_are_chosen_on_spark(tmp_path, taken):
    saving.save("uk", shop=taken, where="country = 'UK'")
    saving.save("some", shop=taken, ids=["c03", "c01", "c21", "c01"])
    on_spark = snapshot.take(people_shop(tmp_path, engine="spark"))
    for where in (
        "first_ordered_on between date '2025-02-05' and date '2025-02-20'",
        "order_days = 0 or last_ordered_on >= '2025-03-10'",
        "not cohort('uk') or cohort('some')",
    ):
        assert sorted(ids(on_spark, where)) == sorted(ids(taken, where)), where
    with pytest.raises(BadData, match=r"country has 'UK' \(20\), 'France' \(12\)\.$"):
        population.chosen(on_spark, "country = 'Uk'")
    with pytest.raises(BadData, match="first_ordered_on runs from 2025-02-02 to 2025-03-11"):
        population.chosen(on_spark, "first_ordered_on > '2026-01-01'")
