"""Pictures of forecasts: they compile, carry their words and hide the few."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from retention_lab.charts import forecasts
from retention_lab.charts.frame import as_mime
from retention_lab.churn.evidence import Missing
from retention_lab.record import SMALL
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..churn.outlooks import backtest, forecast, outlook  # noqa: TID252  one maker of outlooks

NOTHING = Missing(why="Nothing is known.")
SEEN = outlook(ahead=forecast(), tested=backtest())


def table(chart):
    """The data table of a chart that draws, with its words in place."""
    spec = as_mime(chart.to_dict())[0][next(iter(as_mime(chart.to_dict())[0]))]
    assert "<svg" in figures.figure(spec, number=1, where="here")
    assert spec["description"].endswith(".")
    assert spec["usermeta"]["caption"].endswith(".")
    layers = chart.layer if isinstance(chart, alt.LayerChart) else [chart]
    fields = [field for field, _ in spec["usermeta"]["labels"]]
    held = [each.data for each in (chart, *layers) if isinstance(each.data, pd.DataFrame)]
    return next(data for data in held if set(fields) <= set(data.columns))[fields]


def ratios(customers=(50, 60)):
    rows = pd.DataFrame({"label": "Plan", "state": ["plus", "gold"], "customers": customers})
    return rows.assign(reference="basic", hazard_ratio=[0.5, 1.6], low=[0.4, 1.2], high=[0.7, 2])


def test_past_forecasts_stand_beside_what_came():
    chart = forecasts.past_forecasts(SEEN, what="leave")
    data = table(chart)
    assert data["day"].tolist()[-1] == "31 August 2026"
    assert data["observed"].tolist() == [190, 205, 198, 204]
    assert "31 August 2026: 200, came 204" in chart.description


@pytest.mark.parametrize("few", [3, 995])
def test_a_past_forecast_that_would_tell_of_a_few_is_left_out(few):
    chart = forecasts.past_forecasts(
        outlook(ahead=forecast(), tested=backtest(came=(200, few))), what="leave"
    )
    assert table(chart)["observed"].tolist() == [200]
    assert str(few) not in chart.description.split(".", 1)[1]
    alone = outlook(ahead=forecast(), tested=backtest(came=(few,)))
    assert isinstance(forecasts.past_forecasts(alone, what="leave"), Instead)
    small = outlook(ahead=forecast(), tested=backtest(came=(0,), customers=SMALL - 1))
    assert isinstance(forecasts.past_forecasts(small, what="leave"), Instead)


def test_calibration_speaks_of_points_and_of_the_good_thing():
    for kind, words in (("cancelled", "Chance to stay"), ("returned", "Chance to buy again")):
        chart = forecasts.calibration(outlook(kind, ahead=forecast(kind), tested=backtest()))
        assert len(table(chart)) == 10
        assert "the largest distance is 2.0 points." in chart.description
        assert chart.usermeta["caption"].startswith(words)


def test_groups_of_which_a_few_did_are_not_in_the_calibration():
    sizes = [5, 12, *[100] * 8]  # of twelve, nearly half left: as few as those who stayed
    chart = forecasts.calibration(outlook(ahead=forecast(), tested=backtest(sizes=sizes)))
    assert table(chart)["n"].tolist() == [100] * 8
    none = outlook(ahead=forecast(), tested=backtest(sizes=12))
    assert "would tell of a few" in forecasts.calibration(none).why


def test_an_untested_forecast_has_no_calibration_and_says_why_once():
    seen = outlook(ahead=forecast())
    assert forecasts.past_forecasts(seen, what="leave") == Instead(seen.why)
    assert "was not tested" in forecasts.calibration(seen).why


def test_allocation_shows_what_the_first_tenth_carries():
    chart = forecasts.allocation(SEEN, what="leave")
    data = table(chart)
    assert data["customers"].tolist()[:3] == [0, 50, 100]
    assert chart.description.replace("\xa0", " ") == (
        "The 10.0 % of customers most likely to leave carry 15.0 % of what is expected."
    )
    nobody = forecasts.allocation(outlook(), what="leave")
    assert nobody == Instead("No picture: there is no forecast.")


def test_allocation_among_a_few_is_not_drawn():
    few = outlook(ahead=forecast(customers=SMALL - 1))
    assert isinstance(forecasts.allocation(few, what="leave"), Instead)
    data = table(forecasts.allocation(outlook(ahead=forecast(customers=60)), what="leave"))
    assert not data["customers"].between(1, SMALL - 1).any()


@pytest.mark.parametrize(
    "draw",
    [
        forecasts.repeat_purchases,
        lambda frame: forecasts.side_by_side({"Plan": frame}, what="leave"),
    ],
)
def test_ratios_of_a_few_customers_are_not_drawn(draw):
    frame = ratios().assign(method=["ever reached", "from when reached"])
    assert len(table(draw(frame))) == 2
    one = table(draw(frame.assign(customers=[50, SMALL - 1])))
    assert one["hazard_ratio"].tolist() == [0.5]
    assert isinstance(draw(frame.assign(customers=SMALL - 1)), Instead)


def test_ratios_name_state_and_reference():
    chart = forecasts.repeat_purchases(ratios())
    data = table(chart)
    assert data["group"].tolist() == ["Plan: plus", "Plan: gold"]
    assert data["reference"].tolist() == ["basic", "basic"]
    assert "Plan: plus 0.50; Plan: gold 1.60" in chart.description


def lost(customers=(100, 50)):
    frame = pd.DataFrame({"days": [30, 60], "customers": customers, "later_returned": [0.6, 0.4]})
    return frame.assign(low=frame["later_returned"] - 0.1, high=frame["later_returned"] + 0.1)


def test_lost_customers_who_came_back_are_drawn_for_enough_of_them():
    assert table(forecasts.lost_after(lost()))["days"].tolist() == [30, 60]
    assert table(forecasts.lost_after(lost((100, SMALL - 1))))["days"].tolist() == [30]
    assert isinstance(forecasts.lost_after(lost((SMALL - 1,) * 2)), Instead)


def test_what_is_missing_is_said_in_the_place_of_the_picture():
    assert forecasts.ratios(NOTHING, what="leave") == Instead(NOTHING.why)
    assert forecasts.repeat_purchases(NOTHING) == Instead(NOTHING.why)
    assert forecasts.lost_after(NOTHING) == Instead(NOTHING.why)
    assert isinstance(forecasts.side_by_side({}, what="leave"), Instead)
