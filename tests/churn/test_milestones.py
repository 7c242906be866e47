"""The immortal-time check."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from retention_lab.checks import BadData, BadParameter
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.milestones import disagree, side_by_side
from retention_lab.tables.playbook import Milestone

from .shops import frame_of, shop

STAY = Endpoint(kind="cancelled")
REACHED = Milestone(name="onboarding", label="Onboarding", event="onboarded")
ZERO, AS_OF = pd.Timestamp("2024-01-01 12:00"), dt.date(2024, 12, 31)


def drawn(rng, n=800, *, ratio=1.0, rate=0.01):
    """Days to the milestone (if it came in time) and to leaving, with a known hazard ratio."""
    milestone = rng.exponential(60, n)
    hazard = rng.exponential(size=n) / rate
    left = np.where(hazard < milestone, hazard, milestone + (hazard - milestone) / ratio)
    return pd.DataFrame({"milestone": milestone, "left": left}).assign(
        came=lambda frame: frame["milestone"] < frame["left"]
    )


def shop_of(lives):
    """A shop of members who all joined on one day."""
    ids = [f"c{number}" for number in range(len(lives))]

    def at(days):
        return (ZERO + pd.to_timedelta(days, unit="D")).dt.floor("s")

    members = pd.DataFrame({"customer_id": ids, "started_at": ZERO}).assign(
        cancelled_at=at(lives["left"]).to_numpy(), cancel_reason="voluntary"
    )
    events = pd.DataFrame({"customer_id": ids, "event": "onboarded"}).assign(
        occurred_at=at(lives["milestone"]).to_numpy()
    )
    events = events[lives["came"].to_numpy()]
    tables = {"subscriptions": members, "events": events}
    return shop({name: frame_of(name, frame) for name, frame in tables.items()}, AS_OF)


@pytest.fixture(scope="module")
def lives():
    return drawn(np.random.default_rng(11))


@pytest.fixture(scope="module")
def three(lives):
    return side_by_side(shop_of(lives), STAY, REACHED, day=30)


def test_a_milestone_that_does_nothing_looks_good_to_the_naive_comparison_only(three):
    assert three["method"].tolist() == ["ever reached", "from when reached", "reached by day 30"]
    naive, timed, landmark = three.itertuples()
    assert naive.high < 0.7
    for honest in (timed, landmark):
        assert honest.low < 1 < honest.high
    assert disagree(three)


def test_a_planted_effect_comes_back_from_the_honest_comparisons():
    lives = drawn(np.random.default_rng(12), ratio=0.5)
    _, timed, landmark = side_by_side(shop_of(lives), STAY, REACHED, day=30).itertuples()
    assert timed.low < 0.5 < timed.high
    # Those who reach it later dilute the comparison by a fixed day.
    assert 0.5 < landmark.hazard_ratio < 0.9


def seen(lives):
    """Whole days of each member by the as-of day, by pandas."""
    end = (pd.Timestamp("2025-01-01") - ZERO) / pd.Timedelta(days=1)
    # Times are cut to whole seconds.
    left = np.floor(lives["left"] * 86_400) / 86_400
    gone = left < end
    stop = np.where(gone, np.floor(left) + 1, np.floor(end)).astype(int)
    since = np.floor(np.floor(lives["milestone"] * 86_400) / 86_400).astype(int) + 1
    return pd.DataFrame({"stop": stop, "gone": gone, "since": since, "came": lives["came"]})


def by_lifelines(rows, *, reached):
    table = rows.assign(reached=reached.astype(float))[["stop", "gone", "reached"]]
    fitted = CoxPHFitter().fit(table, "stop", "gone").summary.loc["reached"]
    names = ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]
    return fitted[names].tolist()


def test_naive_and_landmark_are_those_of_lifelines_on_rows(lives, three):
    rows = seen(lives)
    came = rows["came"] & (rows["since"] < rows["stop"])  # on the last day it is too late to count
    naive = by_lifelines(rows, reached=came)
    there = rows[rows["stop"] > 30]
    landmark = by_lifelines(there, reached=there["came"] & (there["since"] <= 30))
    got = three[["hazard_ratio", "low", "high"]].to_numpy()
    assert got[0] == pytest.approx(naive, rel=1e-4)
    assert got[2] == pytest.approx(landmark, rel=1e-4)
    assert three["customers"].tolist() == [len(rows), len(rows), len(there)]
    assert three["events"].tolist() == [rows["gone"].sum()] * 2 + [there["gone"].sum()]


def test_only_the_first_spell_of_a_customer_counts(lives, three):
    again = shop_of(lives)
    rows = again.subscriptions.execute()
    second = rows[rows["cancelled_at"].notna()].head(300)
    later = second["cancelled_at"] + pd.Timedelta(days=1)
    more = second.assign(started_at=later, cancelled_at=later + pd.Timedelta(hours=5))
    tables = {
        "subscriptions": pd.concat([rows, more]).drop(columns="started_on"),
        "events": again.events.execute().drop(columns="occurred_on"),
    }
    pd.testing.assert_frame_equal(side_by_side(shop(tables, AS_OF), STAY, REACHED, day=30), three)


def ratios(*rows):
    return pd.DataFrame(rows, columns=["hazard_ratio", "low", "high"])


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([(0.2, 0.1, 0.3), (1.0, 0.8, 1.2), (1.0, 0.5, 2.0)], True),
        ([(0.9, 0.8, 1.0), (1.0, 0.9, 1.1), (1.0, 0.5, 2.0)], False),
        # A rough interval that holds the sharper estimate disagrees with nothing.
        ([(1.0, 0.9, 1.1), (1.0, 0.9, 1.1), (0.6, 0.3, 1.2)], False),
        ([(1.0, 0.9, 1.1), (1.0, 0.9, 1.1), (0.6, 0.5, 0.8)], True),
    ],
)
def test_estimates_disagree_that_lie_outside_each_others_intervals(rows, answer):
    assert disagree(ratios(*rows)) is answer


def test_a_side_of_a_few_or_without_an_event_is_refused(lives):
    few = lives.assign(came=lives["came"] & (np.arange(len(lives)) < 12))
    with pytest.raises(BadData, match=r"Onboarding, ever reached: of the . customers who have"):
        side_by_side(shop_of(few), STAY, REACHED, day=30)
    with pytest.raises(BadData, match="Onboarding, reached by day 0: of the 0 customers"):
        side_by_side(shop_of(lives), STAY, REACHED, day=0)
    stays = lives.assign(left=lives["left"].where(~lives["came"], 1_000))
    with pytest.raises(BadData, match="customers who have reached it, 0 had the event"):
        side_by_side(shop_of(stays), STAY, REACHED, day=30)


def test_a_negative_day_is_refused(lives):
    with pytest.raises(BadParameter, match="day must be at least 0"):
        side_by_side(shop_of(lives), STAY, REACHED, day=-1)
