"""Differences adjusted by regression."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from retention_lab.checks import BadData
from retention_lab.inference.lin import lin
from retention_lab.inference.means import difference, mean
from retention_lab.inference.moments import RatioMoments
from retention_lab.survival.pseudo import pseudo_values
from retention_lab.survival.retention import restricted_mean, retained


@pytest.fixture
def rows():
    rng = np.random.default_rng(4)
    n = 300
    rows = pd.DataFrame(
        {
            "treated": rng.random(n) < 0.3,
            "orders": rng.poisson(3, n),
            "channel": rng.choice(["app", "mail", "web"], n),
        }
    )
    taste = rows["orders"] + 2 * (rows["channel"] == "app") * (1 + rows["treated"])
    return rows.assign(visits=rng.poisson(taste) + rows["treated"], n=1)


BOTH = ["orders", "channel"]


def test_adjusted_difference_is_that_of_the_interacted_regression_of_statsmodels(rows):
    centred = pd.get_dummies(rows, columns=["channel"], drop_first=True, dtype=float)
    for column in ("orders", "channel_mail", "channel_web"):
        centred[column] -= centred[column].mean()
    centred["arm"] = centred["treated"].astype(int)
    formula = "visits ~ arm * (orders + channel_mail + channel_web)"
    fit = smf.ols(formula, centred).fit(cov_type="HC2", use_t=True)
    got = lin(rows, outcome="visits", covariates=BOTH)
    assert (got.value, got.std_error) == pytest.approx((fit.params["arm"], fit.bse["arm"]))
    assert (got.low, got.high) == pytest.approx(tuple(fit.conf_int().loc["arm"]))
    assert got.p_value == pytest.approx(fit.pvalues["arm"])


def test_customers_of_one_pattern_may_be_counted(rows):
    keys = ["treated", "visits", *BOTH]
    counted = rows.groupby(keys)["n"].sum().reset_index()
    assert len(counted) < len(rows)
    got, whole = (lin(each, outcome="visits", covariates=BOTH) for each in (counted, rows))
    assert (got.value, got.std_error, got.freedom) == pytest.approx(
        (whole.value, whole.std_error, whole.freedom)
    )


def test_adjustment_by_nothing_is_the_plain_difference(rows):
    got = lin(rows, outcome="visits", covariates=[])
    arms = []
    for treated in (True, False):
        y = rows.loc[rows["treated"] == treated, "visits"]
        n, total = len(y), int(y.sum())
        arms.append(mean(RatioMoments(n=n, y=total, x=n, yy=int((y**2).sum()), xy=total, xx=n)))
    plain = difference(*arms)
    assert (got.value, got.std_error) == pytest.approx((plain.value, plain.std_error))


def test_adjusted_difference_turns_with_the_arms_and_ignores_units_of_covariates(rows):
    got = lin(rows, outcome="visits", covariates=BOTH)
    turned = lin(rows.assign(treated=~rows["treated"]), outcome="visits", covariates=BOTH)
    assert (turned.low, turned.high) == pytest.approx((-got.high, -got.low))
    pence = lin(rows.assign(orders=1e6 * rows["orders"] + 3), outcome="visits", covariates=BOTH)
    assert (pence.value, pence.std_error) == pytest.approx((got.value, got.std_error))


@pytest.mark.parametrize(
    ("covariates", "change"),
    [
        (["orders", "twice"], lambda rows: rows.assign(twice=2 * rows["orders"])),
        (["same"], lambda rows: rows.assign(same=1)),
        (["only"], lambda rows: rows.assign(only=rows["treated"] & (rows["orders"] > 2))),
        (["one"], lambda rows: rows.assign(one=rows.index == 5)),
    ],
)
def test_covariates_that_an_arm_cannot_tell_apart_are_refused(rows, covariates, change):
    with pytest.raises(BadData, match="cannot be told apart"):
        lin(change(rows), outcome="visits", covariates=covariates)


def test_a_value_that_nobody_knows_is_refused_with_what_to_do(rows):
    with pytest.raises(BadData, match="such as 'no ticket'"):
        lin(
            rows.assign(orders=rows["orders"].where(rows.index > 3)),
            outcome="visits",
            covariates=BOTH,
        )


def test_an_arm_of_hardly_anybody_is_refused(rows):
    few = pd.concat([rows[~rows["treated"]], rows[rows["treated"]].head(2)])
    with pytest.raises(BadData, match="An arm of 2 customers is too small for 3 covariates"):
        lin(few, outcome="visits", covariates=BOTH)
    with pytest.raises(BadData, match="An arm of 0 customers is too small"):
        lin(rows[rows["treated"]], outcome="visits", covariates=[])


WEEKS = 13


def customers(rng, n, *, ratio=1.0):
    """A trial in weeks with staggered entry and a covariate that foretells; one row a customer."""
    risky, treated = rng.random(n) < 0.4, rng.random(n) < 0.5
    pace = 0.028 * np.where(risky, 4.0, 0.8) * np.where(treated, ratio, 1.0)
    lasts, followed = rng.exponential(1 / pace), rng.integers(8, 26, n)
    days = np.where(lasts < followed, np.floor(lasts) + 1, followed)
    happened = lasts < followed
    return pd.DataFrame(
        {"treated": treated, "risky": risky, "day": days, "event_observed": happened}
    ).astype({"day": int})


def grid_of(arm):
    """Events and ends of follow-up by week."""
    left, events = (
        np.bincount(days, minlength=27) for days in (arm["day"], arm["day"][arm["event_observed"]])
    )
    return pd.DataFrame({"day": range(27), "events": events, "censored": left - events})


def with_pseudo_values(rows, quantity):
    """Customers with the pseudo-value of each, which every arm has for itself."""
    parts = []
    for _, arm in rows.groupby("treated"):
        values = pseudo_values(grid_of(arm), day=WEEKS, quantity=quantity).drop(columns="n")
        parts.append(arm.merge(values, on=["day", "event_observed"]))
    return pd.concat(parts).assign(n=1)


@pytest.mark.parametrize("quantity", ["retained", "restricted mean"])
def test_pseudo_values_unadjusted_give_the_difference_of_the_curves(quantity):
    rows = customers(np.random.default_rng(1), 800, ratio=0.7)
    patterns = with_pseudo_values(rows, quantity)
    got = lin(patterns, outcome="pseudo_value", covariates=[])
    read = retained if quantity == "retained" else restricted_mean
    one, other = (read(grid_of(rows[rows["treated"] == arm]), day=WEEKS) for arm in (True, False))
    assert got.value == pytest.approx(one.value - other.value, rel=0.01)
    assert got.std_error == pytest.approx(np.hypot(one.std_error, other.std_error), rel=0.02)
    adjusted = lin(patterns, outcome="pseudo_value", covariates=["risky"])
    assert adjusted.std_error < 0.95 * got.std_error


def rejects(rng, ratio, covariates):
    """Whether a trial is found to have an effect, with each of some lists of covariates."""
    patterns = with_pseudo_values(customers(rng, 400, ratio=ratio), "retained")
    return [
        lin(patterns, outcome="pseudo_value", covariates=by).p_value < 0.05 for by in covariates
    ]


@pytest.mark.slow
def test_adjusted_retention_rejects_no_effect_as_seldom_as_it_says():
    rng = np.random.default_rng(20261122)
    found = np.mean([rejects(rng, 1.0, [["risky"]]) for _ in range(4000)])
    assert found == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 4000))


@pytest.mark.slow
def test_adjusted_retention_finds_an_effect_more_often():
    rng = np.random.default_rng(7)
    raw, adjusted = np.mean([rejects(rng, 0.7, [[], ["risky"]]) for _ in range(400)], axis=0)
    assert adjusted > raw + 0.03


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_adjusted_difference_covers_the_truth_as_often_as_it_says(share):
    rng = np.random.default_rng(20261122)
    n, times, covered = 300, 4000, 0
    for _ in range(times):
        orders, treated = rng.poisson(3, n), rng.random(n) < share
        # The effect grows with the covariate: 1 on average.
        visits = rng.poisson(1 + orders) + rng.poisson(orders / 3 * treated)
        rows = pd.DataFrame({"treated": treated, "orders": orders, "visits": visits, "n": 1})
        got = lin(rows, outcome="visits", covariates=["orders"])
        covered += got.low <= orders.mean() / 3 <= got.high
    assert covered / times == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / times))
