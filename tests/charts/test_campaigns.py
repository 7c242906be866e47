"""The picture of messages beside the bands of the trade."""

from __future__ import annotations

import pytest
import vl_convert

from retention_lab.charts.campaigns import bands
from retention_lab.charts.frame import listed
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..customers.sent import rates_of  # noqa: TID252  one maker of rates

TWO = {"one_time": (500, 400, 20, 0, 150), "best": (300, 200, 20, 40, 90)}


def rows(chart):
    (data,) = chart.to_dict()["datasets"].values()
    return data


def test_picture_shows_each_rate_with_its_interval_and_band_by_rate_and_cohort_opens_last():
    chart = bands(rates_of(**TWO))
    spec = chart.to_dict()
    assert [(row["rate"], row["group"]) for row in rows(chart)] == [
        (did, cohort) for did in ("clicked", "ordered", "opened") for cohort in ("one time", "best")
    ]
    assert rows(chart)[0] == {
        "rate": "clicked",
        "group": "one time",
        "delivered": 400,
        "share": 0.05,
        "low": pytest.approx(0.0326, abs=1e-4),  # 20 of 400 by statsmodels' Wilson interval
        "high": pytest.approx(0.0760, abs=1e-4),
        "band_low": 0.04,
        "band_high": 0.09,
    }
    order = ["clicked: one time", "clicked: best", "ordered: one time", "ordered: best"]
    assert spec["layer"][0]["encoding"]["y"]["sort"][:4] == order
    assert "clicked, one time 5.0" in spec["description"]
    assert "Opens, the paler ones, include those by machines" in spec["usermeta"]["caption"]
    assert "ordered: best" in vl_convert.vegalite_to_svg(spec)
    assert "Band from" in str(figures.figure(spec, number=1, where="a cell"))


def test_a_rate_without_a_band_is_drawn_without_one():
    chart = bands(rates_of(bands={"click": (0.04, 0.09)}, **TWO))
    assert [row["band_low"] for row in rows(chart)] == [0.04, 0.04, None, None, None, None]
    assert chart.to_dict()["description"].endswith("opened, best 45.0\N{NO-BREAK SPACE}%.")
    assert vl_convert.vegalite_to_svg(chart.to_dict())


def test_what_would_tell_of_a_few_is_not_drawn():
    frame = rates_of(best=(300, 200, 5, 40, 90), few=(12, 9, 0, 0, 9))
    table = listed(bands(frame))
    assert table["rate"].tolist() == ["ordered", "opened"]
    assert table["group"].unique().tolist() == ["best"]


@pytest.mark.parametrize("frame", [rates_of(), rates_of(few=(12, 9, 0, 0, 9))])
def test_without_anything_to_draw_the_sentence_beside_stands_alone(frame):
    assert bands(frame) == Instead("")
