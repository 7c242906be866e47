"""Pictures of how long customers stay: they compile, carry their words and hide the few."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest

from retention_lab.charts import staying
from retention_lab.charts.frame import as_mime
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.evidence import Missing
from retention_lab.record import SMALL
from retention_lab.record.small import few
from retention_lab.reports import figures
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.survival.incidence import cumulative_incidence
from retention_lab.wording import Instead

LEAVING, BUYING = Endpoint(kind="cancelled"), Endpoint(kind="returned")


def grid(n=400, *, seed=1, days=200, causes=None, leaving=0.5):
    """A day grid of `n` customers, of whom a share leave at random times; perhaps by cause."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"day": rng.integers(1, days, n), "events": rng.random(n) < leaving})
    rows["censored"] = ~rows["events"]
    shares = {**(causes or {}), "other": 1 - sum((causes or {}).values())}
    cause = rng.choice(list(shares), n, p=list(shares.values()))
    for name in shares if causes else ():
        rows[f"events_{name}"] = rows["events"] & (cause == name)
    return rows.groupby("day").sum().astype("int64").reset_index()


def table(chart):
    """The data table of a chart that draws, with its words in place."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert "<svg" in figures.figure(spec, number=1, where="here")
    assert spec["description"].endswith(".")
    assert spec["usermeta"]["caption"].endswith(".")
    layers = chart.layer if isinstance(chart, alt.LayerChart) else [chart]
    fields = [field for field, _ in spec["usermeta"]["labels"]]
    held = [each.data for each in (chart, *layers) if isinstance(each.data, pd.DataFrame)]
    return next(data for data in held if set(fields) <= set(data.columns))[fields]


def groups(**grids):
    return pd.concat([one.assign(group=name) for name, one in grids.items()])


def tells_of_few(data, whole):
    """Whether a step between two drawn days, of those who left or of all, is of a few."""
    drawn = data["day"].to_numpy()
    so_far = whole.set_index("day").cumsum().reindex(drawn)
    steps = so_far[["events", "censored"]].diff().dropna().to_numpy()
    return few(steps).any() or few(-np.diff(data["at_risk"])).any()


def test_a_line_is_drawn_for_each_group_in_order():
    data = groups(old=grid(seed=2), new=grid(seed=3, days=60))
    chart = staying.joined(data, endpoint=LEAVING)
    drawn = table(chart)
    assert drawn["group"].unique().tolist() == ["old", "new"]
    assert drawn.groupby("group")["share"].first().eq(1).all()
    assert chart.description.startswith("Still subscribed, by days and by when they joined: old")
    curve = kaplan_meier(grid(seed=2)).set_index("day")
    old = drawn[drawn["group"] == "old"].set_index("day")
    assert old["share"].to_numpy() == pytest.approx(curve.loc[old.index, "survival"], abs=1e-4)


def test_returns_rise_from_zero():
    drawn = table(staying.joined(groups(all=grid()), endpoint=BUYING))
    assert drawn["share"].iloc[0] == 0
    assert drawn["share"].is_monotonic_increasing
    assert (drawn["low"] <= drawn["share"]).all()
    assert (drawn["share"] <= drawn["high"]).all()


def test_no_step_of_a_curve_tells_of_a_few():
    for seed in range(5):
        whole = grid(300, seed=seed)
        drawn = table(staying.joined(groups(all=whole), endpoint=LEAVING))
        assert len(drawn) > 5
        assert not tells_of_few(drawn, pd.concat([pd.DataFrame({"day": [0]}), whole]).fillna(0))
        assert drawn["at_risk"].min() >= SMALL


def test_a_small_group_is_not_drawn():
    drawn = table(staying.joined(groups(many=grid(), tiny=grid(SMALL - 1)), endpoint=LEAVING))
    assert set(drawn["group"]) == {"many"}
    assert isinstance(staying.joined(groups(tiny=grid(SMALL - 1)), endpoint=LEAVING), Instead)


def test_milestones_are_two_lines_of_the_first_and_else_a_sentence():
    two = pd.concat([grid(seed=1).assign(reached=True), grid(seed=2).assign(reached=False)])
    chart = staying.by_milestone({"Onboarding": two, "Other": two}, endpoint=LEAVING, day=7)
    assert table(chart)["group"].unique().tolist() == ["not by day 7", "by day 7"]
    assert "Onboarding" in chart.usermeta["caption"]
    assert staying.by_milestone({}, endpoint=LEAVING, day=7) == Instead(staying.NO_MILESTONE)


def test_causes_are_drawn_beside_each_other_on_the_same_days():
    curves = cumulative_incidence(grid(causes={"involuntary": 0.2, "voluntary": 0.7}, n=800))
    chart = staying.causes(curves)
    drawn = table(chart)
    days = drawn.groupby("group")["day"].apply(list)
    assert set(days.index) == {"involuntary", "voluntary"} | set(days.index) & {"other"}
    assert len({tuple(each) for each in days}) == 1
    assert "voluntary" in chart.description


def test_no_step_of_the_causes_tells_of_a_few():
    for seed in range(5):
        leaving = 0.5 if seed % 2 else 0.8
        whole = grid(900, seed=seed, causes={"involuntary": 0.3, "rare": 0.003}, leaving=leaving)
        drawn = table(staying.causes(cumulative_incidence(whole)))
        assert "rare" not in set(drawn["group"])
        counts = whole.set_index("day").cumsum()
        for cause, rows in drawn.groupby("group"):
            assert len(rows) > 2
            so_far = counts[f"events_{cause}"].reindex(rows["day"], method="ffill").fillna(0)
            assert not few(so_far).any()
            assert not few(np.diff(so_far)).any()
            assert not few(-np.diff(rows["at_risk"])).any()
        shown = [f"events_{cause}" for cause in drawn["group"].unique()]
        others = whole["events"] + whole["censored"] - whole[shown].sum(axis=1)
        days = drawn["day"].unique()
        before = [others[whole["day"] < day].sum() for day in days]
        assert not few(np.diff(before)).any()  # nor who left otherwise


def test_causes_of_a_few_or_of_none_are_not_drawn():
    few_of_them = cumulative_incidence(grid(20, causes={"voluntary": 1}))
    assert isinstance(staying.causes(few_of_them), Instead)
    assert isinstance(staying.causes(few_of_them.assign(at_risk=SMALL - 1)), Instead)
    assert staying.causes(Missing(why="No.")) == Instead("No.")


def test_a_line_is_level_until_the_day_on_which_anything_happened():
    once = pd.DataFrame({"day": [7], "events": [200], "censored": [800]})
    drawn = staying.steps(kaplan_meier(once), coming=True)
    assert drawn["day"].tolist() == [0, 6, 7]
    assert drawn["share"].tolist() == pytest.approx([0, 0, 0.2])


def test_a_level_line_does_not_tell_when_the_first_of_a_few_left():
    left = {"events": [1, 11, 30], "censored": [0, 0, 358]}
    few_first = pd.DataFrame({"day": [5, 12, 20], **left})
    drawn = staying.steps(kaplan_meier(few_first), coming=False)
    assert drawn["day"].tolist() == [0, 19, 20]  # not 4, although nobody had left until then
