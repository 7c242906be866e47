"""Cookie Cats, a real test of a game: its arms are not quite as large as planned."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest

from retention_lab.experiments.plan import Plan
from retention_lab.experiments.validity import checks
from retention_lab.experiments.validity_tables import SCHEMA, collapsed
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

from .cases import dataset

MOMENT = pd.Timestamp("2026-01-05 12:00")  # the file has no dates
PLAN = {
    "name": "gate",
    "title": "Gate at level 30 or 40",
    "owner": "Game",
    "hypothesis": "A later gate keeps more players.",
    "milestone": "installed",
    "channel": "game",
    "arms": [
        {"name": "gate_30", "share": 0.5},
        {"name": "gate_40", "share": 0.5, "message": "gate_40"},
    ],
    "starts": "2026-01-05",
    "ends": "2026-01-05",
    "endpoint": {"kind": "returned", "day": 7},
    "primary": {"smallest_effect": 0.01},
    "minimum_days": 7,
    "assumptions": {"entry_per_day": 90_000},
}


class Shop(SimpleNamespace):
    __getattr__ = Snapshot.__getattr__


@pytest.fixture(scope="module")
def found():
    rows = pd.read_csv(dataset("cookie_cats", "cookie_cats.csv"))
    told = {
        "customer_id": rows["userid"].astype(str),
        "arm": rows["version"],
        "stratum": "",
        "time_zero": MOMENT,
        "assigned_at": MOMENT,
    }
    assigned = pa.Table.from_pandas(pd.DataFrame(told)[SCHEMA.names], schema=SCHEMA)
    day = dt.date(2026, 1, 31)
    shop = Shop(name="Cookie Cats", zone="UTC", as_of=day, records_from=MOMENT.date(), tables={})
    plan = Plan.model_validate(PLAN)
    counted = collapsed(shop, plan, engine.put(assigned, con=engine.connect()))
    return counted, {one.name: one for one in checks(counted, plan=plan)}


def test_sizes_of_arms_warn(found):
    counted, told = found
    # 44,700 and 45,489 players, p = 0.0086: README of the data.
    assert counted.arms["customers"].tolist() == [44_700, 45_489]
    assert told["sizes of the arms"].status == "warn"
    assert told["sizes of the arms"].value == pytest.approx(0.0086, abs=5e-5)


def test_every_player_is_in_one_arm_once(found):
    counted, told = found
    assert counted.arms[["repeated", "crossed"]].to_numpy().sum() == 0
    assert told["one arm for each customer"].status == "pass"


def test_what_the_file_does_not_tell_has_no_number(found):
    counted, told = found
    assert counted.missing.keys() == {"milestone", "outcome", "before", "messages"}
    assert {one.status for one in told.values() if one.value is None} == {"warn"}
    assert "effect over time" in {name for name, one in told.items() if one.value is None}
