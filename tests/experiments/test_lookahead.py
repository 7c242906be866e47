"""What the looks of a plan will see, held against published bounds, by hand and simulated."""

from __future__ import annotations

import datetime as dt
from functools import cache
from math import isnan, sqrt

import numpy as np
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments import lookahead, simulate, testing
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.simulate import Trials
from retention_lab.experiments.sizing import assumptions, sized
from retention_lab.inference.sequential.bounds import Rule
from retention_lab.inference.sequential.planning import design, stops
from retention_lab.inference.sequential.spending import Spending

FOUR = {"information": [0.25, 0.5, 0.75, 1]}
FUTILE = {**FOUR, "futility": {"family": "O'Brien-Fleming"}}
LATE = {"entry_per_day": 20, "baseline": 0.6, "onset_days": 60}
ONE_SIDED = {"smallest_effect": 0.06, "sides": 1, "alpha": 0.025}
FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Lifecycle Marketing",
    "hypothesis": "A check-in keeps more customers.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [{"name": "control", "share": 0.5}, {"name": "check-in", "share": 0.5, "message": "m"}],
    "starts": "2027-01-01",
    "ends": "2027-04-30",  # 120 days
    "endpoint": {"kind": "retained", "day": 90},
    "primary": ONE_SIDED,
    "looks": FOUR,
    "assumptions": {"entry_per_day": 20, "baseline": 0.6},
}


def plan(**changed: object) -> Plan:
    return Plan.model_validate({**FIELDS, **changed})


def looks(**changed: object):
    found = plan(**changed)
    return lookahead.looks(found, assumptions(found))


@cache
def families(sides: int = 2):
    found = plan(primary={"smallest_effect": 0.06, "sides": sides})
    return lookahead.families(found, assumptions(found)).set_index(["looks", "family"])


def test_four_looks_have_the_bounds_that_are_published():
    # Lan-DeMets O'Brien-Fleming, 0.025 on one side, looks at quarters: gsDesign and East alike.
    assert looks()["upper"].tolist() == pytest.approx([4.3326, 2.9631, 2.3590, 2.0141], abs=5e-4)


def test_the_effect_on_a_bound_is_so_many_standard_errors():
    last = looks().iloc[-1]
    share = 0.6 + last["smallest"]
    error = sqrt((0.6 * 0.4 + share * (1 - share)) / 1_200)  # 2,400 customers, all followed
    assert last["smallest"] == pytest.approx(last["upper"] * error, rel=1e-6)
    assert last["on"] == dt.date(2027, 7, 29)  # 90 days after the last entered


def test_an_effect_on_customers_reached_is_larger_than_the_one_that_is_seen():
    most = {**FIELDS["assumptions"], "contact_rate": 0.5}
    assert looks(assumptions=most)["smallest"].iloc[-1] == pytest.approx(
        2 * looks()["smallest"].iloc[-1], rel=0.01
    )


def test_returns_rise_where_those_who_stay_do():
    stay, back = looks(), looks(endpoint={"kind": "returned", "day": 90})
    # 60 in 100 who return are 40 who do not: the spread of shares is the same.
    assert back["smallest"].to_numpy() == pytest.approx(stay["smallest"].to_numpy(), rel=0.1)
    assert (back["smallest"] > 0).all()


def test_looks_stop_more_and_more_tests_until_all_have():
    found = looks(looks=FUTILE)
    for column in ("stops_with", "stops_without"):
        assert found[column].is_monotonic_increasing
        assert found[column].iloc[-1] == 1
    assert (found["stops_without"] > found["stops_with"]).iloc[:-1].all()
    assert found["day"].is_monotonic_increasing
    plain = looks()
    # Without futility only luck stops a test of nothing, rarely.
    assert plain["stops_without"].iloc[-2] < 0.025
    assert plain["futility"].isna().all()


def test_an_effect_that_sets_in_late_stops_a_log_rank_test_less_often_at_first():
    events = {**ONE_SIDED, "test": "log-rank"}
    late = plan(primary=events, assumptions=LATE)
    said = lookahead.looks(late, assumptions(late))
    ratio = testing.hazard_ratio(late, assumptions(late))
    last = testing.kernel(late, assumptions(late), day=assumptions(late).last_day)
    bounds = testing.designed(tuple(FOUR["information"]), testing.rule(late)).looks
    alike = stops(bounds, drift=testing.drift(last, ratio))["above"].cumsum()
    assert said["stops_with"].iloc[2] < 0.8 * alike.iloc[2]
    at_once = plan(primary=events)
    ratio = testing.hazard_ratio(at_once, assumptions(at_once))
    last = testing.kernel(at_once, assumptions(at_once), day=assumptions(at_once).last_day)
    alike = stops(bounds, drift=testing.drift(last, ratio))["above"].cumsum()
    assert looks(primary=events)["stops_with"].iloc[2] == pytest.approx(alike.iloc[2], abs=0.01)


def test_a_test_gives_up_below_an_effect_that_rises_to_the_one_it_needs():
    found = looks(looks=FUTILE)
    assert found["futility"].is_monotonic_increasing
    assert found["futility"].iloc[0] < 0 < found["futility"].iloc[1]
    assert found["futility"].iloc[-1] == pytest.approx(found["smallest"].iloc[-1])


def test_a_bound_that_no_effect_reaches_has_none():
    found = looks(assumptions={"entry_per_day": 0.5, "baseline": 0.6})
    assert isnan(found["smallest"].iloc[0])
    assert not isnan(found["smallest"].iloc[-1])


def test_a_plan_without_looks_has_one_row():
    found = looks(looks=None)
    assert found["look"].tolist() == [1]
    assert found["upper"].tolist() == pytest.approx([1.95996], abs=1e-5)
    assert (found["stops_with"].item(), found["stops_without"].item()) == (1, 1)


def test_a_look_before_anybody_was_followed_is_refused():
    with pytest.raises(BadParameter, match="nobody has been followed for 90 days yet"):
        looks(looks={"days": [60, 210]})


def test_looks_that_fall_on_one_day_are_refused():
    with pytest.raises(BadParameter, match="Two looks fall on day 91, as customers enter within"):
        looks(ends=FIELDS["starts"])


def test_more_looks_cost_more_customers_and_less_time():
    found = families()
    for family in lookahead.FAMILIES:
        one = found.xs(family, level="family")
        assert one["inflation"].iloc[0] == pytest.approx(1)
        assert one["customers"].is_monotonic_increasing
        assert one["weeks_with"].is_monotonic_decreasing
        assert (one["weeks_with"].iloc[1:] < one["weeks_most"].iloc[1:]).all()
    assert (
        found.xs("Pocock", level="family")["customers"]
        >= found.xs("O'Brien-Fleming", level="family")["customers"]
    ).all()


def test_four_looks_of_a_family_cost_what_a_plan_with_them_needs():
    found = sized(plan(primary={"smallest_effect": 0.06}))
    row = families().loc[(4, "O'Brien-Fleming")]
    assert (row["customers"], row["weeks_most"]) == (found.needed.total, found.weeks)
    assert row["inflation"] == found.inflation


def test_the_mean_of_two_looks_is_that_of_their_days():
    row = families().loc[(2, "Pocock")]
    two = design([0.5, 1], rule=Rule(alpha=0.05, power=0.8, spending=Spending(family="Pocock")))
    stopped = stops(two.looks, drift=two.drift).loc[0, ["below", "above"]].sum()
    first = row["weeks_most"] - (row["weeks_most"] - row["weeks_with"]) / stopped
    # The day on which the test knows half is a whole one, before that of everybody.
    assert first * 7 == pytest.approx(round(first * 7), abs=1e-6)
    assert 90 < first * 7 < row["weeks_most"] * 7


def test_what_looks_save_hangs_on_the_pace_not_on_the_days_that_are_planned(monkeypatch):
    monkeypatch.setattr(lookahead, "_LOOKS", (2,))
    short, long = plan(looks=None), plan(looks=None, ends="2027-09-30")
    first, second = (lookahead.families(each, assumptions(each)) for each in (short, long))
    assert first.equals(second)


def test_futility_saves_weeks_where_there_is_no_effect(monkeypatch):
    monkeypatch.setattr(lookahead, "_LOOKS", (1, 2))
    found = plan(looks=FUTILE)
    rows = lookahead.families(found, assumptions(found))
    two = rows.iloc[2]
    assert rows["inflation"].iloc[0] == pytest.approx(1)  # one look has nothing to give up early
    assert two["weeks_without"] < two["weeks_with"] < rows["weeks_most"].iloc[0]


def score(found: Plan, *, ratio: float, times: int, rng: np.random.Generator) -> np.ndarray:
    """Statistic of simulated tests at each look, of the same customers: tests x looks."""
    assumed, days = assumptions(found), testing.look_days(found, assumptions(found), ratio)
    n = int(assumed.entered(assumed.entry_days))
    arm = np.arange(n) % 2
    rate = -np.log(0.6) / 90
    before = rate * assumed.onset_delay_days  # each gathers so much before the effect sets in
    read = simulate.retention if found.primary.test == "retention" else simulate.logrank
    settings = {"at": 90} if found.primary.test == "retention" else {}
    standing = np.empty((times, len(days)))
    for test in range(times):
        entry = rng.uniform(0, assumed.entry_days, n)
        gathered = rng.standard_exponential(n)
        late = np.maximum(gathered - before, 0) / np.where(arm, ratio, 1)
        event = (np.minimum(gathered, before) + late) / rate
        for look, day in enumerate(days):
            seen = np.minimum(day - entry, 90)
            happened = event < seen
            left = np.where(happened, event + 1, seen).astype("int64")
            counts = [
                [np.bincount(left[chosen & (arm == a)], minlength=92)[:92] for a in (0, 1)]
                for chosen in (happened & (seen > 0), seen > 0)
            ]
            events, gone = (np.array(each)[None] for each in counts)
            at_risk = gone[..., ::-1].cumsum(axis=-1)[..., ::-1]
            trial = Trials(events=events, at_risk=at_risk)
            standing[test, look] = read(trial, **settings).item()
    return standing


@pytest.mark.slow
@pytest.mark.parametrize(
    ("effect", "changed"),
    [
        (True, {}),
        (False, {}),
        (True, {"primary": {**ONE_SIDED, "test": "log-rank"}, "assumptions": LATE, "looks": FOUR}),
    ],
)
def test_simulated_tests_stop_at_each_look_as_often_as_it_says(effect, changed):
    found, times = plan(**{"looks": FUTILE, **changed}), 2_000
    said = lookahead.looks(found, assumptions(found))
    ratio = testing.hazard_ratio(found, assumptions(found))
    known = testing.designed(tuple(FOUR["information"]), testing.rule(found)).looks
    z = score(found, ratio=ratio if effect else 1.0, times=times, rng=np.random.default_rng(5))
    out = (z >= known["upper"].to_numpy()) | (z <= known["lower"].to_numpy())
    stopped = np.maximum.accumulate(out, axis=1).mean(axis=0)
    due = said["stops_with" if effect else "stops_without"].to_numpy()
    # Four standard deviations of the share of 2,000 tests.
    assert stopped[:-1] == pytest.approx(due[:-1], abs=4 * sqrt(0.25 / times))
