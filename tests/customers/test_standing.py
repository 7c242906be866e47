"""Where customers stand on two days: which rows, which window, and which lines."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import ibis
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.segments import segmented
from retention_lab.customers.standing import groups, one_step_back, sizes, standing
from retention_lab.customers.summary import purchases
from retention_lab.customers.thresholds import save
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect

from .shops import AS_OF, BACK, ROWS, random_shop, shop_of

RULES = playbook.load("").segments
THEN = dt.date(2024, 11, 3)


@functools.cache
def stood():
    return standing(random_shop(), RULES, thresholds=None)


def people(table):
    return collect(table).set_index("customer_id").sort_index()


def test_both_days_are_judged_by_the_lines_of_the_earlier_one():
    got = stood()
    assert (got.as_of, got.then, got.days, got.within) == (AS_OF, THEN, 90, 365)
    assert (got.frozen, got.thresholds.as_of, got.thresholds.method) == (False, THEN, "quantile")
    for table, day in ((got.before, THEN), (got.now, AS_OF)):
        summary = purchases(random_shop().orders, random_shop().returns, as_of=day, within=365)
        want = people(segmented(summary, cuts=got.thresholds.cuts, segments=RULES))
        pd.testing.assert_frame_equal(people(table)[want.columns], want)
    assert got.thresholds.cuts == got.thresholds.drawn(got.before)
    assert got.thresholds.cuts != got.thresholds.drawn(got.now)


def test_one_step_back_is_as_the_earlier_day_saw_it_by_the_same_lines():
    back = one_step_back(random_shop(), stood())
    assert (back.as_of, back.then) == (THEN, THEN - dt.timedelta(days=90))
    lines = stood().thresholds.cuts
    for table, day in ((back.before, back.then), (back.now, THEN)):
        summary = purchases(random_shop().orders, random_shop().returns, as_of=day, within=365)
        want = people(segmented(summary, cuts=lines, segments=RULES))
        pd.testing.assert_frame_equal(people(table)[want.columns], want)


def test_there_is_no_step_back_into_days_of_which_the_window_is_not_whole():
    assert one_step_back(random_shop(), dataclasses.replace(stood(), then=None)) is None
    # Records from late in 2022: a window of two years before does not fit into them.
    assert one_step_back(random_shop(), dataclasses.replace(stood(), within=730)) is None


def test_recent_revenue_is_that_of_the_days_up_to_each_day_less_returns():
    orders, back = (
        pd.DataFrame(rows).set_axis(["customer_id", "day", "amount"], axis=1)
        for rows in (ROWS, BACK)
    )
    rows = pd.concat([orders, back.assign(amount=-back["amount"])])
    for table, day in ((stood().before, THEN), (stood().now, AS_OF)):
        first = (day - dt.timedelta(days=89)).isoformat()
        recent = rows[rows["day"].between(first, day.isoformat())]
        got, want = people(table)["revenue_recent"], recent.groupby("customer_id")["amount"].sum()
        assert got.tolist() == want.reindex(got.index, fill_value=0).tolist()


def test_lines_are_drawn_among_those_who_bought_within_and_the_silent_score_lowest():
    got = people(stood().before)
    buyers = got[got["purchases_within"] > 0]
    assert 0 < len(buyers) < len(got)
    # numpy's default quantile is of the seventh type, to which a day is added
    lines = buyers["last_days"].quantile([0.2, 0.4, 0.6, 0.8]) + 1
    assert stood().thresholds.cuts.recency["all"] == pytest.approx(tuple(lines))
    silent = got[got["purchases_within"] == 0]
    assert (silent[["recency_score", "frequency_score", "monetary_score"]] == 1).all(axis=None)


@pytest.mark.parametrize("by", ["cohort", "segment", "activity"])
def test_sizes_hold_everybody_once_in_the_order_of_the_rules(by):
    got, rows = sizes(stood().now, by=by, rules=RULES), people(stood().now)
    assert got["group"].tolist() == groups(RULES, by=by)
    counted = rows.groupby(by).size().reindex(got["group"], fill_value=0)
    assert got["customers"].tolist() == counted.tolist()
    assert got["revenue_within"].sum() == rows["revenue_within"].sum()
    assert got["purchases_within"].sum() == rows["purchases_within"].sum()
    assert got["revenue_share"].sum() == pytest.approx(1)
    assert (got["low"] <= got["share"]).all()


def test_who_bought_once_long_ago_is_one_time_still_with_nothing_in_the_window():
    rows = people(stood().now)
    assert ((rows["cohort"] == "one-time") == (rows["purchases"] == 1)).all()
    got = sizes(stood().now, by="cohort", rules=RULES).set_index("group").loc["one-time"]
    assert got["purchases_within"] < got["customers"]


def test_frozen_lines_are_those_of_their_file(tmp_path):
    file = tmp_path / "lines.yml"
    lines = stood().thresholds.model_copy(update={"owner": "Lifecycle", "as_of": AS_OF})
    save(lines, file)
    got = standing(random_shop(), RULES, thresholds=file)
    assert (got.frozen, got.thresholds) == (True, lines)
    save(lines.model_copy(update={"within": None}), file)
    with pytest.raises(BadParameter, match="of all days, but the playbook scores the last 365"):
        standing(random_shop(), RULES, thresholds=file)


def test_a_shop_too_young_for_the_earlier_window_draws_its_lines_of_today():
    rows = [(f"c{n}", f"2025-0{1 + n % 4}-01", 100 * n) for n in range(40)]
    got = standing(shop_of(rows, as_of="2025-05-01"), RULES, thresholds=None)
    assert (got.then, got.thresholds.as_of) == (dt.date(2025, 1, 31), dt.date(2025, 5, 1))
    assert len(people(got.before)) == 10
    assert got.long_since == dt.date(2024, 2, 1)


def test_a_shop_of_a_few_days_and_one_customer_has_no_earlier_day():
    got = standing(shop_of([("a", "2025-05-01", 0)], as_of="2025-05-01"), RULES, thresholds=None)
    assert (got.then, got.before) == (None, None)
    table = sizes(got.now, by="cohort", rules=RULES)
    assert table["customers"].tolist() == [1, 0, 0]
    assert table["revenue_share"].isna().all()  # nobody has brought anything


def test_tiers_that_look_further_back_than_scores_move_the_day_of_long_standing():
    further = RULES.model_copy(update={"activity": (30, 365)})
    got = standing(random_shop(), further, thresholds=None)
    assert stood().long_since == AS_OF - dt.timedelta(days=90 + 365)
    assert got.long_since == AS_OF - dt.timedelta(days=90 + 366)


def test_days_and_shops_that_tell_nothing_are_refused():
    with pytest.raises(BadParameter, match="days must be at least 1, got 0"):
        standing(random_shop(), RULES, thresholds=None, days=0)
    none = dataclasses.replace(
        random_shop(), tables={"orders": random_shop().orders.filter(ibis.literal(False))}
    )
    with pytest.raises(BadData, match="Nobody has bought by 2025-02-01, so nobody stands anywhere"):
        standing(none, RULES, thresholds=None)
    rows = [("a", "2023-01-01", 500), ("a", "2023-02-01", 500)]
    late = shop_of(rows, [("a", "2025-01-01", 500)], as_of="2025-01-31")
    with pytest.raises(
        BadData, match="no customer with a purchase within the days that are scored"
    ):
        standing(late, RULES, thresholds=None)
