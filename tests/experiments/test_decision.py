"""What a test is worth in money."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from retention_lab.checks import BadParameter
from retention_lab.experiments.decision import (
    Stake,
    break_even,
    stake,
    unit_normal_loss,
    waiting,
)
from retention_lab.inference.means import around

TODAY = Stake(gain=0.4, spread=0.8, customers=50_000)


def averaged(worth, gain, spread):
    """Mean of a function of a normal gain."""
    ends = (gain - 12 * spread, gain + 12 * spread)
    found, _ = quad(lambda x: worth(x) * norm.pdf(x, gain, spread), *ends, points=[0, gain])
    return found


@pytest.mark.parametrize("u", [-2.0, 0.0, 0.5, 3.0])
def test_unit_normal_loss_is_the_mean_of_what_lies_above(u):
    assert unit_normal_loss(u) == pytest.approx(averaged(lambda x: max(x - u, 0), 0, 1), abs=1e-9)


@pytest.mark.parametrize("gain", [-0.7, 0.0, 0.4, 2.0])
def test_regret_is_what_knowing_the_truth_would_be_worth(gain):
    known = averaged(lambda x: max(x, 0), gain, 0.8)
    got = Stake(gain=gain, spread=0.8, customers=50_000)
    assert got.regret == pytest.approx(50_000 * (known - max(gain, 0)), rel=1e-6)


def test_chance_of_loss_is_one_half_without_a_gain_and_small_with_a_sure_one():
    assert Stake(gain=0, spread=1, customers=1).chance_of_loss == 0.5
    # Tables of the normal distribution: 1 in 44 lies beyond two standard deviations on one side.
    assert Stake(gain=2, spread=1, customers=1).chance_of_loss == pytest.approx(0.02275, abs=1e-5)


def test_stake_is_the_worth_of_the_effect_less_what_the_messages_cost():
    # 5.1 points of retention at 31 each, and 0.35 for a message.
    got = stake(around(0.051, std_error=0.0189), worth=31.0, cost=0.35, customers=27_000)
    assert got.gain == pytest.approx(0.051 * 31 - 0.35)
    assert got.expected == pytest.approx(27_000 * got.gain)
    assert got.spread == pytest.approx(0.0189 * 31)


def test_another_unit_of_money_changes_no_chance():
    effect = around(0.03, std_error=0.02)
    pounds = stake(effect, worth=20, cost=0.3, customers=1000)
    pence = stake(effect, worth=2000, cost=30, customers=1000)
    assert pence.chance_of_loss == pytest.approx(pounds.chance_of_loss)
    assert pence.regret == pytest.approx(100 * pounds.regret)


def test_waiting_for_the_whole_truth_is_worth_the_regret_when_nobody_comes_meanwhile():
    assert waiting(TODAY, spread=0.0, meanwhile=0) == pytest.approx(TODAY.regret)


@pytest.mark.parametrize("gain", [-0.3, 0.4])
def test_waiting_is_the_mean_over_what_the_look_may_say_less_what_it_costs_meanwhile(gain):
    now = Stake(gain=gain, spread=0.8, customers=50_000)
    estimate_moves = np.sqrt(0.8**2 - 0.5**2)
    then = averaged(lambda m: max(m, 0), gain, estimate_moves) * 44_000
    during = 6_000 * 0.5 * gain
    expected = then + during - 50_000 * max(gain, 0)
    assert waiting(now, spread=0.5, meanwhile=6_000) == pytest.approx(expected, rel=1e-6)


def test_waiting_costs_where_the_answer_is_plain():
    plain = Stake(gain=5.0, spread=0.5, customers=50_000)
    assert waiting(plain, spread=0.4, meanwhile=1_000) == pytest.approx(-1_000 * 2.5, rel=1e-3)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"spread": 0.8, "meanwhile": 1}, "spread must be below today's 0.8"),
        ({"spread": 0.5, "meanwhile": 60_000}, "meanwhile must be at most 50000"),
        ({"spread": 0.5, "meanwhile": 1, "treated_share": 2}, "treated_share must be a share"),
    ],
)
def test_a_look_that_cannot_be_is_refused(asked, message):
    with pytest.raises(BadParameter, match=message):
        waiting(TODAY, **asked)


def test_a_message_at_the_break_even_cost_neither_gains_nor_loses():
    effect = around(0.051, std_error=0.0189)
    got = break_even(effect, worth=31.0, messages=1.8)
    assert stake(effect, worth=31.0, cost=1.8 * got.value, customers=1).gain == pytest.approx(0)
    assert (got.low, got.high) == pytest.approx((effect.low * 31 / 1.8, effect.high * 31 / 1.8))


def test_nobody_messaged_has_no_break_even():
    with pytest.raises(BadParameter, match="messages must be a number above 0, got 0"):
        break_even(around(0.05, std_error=0.02), worth=31.0, messages=0)


@pytest.mark.parametrize(("spread", "customers"), [(0.0, 10), (1.0, 0), (float("nan"), 10)])
def test_a_stake_without_doubt_or_customers_is_refused(spread, customers):
    with pytest.raises(BadParameter, match="must be a number above 0"):
        Stake(gain=1.0, spread=spread, customers=customers)
