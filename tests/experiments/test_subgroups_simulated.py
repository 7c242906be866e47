"""How often segments are said to differ that do not, and how often pulled intervals hold.

Customers are drawn one by one. Their effects are those of `subgroups`, reckoned for all trials at
once; each trial stands as an arm of its own.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from retention_lab.experiments.subgroups import compared, subgroups

from .segmented import CONTROL, SENT, planned

TIMES, DAYS, DAY = 4_000, 120, 90
SHARES = np.array([0.45, 0.30, 0.17, 0.08])
STAYS = 0.6  # of control, at day 90


def counts(rng, n, *, effects, shares=SHARES, treated=0.5):
    """Count who leaves on a day and who is followed so far: arm x country x day x left.

    Customers enter over 60 days; `effects` are gains in the share retained at day 90, by country.
    """
    arm = (rng.random(n) < treated).astype(int)
    country = rng.choice(len(shares), n, p=shares)
    share = STAYS + arm * np.asarray(effects)[country]
    leaves = np.ceil(rng.exponential(1, n) * DAY / -np.log(share)).astype(int)
    seen = DAYS - rng.integers(0, 61, n)
    days = np.minimum(leaves, seen)
    shape = (2, len(shares), DAYS + 1, 2)
    place = np.ravel_multi_index((arm, country, days, (leaves <= seen).astype(int)), shape)
    return np.bincount(place, minlength=np.prod(shape)).reshape(shape)


def effects_of(all_counts):
    """Effects and standard errors, trials x countries, by Kaplan and Meier and by Greenwood."""
    here = all_counts.sum(axis=-1)[..., ::-1].cumsum(axis=-1)[..., ::-1][..., : DAY + 1]
    events = all_counts[..., : DAY + 1, 1]
    stays = (1 - events / here).prod(axis=-1)
    variance = stays**2 * (events / (here * np.maximum(here - events, 1))).sum(axis=-1)
    return stays[:, 1] - stays[:, 0], np.sqrt(variance.sum(axis=1))


def read(effect, std_error):
    """Compare the countries of each trial."""
    trials, values = effect.shape
    rows = pd.DataFrame(
        {
            "arm": np.repeat(np.arange(trials), values),
            "segment": "country",
            "value": np.tile(np.arange(values), trials),
            "effect": effect.ravel(),
            "std_error": std_error.ravel(),
        }
    )
    return compared(rows)


def trials(rng, n, *, times=TIMES, **words):
    return np.stack([counts(rng, n, **words) for _ in range(times)])


def luck(share):
    """Four standard errors of a share of `TIMES` repetitions."""
    return 4 * np.sqrt(share * (1 - share) / TIMES)


def test_effects_of_all_trials_at_once_are_those_of_subgroups():
    one = counts(np.random.default_rng(1), 4_000, effects=(0.0, 0.1, 0.0, 0.0))
    cells = pd.DataFrame(one.reshape(-1, 2), columns=["censored", "events"])
    index = pd.MultiIndex.from_product([[CONTROL, SENT], range(4), range(DAYS + 1)])
    grid = cells.set_index(index).rename_axis(["arm", "country", "day"]).reset_index()
    found = subgroups(
        SimpleNamespace(grid=lambda _by: grid[grid["events"] + grid["censored"] > 0]),
        planned("country"),
    ).rows
    effect, std_error = effects_of(one[None])
    assert found["effect"].tolist() == pytest.approx(effect[0].tolist())
    assert found["std_error"].tolist() == pytest.approx(std_error[0].tolist())


@pytest.mark.slow
@pytest.mark.parametrize(("n", "treated"), [(1_500, 0.5), (6_000, 0.5), (3_000, 2 / 3)])
def test_segments_of_one_effect_are_said_to_differ_as_seldom_as_promised(n, treated):
    rng = np.random.default_rng(20261123)
    made = trials(rng, n, effects=[0.03] * 4, treated=treated)
    rows, tests = read(*effects_of(made))
    rejected = (tests["p_value"] < 0.05).mean()
    # Nothing is there to be found, so whatever is named is false.
    named = (rows["p_adjusted"] <= 0.05).groupby(rows["arm"]).any().mean()
    assert rejected == pytest.approx(0.05, abs=luck(0.05))
    assert named < 0.05 + luck(0.05)


@pytest.mark.slow
def test_of_the_segments_named_few_are_the_average():
    rng = np.random.default_rng(20261123)
    # Two countries have the average; the others are as far above it as below.
    made = trials(rng, 6_000, effects=[0.03, 0.03, 0.10, -0.04], shares=np.full(4, 0.25))
    rows, _tests = read(*effects_of(made))
    named = (rows["p_adjusted"].to_numpy() <= 0.05).reshape(TIMES, 4)
    false = named[:, :2].sum(axis=1) / np.maximum(1, named.sum(axis=1))
    assert false.mean() < 0.05 + 4 * false.std() / np.sqrt(TIMES)
    assert named[:, 2:].mean() > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0, 0.03, 0.08])
def test_pulled_intervals_hold_on_average_over_segments_drawn_at_random(spread):
    rng = np.random.default_rng(20261123)
    truth = np.clip(rng.normal(0.02, spread, (TIMES, 4)), -0.3, 0.3)
    made = np.stack([counts(rng, 4_000, effects=each) for each in truth])
    rows, _tests = read(*effects_of(made))
    value, raw, low, high = (
        rows[name].to_numpy("float64").reshape(TIMES, 4)
        for name in ("shrunk", "effect", "shrunk_low", "shrunk_high")
    )
    covered = ((low <= truth) & (truth <= high)).mean(axis=1)
    # What `inference.shrinkage` promises is 94 in 100 or more, on average.
    assert covered.mean() > 0.94 - 4 * covered.std() / np.sqrt(TIMES)
    assert ((value - truth) ** 2).mean() < ((raw - truth) ** 2).mean()
