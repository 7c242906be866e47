"""Drift of an effect: found where it is, in weeks or in days, and not where it is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData
from retention_lab.experiments.validity_drift import drift


def grid_of(seed, *, ratio, last=100, n=4_000):
    """Customers of eight weeks with a hazard of 0.03 a day, `ratio` of it where treated."""
    rng = np.random.default_rng(seed)
    entry, treated = rng.integers(0, 56, n), rng.random(n) < 0.6
    followed = np.minimum(last - entry, 90)
    day, event = followed.copy(), np.zeros(n, dtype=bool)
    for now in range(90, 0, -1):  # the earliest of the days that are hit counts
        hazard = 0.03 * np.where(treated, ratio(entry // 7, now), 1)
        hit = (rng.random(n) < hazard) & (now <= followed)
        day, event = np.where(hit, now, day), event | hit
    rows = pd.DataFrame({"week": pd.Timestamp("2026-01-05") + pd.to_timedelta(entry // 7 * 7, "D")})
    rows = rows.assign(arm=np.where(treated, "hello", "control"), day=day)
    rows = rows.assign(events=event.astype(int), censored=(~event).astype(int))
    return rows.groupby(["week", "arm", "day"], as_index=False).sum()


def test_a_drift_with_enrolment_is_found_and_is_none_of_days():
    found = drift(grid_of(1, ratio=lambda week, _: 0.4 + 0.1 * week), control="control")
    assert found.by_week < 1e-4
    assert found.by_day > 0.01


def test_a_novelty_of_days_is_none_of_enrolment_though_late_comers_saw_only_that():
    grid = grid_of(2, ratio=lambda _, day: 0.25 if day < 10 else 1.5, last=60, n=8_000)
    found = drift(grid, control="control")
    assert found.by_day < 1e-4
    assert found.by_week > 0.01


def test_a_strong_effect_that_stays_is_no_drift():
    found = drift(grid_of(3, ratio=lambda *_: 0.5), control="control")
    assert min(found.by_week, found.by_day) > 0.01


def test_which_of_two_arms_is_control_does_not_matter():
    grid = grid_of(4, ratio=lambda *_: 0.7)
    one, other = (drift(grid, control=arm) for arm in ("control", "hello"))
    assert (one.by_week, one.by_day) == pytest.approx((other.by_week, other.by_day))


def test_one_week_tells_of_days_alone():
    grid = grid_of(5, ratio=lambda *_: 0.7)
    found = drift(grid[grid["week"] == grid["week"].min()], control="control")
    assert found.by_week is None
    assert 0 < found.by_day <= 1


def test_what_tells_no_drift_is_refused():
    grid = grid_of(6, ratio=lambda *_: 0.7)
    with pytest.raises(BadData, match="Fewer than 20 events"):
        drift(grid[grid["arm"] == "hello"], control="control")
    with pytest.raises(BadData, match="Fewer than 20 events"):
        drift(grid.iloc[:0], control="control")
    with pytest.raises(BadData, match="All events came on one day"):
        drift(grid.assign(day=1), control="control")
