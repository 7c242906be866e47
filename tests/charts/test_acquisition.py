"""Curves by how customers came: a line a group, or a sentence where nothing is compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from retention_lab.charts.acquisition import acquired
from retention_lab.charts.frame import listed
from retention_lab.customers.acquisition import Acquired
from retention_lab.wording import Instead


def grid(n, *, scale, seed):
    """A day grid of `n` customers followed for up to 300 days, who wait `scale` days on average."""
    rng = np.random.default_rng(seed)
    day, end = 1 + rng.exponential(scale, n).astype(int), rng.integers(1, 300, n)
    rows = pd.DataFrame({"day": np.minimum(day, end), "events": (day <= end).astype(int)})
    return rows.assign(censored=1 - rows["events"]).groupby("day", as_index=False).sum()


def part(grids, *, by="channel", why=""):
    empty = pd.DataFrame(columns=["group", "customers", "share", "low", "high"])
    return Acquired(
        by=by, days=90, grids=grids, shares=empty, gap=None, differ=None, p_value=None, why=why
    )


def test_a_line_is_drawn_for_each_group_and_rises():
    chart = acquired(
        part({"web": grid(900, scale=60, seed=1), "shop": grid(900, scale=200, seed=2)})
    )
    lines = listed(chart)
    assert lines["group"].unique().tolist() == ["web", "shop"]
    assert lines.groupby("group")["share"].apply(lambda each: each.is_monotonic_increasing).all()
    assert chart.usermeta["caption"].startswith("Have bought again, by days and by channel.")


def test_the_line_of_a_small_group_is_left_out_by_name_where_it_would_be_far_off():
    # Most come back within a month, but one is let go on the first day and no more until day 250:
    # of these two days alone, no step between tells of a few.
    quick = pd.DataFrame({"day": [*range(1, 31), 250], "events": [1] * 30 + [0]})
    quick["censored"] = [1] + [0] * 29 + [12]
    chart = acquired(part({"many": grid(900, scale=60, seed=1), "quick": quick}))
    drawn = set(listed(chart)["group"])
    assert drawn == {"many"}
    assert chart.usermeta["caption"].endswith("Too small for a line: quick.")
    assert chart.layer[1].encoding.color.legend is not None  # the one line still has its name


def test_nothing_to_compare_is_a_sentence_that_says_why():
    alone = part({"all others": grid(30, scale=60, seed=1)}, by="first_coupon", why="one group")
    assert acquired(alone) == Instead(
        "Not compared by coupon or discount on the first order: one group."
    )


@pytest.mark.parametrize("by", ["acquisition_channel", "first_family"])
def test_readers_see_no_name_of_a_column(by):
    grids = {"a": grid(500, scale=60, seed=1), "b": grid(500, scale=90, seed=2)}
    chart = acquired(part(grids, by=by))
    assert "_" not in chart.usermeta["caption"]
    assert "_" not in chart.description
