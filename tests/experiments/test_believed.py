"""Beliefs: history where it can tell, else the plan; each possible, and what if it is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.experiments import believed as beliefs
from retention_lab.experiments.believed import believed, simulated, wrong
from retention_lab.experiments.plan import load
from retention_lab.experiments.sizing import assumptions, sized
from retention_lab.inference.interval import Interval

from .looked import looked
from .proposals import THREE, history, plan

TEMPLATES = Path(__file__).parents[2] / "experiments/templates"
WEEKS = pd.DataFrame({"week": range(20), "reached": 400, "eligible": 350})
KNOWN = {
    "weeks": WEEKS,
    "entry": Interval(value=50.0, low=46.0, high=54.0),
    "baseline": Interval(value=0.7, low=0.68, high=0.72),
    "curve": pd.DataFrame({"day": [0, 10, 88, 120], "survival": [1.0, 0.8, 0.7, 0.65]}),
    "delivered": Interval(value=0.9, low=0.89, high=0.91),
    "customers": 3_000,
    "followed": 2_500,
}


def past(**changed):
    return history(**{**KNOWN, **changed})


def assuming(**changed):
    """The check-in of 74 a day, 60 in 100 retained and 80 in 100 reached, with other words."""
    return plan(assumptions={"entry_per_day": 74, "contact_rate": 0.8, "baseline": 0.6, **changed})


def of(found, name):
    return next(belief for belief in found.beliefs if belief.name == name)


def row(frame, name):
    return frame.set_index("assumption").loc[name]


def test_history_counts_where_it_can_tell_and_the_plan_where_it_cannot():
    found = believed(plan(), past())
    assert [belief.name for belief in found.beliefs] == [
        *("entry_per_day", "baseline", "contact_rate", "dropout_per_day", "onset_days"),
    ]
    sources = [belief.source for belief in found.beliefs]
    assert sources == ["history", "history", "plan", "default", "default"]
    entry = of(found, "entry_per_day")
    assert (entry.value, entry.low, entry.high, entry.planned) == (50, 46, 54, 74)
    assert "last 12 whole weeks; the range is how sure their mean is" in entry.why
    assert of(found, "contact_rate").low == pytest.approx(0.6)
    assert found.assumptions.entry == ((210, 50),)
    assert found.assumptions.contact_rate == 0.8


def test_without_history_the_word_of_the_plan_is_believed_and_history_says_why():
    why = {"entry": "No events yet.", "baseline": "Nobody was followed."}
    found = believed(assuming(dropout_per_day=0.001, onset_days=5), history(why=why))
    assert {belief.source for belief in found.beliefs} == {"plan"}
    assert found.assumptions == assumptions(assuming(dropout_per_day=0.001, onset_days=5))
    entry, baseline = of(found, "entry_per_day"), of(found, "baseline")
    assert (entry.low, entry.high) == (55.5, 92.5)
    assert (baseline.low, baseline.high) == pytest.approx((0.55, 0.65))
    assert entry.why.startswith("No events yet.")
    assert baseline.why.startswith("Nobody was followed.")


def test_what_a_few_customers_did_is_no_history():
    few = WEEKS.assign(eligible=0).astype({"eligible": "int64"})
    few.loc[8:, "eligible"] = [1] * 9 + [0] * 3  # nine in the last 12 weeks
    found = believed(plan(), past(weeks=few, followed=33))  # 9.9 of 33 left
    assert (of(found, "entry_per_day").source, of(found, "baseline").source) == ("plan", "plan")
    assert found.assumptions.baseline.survival(90) == pytest.approx(0.6)
    many = few.assign(eligible=few["eligible"] * 2)
    found = believed(plan(), past(weeks=many, followed=34))
    assert (of(found, "entry_per_day").source, of(found, "baseline").source) == ("history",) * 2


def test_the_curve_of_history_is_followed_to_the_day_of_the_endpoint():
    curve = believed(plan(), past()).assumptions.baseline
    # Nothing happens from day 88 on, and what came after day 90 is not read.
    assert [curve.survival(day) for day in (10, 88, 89, 90)] == pytest.approx([0.8, 0.7, 0.7, 0.7])
    assert curve.end == 90
    # A curve that is too short is not drawn out: one rate leaves as many.
    short = KNOWN["curve"].head(3)
    straight = believed(plan(), past(curve=short)).assumptions.baseline
    assert straight.survival(45) == pytest.approx(0.7**0.5)


def test_who_returns_is_believed_by_the_share_without():
    seen = past(baseline=Interval(value=0.3, low=0.28, high=0.32))
    found = believed(plan(endpoint={"kind": "returned", "day": 90}), seen)
    assert of(found, "baseline").value == 0.3
    assert found.assumptions.baseline.survival(90) == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("said", "source", "value", "high"),
    [(0.8, "plan", 0.8, 0.91), (None, "history", 0.9, 0.91), (0.95, "history", 0.9, 0.91)],
)
def test_no_more_are_reached_than_messages_were_delivered(said, source, value, high):
    contact = of(believed(assuming(contact_rate=said), past()), "contact_rate")
    assert (contact.source, contact.value, contact.high) == (source, value, high)
    assert (contact.low, contact.planned) == (pytest.approx(value - 0.2), said)


def test_without_a_word_on_messages_everybody_is_reached_by_default():
    contact = of(believed(assuming(contact_rate=None), past(delivered=None)), "contact_rate")
    assert (contact.source, contact.value, contact.high) == ("default", 1.0, 1.0)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("entry_per_day", "how many customers come.*assumptions.entry_per_day"),
        ("baseline", "what share is retained by day 90.*assumptions.baseline"),
    ],
)
def test_what_nobody_knows_is_asked_for(name, asked):
    with pytest.raises(BadParameter, match=asked):
        believed(assuming(**{name: None}), history())


@pytest.mark.parametrize("kind", ["retained", "returned"])
@pytest.mark.parametrize("day", [1, 90])
@pytest.mark.parametrize("baseline", [0.002, 0.9])
@pytest.mark.parametrize(("contact", "late"), [(0.01, 0.9), (1.0, 0.0)])
def test_every_range_holds_its_value_and_what_can_be(kind, day, baseline, contact, late):
    said = {"baseline": baseline, "contact_rate": contact, "onset_days": late * day}
    asked = plan(
        assumptions={"entry_per_day": 74, **said},
        endpoint={"kind": kind, "day": day},
        primary={"smallest_effect": 0.001},
    )
    for belief in believed(asked, history()).beliefs:
        assert 0 <= belief.low <= belief.value <= belief.high
        if belief.name in ("baseline", "contact_rate"):
            assert belief.low > 0
            assert belief.high <= 1
        if belief.name == "onset_days":
            assert belief.high < day
    frame = wrong(asked, believed(asked, history()))
    ends = frame[["customers_low", "customers", "customers_high"]]
    assert (ends.notna().all(axis=1) | (frame["why"] != "")).all()


def test_reaching_fewer_takes_more_customers_by_the_square():
    frame = wrong(plan(), believed(plan(), history()))
    contact = row(frame, "contact_rate")
    assert contact["customers_low"] / contact["customers"] == pytest.approx(16 / 9, rel=0.01)
    assert contact["customers_high"] / contact["customers"] == pytest.approx(0.64, rel=0.01)
    assert contact["power_low"] < contact["power"] < contact["power_high"]
    assert contact["weeks_low"] > contact["weeks"] > contact["weeks_high"]


def test_no_more_can_enter_than_reach_the_milestone():
    weeks = WEEKS.assign(reached=70)
    unknown = {"entry": None, "why": {"entry": "No consents."}}
    entry = of(believed(plan(), past(weeks=weeks, **unknown)), "entry_per_day")
    assert (entry.value, entry.low, entry.high, entry.source) == (10, 5, 10, "history")
    assert entry.why == "No consents. But no more reached the milestone in the last 12 whole weeks."
    few = believed(plan(), past(weeks=weeks.assign(reached=0), **unknown))
    assert of(few, "entry_per_day").value == 74  # nothing is known of the milestone


def test_a_slower_pace_takes_longer_and_no_more_customers():
    pace = row(wrong(plan(), believed(plan(), history())), "entry_per_day")
    assert pace["customers_low"] == pace["customers"] == pace["customers_high"]
    enrolling = [pace[f"weeks{end}"] - 90 / 7 for end in ("_low", "", "_high")]
    assert enrolling == pytest.approx([enrolling[1] * 4 / 3, enrolling[1], enrolling[1] * 0.8])
    assert pace["power_low"] < pace["power"] < pace["power_high"]


def test_another_baseline_keeps_the_form_of_the_curve():
    seen = past(baseline=Interval(value=0.7, low=0.6, high=0.8))  # as the curve has it
    found = believed(plan(), seen)
    frame = wrong(plan(), found)
    assert row(frame, "baseline")["customers"] == sized(plan(), found.assumptions).needed.total
    # With one look all that counts is what remains at the day, not by which curve.
    other = believed(plan(), past(baseline=Interval(value=0.6, low=0.5, high=0.7), curve=None))
    alone = sized(plan(), other.assumptions).needed.total
    assert row(frame, "baseline")["customers_low"] == pytest.approx(alone, abs=2)


def test_an_end_that_cannot_be_is_missing_and_says_why():
    seen = past(
        entry=Interval(value=2.0, low=0.0, high=4.0),
        baseline=Interval(value=0.96, low=0.93, high=0.98),
        curve=None,
    )
    frame = wrong(plan(), believed(plan(), seen))
    pace, baseline = row(frame, "entry_per_day"), row(frame, "baseline")
    assert np.isnan([pace["weeks_low"], pace["customers_low"], baseline["power_high"]]).all()
    assert pace["why"] == "If nobody comes, the test never ends."
    assert "98 in 100 are retained by day 90 as things are, and 3 points more" in baseline["why"]
    assert baseline[["customers_low", "customers"]].notna().all()
    assert row(frame, "contact_rate")["why"] == ""


def test_a_test_that_cannot_be_sized_as_believed_is_refused():
    seen = past(baseline=Interval(value=0.98, low=0.97, high=0.99), curve=None)
    with pytest.raises(BadParameter, match=r"name a smaller primary\.smallest_effect"):
        wrong(plan(), believed(plan(), seen))


def test_the_same_seed_simulates_the_same_tests():
    asked = plan(primary={"smallest_effect": 0.1})
    found = believed(asked, history())
    one, again = (simulated(asked, found, times=200, rng=np.random.default_rng(1)) for _ in "ab")
    assert one == again
    assert one.low < 0.8 < one.high
    assert one.high - one.low > 0.08  # of 200 tests


def test_a_test_too_large_to_be_simulated_is_refused():
    asked = plan(primary={"smallest_effect": 0.005})
    with pytest.raises(BadParameter, match="customers is too large to be simulated"):
        simulated(asked, believed(asked, history()), times=2000, rng=np.random.default_rng(1))


ALONE = {"sides": 2, "alpha": 0.05}
FOURTHS = [{"name": f"arm-{i}", "share": share} for i, share in enumerate((0.28, *3 * [0.24]))]
ARMS = {
    "a fifth": [{"name": "control", "share": 0.2}, {"name": "check-in", "share": 0.8}],
    "a tenth": [{"name": "control", "share": 0.9}, {"name": "check-in", "share": 0.1}],
}
SHAPES = {
    "plain": {},
    "a fifth of control": {"arms": ARMS["a fifth"]},
    "a tenth treated": {"arms": ARMS["a tenth"]},
    "four arms": {"arms": FOURTHS},
    "late": {"assumptions": {"onset_days": 60}},
    "few reached": {"assumptions": {"contact_rate": 0.5}},
    "many lost": {"assumptions": {"dropout_per_day": 0.01}},
    "all": {
        "arms": ARMS["a fifth"],
        "assumptions": {"onset_days": 20, "contact_rate": 0.7, "dropout_per_day": 0.003},
    },
}
TIMES = 6_000  # the standard deviation of a power of 0.80 is 0.005 then


def shaped(shape, *, looks=None, **primary):
    said = {"entry_per_day": 74, "baseline": 0.6, **shape.get("assumptions", {})}
    return {
        **shape,
        "assumptions": said,
        "looks": looks,
        "primary": {"smallest_effect": 0.06, **ALONE, **primary},
    }


@pytest.mark.slow
@pytest.mark.parametrize("file", sorted(TEMPLATES.glob("*.yml")), ids=lambda file: file.stem)
def test_tests_of_the_size_of_a_template_find_their_effect_as_often_as_asked_for(file, monkeypatch):
    monkeypatch.setattr(beliefs, "_MOST", 10**9)
    asked = load(file)
    found = simulated(asked, believed(asked, history()), times=TIMES, rng=np.random.default_rng(5))
    assert found.value == pytest.approx(0.8, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["retained", "returned"])
@pytest.mark.parametrize("test", ["retention", "log-rank"])
def test_tests_of_every_shape_find_their_effect_as_often_as_asked_for(
    test, kind, shape, monkeypatch
):
    monkeypatch.setattr(beliefs, "_MOST", 10**9)
    asked = plan(endpoint={"kind": kind, "day": 90}, **shaped(SHAPES[shape], test=test))
    found = simulated(asked, believed(asked, history()), times=TIMES, rng=np.random.default_rng(5))
    assert found.value == pytest.approx(0.8, abs=0.02)


POCOCK = {"family": "Pocock"}
FUTILE = {"information": [0.3, 0.6, 1], "futility": {"family": "O'Brien-Fleming"}}
ONE = {"sides": 1, "alpha": 0.025}
LOOKED = {
    "shares on days": shaped({}, looks={"days": [120, 180, 300], "spending": POCOCK}),
    "shares, futile": shaped({}, looks=FUTILE, **ONE),
    "shares of three arms": shaped({"arms": THREE}, looks={"information": [0.4, 0.7, 1]}),
    "events": shaped({}, test="log-rank", looks={"information": [0.25, 0.5, 0.75, 1]}),
    "events on days": shaped({}, test="log-rank", looks={"days": [40, 80, 300]}),
    "events, futile": shaped({}, test="log-rank", looks=FUTILE, **ONE),
    "late events": shaped(
        {"assumptions": {"onset_days": 30}},
        test="log-rank",
        looks={"information": [0.25, 0.5, 0.75, 1], "spending": POCOCK},
    ),
    "all": shaped(SHAPES["all"], test="log-rank", looks={"information": [0.2, 0.6, 1]}),
}


def keeps_its_word(asked):
    """Power with futility heeded, and errors with it unheeded, of trials read at all looks."""
    taken, level = assumptions(asked), asked.rule.level
    level /= len(asked.arms) - 1
    with_effect = looked(asked, taken, times=4_000, rng=np.random.default_rng(1))
    without = looked(asked, taken, times=4_000, rng=np.random.default_rng(2), effect=False)
    assert with_effect.heeded == pytest.approx(0.8, abs=0.02)
    assert without.unheeded < level + 4 * (level / 4_000) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"), [*zip(["retained", "returned"] * 4, LOOKED, strict=True)]
)
def test_tests_with_looks_find_their_effect_and_err_as_often_as_asked_for(kind, name):
    keeps_its_word(plan(endpoint={"kind": kind, "day": 90}, **LOOKED[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["check_in_48h", "win_back"])
def test_templates_with_looks_find_their_effect_and_err_as_often_as_asked_for(name):
    keeps_its_word(load(TEMPLATES / f"{name}.yml"))
