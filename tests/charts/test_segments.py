"""Pictures of who the customers are and how they move: they compile and hide the few."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import pytest

from retention_lab.charts import segments
from retention_lab.charts.frame import as_mime
from retention_lab.record import SMALL
from retention_lab.record.small import HIDDEN
from retention_lab.reports import figures
from retention_lab.wording import Instead

from ..customers import moved  # noqa: TID252  one maker of standings
from ..customers.moved import COHORTS, COUNTS, LONG  # noqa: TID252


def table(chart):
    """The data table of a chart, with its words in place."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    assert spec["description"].endswith(".")
    assert spec["usermeta"]["caption"].endswith(".")
    layers = chart.layer if isinstance(chart, alt.LayerChart) else [chart]
    fields = [field for field, _ in spec["usermeta"]["labels"]]
    held = [each.data for each in (chart, *layers) if isinstance(each.data, pd.DataFrame)]
    return next(data for data in held if set(fields) <= set(data.columns))[fields]


def drawn(chart):
    """A picture as it is drawn, with all its words."""
    spec = next(iter(as_mime(chart.to_dict())[0].values()))
    return figures.figure(spec, number=1, where="here")


@pytest.mark.parametrize("draw", [segments.cohorts, segments.named, segments.activity])
def test_shares_of_customers_stand_beside_those_of_revenue_in_order(draw):
    data = table(draw(moved.sizes(), "GBP"))
    assert data["group"].tolist() == COHORTS
    assert data["share"].tolist() == pytest.approx([0.6, 0.1178, 0.2822], abs=1e-4)
    assert data["revenue_share"].tolist() == [0.1, 0.48, 0.42]
    assert data["revenue"].tolist() == [1_000, 4_800, 4_200]  # whole pounds
    assert data["customers"].tolist() == [5_400, 1_060, 2_540]


def test_amounts_without_minor_units_stay_as_they_are():
    assert table(segments.cohorts(moved.sizes(), "JPY"))["revenue"].tolist()[0] == 100_000


def test_words_of_the_pictures_name_the_groups():
    chart = segments.cohorts(moved.sizes(), "GBP")
    assert "one-time 60.0" in chart.description
    assert HIDDEN not in chart.usermeta["caption"]
    assert "high-value repeat" in drawn(chart)


def test_small_group_is_hidden_with_the_next_and_so_is_what_they_brought():
    chart = segments.cohorts(moved.sizes([5_000, SMALL - 1, 400]), "GBP")
    data = table(chart).set_index("group")
    assert data["customers"].tolist() == [5_000, "<10", HIDDEN]
    assert (
        data.loc[COHORTS[1:], ["share", "low", "high", "revenue", "revenue_share"]]
        .isna()
        .all(axis=None)
    )
    assert HIDDEN in chart.usermeta["caption"]
    assert COHORTS[1] not in chart.description


def test_revenue_of_a_few_purchases_is_hidden_but_not_their_customers():
    data = table(segments.cohorts(moved.sizes(purchases=[3, 4_000, 2_000]), "GBP"))
    assert data["revenue"].isna().tolist() == [True, False, True]
    assert data["share"].notna().all()


def test_shop_without_revenue_is_drawn_without_its_shares():
    data = table(segments.activity(moved.sizes(revenue=(0, 0, 0)), "GBP"))
    assert data["revenue_share"].isna().all()
    assert data["share"].notna().all()


def test_a_few_customers_are_no_picture():
    assert isinstance(segments.cohorts(moved.sizes([3, 2, 1]), "GBP"), Instead)


def test_moves_are_shares_of_the_group_before_with_their_revenue():
    chart = segments.moves(moved.moves(), "GBP", days=90)
    data = table(chart).set_index(["before", "now"])
    slip = data.loc[("high-value repeat", "mid-value repeat")]
    assert slip["share"] == pytest.approx(120 / 1_020, abs=1e-4)
    assert (slip["customers"], slip["revenue_before"], slip["revenue_now"]) == (120, 1_200, 600)
    assert len(data) == 9
    assert "high-value repeat 88.2" in chart.description
    picture = drawn(chart)
    assert all(f">{words}<" in picture for words in ("93", "12", "1", "0"))


def test_hidden_moves_are_dashes_without_share_or_revenue():
    counts = COUNTS.copy()
    counts[0, 1], counts[2, 1] = 4, 30
    chart = segments.moves(moved.moves(counts), "GBP", days=90)
    data = table(chart).set_index(["before", "now"])
    few = data.loc[("one-time", "high-value repeat")]
    assert few["customers"] == "<10"
    hidden = data["share"].isna()
    assert hidden.sum() >= 4  # two in each row and column that has one
    assert data.loc[hidden, ["low", "high", "revenue_before", "revenue_now"]].isna().all(axis=None)
    assert f">{HIDDEN}<" in drawn(chart)
    assert HIDDEN in chart.usermeta["caption"]


def test_small_moves_are_drawn_as_less_than_one():
    counts = np.array([[5_000, 12, 300], [0, 900, 120], [0, 80, 2_000]])
    assert ">&lt;1<" in drawn(segments.moves(moved.moves(counts), "GBP", days=90))


def test_moves_of_many_groups_have_room_for_their_names():
    names = [f"Group {place}" for place in range(11)]
    chart = segments.moves(moved.moves(np.full((11, 11), 50), names=names), "GBP", days=90)
    assert len(table(chart)) == 121
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["axis"]["labelAngle"] == -90


def test_empty_group_has_no_share_and_no_dash():
    counts = COUNTS.copy()
    counts[1] = 0
    data = table(segments.moves(moved.moves(counts), "GBP", days=90)).set_index("before")
    assert data.loc["high-value repeat", "share"].isna().all()
    assert (data.loc["high-value repeat", "customers"] == 0).all()


def test_moves_of_a_few_are_no_picture():
    assert isinstance(segments.moves(moved.moves(COUNTS // 1_000), "GBP", days=90), Instead)


def test_flows_are_drawn_beside_luck_where_it_can_be_told():
    chart = segments.flows(moved.flows(), moved.moves())
    data = table(chart)
    assert data["group"].tolist() == ["high-value repeat"]
    row = data.iloc[0]
    assert (row["left"], row["left_long"], row["came_long"]) == (120, 90, 80)
    assert (row["chance_low"], row["chance_high"]) == (72, 98)
    assert "high-value repeat 90 (by luck 72 to 98)" in chart.description
    assert "high-value repeat" in drawn(chart)


def test_flows_that_would_tell_of_a_few_are_a_sentence():
    counts, long = COUNTS.copy(), LONG.copy()
    counts[1, 2] = long[1, 2] = 4
    for pair in ((counts, long), (COUNTS, LONG // 100)):
        drawn_of = segments.flows(moved.flows(*pair), moved.moves(pair[0]))
        assert isinstance(drawn_of, Instead)


def test_without_an_earlier_day_there_is_a_sentence_and_no_picture():
    for shown in (segments.moves(None, "GBP", days=90), segments.flows(None, None)):
        assert shown.why == "No picture yet: nobody had bought by the earlier day."


def test_no_earlier_day_is_a_sentence():
    none = Instead(segments.NO_EARLIER_DAY)
    assert segments.moves(None, "GBP", days=90) == none
    assert segments.flows(None, None) == none
