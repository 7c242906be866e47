"""The test that hazard ratios stay the same over time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from retention_lab.checks import BadData, BadParameter
from retention_lab.survival import cox, cox_input, cox_risk

TRANSFORMS = ("km", "identity", "rank", "log")


def fit(rows, **options):
    outcome = {"start": rows["start"], "stop": rows["stop"], "event_observed": rows["event"]}
    return cox.fit(rows[["a", "b"]], **(outcome | options))


def written_out(rows, time, coefficients):
    """Score test of products with time, on rows cut at every event so that they can be columns."""
    days = np.unique(rows.loc[rows["event"], "stop"])
    parts = []
    for before, day in zip([0, *days[:-1]], days, strict=True):
        at_risk = rows[(rows["start"] < day) & (rows["stop"] >= day)]
        event = at_risk["event"] & (at_risk["stop"] == day)
        parts.append(at_risk.assign(start=before, stop=day, event=event, at=time[day]))
    cut = pd.concat(parts, ignore_index=True)
    cut["a_by_time"], cut["b_by_time"] = cut["a"] * cut["at"], cut["b"] * cut["at"]
    outcome = {"start": cut["start"], "stop": cut["stop"], "event_observed": cut["event"]}
    nothing = dict.fromkeys(("strata", "weights", "cluster"))
    wide = cut[["a", "b", "a_by_time", "b_by_time"]]
    table = cox_input.prepare(wide, ties="efron", **outcome, **nothing)
    risk = cox_risk.at(table, np.append(coefficients, [0, 0]) * table.scale)
    score, information = risk.gradient, risk.information()
    tests = [[0, 1, 2], [0, 1, 3], [0, 1, 2, 3]]
    return [score[at] @ np.linalg.solve(information[np.ix_(at, at)], score[at]) for at in tests]


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_statistic_is_the_score_test_of_products_with_time(made, transform):
    rows = made()
    events = rows[rows["event"]]
    curve = KaplanMeierFitter().fit(rows["stop"], rows["event"], entry=rows["start"])
    days = np.unique(events["stop"])
    time = {
        "km": dict(zip(days, 1 - curve.predict(days - 0.5).to_numpy(), strict=True)),
        "identity": dict(zip(days, days, strict=True)),
        "rank": events.assign(rank=events["stop"].rank()).groupby("stop")["rank"].first().to_dict(),
        "log": dict(zip(days, np.log(days), strict=True)),
    }[transform]
    fitted = fit(rows)
    found = cox.proportional_hazards(fitted, transform=transform)
    expected = written_out(rows, time, fitted.coefficients)
    assert found["statistic"].tolist() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_weights_are_repeated_rows_and_collapsed_rows_are_rows(made, transform):
    rows = made()
    repeated = rows.loc[rows.index.repeat(rows["count"])].sample(frac=1, random_state=1)
    found = cox.proportional_hazards(fit(rows, weights=rows["count"]), transform=transform)
    expected = cox.proportional_hazards(fit(repeated), transform=transform)
    pd.testing.assert_frame_equal(found, expected)
    assert found["name"].tolist() == ["a", "b", "global"]
    assert found["degrees_of_freedom"].tolist() == [1, 1, 2]


def test_units_do_not_matter(made):
    rows = made()
    plain = cox.proportional_hazards(fit(rows), transform="identity")
    moved = rows.assign(b=100 * rows["b"] + 3, start=24 * rows["start"], stop=24 * rows["stop"])
    pd.testing.assert_frame_equal(cox.proportional_hazards(fit(moved), transform="identity"), plain)


def test_an_effect_that_ends_is_found():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, 4000)
    early = rng.exponential(20 * np.exp(-1.0 * a))
    time = np.where(early < 5, early, 5 + rng.exponential(20, 4000))
    fitted = cox.fit(
        pd.DataFrame({"a": a, "b": rng.normal(size=4000)}),
        stop=np.minimum(time, 40),
        event_observed=time < 40,
    )
    found = cox.proportional_hazards(fitted).set_index("name")["p_value"]
    assert found["a"] < 1e-6
    assert found["b"] > 0.001
    assert found["global"] < 1e-6


def test_what_cannot_be_tested_is_refused(made):
    rows = made()
    with pytest.raises(BadParameter, match=r"no transform 'ranks'. Did you mean 'rank'"):
        cox.proportional_hazards(fit(rows), transform="ranks")
    one_day = rows.assign(start=0, stop=3)
    with pytest.raises(BadData, match="All events fall on one day"):
        cox.proportional_hazards(fit(one_day))
    with pytest.raises(BadData, match="without covariates"):
        cox.proportional_hazards(cox.fit(rows[[]], stop=rows["stop"], event_observed=rows["event"]))
    brief = pd.DataFrame({"start": 2, "stop": 3, "event": [True, False], "a": 0, "b": 9.0})
    once = pd.concat([brief, rows.assign(b=0)])
    with pytest.raises(BadData, match=r"Column 'b' differs .* on too few days.*put its state"):
        cox.proportional_hazards(fit(once))
    at_once = fit(rows.assign(stop=rows["stop"] - 1), start=None)
    with pytest.raises(BadData, match="day 0 have no logarithm"):
        cox.proportional_hazards(at_once, transform="log")


@pytest.mark.slow
def test_the_test_errs_as_often_as_it_says():
    rng, runs = np.random.default_rng(8), 4000
    rejected = np.zeros((runs, len(TRANSFORMS)))
    for run in range(runs):
        x = np.column_stack([rng.integers(0, 2, 300), rng.normal(size=300)])
        time = rng.exponential(30 * np.exp(-x @ [-0.5, 0.3]))
        end = rng.uniform(5, 60, 300)
        fitted = cox.fit(
            pd.DataFrame(x, columns=["a", "b"]),
            stop=np.floor(np.minimum(time, end)) + 1,
            event_observed=time <= end,
        )
        for place, transform in enumerate(TRANSFORMS):
            test = cox.proportional_hazards(fitted, transform=transform)
            rejected[run, place] = test["p_value"].iloc[-1] < 0.05
    # Four standard errors of a share of 0.05.
    assert rejected.mean(axis=0) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / runs))
