"""What is recorded of customers who leave or return, and what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.churn.evidence import Evidence, Missing
from retention_lab.customers.contracts import Contracts
from retention_lab.record import SMALL, Ledger, churn
from retention_lab.survival.daygrid import kaplan_meier, survival_at

from ..churn.outlooks import HORIZON, backtest, forecast, outlook  # noqa: TID252  one maker of outlooks

TESTED = ("churn_expected_before", "churn_came", "churn_forecasts_held")
AHEAD = ("churn_customers", "churn_expected", "churn_expected_share", "churn_top")


def ledger_of(seen):
    ledger = Ledger()
    churn.outlook(ledger, seen)
    return ledger


def names(ledger):
    return {claim.name for claim in ledger.claims()}


def grid_of(*, reached=(600, 100), others=(400, 200), followed=200):
    """Milestone grids: customers and events of each side, half way to the horizon; then the end."""
    rows = [
        {"reached": side, "day": day, "events": events, "censored": censored}
        for side, (n, gone) in ((True, reached), (False, others))
        for day, events, censored in ((HORIZON // 2, gone, 0), (followed, 0, n - gone))
    ]
    return pd.DataFrame(rows)


def evidence_ledger(*, grids=None, lately=None):
    nothing = Missing(why="Nothing.")
    found = Evidence(
        joined=pd.DataFrame(),
        differ=nothing,
        by_milestone=grids or {},
        causes=nothing,
        lately=nothing if lately is None else lately,
        associations=nothing,
        side_by_side={},
        contracts=Contracts(subscriptions=0, frame=None),
        lost=nothing,
        repeat=nothing,
    )
    ledger = Ledger()
    churn.evidence(ledger, found, day=7, horizon=HORIZON)
    return ledger


def causes(**events):
    return pd.DataFrame({"cause": list(events), "events": list(events.values())})


def test_a_forecast_is_recorded_in_whole_customers_with_its_range_and_its_days():
    ledger = ledger_of(outlook(ahead=forecast(), tested=backtest()))
    assert names(ledger) >= {*AHEAD, *TESTED}
    expected = ledger["churn_expected"]
    assert (expected.value, expected.low, expected.high) == (200, 180, 220)
    assert expected.period == "2026-11-30/2027-02-27"
    assert expected.label == "Expected to leave within 90 days"
    share = ledger["churn_expected_share"]
    assert share.key
    assert (share.value, share.n) == (0.2, 1_000)
    assert ledger["churn_customers"].text == "1,000"


def test_a_tenth_of_the_customers_carries_its_share_of_what_is_expected():
    top = ledger_of(outlook(ahead=forecast(), tested=backtest()))["churn_top"]
    assert (top.n, top.value) == (100, pytest.approx(100 * 0.3 / 200))
    top = ledger_of(outlook("returned", ahead=forecast("returned")))["churn_top"]
    assert top.value == pytest.approx(100 * 0.9 / 800)


def test_the_last_forecast_stands_beside_what_came_of_it():
    ledger = ledger_of(outlook(ahead=forecast(), tested=backtest(came=(150, 190, 205))))
    assert ledger["churn_came"].value == 205
    assert ledger["churn_expected_before"].full == "200 (180 to 220)"
    assert ledger["churn_expected_before"].about == "31 August 2026"
    assert (ledger["churn_forecasts_held"].value, ledger["churn_forecasts_held"].n) == (2, 3)


def test_an_untested_forecast_does_not_claim_to_allow_for_how_periods_differ():
    tested = ledger_of(outlook(ahead=forecast(), tested=backtest()))
    untested = ledger_of(outlook(ahead=forecast(checked=False)))
    assert names(untested) == set(AHEAD)
    assert "earlier periods" in tested["churn_expected"].definition
    assert "does not allow for" in untested["churn_expected"].definition
    assert "same age" in untested["churn_expected"].definition


def test_nothing_is_recorded_without_a_forecast():
    assert names(ledger_of(outlook())) == set()


@pytest.mark.parametrize("expected", [SMALL - 1, 1_000 - SMALL + 1])
def test_a_forecast_of_a_few_is_not_recorded_nor_what_it_leaves_of_all(expected):
    seen = outlook(ahead=forecast(expected=expected), tested=backtest())
    assert names(ledger_of(seen)) == set()


def test_a_forecast_about_a_few_customers_is_not_recorded():
    assert names(ledger_of(outlook(ahead=forecast(customers=SMALL - 1, expected=0)))) == set()


def test_a_tenth_of_a_few_customers_is_not_recorded():
    assert "churn_top" not in ledger_of(outlook(ahead=forecast(customers=90)))


@pytest.mark.parametrize("came", [3, 997])
def test_what_came_is_not_recorded_where_it_would_tell_of_a_few(came):
    ledger = ledger_of(outlook(ahead=forecast(), tested=backtest(came=(200, came))))
    assert names(ledger) & set(TESTED) == set()


def test_a_milestone_is_recorded_on_both_sides_by_kaplan_meier():
    ledger, grid = evidence_ledger(grids={"Onboarding": grid_of()}), grid_of()
    for name, side, n in (("milestone_reached", True, 600), ("milestone_not", False, 400)):
        curve = kaplan_meier(grid[grid["reached"] == side])
        stay = survival_at(curve, [HORIZON])["survival"].iloc[0]
        assert ledger[name].value == pytest.approx(1 - stay)
        assert ledger[name].n == n
        assert ledger[name].low < ledger[name].value < ledger[name].high
    assert ledger["milestone_not"].label == "Onboarding: not by day 7"


@pytest.mark.parametrize(
    "fields",
    [
        {"reached": (600, 3)},
        {"reached": (600, 595)},
        {"others": (8, 4)},
        {"followed": HORIZON - 1},
    ],
)
def test_a_milestone_is_not_recorded_where_a_side_is_small_or_was_not_followed(fields):
    assert names(evidence_ledger(grids={"Onboarding": grid_of(**fields)})) == set()


def test_involuntary_cancellations_are_a_share_of_those_whose_cause_is_known():
    ledger = evidence_ledger(lately=causes(involuntary=30, other=500, voluntary=70))
    assert (ledger["churn_involuntary"].value, ledger["churn_involuntary"].n) == (0.3, 100)


@pytest.mark.parametrize(
    "counts",
    [
        {"other": 500},  # nobody knows
        {"voluntary": 100},  # none was
        {"voluntary": 95, "involuntary": 5},
        {"voluntary": 5, "involuntary": 95},
        {"voluntary": 2, "involuntary": 2},
    ],
)
def test_involuntary_cancellations_are_not_recorded_where_none_or_a_few_are_known(counts):
    assert names(evidence_ledger(lately=causes(**counts))) == set()


def test_every_recorded_count_rests_on_enough_customers():
    rng = np.random.default_rng(3)
    for _ in range(60):
        customers = int(rng.integers(1, 60))
        ahead = forecast(customers=customers, expected=float(rng.uniform(0, customers)))
        came = rng.integers(0, customers + 1, 3).tolist()
        seen = outlook(ahead=ahead, tested=backtest(came=came, customers=customers))
        for claim in ledger_of(seen).claims():
            # Numbers of forecasts are no customers.
            assert claim.name == "churn_forecasts_held" or claim.n >= SMALL
            if claim.name in ("churn_expected", "churn_came"):
                assert not 1 <= claim.value < SMALL
                assert not 1 <= claim.n - claim.value < SMALL
