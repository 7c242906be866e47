"""Effects on those whom the treatment reached."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from retention_lab.checks import BadData
from retention_lab.inference.instrument import anderson_rubin, two_stage
from retention_lab.inference.moments import RatioMoments


def arm(y, reached):
    sums = {"y": y, "x": reached, "yy": y * y, "xy": y * reached, "xx": reached}
    return RatioMoments(n=len(y), **{name: int(each.sum()) for name, each in sums.items()})


def trial(rng, n, *, contact, effect=30, control=None):
    """Spend of the reached, who spend more anyway, and of the rest; nobody reached in control."""
    arms = []
    for size, is_treated in ((n, True), (control or n, False)):
        willing = rng.random(size) < contact
        reached = willing * is_treated
        arms.append((rng.poisson(50 + 40 * willing + effect * reached), reached.astype(int)))
    return arms


def test_effect_and_error_are_those_of_two_stage_least_squares_by_matrices():
    (y_1, d_1), (y_0, d_0) = trial(np.random.default_rng(2), 500, contact=0.6, control=200)
    y, d = np.concatenate([y_1, y_0]), np.concatenate([d_1, d_0])
    z = np.column_stack([np.ones(700), np.repeat([1, 0], [500, 200])])
    x = np.column_stack([np.ones(700), d])
    inverse = np.linalg.inv(z.T @ x)
    beta = inverse @ z.T @ y
    errors = y - x @ beta
    covariance = inverse @ (z * errors[:, None] ** 2).T @ z @ inverse.T
    got = two_stage(arm(y_1, d_1), arm(y_0, d_0))
    assert got.effect.value == pytest.approx(beta[1])
    assert got.effect.std_error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert got.assigned.value == pytest.approx(y_1.mean() - y_0.mean())
    assert got.assigned.std_error == pytest.approx(
        np.hypot(y_1.std() / 500**0.5, y_0.std() / 200**0.5)
    )


def test_anderson_rubin_ends_where_the_rest_of_the_outcome_just_differs_between_the_arms():
    (y_1, d_1), (y_0, d_0) = trial(np.random.default_rng(3), 300, contact=0.2)
    got = anderson_rubin(arm(y_1, d_1), arm(y_0, d_0))
    for effect in (got.low, got.high):
        rest = [y - effect * d for y, d in ((y_1, d_1), (y_0, d_0))]
        apart = rest[0].mean() - rest[1].mean()
        spread = np.hypot(*(each.std() / np.sqrt(300) for each in rest))
        assert abs(apart) / spread == pytest.approx(norm.isf(0.025))
    assert got.low < two_stage(arm(y_1, d_1), arm(y_0, d_0)).effect.value < got.high


def test_effect_is_that_of_assignment_where_everybody_was_reached():
    (y_1, _), (y_0, none) = trial(np.random.default_rng(4), 100, contact=1)
    arms = arm(y_1, np.ones_like(y_1)), arm(y_0, none)
    got = two_stage(*arms)
    assert (got.reached.low, got.reached.value) == (1, 1)
    assert (got.effect.low, got.effect.high) == (got.assigned.low, got.assigned.high)
    by_set = anderson_rubin(*arms)
    assert (by_set.low, by_set.high) == pytest.approx((got.assigned.low, got.assigned.high))


def test_arms_that_change_places_have_the_same_effect():
    one, other = (arm(*each) for each in trial(np.random.default_rng(5), 200, contact=0.5))
    got, turned = two_stage(one, other), two_stage(other, one)
    assert turned.assigned.value == -got.assigned.value
    assert (turned.effect.low, turned.effect.high) == pytest.approx(
        (got.effect.low, got.effect.high)
    )
    assert anderson_rubin(other, one).low == pytest.approx(anderson_rubin(one, other).low)


def counted(n, good, reached, good_reached):
    return RatioMoments(n=n, y=good, x=reached, yy=good, xy=good_reached, xx=reached)


def test_too_few_reached_leave_any_effect_possible_and_it_is_said():
    arms = counted(100, 55, 2, 1), counted(100, 50, 0, 0)
    with pytest.raises(BadData, match=r"only 2 in 100 customers .* any effect .* fits the data"):
        anderson_rubin(*arms)


def test_a_set_of_two_rays_is_said_with_its_ends():
    # 2 of 100 reached, who cannot explain 80 against 50 unless reaching them does wonders or harm.
    arms = counted(100, 80, 2, 2), counted(100, 50, 0, 0)
    with pytest.raises(BadData, match=r"below -\S+ or above \S+ fits the data"):
        anderson_rubin(*arms)


def test_nobody_reached_tells_nothing():
    with pytest.raises(BadData, match="As many were reached in both arms"):
        two_stage(counted(10, 5, 0, 0), counted(10, 4, 0, 0))
    with pytest.raises(BadData, match="fits the data"):
        anderson_rubin(counted(10, 5, 0, 0), counted(10, 4, 0, 0))


def test_an_arm_of_nobody_is_refused():
    with pytest.raises(BadData, match="An arm has no customers"):
        two_stage(counted(10, 5, 1, 1), counted(0, 0, 0, 0))


@pytest.mark.slow
@pytest.mark.parametrize("contact", [0.1, 0.6])
def test_anderson_rubin_covers_the_truth_however_few_are_reached(contact):
    rng = np.random.default_rng(20261122)
    times, covered = 4000, 0
    for _ in range(times):
        got = anderson_rubin(*(arm(*each) for each in trial(rng, 600, contact=contact)))
        covered += got.low <= 30 <= got.high
    assert covered / times == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / times))
