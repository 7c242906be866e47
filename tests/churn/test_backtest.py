"""What earlier forecasts said, and what came."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.churn.backtest import backtest
from retention_lab.churn.endpoints import Endpoint

from .simulated import FACTORS, HORIZON, landmarks

AS_OF = dt.date(2026, 11, 29)
STAY, RETURN = Endpoint(kind="cancelled"), Endpoint(kind="returned")


def judged(table, **changed):
    asked = {"horizon": HORIZON, "as_of": AS_OF, "endpoint": STAY} | changed
    return backtest(table, FACTORS, **asked)


@pytest.fixture(scope="module")
def table():
    return landmarks(np.random.default_rng(7), periods=6, n=1_500)


@pytest.fixture(scope="module")
def found(table):
    return judged(table)


def test_origins_lie_a_horizon_apart_and_have_windows_before_them(table, found):
    days = sorted(table["landmark"].unique())
    assert found.origins["origin"].tolist() == days[1:]
    assert judged(table, origins=2).origins["origin"].tolist() == days[-2:]


def test_what_came_is_what_the_table_tells(table, found):
    events = table["weight"] * table["event_observed"]
    came = events.groupby(table["landmark"]).sum()
    lines = found.origins.set_index("origin")
    assert lines["observed"].tolist() == came[lines.index].tolist()
    assert (lines["customers"] == 1_500).all()


def test_a_forecast_held_if_what_came_lies_in_its_interval(table):
    last = table["landmark"].max()
    moved = (table["landmark"] == last) & ~table["event_observed"]
    doubled = table.assign(
        day=table["day"].where(~moved | (table.index % 2 == 0), 50),
        event_observed=table["event_observed"] | (moved & (table.index % 2 == 1)),
    )
    lines = judged(doubled).origins
    inside = lines["observed"].between(lines["low"], lines["high"])
    assert lines["held"].tolist() == inside.tolist()
    assert not lines["held"].iloc[-1]
    assert lines["held"].iloc[0]


def test_what_comes_after_an_origin_does_not_change_its_forecast(table, found):
    origin = found.origins["origin"].iloc[2]
    later = table["landmark"] >= origin
    changed = table.assign(
        event_observed=table["event_observed"] & ~later,
        day=table["day"].where(~(later & table["event_observed"]), HORIZON),
    )
    # Windows without an event are no less forecast; what they are trained on ended before.
    lines = judged(changed, origins=5).origins
    told = ["origin", "customers", "expected", "low", "high"]
    pd.testing.assert_frame_equal(lines.loc[:2, told], found.origins.loc[:2, told])
    assert lines.loc[2, "observed"] == 0


def test_calibration_is_within_three_points_where_the_model_is_right(found):
    gap = found.calibration["predicted"] - found.calibration["observed"]
    # Nine standard errors of a share of about 750 customers would be needed for all ten to hold
    # by luck; here the largest of ten is allowed three.
    error = np.sqrt(0.75 * 0.25 / found.calibration["n"])
    assert (gap.abs() < 3 * error + 0.01).all()
    assert found.calibration["n"].sum() == 5 * 1_500


def test_predictions_beat_the_null_model_and_rank_better_than_chance(found):
    assert found.brier.value < found.brier_null.value
    assert found.concordance.low > 0.5
    assert found.auc.low > 0.5
    assert found.auc.low < found.auc.value < found.auc.high


def test_returning_turns_the_calibration_round_and_nothing_else(table, found):
    back = judged(table, endpoint=RETURN)
    turned = found.calibration[::-1].reset_index(drop=True)
    assert back.calibration["n"].tolist() == turned["n"].tolist()
    assert back.calibration["group"].tolist() == list(range(1, len(turned) + 1))
    shares = back.calibration[["predicted", "observed", "low", "high"]].to_numpy()
    assert shares == pytest.approx(
        1 - turned[["predicted", "observed", "high", "low"]].to_numpy(), abs=1e-9
    )
    assert back.brier.value == pytest.approx(found.brier.value)
    assert back.auc.value == pytest.approx(found.auc.value)


def test_weights_are_repeated_rows():
    table = landmarks(np.random.default_rng(8), periods=3, n=300)
    rows = table.loc[table.index.repeat(table["weight"])].assign(weight=1)
    one, other = judged(table), judged(rows)
    pd.testing.assert_frame_equal(one.origins, other.origins)
    pd.testing.assert_frame_equal(one.calibration, other.calibration)
    for name in ("brier", "brier_null", "concordance", "auc"):
        assert vars(getattr(one, name)) == pytest.approx(vars(getattr(other, name)), rel=1e-6)


def test_windows_that_end_after_the_as_of_day_are_not_judged(table):
    earlier = judged(table, as_of=dt.date(2026, 11, 28))
    assert earlier.origins["origin"].max() == pd.Timestamp("2026-06-02")


def test_too_short_a_history_is_refused(table):
    one = table[table["landmark"] == table["landmark"].max()]
    with pytest.raises(
        BadData, match=r"No earlier forecast .* No window ends before its first day"
    ):
        judged(one)
    with pytest.raises(BadData, match="does not reach back 90 days from 2026-06-01"):
        judged(one, as_of=dt.date(2026, 6, 1))


def test_events_in_the_last_window_only_are_refused(table):
    # As where all cancellations were entered on one day: no earlier window tells anything.
    last = table["landmark"] == table["landmark"].max()
    bare = table.assign(
        event_observed=table["event_observed"] & last,
        day=table["day"].where(last | ~table["event_observed"], HORIZON),
    )
    with pytest.raises(BadData, match=r"by 2026-11-29\. 0 customers had the event"):
        judged(bare)


def test_an_origin_whose_customers_are_new_in_kind_is_not_judged(table):
    # As in a shop that opened a month before its first window: nobody had been there for longer.
    first = table["landmark"] == table["landmark"].min()
    new = table.assign(plan=table["plan"].where(~first | (table["plan"] == "basic"), "basic"))
    found = judged(new)
    assert found.origins["origin"].tolist() == sorted(table["landmark"].unique())[2:]
    assert [line[:47] for line in found.left_out] == [
        "The forecast of 2025-06-07 is not judged. No wi",
        "The forecast of 2025-09-05 is not judged. On 20",
    ]
    with pytest.raises(BadData, match="On 2025-09-05 more than 10% of the customers were in a"):
        judged(new, as_of=dt.date(2025, 12, 4))
