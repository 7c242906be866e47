"""Curves of cohorts: what may be shown of sums of cohorts, and a picture whose rows change."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest

from retention_lab.charts import cohort_curves as pictures
from retention_lab.charts.beside import beside
from retention_lab.charts.triangles import hidden_in
from retention_lab.customers.cohorts import weighted_mean
from retention_lab.customers.cube import curve
from retention_lab.inference.proportions import wilson
from retention_lab.wording import Instead

COHORTS = pd.date_range("2025-01-01", periods=6, freq="MS")
SIDES = {"now": list(COHORTS[3:]), "before": list(COHORTS[:3])}


def triangle(active, *, size=200):
    """Two complete periods of six cohorts; `active` are those of the first."""
    rows = [
        (cohort, period, size, count, count + 20 * (2 - period), 0, True)
        for cohort, first in zip(COHORTS, active, strict=True)
        for period, count in ((1, first), (2, 60))
    ]
    names = ["cohort", "period", "size", "active", "active_later", "revenue", "complete"]
    frame = pd.DataFrame(rows, columns=names)
    later = wilson(frame["active_later"], frame["size"]).add_prefix("later_")
    return pd.concat([frame, wilson(frame["active"], frame["size"]), later], axis=1)


def seen(frame):
    return hidden_in(frame, weighted_mean(frame), cohorts=15, periods=12)


def shown(frame):
    cells, _mean = seen(frame)
    return pictures.of_cohorts(frame, cells, SIDES, later=False).set_index(["side", "period"])


def test_sides_are_sums_of_their_cohorts_with_their_interval():
    points = shown(triangle([50, 51, 52, 53, 54, 55]))
    point = points.loc[("now", 1)]
    assert (point["did"], point["size"], point["cohorts"]) == (162, 600, 3)
    np.testing.assert_allclose(
        point[["low", "high"]].astype(float), wilson([162], [600]).iloc[0, 1:]
    )


def test_side_with_a_single_hidden_cell_is_left_out():
    frame = triangle([50, 51, 52, 4, 54, 55])
    cells, _mean = seen(frame)
    hidden = cells[cells["share"].isna()]["cohort"]
    alone = [side for side, every in SIDES.items() if hidden.isin(every).sum() == 1]
    points = shown(frame)
    assert alone
    assert all((side, 1) not in points.index for side in alone)
    assert ("now", 2) in points.index


def test_kinds_that_tell_of_a_few_are_left_out():
    curves = {
        "large": curve(triangle([50] * 6)),
        "middle": curve(triangle([30] * 6)),
        "small": curve(triangle([1, 1, 1, 1, 1, 1])),
    }
    points = pictures.of_kinds(curves, later=False)
    first = points[points["period"] == 1]
    assert "small" not in set(first["side"])
    assert len(first) <= 1  # with the total known, a second one is hidden with it
    assert set(points[points["period"] == 2]["side"]) == set(curves)


@pytest.mark.parametrize("later", [False, True])
def test_picture_of_a_board_is_one_that_altair_accepts(later):
    frame = triangle([50, 51, 52, 53, 54, 55])
    cells, mean = seen(frame)
    points = pictures.of_each(cells, later=later).assign(side=lambda rows: rows["side"] + ' "x"')
    chart = beside(
        (cells, mean),
        points,
        others=points.head(0),
        unit="Calendar month",
        later=later,
        picked=(COHORTS[2], 1),
    )
    spec = chart.to_dict()
    alt.HConcatChart.from_dict(spec, validate=True)
    assert spec["datasets"]["picked"] == [{"cohort": "Mar 2025", "period": 1}]
    assert "names of" not in str(spec)
    assert 'Jan 2025 "x"' in str(spec["hconcat"][1]["layer"][2]["encoding"])
    assert [each.name for each in chart.params] == ["measure", "pick"]


def test_nothing_to_draw_is_a_sentence():
    points = pictures.of_mean(seen(triangle([50] * 6))[1].head(0), later=False)
    drawn = pictures.curves(points, others=points, unit="Calendar week", later=False, at=1)
    assert isinstance(drawn, Instead)
    assert "calendar week" in drawn.why
