"""Sizes, power and smallest effects of designs against worked examples."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, sqrt

import numpy as np
import pytest

from retention_lab.experiments import simulate
from retention_lab.experiments.design.allocation import pair, to_one
from retention_lab.experiments.design.assumptions import Assumptions, dropout
from retention_lab.experiments.design.calendar import by_day
from retention_lab.experiments.design.curve import constant, still_there
from retention_lab.experiments.design.guardrail import Guardrail
from retention_lab.experiments.design.means import Means, StudentMeans
from retention_lab.experiments.design.normal import Errors
from retention_lab.experiments.design.proportions import (
    ArcsineProportions,
    OddsRatio,
    Proportions,
    UnpooledProportions,
)
from retention_lab.experiments.design.retained import MeanDays, Retention
from retention_lab.experiments.design.sizing import power, sample_size, smallest_effect
from retention_lab.experiments.design.timed import (
    Freedman,
    LachinFoulkes,
    LogRankTest,
    RateDifference,
    Schoenfeld,
    freedman_distance,
    per_event,
)

from .cases import ABSENT, load, meets

FIXED, TIMED = load("sample_size_fixed.json"), load("sample_size_survival.json")
pytestmark = pytest.mark.skipif(not FIXED or not TIMED, reason=ABSENT)


def errors(inputs):
    return Errors(
        alpha=inputs["alpha"], power=inputs.get("power", 0.8), sided=inputs.get("sided", 2)
    )


def size(design, effect, inputs):
    return sample_size(design, effect, errors=errors(inputs)).customers


def pooled(i):
    return {"n_per_arm": size(Proportions(control=i["p1"]), i["p2"] - i["p1"], i) / 2}


def pooled_power(i):
    customers = 2 * i["n_per_arm"]
    found = power(Proportions(control=i["p1"]), i["p2"] - i["p1"], customers=customers)
    return {"power": found}


def detectable(i):
    design, up, down = Proportions(control=i["p_control"]), "higher", "lower"
    up, down = (
        smallest_effect(design, customers=2 * i["n_per_arm"], direction=direction, errors=errors(i))
        for direction in (up, down)
    )
    return {
        "p_treatment_up": i["p_control"] + up,
        "p_treatment_down": i["p_control"] + down,
        "mde_abs_up": up,
        "mde_rel_up": up / i["p_control"],
    }


def unequal(i):
    design = Proportions(control=i["p_first"], allocation=to_one(i["ratio_second_to_first"]))
    customers = size(design, i["p_second"] - i["p_first"], i)
    first, second = design.allocation
    return {"n_first": customers * first, "n_second": customers * second}


def arcsine(i):
    change = i["p1"] - i["p2"]
    design = ArcsineProportions(control=i["p2"])
    return {
        "cohen_h": design.contrast(change).effect,
        "n_per_arm_arcsine": size(design, change, i) / 2,
        "n_per_arm_unpooled": size(UnpooledProportions(control=i["p2"]), change, i) / 2,
    }


def rule_of_thumb(i):
    variance, change = i["p"] * (1 - i["p"]), i["p"] * i["relative_change"]
    n = size(Means(sd_control=sqrt(variance), sd_treated=sqrt(variance)), change, i) / 2
    multiplier = n * change**2 / variance
    # The rule rounds the multiplier up to a whole number.
    rule = ceil(multiplier) * variance / change**2
    return {"n_per_arm_rule": rule, "exact_multiplier": multiplier}


def student(i):
    sd = float(i["sd"])
    return {"n_per_arm": size(StudentMeans(sd_control=sd, sd_treated=sd), i["delta"], i) / 2}


def means(i):
    design = Means(sd_control=i["sd_control"], sd_treated=i["sd_treatment"])
    return {"n_control": size(design, i["delta"], i) / 2}


def other_null(i):
    treated, control = to_one(i.get("ratio_second_to_first", 1))
    design = Proportions(control=i["p2"], null=i["delta0"], allocation=(control, treated))
    customers = size(design, i["p1"] - i["p2"], i)
    if "ratio" in i:
        return {"n_total": customers}
    return {"n_first": customers * treated, "n_second": customers * control}


def odds_ratio(i):
    return {"n_total": size(OddsRatio(control=i["p1"]), i["p2"] - i["p1"], i)}


def guardrail(i):
    score, wald = Proportions(control=i["p1"]), UnpooledProportions(control=i["p1"])
    score, wald = (
        size(Guardrail(design=design, margin=i["margin"]), i["p2"] - i["p1"], i)
        for design in (score, wald)
    )
    return {"n_total_fm": score, "n_total_wald": wald}


def grid(i):
    design = Proportions(control=i["p_control"])
    return {
        f"{change:+.0%}": sample_size(design, change * i["p_control"], errors=errors(i)).arms[0]
        for change in i["relative_changes"]
    }


def contact(i):
    def customers(rate):
        design = Means(sd_control=1, sd_treated=1, contact_rate=rate)
        return sample_size(design, 0.1).customers

    return {"inflation": [customers(rate) / customers(1.0) for rate in i["contact_rates"]]}


FIXED_FAMILIES = {
    "prop": pooled,
    "power": pooled_power,
    "mde": detectable,
    "alloc": unequal,
    "arcsine": arcsine,
    "kohavi": rule_of_thumb,
    "ttest": student,
    "mean": means,
    "fm": other_null,
    "or": odds_ratio,
    "ni": guardrail,
    "grid": grid,
    "contact": contact,
}


def check_in(i):
    """The check-in test of most cases; entry brings as many as are planned, where they are."""
    lost = i.get("dropout_per_90_days")
    return Assumptions(
        baseline=constant(i["lambda_control"]),
        entry=((i["accrual_days"], i.get("n_total_planned", 60) / i["accrual_days"]),),
        follow_up_days=90,
        dropout_per_day=dropout(lost, days=90) if lost else 0.0,
        allocation=to_one(i.get("ratio_treatment_to_control", 1)),
    )


def ratio(i):
    return i["lambda_treatment"] / i["lambda_control"]


def schoenfeld_events(i):
    arms = pair(to_one(i.get("ratio", 1)))
    return per_event(np.log(i["hr"]), 1, arms).customers(errors(i))


def freedman(i, events=1.0):
    arms = pair(to_one(i["ratio"]))
    return per_event(freedman_distance(i["hr"], arms), events, arms)


def given_shares(i):
    """Sizes from shares with the event that somebody states."""
    events = (i["p_event_treatment"] + i["p_event_control"]) / 2
    if "power" not in i:
        contrast = freedman(i | {"ratio": 1}, events)
        return {"power": contrast.power(i["n_treatment"] + i["n_control"], errors(i))}
    return {"n_per_arm": ceil(freedman(i, events).customers(errors(i)) / 2)}


def of_check_in(i):
    day, assumptions = i["analysis_day"], check_in(i)
    return {
        f"n_total_{name}": size(design(assumptions=assumptions, day=day), ratio(i), i)
        for name, design in (("schoenfeld", Schoenfeld), ("freedman", Freedman))
    }


def implied_rates(i):
    days, share = 90, i["retention_90_treatment"]
    baseline = still_there(i["retention_90_control"], day=days)
    assumptions = replace(check_in(i), baseline=baseline)
    hazard_ratio = assumptions.hazard_ratio(share=share, day=days)
    return {
        "lambda_control": baseline.rates[0],
        "lambda_treatment": assumptions.treated(hazard_ratio).rates[0],
        "hr": hazard_ratio,
        "events": schoenfeld_events(i | {"hr": hazard_ratio}),
    }


def lachin_foulkes(i):
    # Days of a thousandth of a year: units of time change no size.
    years = 1000
    assumptions = Assumptions(
        baseline=constant(i["lambda_control"] / years),
        entry=((i["accrual_time"] * years, 1),),
        follow_up_days=i["study_time"] * years,
        dropout_per_day=i["eta_dropout"] / years,
        allocation=to_one(i["ratio"]),
    )
    formula = LachinFoulkes if i["type"] == "rr" else RateDifference
    design = formula(assumptions=assumptions, day=i["study_time"] * years)
    customers = size(design, ratio(i), i)
    if formula is RateDifference:
        return {"n_total": customers}
    events = customers * float(design.seen(ratio(i)).events @ design.allocation)
    return {"n_total": customers, "events": events}


def beside_the_log_rank(i):
    day, assumptions = i["analysis_day"], check_in(i)
    designs = {
        "milestone_60": Retention(assumptions=assumptions, day=day, at=i["milestone_day"]),
        "rmst_89": MeanDays(assumptions=assumptions, day=day, at=i["rmst_tau"]),
        "logrank": LogRankTest(assumptions=assumptions, day=day),
    }
    return {f"n_total_{name}": size(each, ratio(i), i) for name, each in designs.items()}


def stepwise(i):
    steps = i["entry_steps_day_from_to_rate_per_day"]
    assumptions = Assumptions(
        baseline=constant(i["lambda_control"]),
        entry=tuple((until, pace) for _, until, pace in steps),
        follow_up_days=i["analysis_day"],
        dropout_per_day=i["dropout"],
        allocation=(1 - i["share_treatment"], i["share_treatment"]),
    )
    design, day = Schoenfeld(assumptions=assumptions, day=1), i["analysis_day"]
    row = by_day(design, ratio(i), days=[day]).iloc[0]
    return {
        "n_entered": row["entered"],
        "events_control": row["events_control"],
        "events_treatment": row["events_treated"],
        "events_total": row["events_control"] + row["events_treated"],
    }


def planning_grid(i):
    share, day = i["retention_90_control"], i["analysis_day"]
    assumptions = check_in(i | {"lambda_control": still_there(share, day=90).rates[0]})
    ratios = [
        assumptions.hazard_ratio(share=share * (1 + change), day=90)
        for change in i["relative_changes"]
    ]
    design = Schoenfeld(assumptions=assumptions, day=day)
    return {
        "events": [ceil(schoenfeld_events(i | {"hr": each})) for each in ratios],
        "n_per_arm": [sample_size(design, each, errors=errors(i)).arms[0] for each in ratios],
    }


def calendar(i):
    design = Schoenfeld(assumptions=check_in(i), day=1)
    rows = by_day(design, ratio(i), days=i["calendar_days"])
    events = rows["events_control"] + rows["events_treated"]
    return {"events": events.tolist(), "power": rows["power"].tolist()}


def simulated(i):
    def found(delay):
        assumptions = replace(check_in(i), onset_delay_days=delay)
        trials = simulate.trials(
            assumptions,
            hazard_ratios=[ratio(i)],
            customers=i["n_total"],
            day=i["analysis_day"],
            times=2_000,
            rng=np.random.default_rng(20261122),
        )
        return simulate.found(simulate.logrank(trials)).value

    return {"power_no_delay": found(0.0), "power_delay_2_days": found(2.0)}


TIMED_CASES = {
    "sss-sch-01": lambda i: {"events": schoenfeld_events(i)},
    "sss-sch-02": lambda i: {"events": schoenfeld_events(i)},
    "sss-sch-03": lambda i: {"events": schoenfeld_events(i)},
    "sss-sch-05": lambda i: {"events": schoenfeld_events(i)},
    "sss-fre-01": lambda i: {"events": freedman(i).customers(errors(i))},
    "sss-llines-01": given_shares,
    "sss-llines-02": given_shares,
    "sss-sp-02": given_shares,
    "sss-lf-01": lachin_foulkes,
    "sss-lf-03": lachin_foulkes,
    "sss-lf-04": lachin_foulkes,
    "sss-our-01": implied_rates,
    "sss-our-02": of_check_in,
    "sss-our-03": of_check_in,
    "sss-our-05": of_check_in,
    "sss-our-06": lambda i: {
        "n_total": size(LachinFoulkes(assumptions=check_in(i), day=i["analysis_day"]), ratio(i), i)
    },
    "sss-np-01": beside_the_log_rank,
    "sss-rp-02": stepwise,
    "sss-grid-01": planning_grid,
    "sss-grid-03": planning_grid,
    "sss-cal-01": calendar,
    "sss-sim-01": simulated,
}


@pytest.mark.parametrize("case_id", sorted(FIXED))
def test_fixed_designs_are_met(case_id):
    answer = FIXED_FAMILIES[case_id.split("-")[1]]
    meets(FIXED[case_id], answer(FIXED[case_id]["inputs"]))


@pytest.mark.parametrize("case_id", sorted(TIMED))
def test_designs_of_time_to_an_event_are_met(case_id):
    case = TIMED[case_id]
    answers = TIMED_CASES[case_id](case["inputs"])
    # A case that asks for one formula is answered by both.
    meets(case, {name: answers[name] for name in case["expected"]})


def test_every_worked_example_of_a_design_is_met_and_none_is_left_out():
    assert set(TIMED) == set(TIMED_CASES)
    assert {name.split("-")[1] for name in FIXED} == set(FIXED_FAMILIES)
