"""Totals of groups: the sum of what each brings, with one range that chance and errors share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.inference.btyd import answers, fitting, histories, spend, totals, value
from retention_lab.inference.btyd.fitting import Process
from retention_lab.inference.btyd.totals import Terms

from .test_value import FIT, ROWS, SPEND

GROUPS = ROWS.assign(group=["b", "a", "b"], weight=[3, 1, 2])
TERMS = Terms(months=6, monthly_discount=0.01, margin=0.4)


def told(rows=GROUPS, *, between=0.2, terms=TERMS, **change):
    return totals.totals(
        FIT, totals.by_model(SPEND, rows, between=between), rows, terms=terms, **change
    )


def test_a_total_is_the_sum_of_what_each_brings():
    each = value.discounted(FIT, SPEND, GROUPS, months=6, monthly_discount=0.01, margin=0.4)
    sums = (each["value"] * GROUPS["weight"]).groupby(GROUPS["group"]).sum()
    found = told()
    assert found.index.tolist() == ["b", "a", ""]
    assert found.loc[["b", "a"], "value"].tolist() == pytest.approx(sums[["b", "a"]].tolist())
    assert found.loc["", "value"] == pytest.approx(sums.sum())
    assert found["customers"].tolist() == [5, 1, 6]
    ahead = answers.expected(FIT.process, GROUPS, horizon=6 * value.DAYS_A_MONTH)
    alive = answers.p_alive(FIT.process, GROUPS)
    assert found.loc["", "expected"] == pytest.approx(ahead @ GROUPS["weight"])
    assert found.loc["", "active"] == pytest.approx(alive @ GROUPS["weight"])


def test_errors_of_the_parameters_do_not_average_out_and_chance_does():
    few, many = (told(GROUPS.assign(weight=weight)) for weight in (1, 1_000_000))
    width = np.log(many["high"] / many["value"])
    each = value.discounted(FIT, SPEND, GROUPS, months=6, monthly_discount=0.01, margin=0.4)
    # The one customer of group a, a million times: only the errors of both models are left.
    assert width["a"] == pytest.approx(np.log(each["high"] / each["value"])[1], rel=0.01)
    assert (np.log(few["high"] / few["value"]) > 2 * width).all()
    both = told(pd.concat([GROUPS, GROUPS]).assign(weight=1_000_000, group="all"))
    assert np.log(both["high"] / both["value"])["all"] == pytest.approx(width[""], rel=0.01)


def test_a_total_that_was_off_before_may_be_so_again():
    found = told(off=2.0)
    assert np.log(found["value"] / found["low"]).min() > 1.96 * 2
    assert told()["value"].tolist() == pytest.approx(found["value"].tolist())


def test_spending_may_be_the_mean_observed_in_each_group():
    means = pd.DataFrame({"mean": [10.0, 30.0], "std_error": [1.0, 3.0]}, index=["a", "b"])
    spending = totals.by_group(means, GROUPS["group"], between=0.0)
    found = totals.totals(FIT, spending, GROUPS, terms=Terms(months=6, monthly_discount=0.0))
    ahead = answers.expected(FIT.process, GROUPS, horizon=6 * value.DAYS_A_MONTH)
    b, a = 30 * (3 * ahead[0] + 2 * ahead[2]), 10 * ahead[1]
    assert found["value"].tolist() == pytest.approx([b, a, a + b])
    # A tenth of the mean is its error, and the purchase model adds to it.
    assert (np.log(found["high"] / found["value"])[["a", "b"]] > 1.96 * 0.1).all()


def test_months_that_cannot_be_are_refused():
    with pytest.raises(BadParameter, match="months"):
        told(terms=Terms(months=0, monthly_discount=0.01))


@pytest.mark.parametrize(
    ("model", "history"),
    [
        ("MBG/NBD", (0, 0.0, 300.0)),
        ("BG/NBD", (0, 0.0, 300.0)),
        ("MBG/NBD", (3, 200.0, 300.0)),
        ("BG/NBD", (40, 290.0, 300.0)),
    ],
)
def test_the_variance_of_purchases_is_that_of_simulated_customers(model, history):
    process = Process(model=model, r=0.6, alpha=50.0, a=0.7, b=2.5)
    row = pd.DataFrame([history], columns=["frequency", "recency", "T"])
    rng, draws = np.random.default_rng(7), 200_000
    x, _, age = history
    alive = rng.uniform(size=draws) < answers.p_alive(process, row)[0]
    rate = rng.gamma(process.r + x, 1 / (process.alpha + age), draws)
    stops = rng.geometric(rng.beta(process.a, process.b + x + (model == "MBG/NBD"), draws))
    bought = np.where(alive, np.minimum(rng.poisson(365 * rate), stops), 0)
    found = totals.purchase_variance(process, histories.read(row), horizon=365.0)
    error = np.sqrt(((bought - bought.mean()) ** 2).var() / draws)
    assert found.item() == pytest.approx(bought.var(), abs=4 * error + 0.01 * bought.var())


def test_purchases_by_each_day_are_those_of_the_model_and_their_range_grows():
    rows = GROUPS.assign(weight=[300, 100, 200])
    found = totals.cumulative(FIT, rows, ends=[30.0, 90.0, 365.0])
    for row in found.to_dict("records"):
        each = answers.expected(FIT.process, rows, horizon=row["end"])
        assert row["expected"] == pytest.approx(each @ rows["weight"])
    many = totals.cumulative(FIT, rows.assign(weight=1e9 * rows["weight"]), ends=[365.0])
    # Chance is on top of what the model does not know, and a billion times as many average it out.
    assert (many["high"] / many["expected"]).item() < (found["high"] / found["expected"]).iloc[-1]
    assert (many["high"] / many["expected"]).item() > 1.01
    assert (np.diff(found["high"] - found["low"]) > 0).all()


def drawn(rng, customers, *, age, ahead):
    """Customers of MBG/NBD with Gamma-Gamma spending, `age` days old; what they bring later."""
    rate = rng.gamma(0.8, 1 / 45.0, customers)
    stops = rng.geometric(rng.beta(0.9, 3.0, customers))
    mean = 6.0 / rng.gamma(5.0, 1 / 20.0, customers)
    rows = []
    later = 0.0
    for one in range(customers):
        times = np.cumsum(rng.exponential(1 / rate[one], min(stops[one] - 1, 400)))
        seen = times[times <= age]
        amounts = rng.gamma(6.0, mean[one] / 6.0, len(times))
        known = amounts[: len(seen)]
        rows.append((len(seen), seen.max(initial=0), age, known.mean() if len(seen) else 0.0))
        later += amounts[(times > age) & (times <= age + ahead)].sum()
    return pd.DataFrame(rows, columns=["frequency", "recency", "T", "monetary"]), later


@pytest.mark.slow
def test_the_range_of_a_total_holds_what_came_as_often_as_it_says():
    rng, trials, months = np.random.default_rng(20261122), 300, 12
    held = 0
    for _ in range(trials):
        rows, later = drawn(rng, 1_500, age=500.0, ahead=months * value.DAYS_A_MONTH)
        fit = fitting.fit(rows, model="MBG/NBD")
        again = rows[rows["frequency"] > 0]["monetary"]
        between = float(again.var(ddof=0) / again.mean() ** 2)
        spending = totals.by_model(spend.fit(rows), rows, between=between)
        found = totals.totals(
            fit, spending, rows.assign(group=""), terms=Terms(months=12, monthly_discount=0.0)
        ).iloc[-1]
        held += found["low"] <= later <= found["high"]
    # Spending of a row is taken to vary a little more than it does: never below, and rarely above.
    assert held / trials >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)
    assert held / trials < 1
