"""A randomized e-mail test of three arms, read from counts and sums."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.experiments import campaign
from retention_lab.experiments.assigned import assigned
from retention_lab.inference import sample_ratio
from retention_lab.inference.means import difference, mean, share
from retention_lab.inference.moments import RatioMoments
from retention_lab.inference.score import score
from retention_lab.tables import engine

from .cases import dataset, load, read

NONE, MEN, WOMEN = "No E-Mail", "Mens E-Mail", "Womens E-Mail"  # codespell:ignore
ARMS = {NONE: "no-email", MEN: "mens-email", WOMEN: "womens-email"}


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


@pytest.fixture(scope="module")
def mailing(tmp_path_factory):
    data = dataset("hillstrom").parent
    return read("hillstrom", data=data, folder=tmp_path_factory.mktemp("hillstrom"))


@pytest.fixture(scope="module")
def measured(mailing):
    _, seen = mailing
    return seen.measured.set_index(["metric", "arm"])


def test_source_counts_every_row_of_the_file_once(mailing, rows):
    shop, _ = mailing
    ordered, visited = int(rows["conversion"].sum()), int(rows["visit"].sum())
    assert shop.rows == {
        "assignments": 64_000,
        "customers": 64_000,
        "events": 64_000 + visited,
        "orders": ordered,
    }
    orders = engine.collect(shop.orders).astype({"customer_id": int}).set_index("customer_id")
    spent = rows.set_axis(range(1, 64_001))["spend"]  # row numbers, from 1
    assert orders["amount"].sort_index().equals(spent[spent > 0].rename_axis("customer_id"))


def test_customers_are_described_as_in_their_rows(mailing, rows):
    shop, _ = mailing
    people = engine.collect(shop.customers).astype({"customer_id": int}).set_index("customer_id")
    people = people.sort_index()
    names = ["history_segment", "zip_code", "channel", "recency", "mens", "newbie"]
    texts = rows.set_axis(people.index)[names].astype(str)
    assert (people[names] == texts).all(axis=None)
    assigned = engine.collect(shop.assignments).astype({"customer_id": int})
    arms = assigned.set_index("customer_id")["arm"].sort_index()
    assert (arms == rows.set_axis(people.index)["segment"].map(ARMS)).all()


def test_mailing_was_drawn_fairly(mailing):
    _, seen = mailing
    sizes = seen.collapsed.arms.set_index("arm")["customers"]
    assert sizes[[*ARMS.values()]].tolist() == [21_306, 21_307, 21_387]
    assert {one.status for one in seen.validity.checks if one.value is not None} == {"pass"}


@pytest.mark.parametrize("segment", [MEN, WOMEN])
@pytest.mark.parametrize(
    ("metric", "column", "unit"),
    [("visit", "visit", 1), ("orders", "conversion", 1), ("revenue_per_customer", "spend", 100)],
)
def test_read_out_tells_the_figures_of_the_file(measured, rows, segment, metric, column, unit):
    told, arms = measured.loc[(metric, ARMS[segment])], by_arm(rows, column)
    assert told["value"] == pytest.approx(mean(arms[segment]).value / unit, rel=1e-12)
    assert told["control"] == pytest.approx(mean(arms[NONE]).value / unit, rel=1e-12)
    found = difference(mean(arms[segment]), mean(arms[NONE]))
    assert told["difference"] == pytest.approx(found.value / unit, rel=1e-9)
    assert told["std_error"] == pytest.approx(found.std_error / unit, rel=1e-4)
    assert told["lift"] == pytest.approx(mean(arms[segment]).value / mean(arms[NONE]).value - 1)


def test_mens_email_brings_the_visits_and_the_spend_of_the_worked_examples(measured):
    cases = load("experiments.json")
    if not cases:
        pytest.skip("the worked examples are not beside the repository")
    shares, spend = (cases[name]["expected"] for name in ("hill-01", "hill-03"))
    visit = measured.loc[("visit", "mens-email")]
    for case, column in (("visit_difference", "difference"), ("visit_lift", "lift")):
        assert visit[column] == pytest.approx(shares[case], abs=6e-5)
    for case, columns in (
        ("visit_ci", ["low", "high"]),
        ("visit_lift_ci", ["lift_low", "lift_high"]),
    ):
        assert visit[columns].tolist() == pytest.approx(shares[case], abs=6e-5)
    revenue = measured.loc[("revenue_per_customer", "mens-email")]
    assert revenue["difference"] == pytest.approx(spend["difference"], abs=6e-5)
    assert revenue[["low", "high"]].tolist() == pytest.approx(spend["ci"], abs=6e-5)


def test_orders_within_two_weeks_decide(mailing):
    _, seen = mailing
    men, women = seen.effects
    # Orders of the file: 267 of 21,307, 189 of 21,387 and 122 of 21,306.
    control = 122 / 21_306
    assert men.share.value == pytest.approx(267 / 21_307, rel=1e-9)
    assert men.reading.estimate == pytest.approx(267 / 21_307 - control, rel=1e-9)
    assert women.reading.estimate == pytest.approx(189 / 21_387 - control, rel=1e-9)
    assert women.reading.unit == "points"


def test_mens_email_ships(mailing):
    _, seen = mailing
    found = seen.decision
    assert (found.verdict, found.because, found.arm) == ("ship", "gain", "mens-email")
    assert seen.shows
    assert seen.why == {}


def test_mens_email_is_the_best_arm_by_spend(mailing):
    shop, seen = mailing
    people = assigned(shop, seen.plan, state=None).rename(reached_at="time_zero")
    best = campaign.best(shop, people, seen.plan, metric="revenue_per_customer")
    assert best.arms["arm"].tolist() == ["mens-email", "womens-email", "no-email"]
    assert best.leader == "mens-email"
