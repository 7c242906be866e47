"""Fits of Cox models: oracles, and what must not change a number."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, CoxTimeVaryingFitter

from retention_lab.checks import BadParameter
from retention_lab.survival import cox

TIES = ("efron", "breslow")


def fitted(rows, **options):
    """Fit `a` and `b` of rows as the fixture makes them; late entry unless told otherwise."""
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[["a", "b"]], **(outcome | options))


def same(one, other, *, but=()):
    """Assert that two fits tell the same."""
    for name in {"coefficients", "covariance", "log_likelihood", "null_log_likelihood"} - set(but):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6, abs=1e-9), name
    if "baseline" not in but:
        columns = ["day", "hazard", "cumulative"]
        found, expected = (each.baseline[columns].to_numpy() for each in (one, other))
        assert found == pytest.approx(expected, rel=1e-6)


def test_fit_agrees_with_lifelines_with_strata_and_weights(made):
    rows = made()
    fit = fitted(rows, start=None, strata=rows["plan"], weights=rows["count"], ties="efron")
    oracle = CoxPHFitter().fit(
        rows.loc[rows.index.repeat(rows["count"]), ["stop", "event", "a", "b", "plan"]],
        "stop",
        "event",
        strata=["plan"],
    )
    assert fit.coefficients == pytest.approx(oracle.params_.to_numpy(), rel=1e-5)
    assert fit.covariance == pytest.approx(oracle.variance_matrix_.to_numpy(), rel=1e-5)
    assert fit.log_likelihood == pytest.approx(oracle.log_likelihood_, rel=1e-9)


def test_fit_of_start_stop_rows_agrees_with_lifelines(made):
    rows = made()
    fit = fitted(rows)
    columns = rows[["start", "stop", "event", "a", "b"]].assign(id=range(len(rows)))
    oracle = CoxTimeVaryingFitter().fit(
        columns, id_col="id", event_col="event", start_col="start", stop_col="stop"
    )
    found = fit.summary().set_index("name")
    names = {"coefficient": "coef", "std_error": "se(coef)", "p_value": "p", "z": "z"}
    for name, theirs in names.items():
        assert found[name].to_numpy() == pytest.approx(oracle.summary[theirs].to_numpy(), rel=1e-4)


@pytest.mark.parametrize("ties", TIES)
def test_weights_are_repeated_rows_in_every_number(ties, made):
    rows = made()
    repeated = rows.loc[rows.index.repeat(rows["count"])]
    for by in (None, "who"):
        one = fitted(rows, weights=rows["count"], cluster=by and rows[by], ties=ties)
        other = fitted(repeated, cluster=by and repeated[by], ties=ties)
        same(one, other)
        assert (one.n, one.events) == (other.n, other.events) == (len(repeated), other.events)
        assert one.summary(alpha=0.1).to_numpy()[:, 1:].astype(float) == pytest.approx(
            other.summary(alpha=0.1).to_numpy()[:, 1:].astype(float), rel=1e-6
        )


@pytest.mark.parametrize("ties", TIES)
def test_collapsed_rows_are_the_rows(ties, made):
    rows = made(2000, days=12).assign(start=0)
    rows["b"] = rows["b"].round()
    by = ["start", "stop", "event", "a", "b", "plan"]
    collapsed = rows.groupby(by, as_index=False).size()
    assert len(collapsed) < len(rows) / 2
    one = fitted(collapsed, weights=collapsed["size"], strata=collapsed["plan"], ties=ties)
    same(one, fitted(rows, strata=rows["plan"], ties=ties))


@pytest.mark.parametrize("ties", TIES)
def test_rows_cut_in_two_are_the_rows(ties, made):
    rows = made().assign(who=range(300))
    middle = np.floor((rows["start"] + rows["stop"]) / 2)
    longer = rows["stop"] - rows["start"] > 1
    before = rows[longer].assign(stop=middle[longer], event=False)
    after = rows.assign(start=rows["start"].where(~longer, middle))
    cut = pd.concat([before, after])
    same(fitted(cut, ties=ties), fitted(rows, ties=ties))
    same(fitted(cut, ties=ties, cluster=cut["who"]), fitted(rows, ties=ties, cluster=rows["who"]))


def test_neither_order_nor_names_of_strata_nor_shift_matter(made):
    rows = made()
    plain = fitted(rows, strata=rows["plan"], cluster=rows["who"])
    mixed = rows.sample(frac=1, random_state=3)
    same(fitted(mixed, strata=mixed["plan"], cluster=mixed["who"]), plain)
    renamed = rows["plan"].map({"basic": 1, "family": 2, "solo": 3})
    same(fitted(rows, strata=renamed, cluster="c" + rows["who"].astype(str)), plain)
    moved = rows.assign(a=rows["a"] + 5, b=rows["b"] - 3)
    same(fitted(moved, strata=rows["plan"], cluster=rows["who"]), plain, but={"baseline"})


def test_units_of_covariates_and_of_time_do_not_matter(made):
    rows = made()
    plain = fitted(rows, cluster=rows["who"])
    large = fitted(rows.assign(b=1e6 * rows["b"]), cluster=rows["who"])
    assert large.coefficients * [1, 1e6] == pytest.approx(plain.coefficients, rel=1e-7)
    assert large.covariance[1, 1] * 1e12 == pytest.approx(plain.covariance[1, 1], rel=1e-7)
    hours = fitted(rows, start=24 * rows["start"], stop=24 * rows["stop"], cluster=rows["who"])
    assert hours.coefficients == pytest.approx(plain.coefficients)
    assert hours.baseline["hazard"].to_numpy() == pytest.approx(plain.baseline["hazard"].to_numpy())


def test_a_stratum_of_its_own_for_each_half_adds_up(made):
    rows = made()
    both = fitted(rows, strata=rows["a"] * 0)
    twice = pd.concat([rows.assign(plan="x"), rows.assign(plan="y")])
    fit = fitted(twice, strata=twice["plan"])
    assert fit.coefficients == pytest.approx(both.coefficients)
    assert fit.log_likelihood == pytest.approx(2 * both.log_likelihood)
    assert fit.covariance == pytest.approx(both.covariance / 2)
    assert set(fit.baseline["stratum"]) == {"x", "y"}


def test_baseline_of_nobody_in_particular_is_the_nelson_aalen_estimate(made):
    rows = made()
    fit = cox.fit(
        rows[[]], start=rows["start"], stop=rows["stop"], event_observed=rows["event"], ties=TIES[1]
    )
    for line in fit.baseline.itertuples():
        at_risk = ((rows["start"] < line.day) & (line.day <= rows["stop"])).sum()
        events = ((rows["stop"] == line.day) & rows["event"]).sum()
        assert line.hazard == pytest.approx(events / at_risk)
    assert fit.summary().empty


def test_events_on_day_0_are_ordinary(made):
    rows = made().assign(start=None)
    at_once = rows.assign(stop=rows["stop"] - 1)
    assert at_once["event"][at_once["stop"] == 0].any()
    same(fitted(at_once, start=None), fitted(rows, start=None), but={"baseline"})


def test_rows_censored_as_they_start_are_at_risk_of_nothing(made):
    rows = made()
    empty = rows.assign(start=rows["stop"], event=False, a=1 - rows["a"])
    same(fitted(pd.concat([rows, empty])), fitted(rows))


def test_certificate_proves_the_top(made):
    proof = fitted(made()).certificate
    assert 0 < proof.steps < 10
    assert proof.gradient < 1e-6
    assert proof.above_null > 0
    # Three tests of one hypothesis agree about as well as they do in large samples.
    assert proof.score_statistic == pytest.approx(2 * proof.above_null, rel=0.1)


def test_robust_variance_of_one_cluster_each_is_near_that_of_the_model(made):
    rows = made(4000)
    robust = fitted(rows, cluster=rows.index)
    assert robust.covariance == pytest.approx(robust.model_covariance, rel=0.15, abs=1e-4)
    doubled = pd.concat([rows, rows])
    twice = fitted(doubled, cluster=doubled.index, ties="breslow")
    once = fitted(rows, cluster=rows.index, ties="breslow")
    assert twice.covariance == pytest.approx(once.covariance, rel=1e-6)


def test_unknown_ties_and_unequal_lengths_are_refused(made):
    rows = made()
    with pytest.raises(BadParameter, match=r"no way with ties 'exact'.*efron, breslow"):
        fitted(rows, ties="exact")
    with pytest.raises(BadParameter, match="stop has 299 values for 300 rows"):
        fitted(rows, stop=rows["stop"].iloc[1:])
    with pytest.raises(BadParameter, match="cluster has 299 values for 300 rows"):
        fitted(rows, cluster=rows["who"].iloc[1:])
    with pytest.raises(BadParameter, match="alpha"):
        fitted(rows).summary(alpha=95)


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    rng, truth, runs = np.random.default_rng(20261122), np.array([-0.5, 0.3]), 4000
    covered = np.zeros((runs, 2, 2))
    for run in range(runs):
        x = np.column_stack([rng.integers(0, 2, 400), rng.normal(size=400)])
        time = rng.exponential(30 * np.exp(-x @ truth))
        begin, end = rng.uniform(0, 10, 400), rng.uniform(15, 60, 400)
        seen = time > begin
        rows = pd.DataFrame(x, columns=["a", "b"]).assign(
            start=np.floor(begin), stop=np.floor(np.minimum(time, end)) + 1, event=time <= end
        )[seen]
        fit = fitted(rows, cluster=np.arange(len(rows)))
        for kind, covariance in enumerate((fit.covariance, fit.model_covariance)):
            far = abs(fit.coefficients - truth) / np.sqrt(np.diag(covariance))
            covered[run, kind] = far < 1.959964
    # Four standard errors of a share of 0.95; sandwich errors of 300 rows are about 1 % short.
    bound = 4 * np.sqrt(0.95 * 0.05 / runs)
    assert covered.mean(axis=0)[1] == pytest.approx([0.95, 0.95], abs=bound)
    assert covered.mean(axis=0)[0] == pytest.approx([0.95, 0.95], abs=bound)
