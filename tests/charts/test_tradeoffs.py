"""Pictures of what a test could be instead: they draw and carry their words."""

from __future__ import annotations

from math import nan

from retention_lab.charts import tradeoffs as pictures
from retention_lab.charts.frame import as_mime, listed
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..experiments.instead import (  # noqa: TID252  one maker of what a test could be
    ALLOCATIONS,
    CALENDAR,
    EFFECTS,
    FAMILY_ROWS,
    LOOKS,
    ONE_LOOK,
)


def drawn(chart):
    """The picture and the data table of a chart, with its words in place."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    svg = figures.figure(spec, number=1, where="here")
    assert "<svg" in svg
    assert spec["description"].endswith(".")
    assert spec["usermeta"]["caption"].endswith(".")
    return svg, listed(chart)


def test_the_plan_and_twice_its_effect_are_marked_once_each():
    chart = pictures.effects(EFFECTS)
    svg, data = drawn(chart)
    assert data["points"].tolist() == [1, 1.5, 3, 6, 9]
    assert data["what"].tolist() == ["", "", "This plan", "Twice that", "What the trade claims"]
    assert svg.count("This plan") >= 1
    assert "42 weeks and 15,042 customers for 3 points." in chart.description
    assert "The grey band is what the trade claims." in chart.usermeta["caption"]


def test_the_band_reaches_from_the_least_to_the_most_that_is_claimed():
    chart = pictures.effects(EFFECTS)
    band = chart.layer[0].data
    assert band.to_dict("records") == [{"from": 3.0, "to": 9.0}]
    plain = pictures.effects(EFFECTS[EFFECTS["of"] != "trade"])
    assert "band" not in plain.usermeta["caption"]
    assert len(plain.layer) == len(chart.layer) - 1


def test_the_calendar_marks_the_looks():
    chart = pictures.calendar(CALENDAR)
    svg, data = drawn(chart)
    assert data["matured"].tolist() == CALENDAR["matured"].tolist()
    assert data["date"].iloc[0] == "19 February 2027"
    looks = next(layer.data for layer in chart.layer if list(layer.data.columns) == ["day"])
    assert looks["day"].tolist() == [100, 200, 300]
    assert "Only those followed to the end" in svg
    assert chart.description.endswith("on day 300 86.0\N{NO-BREAK SPACE}%.")


def test_splits_are_drawn_with_their_messages():
    chart = pictures.allocations(ALLOCATIONS)
    svg, data = drawn(chart)
    assert data["messages"].tolist() == [18_932, 7_521, 4_669]
    assert "fewest, 15,042, with 50.0" in chart.description
    assert "Of them sent a message" in svg


def test_looks_are_drawn_with_what_stops_a_test_there():
    svg, data = drawn(pictures.looks(LOOKS))
    assert data["gain"].tolist() == ["8.4 points", "4.1 points", "2 points"]
    assert "gives up below -1.6 points" in svg
    assert svg.count("gives up below") < 3 * svg.count("gain from")  # not at the last
    plain = LOOKS.assign(futility=nan, smallest=[nan, 0.041, 0.02])
    svg, data = drawn(pictures.looks(plain))
    assert data["none"].tolist() == ["none"] * 3
    assert data["gain"].iloc[0] == "none"
    assert "gives up" not in svg


def test_one_look_is_a_sentence():
    found = pictures.looks(ONE_LOOK)
    assert found == Instead(
        "No picture: this plan looks once, on 27 October 2027, and stops there."
    )


def test_families_are_told_apart_and_their_weeks_too():
    chart = pictures.families(FAMILY_ROWS)
    svg, data = drawn(chart)
    assert data["weeks_most"].tolist() == FAMILY_ROWS["weeks_most"].tolist()
    assert "Pocock: alike at all looks" in svg
    assert "Mean, with the effect" in svg
    assert "With one look: 38. With 4: O'Brien-Fleming: strict at first, 42 and 31; Pocock" in (
        chart.description
    )
