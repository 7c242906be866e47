"""Seconds and memory of a read-out: from assigned customers to the verdict.

    python benchmarks/readout.py 10000000
    python benchmarks/readout.py 1000000 --endpoint returned

For each customer there are 2.5 events and 2.5 orders; a subscription as well, and a message for
half of them. All lies on disk, as a snapshot does; making it is not in the seconds, which are those
of the clock and, as others may use the machine, of computing. The whole read-out, with its checks,
a guardrail, two secondary metrics, a segment and money, is to take at most 5 s for a million and
30 s for ten. Then its large stages one by one, in another engine; and the log-rank test on the grid
against lifelines on the same customers, row by row, in turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from ibis.backends import BaseBackend
from lifelines.statistics import logrank_test

from retention_lab.experiments import cleaner
from retention_lab.experiments.outcomes import outcome
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.readout import readout
from retention_lab.experiments.validity_tables import SCHEMA, Marked, counted, marked
from retention_lab.state.folder import opened
from retention_lab.survival.logrank import logrank
from retention_lab.tables import engine
from retention_lab.tables.snapshot import Snapshot

ROUNDS = 5
OUTCOMES = ("unsubscribe", "orders", "revenue_per_customer")
# Each number of a customer gives a pseudo-random one from 0 up to 1, another for each use.
CHANCE = "(hash({} * 31 + {}) % 1000003 / 1000003.0)"
MOMENT = "TIMESTAMP '2026-01-01' + to_seconds((86400 * {} * {})::BIGINT)"
WHO = "format('C{{:08d}}', {}::BIGINT)"
PLAN = {
    "name": "check_in",
    "title": "Check-in",
    "owner": "Benchmarks",
    "hypothesis": "A check-in keeps more.",
    "milestone": "onboarding_completed",
    "channel": "email",
    "arms": [
        {"name": "control", "share": 0.5},
        {"name": "check-in", "share": 0.5, "message": "next_step"},
    ],
    "starts": "2026-01-01",
    "ends": "2026-06-30",
    "primary": {"smallest_effect": 0.03},
    "segments": ["country"],
    "guardrails": [{"metric": "unsubscribe", "margin": 0.015, "better": "lower"}],
    "secondaries": ["orders", "revenue_per_customer"],
    "cost_per_message": 0.35,
    "worth": 25,
    "assumptions": {"entry_per_day": 30, "baseline": 0.85, "contact_rate": 1.0},
}


def made(customers: int, folder: Path) -> None:
    """Write the tables of a shop with so many assigned customers."""
    zero = MOMENT.format(181, CHANCE.format("i", 1))
    half = "(hash(i * 31 + 2) % 2 = 0)"
    other = f"(hash(range * 31 + 3) % {customers})"
    when, later = MOMENT.format(365, CHANCE.format("range", 4)), CHANCE.format("i", 5)
    each, many = f"range({customers}) t(i)", f"range({customers * 5 // 2})"
    tables = {
        "customers": f"""
            SELECT {WHO.format("i")} customer_id, {zero} signed_up_at,
                ['DE', 'FR', 'IT', 'NL', 'PL'][(1 + hash(i) % 5)::INT] country FROM {each}""",
        "assignments": f"""
            SELECT 'check_in' experiment, {WHO.format("i")} customer_id,
                if({half}, 'check-in', 'control') arm, '' stratum, {zero} time_zero,
                {zero} + INTERVAL 9 HOUR assigned_at, '' plan_digest FROM {each}""",
        "events": f"""
            SELECT customer_id, event, occurred_at, occurred_at::DATE occurred_on FROM (
                SELECT {WHO.format("i")} customer_id, 'onboarding_completed' AS event,
                    {zero} occurred_at FROM {each}
                UNION ALL SELECT {WHO.format(other)}, 'visit', {when}
                FROM range({customers * 3 // 2}))""",
        "orders": f"""
            SELECT {WHO.format(other)} customer_id, {when} ordered_at, ({when})::DATE ordered_on,
                (500 + hash(range) % 9000)::BIGINT amount FROM {many}""",
        "messages": f"""
            SELECT {WHO.format("i")} customer_id, 'email' channel, 'check_in' campaign,
                'next_step' stage,
                {zero} + INTERVAL 1 DAY sent_at, {zero} + INTERVAL 1 DAY delivered_at,
                if({later} < 0.02, {zero} + INTERVAL 2 DAY, NULL) unsubscribed_at
            FROM {each} WHERE {half}""",
        "subscriptions": f"""
            SELECT {WHO.format("i")} customer_id, {zero} - INTERVAL 9 DAY started_at,
                if({later} < 0.5, {zero} + to_seconds((86400 * 300 * {later})::BIGINT), NULL)
                    cancelled_at FROM {each}""",
    }
    con = engine.connect()
    for name, query in tables.items():
        con.raw_sql(f"COPY ({query}) TO '{folder / name}.parquet'")


def shop_of(folder: Path, con: BaseBackend) -> Snapshot:
    """Give the tables in a folder as a snapshot as of the end of the year."""
    nothing = pd.DataFrame()
    return Snapshot(
        name="Benchmark",
        simulated=True,
        as_of=dt.date(2026, 12, 31),
        zone="Europe/London",
        currency="GBP",
        content_hash="",
        records_from=dt.date(2025, 6, 1),
        complete_to=dt.date(2026, 12, 31),
        folder=folder,
        where="",
        rows={},
        left_out=nothing,
        fits=nothing,
        controls=nothing,
        tables={file.stem: con.read_parquet(str(file)) for file in folder.glob("*.parquet")},
    )


@contextmanager
def told(stage: str) -> Iterator[None]:
    """Print what a stage took, by the clock and of computing."""
    began, computed = time.perf_counter(), time.process_time()
    yield
    seconds, computing = time.perf_counter() - began, time.process_time() - computed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # Linux counts in KiB
    sys.stdout.write(f"{stage}: {seconds:.1f} s, {computing:.1f} s of computing; ")
    sys.stdout.write(f"peak so far {peak:.2f} GiB\n")
    sys.stdout.flush()


def read(shop: Snapshot, plan: Plan) -> None:
    """Read a test out, as of its only look."""

    def at(*, as_of: dt.date) -> Snapshot:
        raise AssertionError(f"Nothing is asked of {as_of}: the only look is today.")

    with tempfile.TemporaryDirectory() as folder:
        seen = readout(shop, plan, state=opened(Path(folder)), at=at)
    sys.stdout.write(f"{seen.decision.verdict}, because of {seen.decision.because}\n")


def collapsed(shop: Snapshot, plan: Plan) -> Marked:
    """Collapse a test to what its read-out needs."""
    with told("one row per customer"):
        found = marked(shop, plan, shop.assignments.select(*SCHEMA.names))
    with told("counts for the checks"):
        counted(found)
    with told("grids by arm, and by arm and segment"):
        found.grid()
        found.grid("country")
    with told("three outcomes, after and before time zero"):
        made = [outcome(name) for name in OUTCOMES]
        cleaner.several(shop, found.arms, made, days=plan.endpoint.day)
    return found


def against_rows(found: Marked) -> None:
    """Compare the log-rank test on the grid with lifelines on rows."""
    grid = found.grid()
    rows = found.arms.select("arm", "day", "event_observed").to_pandas()
    one, two = (rows[rows["arm"] == arm] for arm in found.plan.weights)
    pair = (one["day"], two["day"], one["event_observed"], two["event_observed"])
    questions: dict[str, Callable[[], Any]] = {
        "grid": lambda: logrank(grid, by="arm").statistic,
        "lifelines": lambda: logrank_test(*pair).test_statistic,
    }
    seconds: dict[str, list[float]] = {name: [] for name in questions}
    answers = {}
    for _ in range(ROUNDS):
        for name, ask in questions.items():
            began = time.process_time()
            answers[name] = ask()
            seconds[name].append(time.process_time() - began)
    ours, theirs = (statistics.median(each) for each in seconds.values())
    sys.stdout.write(
        f"log-rank: {ours:.4f} s on the grid, {theirs:.3f} s on rows by lifelines, "
        f"{theirs / ours:.0f} times; they differ by {answers['grid'] - answers['lifelines']:.1e}\n"
    )


def main() -> None:
    """Make a shop, or take one made before, and collapse its test."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--endpoint", choices=["retained", "returned"], default="retained")
    parser.add_argument("--folder", type=Path, help="where the tables are, or are to be kept")
    options = parser.parse_args()
    plan = Plan.model_validate({**PLAN, "endpoint": {"kind": options.endpoint, "day": 90}})
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        if not any(folder.glob("*.parquet")):
            made(options.customers, folder)
        with told(f"the read-out of {options.customers:,} customers"):
            read(shop_of(folder, engine.connect()), plan)
        found = collapsed(shop_of(folder, engine.connect()), plan)
        against_rows(found)


if __name__ == "__main__":
    main()
