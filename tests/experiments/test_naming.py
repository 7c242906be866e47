"""Names in a plan that a shop does not know are told before anybody relies on them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import ibis
import pytest

from retention_lab.checks import BadData
from retention_lab.experiments.naming import unknown
from retention_lab.experiments.plan import Plan
from retention_lab.tables.metrics import Metric

FIELDS = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Customer Success",
    "hypothesis": "A check-in keeps more.",
    "milestone": "onboarded",
    "channel": "email",
    "arms": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "message": "m"}],
    "starts": "2026-03-01",
    "ends": "2026-03-31",
    "endpoint": {"kind": "retained", "day": 30},
    "primary": {"smallest_effect": 0.03},
    "strata": ["country"],
    "segments": ["country"],
    "secondaries": ["orders"],
    "guardrails": [{"metric": "refund_share", "margin": 0.01, "better": "lower"}],
    "assumptions": {},
}


class Shop(SimpleNamespace):
    def __getattr__(self, name):
        raise BadData(f"Shop has no {name}; map them.")


@pytest.fixture
def shop():
    tables = {
        "customers": ibis.memtable({"customer_id": ["a"], "country": ["UK"]}),
        "orders": ibis.memtable({"customer_id": ["a"]}),
        "events": ibis.memtable({"customer_id": ["a"], "event": ["onboarded"]}),
        "consents": ibis.memtable({"customer_id": ["a"], "channel": ["email"]}),
    }
    for name, time in (("events", "occurred"), ("orders", "ordered")):
        when = {f"{time}_at": ibis.timestamp("2026-01-01"), f"{time}_on": ibis.date("2026-01-01")}
        tables[name] = tables[name].mutate(**when)
    more = {"valid_from": ibis.timestamp("2026-01-01"), "granted": True}
    tables["consents"] = tables["consents"].mutate(**more)
    about = {"name": "Shop", "as_of": dt.date(2026, 2, 1), "zone": "Europe/London"}
    return Shop(**about, tables=tables, **tables)


@pytest.fixture
def told(shop):
    refunds = Metric(
        name="refund_share",
        label="Refunds",
        sql="sum(orders.discount) / sum(orders.amount)",
        unit="share",
        better="lower",
        owner="Finance",
        review_by="2027-03-31",
    )

    def say(**changed):
        plan = Plan.model_validate({**FIELDS, **changed})
        return unknown(plan, shop, metrics={"refund_share": refunds})

    return say


def test_nothing_is_said_where_all_names_are_known(told):
    assert told() == ()
    assert told(milestone={"purchase": 1}) == ()


@pytest.mark.parametrize(
    ("changed", "place", "words"),
    [
        ({"milestone": "onborded"}, "milestone", "no event 'onborded'. Did you mean 'onboarded'?"),
        ({"channel": "pigeon"}, "channel", "no channel 'pigeon'. It has: email."),
        ({"strata": ["county"]}, "strata", "no attribute 'county'. Did you mean 'country'?"),
        ({"segments": ["plan"]}, "segments", "no attribute 'plan'. It has: country."),
        ({"covariates": ["age"]}, "covariates", "no attribute 'age'"),
        ({"cluster": "home"}, "cluster", "no attribute 'home'"),
        ({"secondaries": ["order"]}, "secondaries", "no outcome 'order'. Did you mean 'orders'?"),
        ({"secondaries": ["click"]}, "secondaries", "click is measured from messages, which Shop"),
        (
            {"guardrails": [{"metric": "refunds", "margin": 1, "better": "lower"}]},
            "guardrails",
            "no outcome 'refunds'. Did you mean 'refund_share'?",
        ),
    ],
    ids=str,
)
def test_a_name_that_is_not_known_is_told_with_its_place_and_what_is_known(
    told, changed, place, words
):
    [sentence] = told(**changed)
    assert sentence.startswith(f"{place}: ")
    assert words in sentence


def test_tables_that_are_not_there_are_told_one_by_one(told, shop):
    for name in ("events", "orders", "consents"):
        del shop.tables[name], shop.__dict__[name]
    sentences = told()
    assert [one.split(":")[0] for one in sentences] == [
        "milestone",
        "channel",
        "secondaries",
        "guardrails",
    ]
    assert "no events" in sentences[0]
    assert "no orders" in told(milestone={"silent_days": 60})[0]
