"""Who the customers are and what they are worth, asked of a lab: each part, in words and money."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest

from retention_lab import charts
from retention_lab.charts.frame import CELL, COUNT, MONTH, SHARE, TEXT
from retention_lab.checks import BadParameter
from retention_lab.lab.answer import Answer, drawn, told
from retention_lab.record.small import HIDDEN
from retention_lab.wording import Instead

from . import shops

PARTS = ("cohorts", "named", "activity", "slipped", "moves", "moves_named", "lines", "rising")
PARTS += ("messages", "loyalty", "first_repeat", "acquired", "revenue")
DRAWN = ("cohorts", "named", "activity", "moves", "loyalty", "first_repeat")


@functools.cache
def asked():
    return shops.lab().rfm(playbook="")


@functools.cache
def worth():
    return shops.lab().value(playbook="")


def test_answer_begins_with_the_headline_and_says_who_does_what():
    parts = asked().sentence.split("\n\n")
    assert parts[0] == f"**{asked().ledger.headline}**"
    assert parts[2].startswith("**Do** (The retention team, by 7 September 2025): ")
    assert parts[3].startswith("Orders are complete to")
    assert asked().frame["name"].is_unique
    assert len(asked().table) == len(asked().frame)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_an_answer_that_reads_as_its_sentence_and_its_table(part):
    answer = getattr(asked(), part)
    assert isinstance(answer, Answer)
    told = repr(answer)
    assert told.startswith(answer.sentence)
    assert "DataFrame" not in told
    assert "Answer(" not in told
    if isinstance(answer.table, pd.DataFrame) and not answer.table.empty:
        assert str(answer.table.index[0]) in told


def test_answers_are_no_dump_of_what_they_rest_on():
    for answer in (asked(), worth()):
        assert repr(answer).startswith(answer.sentence)
        assert not {"Segmentation(", "Valued(", "Portrait(", "Ledger"} & set(repr(answer).split())
        assert "object at 0x" not in repr(answer)


@pytest.mark.parametrize("part", DRAWN)
def test_tables_hide_what_charts_hide(part):
    answer = getattr(asked(), part)
    shown = charts.listed(answer.chart)
    assert len(answer.table) == len(shown)
    hidden = shown.isna().to_numpy()
    written = answer.table.reset_index().to_numpy()
    assert (written[hidden] == HIDDEN).all()
    assert not (written[~hidden] == "").any()


def test_moves_that_would_tell_of_a_few_are_in_the_frame_alone():
    answer = asked().moves_named
    assert isinstance(answer.chart, Instead)
    assert answer.table.empty
    assert answer.frame["customers"].between(1, 9).any()


def test_frames_have_every_group_and_whole_units_of_money():
    cohorts = asked().cohorts.frame
    spent = shops.orders()["amount"].sum()  # all of it within a year, nothing sent back
    assert cohorts["revenue_within"].sum() == pytest.approx(spent)
    assert cohorts["customers"].sum() == 300
    moves = asked().moves.frame
    assert moves["revenue_before"].sum() < spent
    last = shops.orders().query("ordered_at >= '2025-06-03'")
    before = set(shops.orders().query("ordered_at < '2025-06-03'")["customer_id"])
    known = last[last["customer_id"].isin(before)]["amount"].sum()
    assert moves["revenue_now"].sum() == pytest.approx(known)


def test_groups_of_one_attribute_are_drawn_and_an_unknown_one_is_asked_back():
    answer = asked().acquired_by("country")
    assert answer.frame["group"].is_unique
    assert "country" in answer.sentence
    with pytest.raises(BadParameter, match=r"no attribute 'country_of'\. Did you mean 'country'"):
        asked().acquired_by("country_of")


def test_value_is_told_by_cohort_in_whole_units_or_says_why_not():
    answer = worth()
    assert answer.frame["group"].tolist() == ["one-time", "high-value repeat", "mid-value repeat"]
    assert answer.frame["value"].sum() < 1_000 * shops.orders()["amount"].max()
    assert answer.sentence.startswith(
        ("We expect today", "A model of how often", "How often customers")
    )
    assert "After a single purchase nobody can tell" in answer.tracked.sentence


def test_a_customer_is_told_where_they_stand_and_why():
    answer = shops.lab().segment_of("7", playbook="")
    cohort, segment = answer.sentence.split("\n\n")
    mine = shops.orders().query("customer_id == 7")
    assert cohort
    assert segment
    assert len(answer.frame) == 1
    row = answer.frame.iloc[0]
    assert row["purchases"] == mine["ordered_at"].dt.date.nunique()
    assert row["revenue"] == pytest.approx(mine["amount"].sum())
    assert row["segment"] in segment


def test_a_customer_who_is_not_known_is_refused():
    with pytest.raises(BadParameter, match=r"No customer 'x7' of Shop has bought by 2025-08-31, "):
        shops.lab().segment_of("x7", playbook="")


def chart_of(frame, forms):
    columns = {name: (name.capitalize(), form) for name, form in forms.items()}
    chart = charts.frame.alt.Chart(frame).mark_bar()
    return charts.frame.finished(chart, description="d", caption="c", columns=columns)


def test_tables_of_charts_write_each_value_in_its_own_form():
    frame = pd.DataFrame(
        {
            "group": ["UK", "France"],
            "orders": [80_600, 3],
            "customers": ["1,204", "<10"],
            "share": [0.262, np.nan],
            "month": pd.to_datetime(["2026-08-01", "2026-09-01"]),
            "complete": [True, False],
        }
    )
    forms = {"group": TEXT, "orders": COUNT, "customers": CELL, "share": SHARE, "month": MONTH}
    table = drawn(chart_of(frame, forms | {"complete": TEXT}))
    assert table.index.tolist() == ["UK", "France"]
    assert table.loc["UK"].tolist() == ["80,600", "1,204", "26.2\xa0%", "August 2026", "yes"]
    assert table.loc["France"].tolist() == ["3", "<10", HIDDEN, "September 2026", "no"]


@pytest.mark.parametrize("chart", [None, Instead("Too early.")])
def test_without_a_chart_there_is_no_table(chart):
    answer = told(pd.DataFrame({"customers": [3]}), chart, "Said.")
    assert answer.table.empty
    assert repr(answer) == "Said."
