"""Rising interest: who is judged, by what, and how often chance alone raises an alert."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, nbinom
from statsmodels.stats.multitest import multipletests

from retention_lab.checks import BadData, BadParameter
from retention_lab.customers.rising import KEYS, MOST, judged, people, rising
from retention_lab.customers.summary import purchases
from retention_lab.inference.btyd.answers import expected
from retention_lab.inference.btyd.fitting import fit

from .buyers import buyers
from .orders import order_table, random_rows

AS_OF = dt.date(2023, 7, 30)
STOP = (0.8, 8.0)


def judge(rows, *, within=30, false_alerts=0.1):
    counted = rows.groupby([*KEYS], as_index=False)["weight"].sum()
    return judged(counted, within=within, false_alerts=false_alerts)


def alerts_of(rows, found):
    """Say of each row whether it is an alert."""
    alert = found.patterns.set_index([*KEYS])["alert"]
    return alert.reindex(pd.MultiIndex.from_frame(rows[[*KEYS]])).to_numpy()


def test_a_history_ends_where_the_last_days_begin():
    orders = order_table(
        [
            ("anna", "2023-01-01", 1),
            ("anna", "2023-06-30", 1),  # the last day of the history
            ("anna", "2023-07-01", 1),
            ("anna", "2023-07-01", 1),  # the same purchase
            ("anna", "2023-07-30", -5),  # given back at once: a purchase all the same
            ("anna", "2023-07-31", 1),  # not known yet
            ("bert", "2023-06-30", 0),
            ("cleo", "2023-07-01", 1),  # no history
        ]
    )
    rows = people(orders, as_of=AS_OF, within=30).to_pandas().sort_values("customer_id")
    assert rows.to_numpy().tolist() == [["anna", 1, 180, 180, 2], ["bert", 0, 0, 0, 0]]


def test_histories_are_those_of_the_purchase_summary():
    orders = order_table(random_rows(1))
    names = ["customer_id", "frequency", "recency", "T"]
    found = people(orders, as_of=AS_OF, within=30).to_pandas()[names].sort_values("customer_id")
    known = purchases(orders, as_of=AS_OF - dt.timedelta(days=30)).to_pandas()[names]
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True),
        known.sort_values("customer_id", ignore_index=True),
        check_dtype=False,
    )


def test_nothing_after_the_day_changes_anything():
    rows = random_rows(2)
    early = rows[pd.to_datetime(rows["ordered_on"]) <= pd.Timestamp(AS_OF)]
    one, other = (
        rising(order_table(each), as_of=AS_OF, within=14, false_alerts=0.1)
        for each in (rows, early)
    )
    pd.testing.assert_frame_equal(one.patterns, other.patterns)
    assert (one.tested, one.observed, one.season) == (other.tested, other.observed, other.season)


def test_the_chance_is_negative_binomial_of_the_own_history_in_season():
    rows = buyers(np.random.default_rng(1), 2_000, stop=STOP)
    busy = rows.assign(recent=np.minimum(2 * rows["recent"], 30))
    for each, season in ((rows, 1.0), (busy, None)):
        found = judge(each)
        model = fit(each[each["T"] >= 30]).process  # all are as old
        ahead = expected(model, found.patterns, horizon=30) @ found.patterns["weight"]
        assert found.expected == pytest.approx(ahead)
        assert found.season == pytest.approx(season or found.observed / ahead)
        told = found.patterns
        # scipy counts failures before `n` successes of chance `p`.
        n, rate = model.r + told["frequency"], model.alpha + told["T"]
        p = rate / (rate + 30 * found.season)
        assert told["p_value"].to_numpy() == pytest.approx(nbinom.sf(told["recent"] - 1, n, p))
        assert told["expected"].to_numpy() == pytest.approx(nbinom.mean(n, p))


def test_alerts_on_weighted_patterns_are_those_on_rows():
    rows = buyers(np.random.default_rng(2), 1_500, rate=(2.0, 60.0), rises=0.05)
    found = judge(rows, false_alerts=0.2)
    told = found.patterns
    assert (told["weight"] > 1).any()
    assert 0 < found.alerts == told.loc[told["alert"], "weight"].sum()
    repeated = told.loc[told.index.repeat(told["weight"])]
    rejected = multipletests(repeated["p_value"], alpha=0.2, method="fdr_bh")[0]
    assert rejected.tolist() == repeated["alert"].tolist()
    plain = judged(rows[[*KEYS, "weight"]], within=30, false_alerts=0.2)
    assert alerts_of(rows, found).tolist() == plain.patterns["alert"].tolist()


def test_customers_with_less_history_than_the_days_are_not_judged():
    rows = buyers(np.random.default_rng(3), 500)
    young = rows.assign(T=29, recency=rows["recency"].clip(upper=29), recent=30).iloc[:50]
    young = young.assign(frequency=np.minimum(young["frequency"], young["recency"]))
    found = judge(pd.concat([rows, young]))
    assert (found.customers, found.tested) == (550, 500)
    assert found.patterns["T"].min() >= 30


def test_one_who_hardly_bought_and_now_buys_all_the_time_is_an_alert():
    rows = buyers(np.random.default_rng(4), 1_500, rate=(0.7, 60.0), stop=STOP)
    riser = {"frequency": 3, "recency": 386, "T": 480, "recent": 9, "weight": 1, "rises": True}
    often = {"frequency": 300, "recency": 480, "T": 480, "recent": 19, "weight": 1, "rises": False}
    every = pd.concat([rows, pd.DataFrame([riser, often])])
    found = judge(every)
    assert alerts_of(every, found).nonzero()[0].tolist() == [1500]
    assert found.alerts == 1


def test_a_season_that_is_everybodys_raises_no_alert():
    rows = buyers(np.random.default_rng(5), 1_000, rate=(2.0, 60.0), rises=1.0, times=3.0)
    found = judge(rows)
    assert found.season == pytest.approx(3, rel=0.15)
    assert found.alerts == 0
    quiet = judge(rows.assign(recent=0))
    assert (quiet.season, quiet.observed, quiet.alerts) == (1.0, 0, 0)


def test_where_nobody_stops_the_rates_are_learnt_all_the_same():
    rows = buyers(np.random.default_rng(6), 1_000, rate=(3.0, 60.0), shape=3.0)
    with pytest.raises(BadData):
        fit(rows)
    found = judge(rows)
    assert not found.why
    assert found.expected == pytest.approx(found.observed, rel=0.1)


def test_a_purchase_on_every_day_breaks_nothing():
    rows = buyers(np.random.default_rng(7), 300, rate=(0.7, 60.0))
    bot = {"frequency": 900, "recency": 900, "T": 900, "recent": 30, "weight": 1, "rises": False}
    every = pd.concat([rows, pd.DataFrame([bot])])
    found = judge(every)
    assert not alerts_of(every, found)[-1]
    assert np.isfinite(found.patterns[["expected", "p_value"]]).all(axis=None)
    alone = judge(pd.DataFrame([bot]))  # one rate is no spread of rates
    assert (alone.why.startswith("How often"), alone.tested) == (True, 0)


def test_counts_add_up_to_the_tested_as_seen_and_by_chance():
    rows = buyers(np.random.default_rng(8), 2_000, stop=STOP)
    found = judge(rows)
    counts = found.counts
    assert counts["bought"].tolist() == [*range(MOST + 1)]
    assert counts["customers"].sum() == counts["by_chance"].sum().round(6) == found.tested
    seen = found.patterns.groupby(found.patterns["recent"].clip(upper=MOST))["weight"].sum()
    assert counts["customers"].tolist() == seen.reindex(counts["bought"], fill_value=0).tolist()
    # The model is the truth here: no cell is further off than four standard errors.
    error = np.sqrt(counts["by_chance"])
    assert ((counts["customers"] - counts["by_chance"]).abs() < 4 * error).all()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("anna", "2023-07-20", 1)],  # bought within the days alone
        [("anna", "2023-06-15", 1), ("anna", "2023-07-20", 1)],  # too short a history
    ],
)
def test_without_a_history_that_is_long_enough_it_is_said_so(rows):
    found = rising(order_table(rows), as_of=AS_OF, within=30, false_alerts=0.1)
    assert found.why == "Nobody had bought 60 days ago, so there is no history to compare with."
    assert (found.tested, found.alerts, len(found.patterns), len(found.counts)) == (0, 0, 0, 0)


def test_where_everybody_bought_once_nobody_is_judged_and_nobody_is_counted():
    days = [("anna", "2023-01-01", 1), ("bert", "2023-02-01", 1), ("bert", "2023-07-20", 1)]
    found = rising(order_table(days), as_of=AS_OF, within=30, false_alerts=0.1)
    assert found.why == (
        "How often customers buy again cannot be learnt from what was known 30 days ago, so "
        "nobody can be judged."
    )
    assert found.tested == 0


def test_settings_that_cannot_be_are_refused():
    orders = order_table([("anna", "2023-01-01", 1)])
    with pytest.raises(BadParameter, match="within must be at least 1"):
        rising(orders, as_of=AS_OF, within=0, false_alerts=0.1)
    with pytest.raises(BadParameter, match="false_alerts must be a share"):
        rising(orders, as_of=AS_OF, within=30, false_alerts=10)


def simulated(seed, *, shops, n=1_000, **words):
    """Judge shops of customers: alerts, and false ones, of each; and the share found of risers."""
    rng, told, found_of = np.random.default_rng(seed), [], []
    for _shop in range(shops):
        rows = buyers(rng, n, **words)
        found = judge(rows)
        alert = alerts_of(rows, found)
        told.append((alert.sum(), (alert & ~rows["rises"]).sum()))
        found_of.append(alert[rows["rises"]].mean() if rows["rises"].any() else np.nan)
    return np.array(told), float(np.mean(found_of))


@pytest.mark.slow
@pytest.mark.parametrize("stop", [None, STOP])
def test_with_no_riser_the_chance_of_any_alert_is_at_most_the_share_allowed(stop):
    told, _found = simulated(11, shops=100, stop=stop)
    assert (told[:, 0] > 0).sum() <= binom.ppf(0.9995, 100, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "power"), [(None, 0.55), (STOP, 0.09)])
def test_with_risers_at_most_the_share_allowed_of_the_alerts_is_false(stop, power):
    told, found = simulated(12, shops=60, stop=stop, rises=0.05)
    alerts, false = told.sum(axis=0)
    assert false <= binom.ppf(0.9995, alerts, 0.1)
    # As the module says; of all who rose, or would have if they had not stopped.
    assert found == pytest.approx(power, abs=0.05)


@pytest.mark.slow
def test_clumpy_buying_raises_more_false_alerts_than_are_allowed_and_it_is_known_how_many():
    any_alert = {}
    for shape in (0.3, 0.5):
        told, _found = simulated(13, shops=50, shape=shape)
        any_alert[shape] = (told[:, 0] > 0).mean()
    told, _found = simulated(14, shops=30, shape=0.3, rises=0.05)
    alerts, false = told.sum(axis=0)
    # As the module says: 60 and 16 in 100 shops, and 17 in 100 alerts.
    assert any_alert[0.3] == pytest.approx(0.60, abs=0.15)
    assert any_alert[0.5] == pytest.approx(0.16, abs=0.15)
    assert false / alerts == pytest.approx(0.17, abs=0.05)
