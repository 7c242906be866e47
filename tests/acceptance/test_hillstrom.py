"""A randomized e-mail test of three arms, read from counts and sums."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.inference import sample_ratio
from retention_lab.inference.means import difference, mean, share
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.score import score

from .cases import dataset

NONE, MEN, WOMEN = "No E-Mail", "Mens E-Mail", "Womens E-Mail"  # codespell:ignore


@pytest.fixture(scope="module")
def rows():
    """Customers with what they spent in cents."""
    rows = pd.read_csv(dataset("hillstrom", "hillstrom.csv"))
    return rows.assign(spend=(rows["spend"] * 100).round().astype("int64"))


def moments(values):
    n, y, yy = len(values), int(values.sum()), int((values**2).sum())
    return RatioMoments(n=n, y=y, x=n, yy=yy, xy=y, xx=n)


def by_arm(rows, column):
    return {arm: moments(part[column]) for arm, part in rows.groupby("segment")}


def test_arms_have_the_sizes_of_a_fair_draw(rows):
    sizes = rows["segment"].value_counts()
    # The README of the data says 21,306 / 21,307 / 21,387.
    assert sizes[[NONE, MEN, WOMEN]].tolist() == [21_306, 21_307, 21_387]
    assert sample_ratio.once(sizes.tolist(), planned=[1, 1, 1]).verdict == "pass"


# pyuplift's page on the data: average visit rate 0.14678, conversion rate 0.00903, spend 1.05091.
@pytest.mark.parametrize(
    ("column", "unit", "printed"),
    [("visit", 1, 0.14678), ("conversion", 1, 0.00903), ("spend", 100, 1.05091)],
)
def test_the_arms_together_have_the_averages_that_are_printed(rows, column, unit, printed):
    arms = by_arm(rows, column)
    average = sum(mean(arm).value * arm.n for arm in arms.values()) / len(rows) / unit
    assert average == pytest.approx(printed, abs=6e-6)


# Counts and means of the file itself; those of two arms stand in the worked examples, too.
@pytest.mark.parametrize(
    ("arm", "visits", "conversions", "spend"),
    [(NONE, 2262, 122, 0.652789), (MEN, 3894, 267, 1.422617), (WOMEN, 3238, 189, 1.077202)],
)
def test_each_arm_has_its_visits_conversions_and_spend(rows, arm, visits, conversions, spend):
    counted = {column: by_arm(rows, column)[arm] for column in ("visit", "conversion", "spend")}
    assert share(counted["visit"].y, counted["visit"].n).value == visits / counted["visit"].n
    assert (counted["visit"].y, counted["conversion"].y) == (visits, conversions)
    assert mean(counted["spend"]).value / 100 == pytest.approx(spend, abs=6e-7)


# Tutorial of dte_adj (CyberAgent AI Lab) on these data, "Average Treatment Effects by Subgroup".
@pytest.mark.parametrize(
    ("arm", "bought", "printed"),
    [
        (WOMEN, "mens", 0.2564),
        (WOMEN, "womens", 0.5442),  # codespell:ignore
        (MEN, "mens", 0.8966),
        (MEN, "womens", 0.8412),  # codespell:ignore
    ],
)
def test_what_an_email_adds_to_the_spend_of_former_buyers_is_as_printed(rows, arm, bought, printed):
    arms = by_arm(rows[rows[bought] == 1], "spend")
    assert difference(mean(arms[arm]), mean(arms[NONE])).value / 100 == pytest.approx(
        printed, abs=6e-5
    )


def test_both_emails_bring_visits_and_men_s_brings_more(rows):
    arms = by_arm(rows, "visit")
    pairs = [(MEN, NONE), (WOMEN, NONE), (MEN, WOMEN)]
    found = [score(arms[a].y, arms[a].n, arms[b].y, arms[b].n) for a, b in pairs]
    assert all(each.low > 0 and each.p_value < 1e-9 for each in found)
