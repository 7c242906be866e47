"""All that one page tells of a test: each part or a sentence, and what stands against the plan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retention_lab.checks import BadData, BadParameter
from retention_lab.experiments import lookahead, tradeoffs
from retention_lab.experiments import proposal as proposals
from retention_lab.experiments.proposal import proposal
from retention_lab.inference.interval import Interval
from retention_lab.record import Ledger, design
from retention_lab.tables import snapshot
from retention_lab.tables.simulator import simulate
from retention_lab.wording import proposal as said

from .past import shop_of
from .proposals import AS_OF, history, plan, proposed

SHORT = {"why": "More are needed."}


class Shop:
    """A shop of which only the day, the money and the names of its tables are asked."""

    name, as_of, currency, tables = "Shop", AS_OF, "GBP", ("subscriptions",)


@pytest.fixture(autouse=True)
def _without_families(monkeypatch):
    """The slowest part is tested by itself."""
    monkeypatch.setattr(lookahead, "families", lambda *_: None)


@pytest.fixture
def propose(monkeypatch):
    """Propose a plan to a shop whose history is told; its tables are not asked."""

    def made(planned, *, seen=None, **settings):
        past = seen or history()
        monkeypatch.setattr(proposals.histories, "history", lambda *_: past)
        monkeypatch.setattr(proposals.naming, "unknown", lambda *_, **__: ())
        monkeypatch.setattr(proposals.guarding, "guardrails", lambda *_, **asked: asked)
        return proposal(Shop(), planned, **settings)

    return made


@pytest.mark.parametrize(
    ("size", "verdict"),
    [
        ({}, "enough"),
        ({"weeks": 104.0}, "enough"),
        ({"weeks": 104.1}, "years"),
        ({**SHORT, "weeks": 300.0, "planned": 100}, "years"),
        ({**SHORT, "enrol_days": 210.1}, "few"),
        ({**SHORT, "enrol_days": 210.0}, "early"),
        ({**SHORT, "enrol_days": 115, "planned": 2_000}, "early"),  # the last look is too soon
    ],
)
def test_verdict_is_what_stands_against_the_plan(size, verdict):
    assert proposed(size=size).verdict == verdict


def test_verdict_of_a_plan_without_a_size_is_that_nobody_knows():
    assert proposed(parts={"sized": None}).verdict == "unknown"
    assert proposed(parts={"sized": None}).trade is None


@pytest.mark.parametrize(
    ("eligible", "deserted"),
    [
        ([0] * 12, True),
        ([5, 0, 0, 4], True),
        ([5, 0, 0, 5], False),
        ([5, 0, 4], False),  # weeks too few to tell
        ([0, None, 0, 0], False),  # nobody can be asked
        ([100] + [0] * 12, True),  # long ago
    ],
)
def test_a_milestone_that_too_few_reach_is_told_whatever_the_plan_says(eligible, deserted):
    weeks = pd.DataFrame({"week": AS_OF, "reached": 50, "eligible": eligible})
    found = proposed(parts={"history": history(weeks=weeks)})
    assert (found.verdict == "nobody") == deserted
    unsized = proposed(parts={"history": history(weeks=weeks), "sized": None})
    assert unsized.verdict == ("nobody" if deserted else "unknown")


def test_the_claim_of_the_trade_is_a_share_of_the_baseline():
    assert proposed().trade == pytest.approx((0.03, 0.09))
    assert proposed(endpoint={"kind": "retained", "day": 30}).trade is None
    assert proposed(endpoint={"kind": "returned", "day": 90}).trade is None


def test_a_plan_is_sized_by_its_history_where_there_is_any(propose):
    pace = Interval(value=100.0, low=90.0, high=110.0)
    weeks = pd.DataFrame({"week": AS_OF, "reached": 900, "eligible": [700] * 12})
    found = propose(plan(), seen=history(entry=pace, weeks=weeks), times=40)
    assert found.believed.beliefs[0].source == "history"
    assert found.sized.planned == 100 * 210
    assert found.why == {}
    # By chance alone 40 tests may find it in more or fewer than 80 in 100.
    assert 0.5 < found.simulated.value <= 1
    assert found.guardrails["customers"] == found.sized.planned
    assert list(found.wrong["assumption"])[:2] == ["entry_per_day", "baseline"]
    assert {"plan", "double", "trade"} <= {*found.effects["of"]}
    assert len(found.looks) == 1


def test_a_plan_that_nobody_can_size_has_a_page_all_the_same(propose):
    found = propose(plan(assumptions={"contact_rate": 0.8}))
    assert found.verdict == "unknown"
    assert "entry_per_day" in found.why["believed"]
    parts = ("believed", "sized", "effects", "calendar", "allocations", "looks", "families")
    assert [getattr(found, part) for part in (*parts, "wrong", "simulated", "guardrails")] == [
        None
    ] * 10


def test_an_effect_that_cannot_be_is_told_and_nothing_rests_on_it(propose):
    nearly_all = Interval(value=0.98, low=0.97, high=0.99)
    found = propose(plan(), seen=history(baseline=nearly_all, customers=5_000, followed=5_000))
    assert found.believed is not None
    assert found.sized is None
    assert "3 points more cannot be" in found.why["sized"]


@pytest.mark.parametrize("refusal", [BadData, BadParameter])
def test_a_part_that_is_refused_takes_no_other_with_it(propose, monkeypatch, refusal):
    def refused(*_, **__):
        raise refusal("It cannot be told.")

    monkeypatch.setattr(tradeoffs, "calendar", refused)
    monkeypatch.setattr(proposals.beliefs, "wrong", lambda *_: None)
    monkeypatch.setattr(lookahead, "looks", refused)
    found = propose(plan(), times=10)
    assert (found.calendar, found.looks) == (None, None)
    assert found.why == {"calendar": "It cannot be told.", "looks": "It cannot be told."}
    assert found.allocations is not None


def test_the_same_seed_simulates_the_same_tests(propose, monkeypatch):
    drawn = lambda *_, times, rng: (times, rng.random())  # noqa: E731  in the place of tests
    monkeypatch.setattr(proposals.beliefs, "simulated", drawn)
    monkeypatch.setattr(proposals.beliefs, "wrong", lambda *_: None)
    one, again, other = (propose(plan(), times=30, seed=seed).simulated for seed in (1, 1, 4))
    assert one == again
    assert one != other
    assert one[0] == 30


@pytest.fixture(scope="module")
def shop():
    """A shop of 900 customers who came in a year; half of them bought again 10 days later."""
    rng = np.random.default_rng(20261129)
    begin = pd.Timestamp("2025-12-01 12:00")
    orders, consents = [], []
    for who in range(900):
        first = begin + pd.Timedelta(days=int(rng.integers(0, 363)))
        orders.append((who, first))
        if who % 2:
            orders.append((who, first + pd.Timedelta(days=10)))
        consents.append((who, begin, "email", True))
    return shop_of(AS_OF, orders=orders, consents=consents)


def test_a_real_shop_tells_what_its_tables_can_and_names_what_they_cannot(shop):
    asked = {
        "milestone": {"purchase": 1},
        "endpoint": {"kind": "returned", "day": 30},
        "primary": {"smallest_effect": 0.1},
        "secondaries": ["click"],
        "segments": ["continent"],
    }
    found = proposal(shop, plan(**asked), times=20)
    pace, share, *_ = found.believed.beliefs
    assert (pace.source, share.source) == ("history", "history")
    assert pace.value == pytest.approx(900 / 363, rel=0.2)
    assert share.low < 0.5 < share.high
    assert [sentence.split(":")[0] for sentence in found.unknown] == ["segments", "secondaries"]
    assert found.why == {}


def test_an_end_that_no_table_can_tell_does_not_fit_the_shop(propose):
    assert propose(plan(), times=1).unknown == ()
    assert propose(plan(endpoint={"kind": "returned", "day": 90}), times=1).unknown == (
        "endpoint: Shop has no orders, which tell who has returned. Map them in its source file, "
        "or take the endpoint retained.",
    )


def test_a_look_before_the_minimum_of_days_does_not_fit(propose):
    looks = {"information": [0.25, 1]}
    soon = propose(plan(looks=looks, minimum_days=250), times=1)
    day = soon.looks["day"].iloc[0]
    assert soon.unknown == (
        f"looks: the first would fall on day {day}, before minimum_days (250). Look later, or "
        "lower minimum_days.",
    )
    assert propose(plan(looks=looks, minimum_days=int(day)), times=1).unknown == ()


@pytest.mark.parametrize(
    ("where", "words"),
    [("country = 'Nowhere'", "No customer of"), ("foo = 1", "The condition has no column")],
)
def test_a_condition_that_fits_nobody_does_not_fit_the_shop(shop, where, words):
    found = proposal(shop, plan(endpoint={"kind": "returned", "day": 30}, where=where), times=20)
    assert any(each.startswith(f"where: {words}") for each in found.unknown)


def test_a_milestone_that_nobody_knows_leaves_the_word_of_the_plan(shop):
    found = proposal(shop, plan(endpoint={"kind": "returned", "day": 30}), times=20)
    assert found.unknown[0].startswith("milestone: Shop has no events")
    assert {belief.source for belief in found.believed.beliefs} <= {"plan", "default"}
    assert found.sized is not None


@pytest.mark.slow
def test_the_demo_has_a_first_screen_by_its_own_history(tmp_path):
    text = Path(__file__).parents[2].joinpath("data/sources/demo.yml").read_text(encoding="utf-8")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/demo.yml").write_text(text, encoding="utf-8")
    simulate(tmp_path / "demo", customers=4_000, until=AS_OF, days=400)
    demo = snapshot.take(tmp_path / "sources/demo.yml", as_of=AS_OF)
    found, ledger = proposal(demo, plan(), times=50), Ledger()
    design.record(ledger, found)
    assert found.why == {}
    assert found.unknown == ()
    assert {belief.name for belief in found.believed.beliefs if belief.source == "history"} >= {
        "entry_per_day",
        "baseline",
    }
    assert "By the shop" in said.design_body(ledger, found)
    assert said.design_headline(ledger, found).startswith("Do not run this test as it stands")
