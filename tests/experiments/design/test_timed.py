"""Designs for the log-rank test."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
from scipy.stats import norm

from retention_lab.checks import BadParameter
from retention_lab.experiments.design.curve import still_there
from retention_lab.experiments.design.sizing import power, sample_size
from retention_lab.experiments.design.timed import (
    Freedman,
    LachinFoulkes,
    LogRankTest,
    RateDifference,
    Schoenfeld,
)

from .plans import DISTURBED, HAZARD_RATIO, PLAIN

FORMULAS = [Schoenfeld, Freedman, LachinFoulkes, LogRankTest]
Z = norm.isf(0.025) + norm.ppf(0.8)


def customers(kind, assumptions, ratio=HAZARD_RATIO, day=90):
    return sample_size(kind(assumptions=assumptions, day=day), ratio).customers


def test_events_meet_the_textbook_whatever_the_entry():
    for name in ("plain", "dropout", "steps", "curve"):
        design = Schoenfeld(assumptions=DISTURBED[name], day=77)
        events = sample_size(design, 0.8).customers * design.seen(0.8).events.mean()
        assert events == pytest.approx(4 * Z**2 / log(0.8) ** 2)
        design = Freedman(assumptions=DISTURBED[name], day=77)
        events = sample_size(design, 0.8).customers * design.seen(0.8).events.mean()
        assert events == pytest.approx(Z**2 * (1.8 / 0.2) ** 2)


@pytest.mark.parametrize("name", [name for name in DISTURBED if name != "all"])
def test_all_formulas_agree_about_small_effects(name):
    sizes = [customers(kind, DISTURBED[name], 0.99) for kind in FORMULAS]
    assert sizes == pytest.approx([sizes[0]] * 4, rel=0.02)


def test_a_difference_of_rates_agrees_about_small_effects_too():
    found = customers(RateDifference, DISTURBED["dropout"], 0.999)
    assert found == pytest.approx(customers(Schoenfeld, DISTURBED["dropout"], 0.999), rel=0.01)


@pytest.mark.parametrize("kind", FORMULAS)
@pytest.mark.parametrize("name", ["dropout", "late onset", "contact", "three to one", "three arms"])
def test_whatever_disturbs_the_view_needs_more_customers(kind, name):
    assert customers(kind, DISTURBED[name]) > customers(kind, PLAIN)


@pytest.mark.parametrize("kind", FORMULAS)
def test_reaching_a_share_costs_about_one_over_its_square(kind):
    some = customers(kind, DISTURBED["contact"], 0.97)
    assert some == pytest.approx(customers(kind, PLAIN, 0.97) / 0.7**2, rel=0.01)


def test_a_treatment_as_good_for_the_other_outcome_needs_as_many():
    # 1 / 0.8 more events instead of 0.8 times as many: the logs are as far from 0.
    for ratio in (0.8, 1.25):
        design = Schoenfeld(assumptions=PLAIN, day=90)
        events = sample_size(design, ratio).customers * design.seen(ratio).events.mean()
        assert events == pytest.approx(4 * Z**2 / log(0.8) ** 2)


@pytest.mark.parametrize("name", ["late onset", "contact", "curve"])
def test_a_difference_of_rates_that_change_is_refused(name):
    with pytest.raises(BadParameter, match=r"needs rates that never change, .*: use LachinFoulkes"):
        customers(RateDifference, DISTURBED[name])


@pytest.mark.parametrize("kind", [*FORMULAS, RateDifference])
def test_no_effect_is_found_as_often_as_the_test_errs_on_that_side(kind):
    design = kind(assumptions=replace(PLAIN, allocation=(0.3, 0.7)), day=90)
    assert power(design, 1.0, customers=500) == pytest.approx(0.025)
    with pytest.raises(BadParameter, match="No number of customers shows an effect of nothing"):
        sample_size(design, 1.0)


@pytest.mark.parametrize("ratio", [2 / 3, 1.5])
def test_a_score_scatters_otherwise_than_the_test_claims_in_arms_of_different_sizes(ratio):
    few = replace(PLAIN, baseline=still_there(0.999, day=90), allocation=(0.2, 0.8))
    seen = LogRankTest(assumptions=few, day=150).contrast(ratio)
    # While nearly all are there the score is 0.2 of the treated arm's events less 0.8 of control's,
    # and the variance that the test claims 0.2 x 0.8 of all events.
    claimed = 0.2 * 0.8 * (0.8 * ratio + 0.2)
    true = 0.2**2 * 0.8 * ratio + 0.8**2 * 0.2
    assert seen.sd / seen.null_sd == pytest.approx((true / claimed) ** 0.5, rel=0.001)
