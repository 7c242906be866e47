"""Secondary metrics and guardrails by arm, held against the kernels and values of customers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from retention_lab.checks import BadData
from retention_lab.experiments.cleaner import OfArm
from retention_lab.experiments.measured import measured, one
from retention_lab.inference import means
from retention_lab.inference.noninferiority import no_worse_share

from .trial import DAY, ZERO, by_hand, frames, plan_of, shop_of

RAILS = (("unsubscribe", 0.3, "lower"), ("revenue_per_customer", 400, "higher"))
SECONDARIES = ["unsubscribe", "orders", "average_order_value", "csat"]


def read(plan, people=None, **tables):
    made = {"people": people} if people is not None else {}
    shop, put = shop_of(**frames() | made | tables)
    return measured(shop, put, plan)


@cache
def frame():
    return read(plan_of(*RAILS, secondaries=SECONDARIES))


def row(metric, role="secondary"):
    found = frame().set_index(["role", "metric"], drop=False)
    return found.loc[(role, metric)]


def counts():
    gone = by_hand().groupby("arm")["gone"].agg(["sum", "size"]).loc[["hello", "control"]]
    return gone.to_numpy().ravel().tolist()


def alike(customers):
    """Customers with one time zero, in turn of control and treated."""
    ids = [f"c{n}" for n in range(customers)]
    arm = np.resize(["control", "hello"], customers)
    return pd.DataFrame({"customer_id": ids, "arm": arm, "reached_at": ZERO})


def unsubscribed(people, gone):
    """Messages of all, of which the first so many of each arm were the last."""
    sent = people[["customer_id"]].assign(sent_at=ZERO, unsubscribed_at=ZERO + DAY)
    number = people.groupby("arm").cumcount()
    return sent.assign(
        unsubscribed_at=sent["unsubscribed_at"].where(number < people["arm"].map(gone))
    )


def rail(gone, *, margin=0.02, customers=2_000):
    """The guardrail of unsubscribing when so many of each arm did."""
    people = alike(customers)
    plan = plan_of(("unsubscribe", margin, "lower"))
    return read(plan, people, messages=unsubscribed(people, gone)).iloc[0]


def test_rows_are_the_secondaries_then_the_guardrails_of_the_plan():
    assert frame()["metric"].tolist() == [*SECONDARIES, *(name for name, *_ in RAILS)]
    assert frame()["role"].tolist() == ["secondary"] * 4 + ["guardrail"] * 2
    assert set(frame()["arm"]) == {"hello"}
    assert frame()["better"].tolist()[-2:] == ["lower", "higher"]
    nothing = read(plan_of())
    assert nothing.empty
    assert nothing.columns.tolist() == frame().columns.tolist()


def test_shares_have_newcombes_interval_and_the_pooled_test():
    found, (count_1, n_1, count_0, n_0) = row("unsubscribe"), counts()
    expected = confint_proportions_2indep(
        count_1, n_1, count_0, n_0, method="newcomb", compare="diff"
    )
    assert (found["low"], found["high"]) == pytest.approx(expected)
    assert found["p_value"] == pytest.approx(proportions_ztest([count_1, count_0], [n_1, n_0])[1])
    assert found["value"] == count_1 / n_1
    ratio = np.log(count_1 / n_1 / (count_0 / n_0))
    spread = np.sqrt(1 / count_1 - 1 / n_1 + 1 / count_0 - 1 / n_0)
    # 1.959964 is the 97.5 % quantile of the normal distribution (tables)
    ends = np.exp(ratio + spread * 1.959964 * np.array([-1, 1])) - 1
    assert (found["lift_low"], found["lift_high"]) == pytest.approx(tuple(ends), rel=1e-5)
    assert not found["cleaned"]


def test_money_is_in_whole_units_and_less_noisy_by_what_was_before():
    found = row("revenue_per_customer", "guardrail")
    net = by_hand().groupby("arm")["net"].mean() / 100
    raw = net["hello"] - net["control"]
    assert found["cleaned"]
    assert 0 < found["kept"] < 0.95
    assert found["value"] - found["control"] == pytest.approx(found["difference"])
    assert abs(found["difference"] - raw) < found["std_error"]
    assert net.min() - 60 < found["value_low"] < found["value_high"] < net.max() + 60


def test_a_lift_of_means_leaves_out_none_where_the_difference_does():
    rows = frame()[frame()["unit"] != "share"]
    assert len(rows) == 3
    for found in rows.to_dict("records"):
        beyond = [found[f"{name}low"] > 0 or found[f"{name}high"] < 0 for name in ("", "lift_")]
        assert beyond[0] == beyond[1]
        assert found["lift"] == pytest.approx(found["value"] / found["control"] - 1)


def test_holm_allows_for_all_secondaries_those_that_cannot_be_told_too():
    rows = frame().query("role == 'secondary'")
    assert rows["p_value"].isna().tolist() == [False, False, False, True]
    expected = multipletests([*rows["p_value"][:3], 1], method="holm")[1][:3]
    assert rows["p_adjusted"][:3].tolist() == pytest.approx(expected.tolist())
    assert rows["p_adjusted"].isna().tolist()[3]
    assert rows["why"].tolist()[3] == (
        "Satisfied with support cannot be told: Shop has no tickets. Map it in the source file."
    )
    assert frame().query("role == 'guardrail'")["p_adjusted"].isna().all()


def test_each_arm_is_compared_with_control_and_holm_allows_for_arms():
    shares = {"control": 0.4, "call": 0.3, "hello": 0.3}
    arms = [{"name": name, "share": share} for name, share in shares.items()]
    people = frames()["people"].copy()
    people["arm"] = people["arm"].mask(people.index % 3 == 0, "call")
    found = read(plan_of(arms=arms, secondaries=["orders", "unsubscribe"]), people)
    assert found["arm"].tolist() == ["call", "hello"] * 2
    assert found["control"][0] == pytest.approx(found["control"][1])
    expected = multipletests(found["p_value"].tolist(), method="holm")[1]
    assert found["p_adjusted"].tolist() == pytest.approx(expected.tolist())


def test_a_guardrail_of_a_share_is_the_score_test_of_its_margin():
    found = row("unsubscribe", "guardrail")
    expected = no_worse_share(*counts(), margin=0.3)
    assert (found["low"], found["high"]) == (expected.difference.low, expected.difference.high)
    assert found["p_value"] == expected.p_value
    assert found["no_worse"] == expected.shown


@pytest.mark.parametrize(
    ("gone", "no_worse", "harmed"),
    [
        ({"control": 30, "hello": 30}, True, False),
        ({"control": 30, "hello": 45}, False, False),
        ({"control": 30, "hello": 90}, False, True),
        ({"control": 0, "hello": 0}, True, False),
    ],
)
def test_a_guardrail_holds_is_open_or_is_broken(gone, no_worse, harmed):
    found = rail(gone)
    assert (found["no_worse"], found["harmed"]) == (no_worse, harmed)


def test_a_guardrail_that_must_not_fall_is_broken_below_its_margin():
    people = alike(400)
    spent = pd.DataFrame({"customer_id": people["customer_id"], "ordered_at": ZERO + DAY})
    fewer = np.where(people["arm"] == "hello", 1_000, 3_000) + 7 * people.index
    found = read(
        plan_of(("revenue_per_customer", 5, "higher")), people, orders=spent.assign(amount=fewer)
    ).iloc[0]
    assert (found["no_worse"], found["harmed"]) == (False, True)
    assert found["difference"] == pytest.approx(-20, abs=0.2)


def test_what_is_the_same_for_all_has_no_difference_to_tell():
    people = alike(40)
    once = pd.DataFrame({"customer_id": people["customer_id"], "ordered_at": ZERO + DAY})
    plan = plan_of(("orders", 1, "higher"), secondaries=["orders"])
    found = read(plan, people, orders=once.assign(amount=5))
    assert found["difference"].isna().all()
    assert not found["why"].eq("").any()
    assert found["no_worse"].isna().all()
    assert found["customers"].tolist() == [20, 20]


def test_an_arm_that_nobody_is_in_or_that_was_not_followed_is_said():
    people = frames()["people"]
    plan = plan_of(secondaries=["orders"])
    absent = read(plan, people[people["arm"] == "control"]).iloc[0]
    assert absent["why"] == "Nobody was assigned to hello yet."
    late = people.assign(
        reached_at=people["reached_at"].mask(people["arm"] == "hello", ZERO + 50 * DAY)
    )
    found = read(plan, late).iloc[0]
    assert found["why"] == "No customer of an arm has been followed for 30 days yet."
    assert found["left_out"] == sum(people["arm"] == "hello")
    assert pd.isna(found["difference"])


def test_one_huge_spender_widens_the_interval_and_takes_the_lift():
    orders = frames()["orders"]
    giant = by_hand().query("arm == 'hello'").index[0]
    at = by_hand().loc[giant, "reached_at"] + DAY
    more = pd.DataFrame({"customer_id": [giant], "ordered_at": [at], "amount": [10**12]})
    found = read(
        plan_of(secondaries=["revenue_per_customer"]), orders=pd.concat([orders, more])
    ).iloc[0]
    assert found["low"] < 0 < found["high"]
    assert found["p_adjusted"] > 0.05
    assert pd.isna(found["lift"])


def test_an_unknown_metric_is_said_with_those_there_are():
    found = read(plan_of(("nonsense", 1, "lower"))).iloc[0]
    assert found["why"].startswith("There is no outcome 'nonsense'.")
    assert (found["label"], found["margin"]) == ("nonsense", 1)


def test_the_cluster_of_the_plan_makes_the_intervals():
    plan = plan_of(secondaries=["unsubscribe"], cluster="household")
    found = read(plan).iloc[0]
    assert found["customers"] == row("unsubscribe")["customers"]
    assert found["difference"] == pytest.approx(row("unsubscribe")["difference"])
    assert found["std_error"] != pytest.approx(row("unsubscribe")["std_error"])


def test_swapped_arms_turn_the_sign_and_nothing_else():
    share = means.share(30, 100)
    arms = [
        OfArm(customers=100, left_out=0, counted=100, did=did, is_share=True, raw=raw)
        for did, raw in ((30, share), (40, means.share(40, 100)))
    ]
    there, back = one(*arms), one(*arms[::-1])
    assert there.difference.value == -back.difference.value
    assert there.difference.low == pytest.approx(-back.difference.high)
    assert there.p_value == pytest.approx(back.p_value)
    with pytest.raises(BadData, match="nothing yet"):
        one(arms[0], OfArm(customers=0, left_out=3, why="There is nothing yet."))


def test_nobody_and_everybody_have_no_lift_and_no_test():
    none = OfArm(customers=90, left_out=0, did=0, is_share=True, raw=means.share(0, 90))
    every = OfArm(customers=90, left_out=0, did=90, is_share=True, raw=means.share(90, 90))
    found = one(none, none)
    assert (found.lift, found.p_value, found.difference.value) == (None, None, 0)
    assert found.difference.low < 0 < found.difference.high
    assert one(every, none).lift is None
    assert one(every, none).p_value < 1e-9
