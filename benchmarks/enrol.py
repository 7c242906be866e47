"""Seconds and memory of a day's run of a test: from the tables of a shop to the lists.

    python benchmarks/enrol.py 10000000 /tmp/shop            # a day of a large shop
    python benchmarks/enrol.py 1000000 /tmp/shop --at-once   # everybody is new at the milestone

Customers, their events (a session beside each milestone) and consents are drawn once and written
as Parquet, as a snapshot has them; making the snapshot is not in it. Milestones are spread over two
years, or all lie in the window: then everybody is enrolled and logged. The second run of the day
adds nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import sys
import time
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from retention_lab import state as states
from retention_lab.experiments import enrolling, freezing
from retention_lab.experiments.plan import Plan
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

DAY, SECONDS = dt.date(2026, 6, 30), 24 * 3600
PLAN = Plan.model_validate(
    {
        "name": "check_in",
        "title": "Check-in",
        "owner": "CS",
        "hypothesis": "It helps.",
        "milestone": "onboarded",
        "channel": "email",
        "strata": ["country"],
        "rest_days": 7,
        "starts": DAY,
        "ends": DAY,
        "endpoint": {"kind": "retained", "day": 90},
        "arms": [
            {"name": "control", "share": 0.5},
            {"name": "check-in", "share": 0.5, "message": "hello"},
        ],
        "primary": {"smallest_effect": 0.03},
        "assumptions": {"entry_per_day": 1000},
    }
)


def main() -> None:
    """Draw the shop where it is not there, freeze the plan and run the day twice."""
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--at-once", action="store_true")
    given = parser.parse_args()
    name = f"{given.customers}{'-at-once' if given.at_once else ''}"
    folder = given.folder / name
    if not folder.is_dir():
        _draw(given.customers, days=2 if given.at_once else 730, folder=folder)
        _say("drawn: run it again, so that memory tells of the run alone")
        return
    shop = _opened(folder)
    state = states.opened(given.folder / f"state-{name}-{time.time_ns()}")
    freezing.freeze(PLAN, state=state, as_of=DAY)
    for which in ("first", "second"):
        began = time.perf_counter()
        done = enrolling.enrol(shop, PLAN, state=state, as_of=DAY, out=given.folder / "lists")
        took = time.perf_counter() - began
        _say(f"{which} run: {took:.1f} s, {done.reached:,} at the milestone, {done.new:,} new")


def _draw(customers: int, *, days: int, folder: Path) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    numbers = pc.cast(pa.array(np.arange(customers)), pa.string())
    ids = pc.binary_join_element_wise("customer", numbers, "-")
    country = pa.array(rng.choice(["DE", "FR", "IT", "NL", "PL"], customers))
    pq.write_table(pa.table({"customer_id": ids, "country": country}), folder / "customers.parquet")
    end = int(dt.datetime(2026, 7, 1, tzinfo=dt.UTC).timestamp())
    at = end - 1 - rng.integers(0, days * SECONDS, 2 * customers)
    moments = pa.array(at).cast(pa.timestamp("s")).cast(pa.timestamp("us"))
    events = {
        "customer_id": pa.concat_arrays([ids, ids]),
        "event": pa.array(np.repeat(["onboarded", "session"], customers)),
        "occurred_at": moments,
        "occurred_on": moments.cast(pa.date32()),
    }
    pq.write_table(pa.table(events), folder / "events.parquet")
    consents = {
        "customer_id": ids,
        "channel": pa.array(["email"] * customers),
        "valid_from": moments[:customers],
        "granted": pa.array(rng.random(customers) < 0.8),
    }
    pq.write_table(pa.table(consents), folder / "consents.parquet")


def _opened(folder: Path) -> Snapshot:
    con = engine.connect()
    tables = {file.stem: con.read_parquet(str(file)) for file in sorted(folder.glob("*.parquet"))}
    known = dict.fromkeys(("left_out", "fits", "controls"), pd.DataFrame())
    return Snapshot(
        name="Shop", simulated=True, as_of=DAY, zone="UTC", currency="GBP", content_hash="",
        records_from=dt.date(2024, 7, 1), complete_to=DAY, folder=folder, where="",
        rows={}, tables=cast("dict[str, object]", tables), **known,
    )  # type: ignore[arg-type]  # fmt: skip


def _say(sentence: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{sentence}; peak so far {peak:.2f} GiB\n")


if __name__ == "__main__":
    main()
