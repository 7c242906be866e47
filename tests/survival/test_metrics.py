"""Ranking, error and calibration of survival predictions."""

from __future__ import annotations

import numpy as np
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival.metrics import (
    auc,
    brier,
    calibration,
    concordance,
    integrated_brier,
    null_shares,
    skill,
)

DAY = 40


def customers(n, seed):
    """Whole days with many ties, censored at random, and what a rough model says of them."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n).round(1)
    leaving, censored = rng.exponential(50 * np.exp(-score)), rng.exponential(60, size=n)
    return {
        "durations": np.where(leaving <= censored, np.ceil(leaving), np.floor(censored)),
        "event_observed": leaving <= censored,
        "risk": score,
        "predicted": np.exp(-DAY / 50 * np.exp(0.7 * score)),
        "weights": rng.integers(1, 4, n).astype("float64"),
    }


def rows(data, index):
    return {name: values[index] for name, values in data.items()}


def estimates(durations, *, event_observed, risk, predicted, weights):
    """Every estimate of one set of rows."""
    told = {"event_observed": event_observed, "weights": weights}
    two_days = np.stack([predicted, predicted**1.5], axis=1)
    return {
        "concordance": concordance(durations, risk=risk, **told),
        "auc": auc(durations, risk=risk, day=DAY, **told),
        "brier": brier(durations, predicted=predicted, day=DAY, **told),
        "integrated": integrated_brier(durations, predicted=two_days, days=[40, 60], **told),
        "skill": skill(durations, predicted=predicted, days=[DAY], **told),
    }


def test_concordance_is_the_share_of_all_pairs_one_by_one():
    data = customers(120, seed=1)
    time, event, risk, weight = (
        data[name] for name in ("durations", "event_observed", "risk", "weights")
    )
    agreeing = comparable = 0.0
    for i in np.flatnonzero(event):
        later = (time > time[i]) | ((time == time[i]) & ~event)
        pairs = weight[i] * weight * later
        comparable += pairs.sum()
        agreeing += (pairs * ((risk[i] > risk) + 0.5 * (risk[i] == risk))).sum()
    found = concordance(time, event_observed=event, risk=risk, weights=weight)
    assert found.value == pytest.approx(agreeing / comparable, rel=1e-12)


def test_a_weight_is_that_many_equal_rows():
    data = customers(200, seed=2)
    copies = rows(data, np.repeat(np.arange(200), data["weights"].astype(int)))
    copies["weights"] = np.ones(len(copies["risk"]))
    for name, weighted in estimates(**data).items():
        plain = estimates(**copies)[name]
        assert vars(plain) == pytest.approx(vars(weighted), rel=1e-10), name
    told = {name: data[name] for name in ("event_observed", "predicted", "weights")}
    copied = {name: copies[name] for name in ("event_observed", "predicted", "weights")}
    one = calibration(data["durations"], day=DAY, groups=4, **told)
    other = calibration(copies["durations"], day=DAY, groups=4, **copied)
    np.testing.assert_allclose(one, other, rtol=1e-10)


def test_the_order_of_rows_does_not_matter():
    data = customers(200, seed=3)
    shuffled = rows(data, np.random.default_rng(0).permutation(200))
    for name, one in estimates(**data).items():
        assert vars(one) == pytest.approx(vars(estimates(**shuffled)[name]), rel=1e-10), name


def test_standard_errors_are_those_of_moving_each_weight_a_little():
    data = customers(60, seed=4)
    step, squares = 1e-5, dict.fromkeys(estimates(**data), 0.0)
    for row in range(60):
        moved = [
            estimates(**data | {"weights": data["weights"] + sign * step * (np.arange(60) == row)})
            for sign in (1, -1)
        ]
        for name in squares:
            slope = (moved[0][name].value - moved[1][name].value) / (2 * step)
            squares[name] += data["weights"][row] * slope**2
    for name, one in estimates(**data).items():
        # The skill counts the Kaplan-Meier curve as known, which is all but exact.
        wanted = pytest.approx(squares[name] ** 0.5, rel=0.01 if name == "skill" else 1e-5)
        assert one.std_error == wanted, name


def test_standard_errors_are_those_of_a_bootstrap():
    data = customers(400, seed=5)
    data["weights"] = np.ones(400)
    rng, draws = np.random.default_rng(0), 200
    again = [estimates(**rows(data, rng.integers(0, 400, 400))) for _ in range(draws)]
    for name, one in estimates(**data).items():
        spread = np.std([draw[name].value for draw in again])
        # A standard deviation of 200 draws is itself off by 5 %: four of those.
        assert one.std_error == pytest.approx(spread, rel=4 / np.sqrt(2 * draws)), name


def test_without_censoring_auc_and_brier_are_those_of_shares():
    rng = np.random.default_rng(6)
    stayed, risk = rng.random(300) < 0.6, rng.random(300).round(2)
    told = {"event_observed": ~stayed}
    # Who stays is censored on the horizon itself, and so known to have stayed.
    time = np.where(stayed, 90, rng.integers(1, 91, 300))
    left = risk[~stayed, None]
    better = (left > risk[stayed]).mean() + (left == risk[stayed]).mean() / 2
    assert auc(time, risk=risk, day=90, **told).value == pytest.approx(better)
    error = np.mean((stayed - (1 - risk)) ** 2)
    assert brier(time, predicted=1 - risk, day=90, **told).value == pytest.approx(error)
    assert null_shares(time, days=[90], **told) == pytest.approx([stayed.mean()])
    null = stayed.mean() * (1 - stayed.mean())
    found = skill(time, predicted=1 - risk, days=[90], **told)
    assert found.value == pytest.approx(1 - error / null)


def test_the_null_model_has_no_skill():
    data = customers(300, seed=7)
    told = {"event_observed": data["event_observed"]}
    null = null_shares(data["durations"], days=[30, 60], **told)
    assert skill(data["durations"], predicted=null, days=[30, 60], **told).value == 0


def test_a_perfect_ranking_still_has_a_width():
    found = auc([1, 2, 9, 9], event_observed=[1, 1, 0, 0], risk=[4, 3, 2, 1], day=5)
    # Wilson's interval of 2 out of 2: 2 / (2 + 1.96^2).
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx(2 / (2 + 1.959963984540054**2))


def test_equal_predictions_stay_in_one_group():
    predicted = [0.2] * 30 + [0.9] * 70
    event = [1] * 25 + [0] * 5 + [1] * 7 + [0] * 63
    found = calibration([10] * 100, event_observed=event, predicted=predicted, day=10)
    assert found["n"].tolist() == [30, 70]
    assert found["predicted"].tolist() == pytest.approx([0.2, 0.9])
    assert found["observed"].tolist() == pytest.approx([5 / 30, 0.9])
    assert (found["low"] < found["observed"]).all()
    assert (found["observed"] < found["high"]).all()


def test_a_group_that_all_left_is_observed_at_zero():
    found = calibration([3, 4, 9], event_observed=[1, 1, 0], predicted=[0.1, 0.1, 0.9], day=9)
    assert found["observed"].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"risk": [1, np.nan, 3]}, "risk is missing or infinite in row 1."),
        ({"durations": [1, 2, -3]}, "durations must not be negative, got -3 in row 2."),
        ({"event_observed": [0, 0, 0]}, "No two rows can be compared"),
        ({"event_observed": [0, 2, 0]}, "event_observed must be true or false"),
        ({"weights": [1, 1]}, "weights must have one value for each of 3 rows"),
        ({"weights": [1, 1, 0]}, "weights must be above zero, got 0 in row 2."),
        ({"durations": [], "event_observed": [], "risk": []}, "durations has no rows"),
    ],
)
def test_rows_that_cannot_be_ranked_are_refused_in_a_sentence(changed, sentence):
    told = {"durations": [1, 2, 3], "event_observed": [1, 1, 0], "risk": [3, 2, 1]} | changed
    with pytest.raises(BadData, match=sentence):
        concordance(told.pop("durations"), **told)


def test_days_that_cannot_be_judged_are_refused_in_a_sentence():
    time, event, told = [1, 2, 8, 9], [1, 1, 0, 0], [0.1, 0.1, 0.8, 0.9]
    with pytest.raises(BadData, match="Day 90 lies beyond the 9 days that anybody was followed"):
        brier(time, event_observed=event, predicted=told, day=90)
    with pytest.raises(BadData, match="none of those known had it"):
        auc(time, event_observed=event, risk=told, day=0)
    with pytest.raises(BadData, match="all of those known had it"):
        auc([1, 2], event_observed=[1, 1], risk=[1, 2], day=2)
    with pytest.raises(BadData, match="predicted must be shares between 0 and 1"):
        brier(time, event_observed=event, predicted=[10, 20, 80, 90], day=5)
    with pytest.raises(BadData, match="nothing to predict"):
        skill(time, event_observed=[0] * 4, predicted=told, days=[5])
    with pytest.raises(BadData, match="nobody was followed for 9 days, only for 8"):
        calibration(time, event_observed=event, predicted=told, day=9, groups=4)
    with pytest.raises(BadParameter, match="days must be one or more days in rising order"):
        integrated_brier(time, event_observed=event, predicted=told, days=[5, 5])
