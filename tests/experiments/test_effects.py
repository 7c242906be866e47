"""What a test did: the same from rows and from counts, with one sign, or a sentence why not."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.statistics import logrank_test
from scipy.stats import binom

from retention_lab.checks import BadData
from retention_lab.experiments.against import Against
from retention_lab.experiments.effects import Effect, curves, effects
from retention_lab.experiments.validity_tables import Marked

from .armed import Rows, customers, plan

KEPT = {"kind": "retained", "day": 13}
RETURNED = {"kind": "returned", "day": 13}
LOGRANK = {"test": "log-rank", "smallest_effect": 0.03}
NUMBERS = {field.name for field in fields(Effect)} - {"arm", "control", "why"}


@pytest.fixture(scope="module")
def rows():
    return customers(np.random.default_rng(1), 3_000, ratio=0.7)


@pytest.fixture(scope="module")
def plain(rows):
    return one(rows)


def one(rows, **changed):
    (found,) = effects(Rows(rows), plan(**changed))
    return found


def test_a_gain_is_positive_whether_fewer_cancel_or_more_come_back(rows, plain):
    kept, back = plain, one(rows, endpoint=RETURNED)
    assert kept.difference.low > 0
    assert kept.days.value == pytest.approx(-back.days.value)
    assert kept.difference.value == pytest.approx(-back.difference.value)
    assert kept.reached.effect.value == pytest.approx(-back.reached.effect.value)
    assert kept.share.value == pytest.approx(1 - back.share.value)
    assert kept.share.low == pytest.approx(1 - back.share.high)
    assert kept.hazard_ratio == back.hazard_ratio
    fewer, more = (one(rows, primary=LOGRANK, endpoint=each) for each in (KEPT, RETURNED))
    assert fewer.reading.z == pytest.approx(-more.reading.z)
    assert fewer.reading.z > 0


def test_arms_that_swap_their_names_turn_the_effect_round(rows, plain):
    swap = {"control": "check-in", "check-in": "control"}
    found, turned = plain, one(rows.assign(arm=rows["arm"].map(swap)))
    for part in ("difference", "days"):
        here, there = getattr(found, part), getattr(turned, part)
        assert (here.low, here.high) == pytest.approx((-there.high, -there.low))
    assert found.hazard_ratio.value == pytest.approx(1 / turned.hazard_ratio.value)
    assert found.logrank == pytest.approx(turned.logrank)
    assert (found.customers, found.events) == (turned.customers_control, turned.events_control)


def until(rows):
    """Nobody is followed for longer than the test is planned for."""
    event = rows["event_observed"] & (rows["day"] <= 13)
    return rows.assign(day=rows["day"].clip(upper=13), event_observed=event)


def test_hazard_ratio_and_log_rank_are_those_of_lifelines_on_rows(rows, plain):
    found, planned = plain, until(rows)
    treated = rows["arm"] == "check-in"
    told = pd.DataFrame(
        {"treated": treated, "day": planned["day"], "event": planned["event_observed"]}
    ).astype(int)
    model = CoxPHFitter().fit(told, "day", "event")
    assert found.hazard_ratio.value == pytest.approx(model.hazard_ratios_["treated"], rel=1e-4)
    two = [told[told["treated"] == arm] for arm in (1, 0)]
    tested = logrank_test(*(each["day"] for each in two), *(each["event"] for each in two))
    assert found.logrank == pytest.approx(tested.p_value)
    by_events = one(rows, primary=LOGRANK).reading
    assert by_events.z**2 == pytest.approx(tested.test_statistic)
    assert by_events.estimate == pytest.approx(-np.log(found.hazard_ratio.value), rel=0.02)
    assert by_events.information == pytest.approx(by_events.std_error**-2)


def test_what_comes_after_the_day_of_the_endpoint_does_not_count(rows, plain):
    late = rows["day"] > 13
    assert (rows["event_observed"] & late).any()
    for changed in (
        rows.assign(event_observed=rows["event_observed"] & ~late),
        rows.assign(day=rows["day"].where(~late, rows["day"] + 30)),
    ):
        assert one(changed) == plain
    by_household = [one(each, cluster="household").difference for each in (until(rows), rows)]
    assert by_household[0] == by_household[1]


def test_a_test_in_strata_is_read_within_them(rows, plain):
    strata = one(rows, strata=["tier"])
    told = until(rows).assign(treated=(rows["arm"] == "check-in").astype(int))
    columns = ["treated", "day", "event_observed", "tier"]
    model = CoxPHFitter().fit(told[columns], "day", "event_observed", strata=["tier"])
    assert strata.hazard_ratio.value == pytest.approx(model.hazard_ratios_["treated"], rel=1e-4)
    assert strata.logrank < plain.logrank


def test_what_decides_is_what_the_plan_says(rows, plain):
    adjusted = one(rows, covariates=["tier"])
    assert plain.reading.estimate == plain.difference.value
    assert plain.reading.information == pytest.approx(1 / plain.difference.std_error**2)
    assert adjusted.reading.estimate == adjusted.adjusted.value != plain.difference.value
    assert adjusted.reading.information > 1.05 * plain.reading.information
    assert one(rows, primary=LOGRANK).reading.unit == "log hazard"
    assert one(rows, cluster="household").reading.estimate == pytest.approx(
        plain.difference.value, abs=1e-3
    )


def test_marked_customers_in_the_engine_give_what_their_rows_do(rows):
    asked = plan(covariates=["tier"], strata=["tier"])
    few = rows.head(400)
    marked = Marked(people=Rows(few).people, missing={}, plan=asked)
    (here,), (there,) = effects(marked, asked), effects(Rows(few), asked)
    for part in NUMBERS - {"reached"}:
        same = getattr(there, part)
        numbers = vars(same) if hasattr(same, "value") else {"": same}
        got = getattr(here, part)
        found = vars(got) if hasattr(got, "value") else {"": got}
        assert found == pytest.approx(numbers) or found == numbers
    assert here.reached.effect.value == pytest.approx(there.reached.effect.value)


def test_an_effect_on_the_reached_is_that_on_all_over_the_share_reached(rows, plain):
    found = plain
    shares = found.reached.assigned.value / found.reached.reached.value
    assert found.reached.effect.value == pytest.approx(shares)
    assert found.reached.assigned.value == pytest.approx(found.difference.value, abs=1e-3)
    assert found.reached_interval.low < found.reached.effect.value < found.reached_interval.high
    delivered = rows.loc[rows["arm"] == "check-in", "delivered"].mean()
    assert found.reached.reached.value == pytest.approx(delivered)


def test_customers_who_were_only_just_assigned_do_not_count_as_not_reached(rows):
    late = rows.index % 2 == 0
    told = rows.assign(due=~late, delivered=rows["delivered"] & ~late)
    half = one(rows[~late])
    assert one(told).reached.effect.value == pytest.approx(half.reached.effect.value)


def test_values_that_few_have_are_not_adjusted_for(rows):
    some = rows["tier"].where(rows.index > 0, "rare")
    assert one(rows.assign(tier=some), covariates=["tier"]).adjusted.value == pytest.approx(
        one(rows, covariates=["tier"]).adjusted.value, abs=0.002
    )


def test_a_customer_of_no_known_household_is_one_by_itself(rows, plain):
    found = one(rows.assign(household="unknown"), cluster="household")
    assert found.difference.std_error == pytest.approx(plain.difference.std_error, rel=0.01)
    assert found.difference.freedom > 2_000
    assert "one household" in found.why["hazard_ratio"]


def test_several_arms_are_each_compared_with_control_alone(rows):
    three = [
        *plan().model_dump()["arms"][:1],
        *({"name": name, "share": 0.25, "message": "m"} for name in ("check-in", "call")),
    ]
    call = (rows["arm"] == "check-in") & (rows.index % 2 == 0)
    both = effects(Rows(rows.assign(arm=rows["arm"].mask(call, "call"))), plan(arms=three))
    assert [each.arm for each in both] == ["check-in", "call"]
    alone = one(rows[~call])
    assert vars(both[0])["difference"] == alone.difference
    assert both[0].logrank == alone.logrank


def test_nothing_happened_yet_is_a_sentence_and_no_number(rows):
    found = one(rows.assign(event_observed=False))
    for part in NUMBERS - {"customers", "customers_control", "events", "events_control"}:
        assert getattr(found, part) is None
        assert part in found.why
    assert found.why["difference"] == (
        "Nobody of check-in or control has cancelled yet, so there is nothing to compare."
    )


def test_an_arm_without_anybody_is_a_sentence(rows):
    found = one(rows[rows["arm"] == "control"])
    assert (found.customers, found.customers_control) == (0, (rows["arm"] == "control").sum())
    assert found.why["reading"] == "Nobody of check-in has been followed yet: wait."


def test_a_day_that_hardly_anybody_has_reached_is_refused_but_not_the_events_until_then(rows):
    early = rows.assign(
        day=rows["day"].clip(upper=9), event_observed=rows["event_observed"] & (rows["day"] <= 9)
    )
    found = one(early)
    assert (found.difference, found.days, found.reached) == (None, None, None)
    assert (
        "Fewer than 10 customers of check-in have been followed for 13 days" in found.why["share"]
    )
    assert found.hazard_ratio.value < 1
    assert one(early, primary=LOGRANK).reading.z > 0


def test_events_of_one_arm_or_of_one_day_give_no_number_that_is_none(rows):
    treated = rows["arm"] == "check-in"
    alone = one(rows.assign(event_observed=rows["event_observed"] & ~treated))
    assert alone.reading.estimate == alone.difference.value > 0
    adjusts = {"covariates": ["tier"]}
    same = one(rows.assign(event_observed=rows["event_observed"] & ~treated), **adjusts)
    assert (same.reading, same.adjusted, same.reached) == (alone.reading, None, None)
    assert same.why["adjusted"].startswith("Too few customers of an arm differ by day 13")
    assert alone.why["hazard_ratio"].startswith("Nobody of check-in has cancelled")
    assert alone.logrank < 0.001
    day = one(rows.assign(day=rows["day"].where(~rows["event_observed"], 5)))
    assert day.proportional is None
    assert "All events fall on one day" in day.why["proportional"]
    assert day.difference.value > 0
    everybody = one(rows.assign(day=rows["arm"].eq("control") + 1, event_observed=True))
    assert "are alike by day 13, so there is nothing to compare" in everybody.why["reading"]


def gone(*lost, of):
    """A test in which so many of each arm were lost by day 5 and all others were followed."""
    sizes = {"check-in": (lost[0], of[0]), "control": (lost[1], of[1])}
    rows = [(arm, "", 5, x, 0) for arm, (x, _) in sizes.items()]
    rows += [(arm, "", 13, 0, n - x) for arm, (x, n) in sizes.items()]
    grid = pd.DataFrame(rows, columns=["arm", "stratum", "day", "events", "censored"])
    asked = plan()
    return Against(marked=None, plan=asked, arm=asked.arms[1], grid=grid, alpha=0.05).difference


@pytest.mark.parametrize("of", [(100, 100), (50, 200), (200, 50)])
def test_an_arm_without_an_event_is_no_certainty_and_errs_no_more_often_than_others(of):
    # Nobody of one arm and k of the other: the least k that is claimed, and how likely that is.
    for arm in (0, 1):
        z = [
            (found := gone(*((0, k) if arm == 0 else (k, 0)), of=of)).value / found.std_error
            for k in range(1, 20)
        ]
        claimed = 1 + int(np.argmax(np.abs(z) >= 1.96))
        for share in (0.005, 0.01, 0.02, 0.03, 0.05, 0.1):
            nobody = binom.pmf(0, of[arm], share)
            assert nobody * binom.sf(claimed - 1, of[1 - arm], share) < 0.0125
    none = [gone(0, 3, of=of).std_error, gone(1, 3, of=of).std_error]
    assert none[0] > 0.7 * none[1]


def test_an_arm_of_fewer_than_ten_is_not_looked_at(rows):
    few = rows.groupby("arm").head(9)
    for primary in (LOGRANK, {"smallest_effect": 0.03}):
        found = one(until(few.assign(day=13)), primary=primary)
        assert found.reading is None
        assert found.why["reading"].startswith(
            "Fewer than 10 customers of check-in and of control are followed"
        )


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        ([None, None], "check-in is sent nothing"),
        (["a", "b"], "control is sent a message of its own"),
    ],
)
def test_an_effect_on_the_reached_needs_one_arm_that_is_sent_something(rows, arms, said):
    both = [
        {"name": name, "share": 0.5, "message": message}
        for name, message in zip(("control", "check-in"), arms, strict=True)
    ]
    assert said in one(rows, arms=both).why["reached"]


def test_a_shop_that_does_not_tell_of_deliveries_or_the_outcome_says_so(rows):
    assert "map `delivered_at`" in one(rows.drop(columns="delivered")).why["reached"]
    silent = replace(Rows(rows), missing={"messages": "The shop has no messages."})
    (found,) = effects(silent, plan())
    assert found.why["reached"] == "The shop has no messages."
    lacking = Marked(people=Rows(rows).people, missing={"outcome": "No orders."}, plan=plan())
    with pytest.raises(BadData, match="No orders"):
        effects(lacking, plan())
    with pytest.raises(BadData, match="No orders"):
        curves(lacking, plan())


def test_nobody_reached_is_a_sentence(rows):
    assert "As many were reached" in one(rows.assign(delivered=False)).why["reached"]


def test_curves_are_those_of_all_arms_in_the_order_of_the_plan(rows, plain):
    found = curves(Rows(rows), plan())
    assert found["arm"].unique().tolist() == ["control", "check-in"]
    last = found[(found["arm"] == "check-in") & (found["day"] == 13)].iloc[0]
    assert last["survival"] == plain.share.value
    with pytest.raises(BadData, match="Nobody has been assigned"):
        curves(Rows(rows.head(0)), plan())
