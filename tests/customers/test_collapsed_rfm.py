"""Collapsed customers say of any lines and rules exactly what the engine does."""

from __future__ import annotations

import datetime as dt
import functools

import pandas as pd
import pytest

from retention_lab.checks import BadParameter
from retention_lab.customers import lines_by_hand, migration, standing
from retention_lab.customers.collapsed_rfm import collapsed
from retention_lab.customers.rfm_cells import Steps
from retention_lab.customers.segments import with_rules
from retention_lab.inference import moments
from retention_lab.tables import playbook
from retention_lab.tables.engine import collect

from .shops import AS_OF, random_shop, shop_of

RULES = playbook.load("").segments
OTHER = with_rules(RULES, "high-value repeat", least=[2, 1, 3], activity=[10, 200])
STEPS = Steps(days=400, purchases=20, money=30_000, step=500, unit=100)
BY_HAND = {"recency": [5, 40, 90, 380], "frequency": [0, 1, 3, 20], "monetary": [0, 15, 15, 300]}
BY = ("cohort", "segment", "activity")


@functools.cache
def here():
    return standing.standing(random_shop(), RULES, thresholds=None)


@functools.cache
def by(lines):
    """Customers collapsed for lines: (collapsed, lines)."""
    if lines == "by hand":
        return collapsed(here(), None, steps=STEPS), lines_by_hand.by_hand(here(), BY_HAND)
    drawn = standing.redrawn(random_shop(), here(), method=lines)
    return collapsed(here(), drawn, steps=STEPS), drawn


def agree(got, want, by):
    """Check all that is told of one kind of groups."""
    rules = want.rules
    now = got.now[[*standing.COLUMNS]]
    pd.testing.assert_frame_equal(now, standing.sizes(want.now, by=by, rules=rules))
    pd.testing.assert_frame_equal(got.before, standing.sizes(want.before, by=by, rules=rules))
    pd.testing.assert_frame_equal(got.moves, migration.moves(want, by=by))
    pd.testing.assert_frame_equal(got.flows, migration.flows(want, by=by))


@pytest.mark.parametrize(
    ("lines", "rules"),
    [("quantile", RULES), ("nested", OTHER), ("by hand", OTHER)],
    ids=["quantile", "nested", "by hand"],
)
def test_collapsed_customers_stand_and_move_as_the_engine_has_them(lines, rules):
    cells, drawn = by(lines)
    want = standing.standing(random_shop(), rules, thresholds=drawn)
    for kind in BY:
        agree(cells.under(drawn, rules, by=kind), want, kind)


@pytest.mark.parametrize("kind", BY)
def test_changed_are_those_who_are_elsewhere_than_by_the_lines_and_rules_in_use(kind):
    cells, drawn = by("by hand")
    want = standing.standing(random_shop(), OTHER, thresholds=drawn)
    first, second = (
        collect(each.now.select("customer_id", kind)).set_index("customer_id")[kind]
        for each in (here(), want)
    )
    renamed = dict(
        zip(standing.groups(OTHER, by=kind), standing.groups(RULES, by=kind), strict=True)
    )
    assert (
        cells.under(drawn, OTHER, by=kind).changed
        == (second.map(renamed) != first.reindex(second.index)).sum()
        > 0
    )
    used = collapsed(here(), here().thresholds, steps=STEPS)
    assert used.under(here().thresholds, RULES, by=kind).changed == 0


def test_means_are_those_of_the_revenue_of_each_customer():
    cells, drawn = by("by hand")
    want = standing.standing(random_shop(), RULES, thresholds=drawn)
    rows = collect(want.now.select("cohort", "revenue_within"))
    got = cells.under(drawn, RULES, by="cohort").now.set_index("group")
    for group, part in rows.groupby("cohort")["revenue_within"]:
        mean = moments.mean(n=len(part), total=part.sum(), squares=(part**2).sum())
        found = got.loc[group, ["mean", "mean_low", "mean_high"]].tolist()
        assert found == pytest.approx([mean.value, mean.low, mean.high])


def test_lines_between_steps_and_tiers_beyond_all_days_are_refused():
    cells, _drawn = by("by hand")
    off = lines_by_hand.by_hand(here(), {**BY_HAND, "monetary": [0, 15, 15, 299.99]})
    with pytest.raises(BadParameter, match="A line of monetary lies at 29999, which is no step"):
        cells.under(off, RULES, by="cohort")
    far = with_rules(RULES, activity=[10, 400])
    with pytest.raises(BadParameter, match="A tier must end within 399 days, got 400"):
        cells.under(lines_by_hand.by_hand(here(), BY_HAND), far, by="activity")


ONE = [("a", "2025-01-30", 500)]
DAILY = [("bot", str(dt.date(2024, 1, 1) + dt.timedelta(days=day)), 100) for day in range(398)]
ODD = [*ONE, *DAILY, ("free", "2024-09-01", 0), ("old", "2022-01-01", 100), ("b", "2024-06-01", 1)]
SHOPS = {
    "one new customer": (ONE, None),
    "a bot, nothing spent, silent, more sent back": (ODD, [("b", "2025-01-15", 900)]),
}


@pytest.mark.parametrize("shop", SHOPS)
def test_odd_shops_stand_as_the_engine_has_them(shop):
    rows, back = SHOPS[shop]
    odd = shop_of(rows, back, as_of=AS_OF)
    in_use = standing.standing(odd, RULES, thresholds=None)
    steps = lines_by_hand.steps(in_use)
    put = lines_by_hand.by_hand(in_use, lines_by_hand.nearest(in_use.thresholds.cuts, steps))
    want = standing.standing(odd, RULES, thresholds=put)
    got = collapsed(in_use, None, steps=steps).under(put, RULES, by="segment")
    now = got.now[[*standing.COLUMNS]]
    pd.testing.assert_frame_equal(now, standing.sizes(want.now, by="segment", rules=RULES))
    assert (got.moves is None) == (want.before is None)
    if want.before is not None:
        pd.testing.assert_frame_equal(got.flows, migration.flows(want, by="segment"))
