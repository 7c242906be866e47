"""Whether fixed designs have the power and the errors that they promise: simulated samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from retention_lab.experiments.design.guardrail import ONE_SIDED, Guardrail
from retention_lab.experiments.design.means import Means, StudentMeans, ratio_sd
from retention_lab.experiments.design.proportions import (
    ArcsineProportions,
    OddsRatio,
    Proportions,
    UnpooledProportions,
)
from retention_lab.experiments.design.sizing import sample_size
from retention_lab.inference.moments import RatioMoments

pytestmark = pytest.mark.slow
TIMES = 10_000
ROUNDING = 4 * (0.05 * 0.95 / TIMES) ** 0.5


def shares(design, effect, arms):
    """Shares of control and of the treated arm, of whom some are not reached."""
    rng = np.random.default_rng(7)
    did = (design.control, design.control + design.contact_rate * effect)
    return [rng.binomial(n, p, TIMES) / n for n, p in zip(arms, did, strict=True)]


def over(n, p):
    return p * (1 - p) / n


def pooled_share(p, n):
    return (n[0] * p[0] + n[1] * p[1]) / sum(n)


def pooled(p, n):
    both = pooled_share(p, n)
    return (p[1] - p[0]) / np.sqrt(over(n[0], both) + over(n[1], both))


def wald(p, n, null=0.0):
    return (p[1] - p[0] - null) / np.sqrt(over(n[0], p[0]) + over(n[1], p[1]))


def arcsine(p, n):
    return 2 * (np.arcsin(p[1] ** 0.5) - np.arcsin(p[0] ** 0.5)) / (1 / n[0] + 1 / n[1]) ** 0.5


def log_odds(p, n):
    both = pooled_share(p, n)
    odds = [share / (1 - share) for share in p]
    return np.log(odds[1] / odds[0]) * np.sqrt(both * (1 - both) / (1 / n[0] + 1 / n[1]))


def score(p, n, null):
    return np.array(
        [
            contrast.effect * sum(n) ** 0.5 / contrast.null_sd
            for contrast in (
                Proportions(
                    control=a, null=null, allocation=(n[0] / sum(n), n[1] / sum(n))
                ).contrast(b - a)
                for a, b in zip(*p, strict=True)
            )
        ]
    )


SHARES = {
    "pooled": (Proportions(control=0.6, allocation=(0.4, 0.6)), pooled),
    "reached": (Proportions(control=0.3, contact_rate=0.7), pooled),
    "rare": (Proportions(control=0.03), pooled),
    "wald": (UnpooledProportions(control=0.6, allocation=(0.4, 0.6)), wald),
    "arcsine": (ArcsineProportions(control=0.2), arcsine),
    "odds": (OddsRatio(control=0.2), log_odds),
}


@pytest.mark.parametrize("name", SHARES)
def test_tests_of_shares_keep_power_and_alpha(name):
    design, statistic = SHARES[name]
    effect = design.control / 5
    arms = sample_size(design, effect).arms
    for true, expected, off in ((effect, 0.8, 0.02), (0.0, 0.05, ROUNDING)):
        z = statistic(shares(design, true, arms), arms)
        assert (abs(z) > norm.isf(0.025)).mean() == pytest.approx(expected, abs=off)


@pytest.mark.parametrize(("kind", "statistic"), [(Proportions, score), (UnpooledProportions, wald)])
@pytest.mark.parametrize("margin", [-0.05, 0.04])
def test_guardrails_keep_power_and_pass_harm_at_the_margin_as_rarely_as_alpha(
    kind, statistic, margin
):
    guardrail = Guardrail(design=kind(control=0.3, allocation=(1 / 3, 2 / 3)), margin=margin)
    arms = sample_size(guardrail, 0.0, errors=ONE_SIDED).arms
    for true, expected, off in ((0.0, 0.8, 0.02), (margin, 0.025, ROUNDING)):
        z = statistic(shares(guardrail.design, true, arms), arms, null=margin)
        passed = (-np.sign(margin) * z > norm.isf(0.025)).mean()
        assert passed == pytest.approx(expected, abs=off)


@pytest.mark.parametrize("kind", [Means, StudentMeans])
def test_tests_of_means_keep_power_and_alpha(kind):
    design = kind(sd_control=2.0, sd_treated=2.0, allocation=(0.3, 0.7))
    if kind is Means:
        design = replace(design, sd_treated=3.0)
    effect = 0.4 if kind is Means else 2.5
    arms = sample_size(design, effect).arms
    rng = np.random.default_rng(8)
    for true, expected, off in ((effect, 0.8, 0.02), (0.0, 0.05, ROUNDING)):
        control = rng.normal(5, design.sd_control, (TIMES, arms[0]))
        treated = rng.normal(5 + true, design.sd_treated, (TIMES, arms[1]))
        apart = treated.mean(axis=1) - control.mean(axis=1)
        one, other = (each.var(axis=1, ddof=1) for each in (control, treated))
        if kind is Means:
            bar, variance = norm.isf(0.025), one / arms[0] + other / arms[1]
        else:
            bar = student.isf(0.025, sum(arms) - 2)
            common = (one * (arms[0] - 1) + other * (arms[1] - 1)) / (sum(arms) - 2)
            variance = common * (1 / arms[0] + 1 / arms[1])
        assert (abs(apart) > bar * variance**0.5).mean() == pytest.approx(expected, abs=off)


def visits(rng, share, size):
    """Visits of each customer, and those that ended in an order: a ratio of two sums."""
    x = rng.poisson(4, size) + 1
    return rng.binomial(x, share), x


def test_tests_of_ratios_keep_power_and_alpha():
    rng = np.random.default_rng(9)
    sds = []
    for share in (0.3, 0.33):
        y, x = visits(rng, share, 200_000)
        sums = {"y": y, "x": x, "yy": y * y, "xy": x * y, "xx": x * x}
        whole = {name: int(each.sum()) for name, each in sums.items()}
        sds.append(ratio_sd(RatioMoments(n=len(y), **whole)))
    design = Means(sd_control=sds[0], sd_treated=sds[1])
    n = sample_size(design, 0.03).arms[0]
    for true, expected, off in ((0.33, 0.8, 0.02), (0.3, 0.05, ROUNDING)):
        ratios, variances = [], []
        for share in (0.3, true):
            y, x = visits(rng, share, (TIMES, n))
            ratio = y.sum(axis=1) / x.sum(axis=1)
            rest = y - ratio[:, None] * x
            ratios.append(ratio)
            variances.append((rest**2).sum(axis=1) / x.sum(axis=1) ** 2)
        z = (ratios[1] - ratios[0]) / (variances[0] + variances[1]) ** 0.5
        assert (abs(z) > norm.isf(0.025)).mean() == pytest.approx(expected, abs=off)
