"""A campaign test step by step, and which of its arms is best, held against the kernels."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments.campaign import OF_MESSAGES, STEPS, best, funnel

from .mailed import ARMS, MEN, NONE, WOMEN, frames, mailed, planned, shop
from .trial import DAY, ZERO


@cache
def found():
    return funnel(*shop(), planned())


def step(metric, arm=MEN):
    return found().set_index(["metric", "arm"]).loc[(metric, arm)]


def did(table, arm):
    people = frames()["people"]
    ids = people.loc[people["arm"] == arm, "customer_id"]
    return ids.isin(frames()[table]["customer_id"]).sum(), len(ids)


def spent(arm):
    people = frames()["people"].set_index("customer_id")
    each = frames()["orders"].groupby("customer_id")["amount"].sum() / 100
    return each.reindex(people.index[people["arm"] == arm]).fillna(0)


def test_each_step_has_a_row_for_each_arm_but_control():
    assert found()["metric"].tolist() == [name for name in STEPS for _ in (MEN, WOMEN)]
    assert found()["arm"].tolist() == [MEN, WOMEN] * len(STEPS)
    assert not found()["why"].any()


@pytest.mark.parametrize(("metric", "table"), [("visit", "events"), ("orders", "orders")])
def test_a_step_is_of_everybody_assigned_against_control(metric, table):
    (men, n_men), (none, n_none) = did(table, MEN), did(table, NONE)
    told = step(metric)
    assert told["value"] == pytest.approx(men / n_men)
    assert told["control"] == pytest.approx(none / n_none)
    assert told["difference"] == pytest.approx(men / n_men - none / n_none)
    assert told["low"] < told["difference"] < told["high"]


def test_revenue_is_compared_by_welch_and_visits_by_the_pooled_test():
    assert step("revenue_per_customer")["p_value"] == pytest.approx(
        ttest_ind(spent(MEN), spent(NONE), equal_var=False).pvalue
    )
    (men, n_men), (none, n_none) = did("events", MEN), did("events", NONE)
    expected = proportions_ztest([men, none], [n_men, n_none])[1]
    assert step("visit")["p_value"] == pytest.approx(expected)


def test_what_only_a_message_brings_is_not_compared_with_an_arm_that_is_sent_none():
    silent = found()[found()["metric"].isin(OF_MESSAGES)]
    assert silent["difference"].isna().all()
    assert silent["p_adjusted"].isna().all()
    assert (silent["value"] > 0.01).all()
    assert step("unsubscribe")["difference"] > 0
    sends = [ARMS[0] | {"message": "old"}, *ARMS[1:]]
    compared = funnel(*mailed(without=["events", "orders"]), planned(arms=sends))
    assert compared["difference"].notna().all()


def test_p_values_allow_for_all_comparisons_made():
    told = found()[found()["p_value"].notna()]
    assert len(told) == 2 * (len(STEPS) - len(OF_MESSAGES))
    expected = multipletests(told["p_value"].astype(float), method="holm")[1]
    assert told["p_adjusted"].astype(float).tolist() == pytest.approx(expected.tolist())


def test_steps_that_the_shop_cannot_tell_are_left_out():
    told = funnel(*mailed(without=["messages", "events"]), planned())
    assert told["metric"].unique().tolist() == ["orders", "revenue_per_customer"]
    with pytest.raises(BadData, match="Shop has no messages, no orders and no events"):
        funnel(*mailed(without=["messages", "events", "orders"]), planned())


def test_nobody_bought_and_everybody_did_the_same_is_a_sentence_and_no_number():
    early = frames()["orders"].assign(ordered_at=ZERO + 20 * DAY)
    late = mailed(orders=early, without=["messages"])
    told = funnel(*late, planned()).set_index(["metric", "arm"])
    assert pd.isna(told.loc[("orders", MEN), "difference"])
    assert told.loc[("orders", MEN), "why"] != ""
    assert told.loc[("visit", MEN), "why"] == ""
    found = best(*late, planned(), metric="orders")
    assert found.leader is None
    assert found.pairs["p_value"].isna().all()


def test_best_arm_is_that_which_every_other_falls_short_of():
    visits = best(*shop(), planned(), metric="visit")
    assert visits.arms["arm"].tolist() == [MEN, WOMEN, NONE]
    assert visits.leader == MEN
    pairs = visits.pairs[["arm", "other"]].to_numpy().tolist()
    assert pairs == [[MEN, WOMEN], [MEN, NONE], [WOMEN, NONE]]
    counts = [np.transpose([did("events", arm) for arm in pair]) for pair in pairs]
    values = [proportions_ztest(*each)[1] for each in counts]
    assert visits.pairs["p_value"].astype(float).tolist() == pytest.approx(values)
    expected = multipletests(values, method="holm")[1]
    assert visits.pairs["p_adjusted"].astype(float).tolist() == pytest.approx(expected.tolist())


def test_an_arm_that_differs_from_control_alone_is_no_best_arm():
    people = frames()["people"]
    ids = people["customer_id"]
    treated = people["arm"] != NONE
    visits = ids[(ids.str[1:].astype(int) % np.where(treated, 3, 10)) == 0]
    events = pd.DataFrame({"customer_id": visits, "event": "visit", "occurred_at": ZERO + DAY})
    found = best(*mailed(events=events), planned(), metric="visit")
    assert found.leader is None
    against_control = found.pairs[found.pairs["other"] == NONE]
    assert (against_control["p_adjusted"] < 0.001).all()


def test_an_arm_ahead_by_less_than_all_comparisons_ask_is_no_best_arm():
    people = frames()["people"]
    number = people.groupby("arm").cumcount()
    ids = people.loc[number < people["arm"].map({MEN: 131, WOMEN: 108, NONE: 100}), "customer_id"]
    events = pd.DataFrame({"customer_id": ids, "event": "visit", "occurred_at": ZERO + DAY})
    found = best(*mailed(events=events, without=["orders"]), planned(), metric="visit")
    nearest = found.pairs.iloc[0]
    assert nearest["p_value"] < 0.05 < nearest["p_adjusted"]
    assert found.leader is None


def test_best_by_harm_is_the_arm_with_least_of_it():
    found = best(*shop(), planned(), metric="unsubscribe")
    assert found.arms["arm"].iloc[0] == NONE
    assert found.arms["value"].is_monotonic_increasing
    assert (found.pairs["difference"] <= 0).all()


def test_best_by_what_a_message_brings_compares_the_arms_that_send():
    found = best(*shop(), planned(), metric="click")
    assert set(found.arms["arm"]) == {MEN, WOMEN}
    two = planned(arms=[ARMS[0] | {"share": 0.5}, ARMS[1] | {"share": 0.5}])
    with pytest.raises(BadData, match="fewer than two arms"):
        best(*shop(), two, metric="click")


def test_an_unknown_outcome_is_refused():
    with pytest.raises(BadParameter, match="There is no outcome 'visits'"):
        best(*shop(), planned(), metric="visits")
