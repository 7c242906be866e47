"""Every picture compiles, carries its words, and shows no more than it may."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_lab import charts
from retention_lab.charts import MIME, PERIODS
from retention_lab.charts.annotations import BADGE, NARROWEST, _notes, on_axis
from retention_lab.charts.cohorts import COHORTS, DARK_FROM, MEAN
from retention_lab.charts.frame import as_mime
from retention_lab.charts.triangles import hidden_in
from retention_lab.customers import activity, cohorts, repurchase, revenue
from retention_lab.inference.proportions import wilson
from retention_lab.record import SMALL, small
from retention_lab.record.small import HIDDEN
from retention_lab.reports import figures
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.tables.annotations import Annotation
from retention_lab.wording import Instead

from .customers.orders import order_table

AS_OF = dt.date(2023, 11, 15)
MONEY = {"currency": "GBP", "minor_per_unit": 100}


def shop(*, cohorts=8, size=30, again=3, amount=1_000, as_of=AS_OF):
    """Orders of monthly cohorts up to `as_of`: `size` customers each, every other one coming back.

    The oldest cohorts come first; those who return do so every 20 days, `again` times.
    """
    months = pd.date_range(end=as_of, periods=cohorts, freq="MS")
    rows = []
    for number, month in enumerate(months):
        for customer in range(size):
            first = month.date() + dt.timedelta(days=customer % 10)
            times = again if customer % 2 else 0
            days = [first + dt.timedelta(days=20 * place) for place in range(times + 1)]
            rows += [(f"c{number}-{customer}", day, amount) for day in days if day <= as_of]
    return order_table(rows)


def left_out(reasons=("used", "cancellation"), months=3):
    rows = [
        {"table": "orders", "month": month, "reason": reason, "rows": 10, "amount": 12_345}
        for month in pd.date_range("2023-01-01", periods=months, freq="MS")
        for reason in reasons
    ]
    return pd.DataFrame(
        [*rows, {"table": "customers", "month": pd.NaT, "reason": "used", "rows": 3}]
    )


def drawn(orders, *, as_of=AS_OF):
    """Every picture of the overview, by name."""
    calendar = cohorts.calendar_triangle(orders, as_of=as_of)
    own = cohorts.own_clock_triangle(orders, as_of=as_of, window_days=30)
    tiers = {
        day: activity.activity_tiers(orders, as_of=day)
        for day in (as_of, as_of - dt.timedelta(days=10))
    }
    curve = kaplan_meier(repurchase.first_repeat_grid(orders, as_of=as_of))
    return {
        "returned": charts.returned_by_month(
            cohorts.returned(orders, as_of=as_of, days=30), days=30
        ),
        "curve": charts.repurchase_curve(curve, days=365),
        "tiers": charts.activity_tiers(tiers),
        "revenue": charts.monthly_revenue(revenue.monthly_revenue(orders, as_of=as_of), **MONEY),
        "calendar": charts.triangle(
            calendar, cohorts.weighted_mean(calendar), unit="Calendar month", **MONEY
        ),
        "own": charts.triangle(own, cohorts.weighted_mean(own), unit="30-day window", **MONEY),
        "left_out": charts.left_out(left_out(), table="orders", minor_per_unit=100),
    }


SHOPS = {
    "steady": shop(),
    "one cohort": shop(cohorts=1),
    "forty cohorts": shop(cohorts=40, size=24),
    "one-time buyers": shop(again=0),
    "nothing complete": shop(cohorts=1, as_of=dt.date(2023, 11, 13)),
    "no revenue": shop(amount=0),
}


YOUNG = {"one cohort", "nothing complete"}


@functools.cache
def of_shop(name):
    return drawn(SHOPS[name])


def data_of(chart):
    """The one table that a chart embeds."""
    (rows,) = chart.to_dict()["datasets"].values()
    return pd.DataFrame(rows)


def compiled(spec, caplog):
    """Draw and return the SVG; the script engine logs what it does not like."""
    with caplog.at_level(logging.WARNING):
        svg = vl_convert.vegalite_to_svg(json.dumps(spec), vl_version=figures.VEGA_LITE)
    assert caplog.records == []
    return svg


@pytest.mark.parametrize("name", SHOPS)
def test_every_picture_of_a_shop_is_drawn_or_says_why_not(name, caplog):
    pictures = of_shop(name)
    for picture in pictures.values():
        if isinstance(picture, Instead):
            assert picture.why.endswith(".")
            continue
        spec = picture.to_dict()
        assert "<svg" in compiled(spec, caplog)
        assert "<figure" in figures.figure(spec, number=1, where="a cell")
    missing = {key for key, one in pictures.items() if isinstance(one, Instead)}
    assert missing == ({"returned", "calendar", "own"} if name in YOUNG else set())


@pytest.mark.parametrize("name", SHOPS)
def test_pictures_carry_words_for_columns_that_they_embed_and_embed_no_others(name):
    for picture in of_shop(name).values():
        if isinstance(picture, Instead):
            continue
        spec = picture.to_dict()
        meta, data = spec["usermeta"], data_of(picture)
        labels = dict(meta["labels"])
        assert spec["description"].endswith(".")
        assert meta["caption"].endswith(".")
        assert set(labels) == set(data.columns)
        assert len(set(labels.values())) == len(labels)
        assert set(meta["formats"]) <= set(labels)
        assert not [column for column in data if column.endswith("id") or "customer_" in column]
        assert len(data) <= figures.MOST_ROWS


def test_renderer_gives_the_type_that_needs_no_network_and_the_description_as_text():
    chart = of_shop("steady")["tiers"]
    assert alt.renderers.active == "retention_lab"
    bundle = chart._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert bundle[MIME]["usermeta"]["caption"]
    assert bundle["text/plain"] == f"[chart] {chart.description}"
    json.dumps(bundle, allow_nan=False)


def test_a_chart_is_as_wide_as_its_page_and_has_a_width_of_its_own_in_jupyterlab(monkeypatch):
    spec = of_shop("steady")["tiers"].to_dict()
    monkeypatch.delenv("RETENTION_LAB_STATIC", raising=False)
    assert isinstance(as_mime(spec)[0][MIME]["width"], int)
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    assert as_mime(spec)[0][MIME]["width"] == "container"


def test_a_sentence_stands_in_the_place_of_what_cannot_be_drawn():
    assert Instead("Nothing here.")._repr_markdown_() == "*Nothing here.*"
    few = drawn(shop(size=SMALL - 1))
    assert {name for name, picture in few.items() if not isinstance(picture, Instead)} == {
        "curve",
        "tiers",
        "left_out",
    }


# --- months ---------------------------------------------------------------------------------------


def returned_frame(customers, methods, returned=20):
    share = [None if method == "too early" else 0.25 for method in methods]
    return pd.DataFrame(
        {
            "cohort": pd.date_range("2023-01-01", periods=len(methods), freq="MS"),
            "customers": customers,
            "returned": returned,
            "complete": [method == "observed" for method in methods],
            "method": methods,
            "share": share,
            "low": share,
            "high": share,
        }
    ).astype({"share": "Float64", "low": "Float64", "high": "Float64"})


def test_months_below_the_smallest_group_and_months_too_early_are_not_drawn():
    frame = returned_frame(
        [40, 45, SMALL - 1, 50, 60],
        ["observed", "observed", "observed", "estimated", "too early"],
    )
    chart = charts.returned_by_month(frame, days=90)
    assert data_of(chart)["customers"].tolist() == [40, 45, 50]
    assert chart.description == (
        "Share of new customers who bought again within 90 days, by month of first purchase, with "
        "intervals: 25.0\N{NO-BREAK SPACE}% for January 2023, 25.0\N{NO-BREAK SPACE}% (an "
        "estimate) for April 2023."
    )


def test_month_whose_returns_are_few_keeps_its_place_without_a_share():
    frame = returned_frame([50] * 4, ["observed"] * 4, returned=[20, 3, 0, 47])
    chart = charts.returned_by_month(frame, days=90)
    data = data_of(chart)
    assert data["returned"].tolist() == [20, "<10", 0, HIDDEN]
    assert data["share"].notna().tolist() == [True, False, True, False]
    assert data[["low", "high"]].isna().sum().tolist() == [2, 2]
    assert "April" not in chart.description
    none = returned_frame([50], ["observed"], returned=[3])
    assert charts.returned_by_month(none, days=90) == Instead(
        "No picture: in each month, fewer than 10 came back or did not."
    )


def test_one_small_month_takes_the_next_smallest_with_it():
    frame = returned_frame([40, 25, SMALL - 1, 50], ["observed"] * 4)
    assert data_of(charts.returned_by_month(frame, days=90))["customers"].tolist() == [40, 50]


def test_months_that_cannot_be_judged_leave_a_sentence():
    found = charts.returned_by_month(returned_frame([50], ["too early"]), days=90)
    assert found == Instead(
        "No picture yet: no month with 10 new customers or more has been followed for 90 days."
    )


def test_one_month_is_named_once():
    chart = charts.returned_by_month(returned_frame([50], ["observed"]), days=90)
    assert chart.description.count("January 2023") == 1


def test_axis_of_a_young_shop_names_each_month_once(caplog):
    chart = charts.returned_by_month(returned_frame([50, 50], ["observed"] * 2), days=90)
    svg = compiled(chart.properties(width=900).to_dict(), caplog)
    assert svg.count(">Jan 23<") == svg.count(">Feb 23<") == 1


def test_months_are_drawn_in_their_middle_and_the_axis_ends_with_the_last():
    chart = charts.returned_by_month(returned_frame([50, 50], ["observed"] * 2), days=90)
    for layer in chart.to_dict()["layer"]:
        x = layer["encoding"]["x"]
        assert x["bandPosition"] == 0.5
        begin, end = x["scale"]["domain"]
        assert begin == {"year": 2023, "month": 1}
        assert end == {"year": 2023, "month": 2, "date": 28, "hours": 23, "minutes": 59}


# --- annotations ----------------------------------------------------------------------------------

JANUARY = dt.date(2023, 1, 1)
HOSTILE = "<script>alert(1)</script> & *more*"
NOTES = (
    Annotation(
        date=dt.date(2022, 6, 1), until=dt.date(2023, 1, 9), label="Old price", kind="price"
    ),
    Annotation(date=dt.date(2023, 2, 10), label=HOSTILE, kind="outage"),
    Annotation(
        date=dt.date(2023, 2, 11), until=dt.date(2024, 1, 1), label="Sale", kind="promotion"
    ),
    Annotation(date=dt.date(2023, 5, 1), label="Too late", kind="holiday"),
    Annotation(date=dt.date(2022, 12, 31), label="Too early", kind="tracking change"),
)


def marked(annotations=NOTES):
    """Every picture on an axis of months, January to April 2023."""
    returned = returned_frame([50] * 4, ["observed"] * 4)
    return {
        "returned": charts.returned_by_month(returned, days=90, annotations=annotations),
        "revenue": charts.monthly_revenue(months_frame([20] * 4), annotations=annotations, **MONEY),
        "left_out": charts.left_out(
            left_out(months=4), table="orders", minor_per_unit=100, annotations=annotations
        ),
    }


@pytest.mark.parametrize("name", ["returned", "revenue", "left_out"])
def test_annotations_are_drawn_named_and_no_part_of_the_data(name, caplog):
    chart, bare = marked()[name], marked(())[name]
    svg = compiled(chart.to_dict(), caplog)
    assert re.findall(r'fill="white">(\d)</text>', svg) == ["1", "2", "3"]
    assert chart.usermeta["caption"] == (
        f"{bare.usermeta['caption']} Marked: 1 Old price (price, 1 June 2022 to 9 January 2023); "
        f"2 {HOSTILE} (outage, 10 February 2023); "
        "3 Sale (promotion, 11 February 2023 to 1 January 2024)."
    )
    with_notes, without = (
        figures.figure(each.to_dict(), number=1, where="a cell") for each in (chart, bare)
    )
    assert "<script>alert" not in with_notes
    table = slice(with_notes.index("<details"), with_notes.index("</details>"))
    assert with_notes[table] == without[without.index("<details") : without.index("</details>")]


@pytest.mark.parametrize("name", ["returned", "revenue", "left_out"])
def test_axis_is_as_long_with_annotations_as_without(name):
    def domains(spec):
        if isinstance(spec, dict):
            own = [spec["domain"]] if isinstance(spec.get("domain"), list) else []
            return own + [one for part in spec.values() for one in domains(part)]
        return [one for part in spec for one in domains(part)] if isinstance(spec, list) else []

    with_notes, without = (domains(marked(each)[name].to_dict()) for each in (NOTES, ()))
    assert with_notes == without
    notes = _notes(NOTES[:3], months=pd.Series(pd.to_datetime(["2023-04-01", "2023-01-01"])))
    assert notes["from"].min() == pd.Timestamp("2023-01-01")
    assert notes["to"].max() == pd.Timestamp("2023-05-01")


@pytest.mark.parametrize("name", ["returned", "revenue", "left_out"])
def test_annotations_of_other_times_leave_a_picture_as_it_is(name):
    assert marked(NOTES[3:])[name].to_dict() == marked(())[name].to_dict()


@given(
    spans=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90)), min_size=1, max_size=12),
    months=st.integers(1, 14),
)
def test_badges_do_not_touch_each_other_on_a_telephone(spans, months):
    axis = pd.Series(pd.date_range(JANUARY, periods=months, freq="MS"))
    given_notes = [
        Annotation(
            date=JANUARY + dt.timedelta(days=begin),
            until=JANUARY + dt.timedelta(days=begin + days),
            label="Something",
            kind="holiday",
        )
        for begin, days in sorted(spans)
    ]
    shown = on_axis(given_notes, months=axis)
    if not shown:
        return
    notes = _notes(shown, months=axis)
    days = (axis.max() + pd.offsets.MonthBegin() - axis.min()).days
    x = (notes["from"] - axis.min()).dt.days / days * NARROWEST
    for _, row in x.groupby(notes["y"].round(3)):
        assert (row.sort_values().diff().dropna() >= BADGE - 1e-6).all()
    assert notes["y"].max() == -0.6 * BADGE  # above the plot, the lowest row close to it


# --- curve and tiers ------------------------------------------------------------------------------


def test_curve_ends_where_fewer_than_the_smallest_group_are_followed():
    grid = pd.DataFrame({"day": [5, 20, 40], "events": [10, 15, 3], "censored": [10, 10, 6]})
    chart = charts.repurchase_curve(kaplan_meier(grid), days=365)
    # Of 54, 34 are followed on day 20 and 9 on day 40.
    assert data_of(chart)["day"].tolist() == [0, 5, 20]
    share = 1 - 44 / 54 * 19 / 34
    assert data_of(chart)["share"].iloc[-1] == round(share, 6)
    assert f"{100 * share:.1f}\N{NO-BREAK SPACE}% by day 20." in chart.description


def test_curve_keeps_its_first_and_last_step_however_many_it_has():
    grid = pd.DataFrame({"day": range(1, 301), "events": SMALL, "censored": SMALL})
    data = data_of(charts.repurchase_curve(kaplan_meier(grid), days=250))
    assert data["day"].iloc[0] == 0
    assert data["day"].iloc[-1] == 250
    assert len(data) == 120
    assert (data["low"] <= data["share"]).all()
    assert (data["share"] <= data["high"]).all()


def test_curve_of_customers_of_today_leaves_a_sentence():
    grid = pd.DataFrame({"day": [0], "events": [0], "censored": [50]})
    assert isinstance(charts.repurchase_curve(kaplan_meier(grid), days=365), Instead)


def test_tiers_name_their_day_and_a_day_with_few_customers_is_not_drawn():
    tiers = activity.activity_tiers(SHOPS["steady"], as_of=AS_OF)
    few = tiers.assign(customers=[3, 3, 3])
    chart = charts.activity_tiers({AS_OF: tiers, dt.date(2023, 8, 17): few})
    assert set(data_of(chart)["when"]) == {"15 November 2023"}
    assert chart.description.startswith("Customers by days since their last purchase, 15 November")
    assert charts.activity_tiers({AS_OF: few}) == Instead(
        "No picture: there are fewer than 10 customers."
    )
    assert charts.activity_tiers({}) == Instead(
        "No picture yet: the records do not reach back further than the last tier."
    )


def test_curve_takes_no_step_of_a_few():
    grid = pd.DataFrame({"day": range(1, 101), "events": [3, 1] * 50, "censored": [0, 2] * 50})
    curve = kaplan_meier(grid)
    days = data_of(charts.repurchase_curve(curve, days=90))["day"]
    kept = curve[curve["day"].isin(days)]
    assert len(kept) > 5
    for counts in (kept["at_risk"], curve["events"].cumsum()[kept.index]):
        assert not small.few(np.abs(np.diff(counts))).any()


def test_tier_of_a_few_is_hidden_with_what_would_tell_of_it(caplog):
    tiers = activity.activity_tiers(SHOPS["steady"], as_of=AS_OF).assign(customers=[3, 40, 197])
    chart = charts.activity_tiers({AS_OF: tiers})
    data = data_of(chart)
    assert data["customers"].tolist() == ["<10", HIDDEN, 197]
    assert data["share"].notna().tolist() == [False, False, True]
    assert "0-30 days: fewer than 10; 31-90 days: not shown; 90+ days: " in chart.description
    assert "would tell of fewer than 10 customers" in chart.usermeta["caption"]
    svg = compiled(chart.properties(width=600).to_dict(), caplog)
    assert ">&lt;10<" in svg


# --- revenue --------------------------------------------------------------------------------------


def months_frame(customers, new=0):
    return pd.DataFrame(
        {
            "month": pd.date_range("2023-01-01", periods=len(customers), freq="MS"),
            "revenue_new": 12_345,
            "revenue_returning": 100_000,
            "customers": customers,
            "customers_new": new,
            "complete": [True] * (len(customers) - 1) + [False],
        }
    )


def test_revenue_is_in_whole_units_and_leaves_months_of_few_customers_out():
    chart = charts.monthly_revenue(months_frame([20, SMALL - 1, 0, 12, 30]), **MONEY)
    data = data_of(chart)
    assert pd.to_datetime(data["month"]).dt.month.unique().tolist() == [1, 3, 5]
    assert set(data["revenue"]) == {123, 1_000}
    assert chart.description.endswith("March 2023: £1,123.")  # the last month that is over
    assert chart.usermeta["caption"].endswith(
        "Months with fewer than 10 customers are left out, and what would tell of them."
    )
    two = charts.monthly_revenue(months_frame([20, 5, 6, 30]), **MONEY).usermeta["caption"]
    assert two.endswith("Months with fewer than 10 customers are left out.")
    complete = charts.monthly_revenue(months_frame([20, 30]), currency="JPY", minor_per_unit=1)
    assert set(data_of(complete)["revenue"]) == {12_345, 100_000}
    assert "left out" not in complete.usermeta["caption"]
    assert isinstance(charts.monthly_revenue(months_frame([1, 0]), **MONEY), Instead)


def test_revenue_of_a_few_new_or_returning_customers_is_not_drawn():
    # By month: nobody returns, three do, three are new, enough of both, and the smallest month,
    # which would give that of the three back.
    new = [50, 37, 3, 40, 10]
    chart = charts.monthly_revenue(months_frame([50, 40, 30, 60, 20], new), **MONEY)
    data = data_of(chart)
    who = data.groupby(pd.to_datetime(data["month"]).dt.month)["who"].agg(set)
    both = {"new customers", "returning customers"}
    assert who.to_dict() == {1: both, 2: {"all customers"}, 4: both}
    assert data.set_index("who")["revenue"].loc["all customers"] == 1_123
    assert chart.usermeta["caption"].endswith(
        "Months with fewer than 10 customers are left out, and what would tell of them. Where "
        "fewer than 10 are returning, the month is drawn as a whole."
    )


# --- triangle -------------------------------------------------------------------------------------


def triangle_of(orders, *, as_of=AS_OF):
    frame = cohorts.calendar_triangle(orders, as_of=as_of)
    return charts.triangle(frame, cohorts.weighted_mean(frame), unit="Calendar month", **MONEY)


def test_triangle_draws_the_newest_cohorts_and_the_first_periods():
    data = data_of(triangle_of(SHOPS["forty cohorts"]))
    assert data["cohort"].nunique() == COHORTS + 1
    assert data["cohort"].iloc[0] == "Aug 2022"
    assert data["period"].between(1, PERIODS).all()


def bought(name, size, first, *later):
    """Orders of `size` customers on a day, and of so many of them on each later one."""
    rows = [(f"{name}{number}", first, 500) for number in range(size)]
    return rows + [(f"{name}{n}", day, 500) for day, count in later for n in range(count)]


def cells_of(rows, cohort):
    data = data_of(triangle_of(order_table(rows)))
    return data[data["cohort"] == cohort].set_index("period")


def test_triangle_hides_a_few_and_all_that_follows_from_them():
    rows = bought("a", 30, "2023-08-01", ("2023-09-05", 20), ("2023-10-05", 3))
    rows += [*bought("b", SMALL - 1, "2023-09-01"), *bought("c", 40, "2023-11-01")]
    cells = cells_of(rows, "Aug 2023")
    assert cells["active"].to_dict() == {1: 20, 2: "<10", 3: 0}
    assert cells.loc[1, "revenue"] == 100
    hidden = ["share", "low", "high", "later_share", "later_low", "later_high", "revenue"]
    assert cells.loc[2, hidden].isna().all()
    assert cells.loc[3, "share"] == 0


def test_triangle_hides_what_leaves_a_few_of_a_cohort():
    cells = cells_of(bought("a", 30, "2023-08-01", ("2023-09-05", 27)), "Aug 2023")
    assert cells.loc[1, "active"] == HIDDEN
    assert pd.isna(cells.loc[1, "share"])


def test_mean_of_a_column_does_not_give_a_hidden_cell_back():
    rows = [
        *bought("a", 40, "2023-06-01", ("2023-07-05", 25)),
        *bought("b", 40, "2023-07-01", ("2023-08-05", 15)),
        *bought("c", 40, "2023-08-01", ("2023-09-05", 4)),
        *bought("d", 40, "2023-09-01", ("2023-10-05", 20)),
    ]
    data = data_of(triangle_of(order_table(rows)))
    first = data[data["period"] == 1].set_index("cohort")
    assert first["active"].to_dict() == {
        "Jun 2023": 25,
        "Jul 2023": HIDDEN,
        "Aug 2023": "<10",
        "Sep 2023": 20,
        MEAN: None,
    }
    assert first.loc[MEAN, "share"] == 64 / 160
    assert first.loc["Jul 2023", ["share", "revenue"]].isna().all()


def test_mean_that_is_one_hidden_cell_is_hidden_too():
    chart = triangle_of(order_table(bought("a", 40, "2023-09-01", ("2023-10-05", 4))))
    data = data_of(chart)
    assert data.loc[data["period"] == 1, "share"].isna().all()
    assert "The weighted mean" not in chart.description


def test_small_cohort_takes_the_next_smallest_with_it_where_all_are_known():
    rows = [*bought("a", 30, "2023-08-01"), *bought("b", SMALL - 1, "2023-09-01")]
    rows += bought("c", 50, "2023-07-01")
    assert set(data_of(triangle_of(order_table(rows)))["cohort"]) == {"Jul 2023", MEAN}


def test_neighbours_of_a_row_do_not_tell_who_was_last_seen_between_them():
    late = [("2023-09-05", 25), ("2023-10-05", 22), ("2023-11-05", 11)]
    cells = cells_of(bought("a", 60, "2023-08-01", *late), "Aug 2023")
    assert cells["active"].to_dict() == {1: 25, 2: 22, 3: 11}
    assert cells["later_share"].round(3).tolist()[::2] == [0.417, 0.183]
    assert pd.isna(cells.loc[2, "later_share"])


def test_revenue_of_a_month_does_not_give_that_of_a_few_back():
    rows = [
        *bought("a", 40, "2023-08-01", ("2023-09-05", 20), ("2023-10-05", 15)),
        *bought("b", 40, "2023-09-01", ("2023-10-05", 3)),
        *bought("c", 40, "2023-10-01"),
    ]
    assert pd.isna(cells_of(rows, "Aug 2023").loc[2, "revenue"])  # October too
    assert cells_of(rows, "Aug 2023").loc[2, "active"] == 15


COHORT = st.tuples(st.integers(8, 45), st.lists(st.integers(0, 45), min_size=1, max_size=4))


@settings(max_examples=12, deadline=None)
@given(st.lists(COHORT, min_size=1, max_size=4))
def test_no_triangle_tells_of_a_few_customers(cohorts_drawn):
    frame = triangle_frame(cohorts_drawn)
    means = cohorts.weighted_mean(frame)
    shown, mean = hidden_in(frame, means, cohorts=COHORTS, periods=PERIODS)
    known = shown[np.array([isinstance(each, int) for each in shown["active"]], dtype=bool)]
    assert not small.splits(known["active"].astype(int), known["size"]).any()
    assert known["share"].notna().all()
    assert shown.drop(known.index)[["share", "low", "high", "revenue"]].isna().all(axis=None)
    for row in mean.dropna(subset=["share"]).to_dict("records"):
        column = frame[frame["complete"] & (frame["period"] == row["period"])]
        hidden = column[~column.index.isin(known.index)]
        if len(hidden):
            assert len(hidden) > 1
            assert not small.few(hidden["active"].sum())
    for _cohort, part in shown.dropna(subset=["later_share"]).groupby("cohort"):
        later = (part["later_share"] * part["size"]).round().astype(int)
        steps = np.diff([part["size"].iloc[0], *later])
        assert not small.few(-steps).any()


def triangle_frame(sizes_and_actives):
    """A triangle of complete cells: whoever was active in a period is counted from the first on."""
    rows = []
    for number, (size, actives) in enumerate(sizes_and_actives):
        kept = [min(active, size) for active in actives]
        for period, active in enumerate([size, *kept]):
            rows.append(
                {
                    "cohort": pd.Timestamp("2023-01-01") + pd.DateOffset(months=number),
                    "period": period,
                    "size": size,
                    "active": active,
                    "active_later": max([size, *kept][period:]),
                    "revenue": 500 * active,
                    "complete": True,
                }
            )
    frame = pd.DataFrame(rows)
    later = wilson(frame["active_later"], frame["size"]).add_prefix("later_")
    return pd.concat([frame, wilson(frame["active"], frame["size"]), later], axis=1)


def test_last_row_of_a_triangle_is_the_weighted_mean_of_all_cohorts():
    frame = cohorts.calendar_triangle(SHOPS["forty cohorts"], as_of=AS_OF)
    means = cohorts.weighted_mean(frame).set_index("period")
    data = data_of(triangle_of(SHOPS["forty cohorts"]))
    last = data[data["cohort"] == MEAN].set_index("period")
    assert last["share"].to_dict() == means.loc[1:PERIODS, "share"].round(6).to_dict()
    assert last["size"].to_dict() == means.loc[1:PERIODS, "size"].to_dict()


def luminance(rgb):
    parts = np.array(rgb) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_words_on_the_cells_of_a_triangle_can_be_read(caplog):
    # The scheme's two colours on either side of the turning point, drawn and measured.
    values = [{"level": level} for level in (0, DARK_FROM, DARK_FROM + 0.001, 1)]
    chart = (
        alt.Chart(alt.Data(values=values))
        .mark_rect()
        .encode(
            x="level:O",
            color=alt.Color("level:Q", scale=alt.Scale(scheme="blues", domain=[0, 1])),
        )
    )
    svg = compiled(chart.to_dict(), caplog)
    found = [
        tuple(int(part) for part in text.split(")")[0].split(","))
        for text in svg.split('fill="rgb(')[1:5]
    ]
    pale, before, after, dark = (luminance(rgb) for rgb in found)
    for below in (pale, before):
        assert (below + 0.05) / 0.05 >= 4.5  # black
    for above in (after, dark):
        assert 1.05 / (above + 0.05) >= 4.5  # white


def test_incomplete_cells_are_hatched_and_hold_no_number(caplog):
    chart = triangle_of(SHOPS["steady"])
    data = data_of(chart)
    svg = compiled(chart.properties(width=600).to_dict(), caplog)
    assert svg.count(">//<") == (~data["complete"]).sum() > 0
    # Each complete cell of the first measure holds its share in 100.
    numbers = (100 * data.loc[data["complete"], "share"]).round().astype(int)
    for number, times in numbers.value_counts().items():
        axis = list(range(1, PERIODS + 1))[: data["period"].max()]
        assert svg.count(f">{number}<") == times + (number in axis)


def test_triangle_in_which_nobody_came_back_is_pale(caplog):
    svg = compiled(of_shop("one-time buyers")["calendar"].properties(width=600).to_dict(), caplog)
    assert "rgb(207, 225, 242)" in svg  # where the scheme of blues begins
    assert "rgb(10, 74, 144)" not in svg  # where it ends


# --- left out -------------------------------------------------------------------------------------


def test_rows_are_drawn_by_reason_however_they_are_spelt(caplog):
    reasons = ['it\'s "odd"', "used", *(f"reason {n}" for n in range(20)), "</script>"]
    chart = charts.left_out(left_out(reasons), table="orders", minor_per_unit=100)
    spec = chart.to_dict()
    assert "<svg" in compiled(spec, caplog)
    scale = spec["encoding"]["color"]["scale"]
    assert scale["domain"][:2] == ["used", 'it\'s "odd"']
    assert len(scale["domain"]) == len(scale["range"]) == len(reasons)
    assert set(data_of(chart)["amount"]) == {123}


def test_amount_of_a_few_rows_is_hidden_with_the_next_smallest():
    frame = left_out(["used"], months=4).iloc[:4].assign(rows=[50, 3, 20, 40])
    data = data_of(charts.left_out(frame, table="orders", minor_per_unit=100))
    assert data["rows"].tolist() == [50, 3, 20, 40]
    assert data["amount"].isna().tolist() == [False, True, True, False]


def test_rows_without_a_time_leave_a_sentence():
    assert charts.left_out(left_out(), table="customers", minor_per_unit=100) == Instead(
        "No picture: no row of customers has a time of its own."
    )
