"""Seconds and memory of the purchase summary: ours, DuckDB's SQL by hand, and pandas.

    python benchmarks/summary.py 10000000

All three summarise the same orders in one run, in turns, and must agree; medians are shown. Pandas
does what the documentation of `summary_data_from_transaction_data` says, a function of lifetimes
(archived in 2020, so no dependency of ours): orders of a day are one, the first purchase is no
repeat, and the monetary value is the mean of the repeat purchases. It is written here anew, from
that description. Frames of pandas would hide what the engine takes, so each of the three runs in a
process of its own, and tells its peak of memory; what it reads lies on disk.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from retention_lab.customers.summary import purchases
from retention_lab.tables import engine

FIRST = np.datetime64("2024-01-01")
AS_OF = dt.date(2025, 12, 31)
CUSTOMERS = 10  # orders for each, in the mean

BY_HAND = """
WITH days AS (
  SELECT customer_id, ordered_on AS day, sum(amount) AS revenue
  FROM orders WHERE ordered_on <= DATE '{as_of}' GROUP BY ALL
), people AS (
  SELECT customer_id, count(*) - 1 AS frequency, min(day) AS first_day, max(day) AS last_day,
    sum(revenue) AS revenue, sum(revenue) - arg_min(revenue, day) AS repeat_revenue,
    count(*) FILTER (day <= DATE '{as_of}') AS purchases_within,
    sum(revenue) FILTER (day <= DATE '{as_of}') AS revenue_within
  FROM days GROUP BY customer_id
)
SELECT customer_id, first_day, frequency, last_day - first_day AS recency,
  DATE '{as_of}' - first_day AS T, DATE '{as_of}' - last_day AS last_days,
  frequency + 1 AS purchases, revenue::BIGINT AS revenue,
  repeat_revenue::BIGINT AS repeat_revenue, (last_day - first_day) / nullif(frequency, 0) AS gap,
  purchases_within, revenue_within::BIGINT AS revenue_within
FROM people
"""


def made(rows: int, file: Path) -> None:
    """Write orders of customers who differ in how often they buy."""
    rng = np.random.default_rng(7)
    customers = max(rows // CUSTOMERS, 1)
    weights = rng.exponential(1.0, customers)
    who = rng.choice(customers, rows, p=weights / weights.sum())
    columns = {
        "customer_id": pa.array(who).cast("string"),
        "ordered_on": pa.array(FIRST + rng.integers(0, 731, rows)),
        "amount": pa.array(rng.integers(100, 20_000, rows)),
    }
    pq.write_table(pa.table(columns), file)


def ours(file: Path) -> tuple[float, list[int]]:
    """Time the one Ibis expression, compiling included, written as `by_hand` writes its table."""
    con = engine.connect()
    orders = con.create_table("orders", con.read_parquet(file))
    began = time.perf_counter()
    con.raw_sql(f"CREATE TEMP TABLE summary AS {ibis.to_sql(purchases(orders, as_of=AS_OF))}")
    return time.perf_counter() - began, _totals(con)


def by_hand(file: Path) -> tuple[float, list[int]]:
    """Time the same in SQL."""
    con = engine.connect()
    con.create_table("orders", con.read_parquet(file))
    began = time.perf_counter()
    con.raw_sql(f"CREATE TEMP TABLE summary AS {BY_HAND.format(as_of=AS_OF)}")
    return time.perf_counter() - began, _totals(con)


def _totals(con: Backend) -> list[int]:
    names = ("1", "frequency", "recency", "T", "repeat_revenue")
    sums = ", ".join(f"sum({name})::BIGINT" for name in names)
    return [*con.raw_sql(f"SELECT {sums} FROM summary").fetchone()]


def by_pandas(file: Path) -> tuple[float, list[int]]:
    """Time what lifetimes is documented to do, on a frame in memory."""
    orders = pd.read_parquet(file)
    orders["ordered_on"] = pd.to_datetime(orders["ordered_on"])
    began = time.perf_counter()
    known = orders[orders["ordered_on"] <= pd.Timestamp(AS_OF)]
    days = known.groupby(["customer_id", "ordered_on"], sort=False)["amount"].sum().reset_index()
    days = days.sort_values(["customer_id", "ordered_on"])
    days["repeat"] = days["amount"].where(days.duplicated("customer_id"))
    people = days.groupby("customer_id", sort=False).agg(
        first=("ordered_on", "min"),
        last=("ordered_on", "max"),
        frequency=("ordered_on", "count"),
        monetary=("repeat", "mean"),
    )
    people["frequency"] -= 1
    people["recency"] = (people["last"] - people["first"]).dt.days
    people["T"] = (pd.Timestamp(AS_OF) - people["first"]).dt.days
    seconds = time.perf_counter() - began
    repeat = (people["monetary"] * people["frequency"]).sum()
    sums = people[["frequency", "recency", "T"]].sum()
    return seconds, [len(people), *map(int, sums), round(repeat)]


WAYS = {"ours": ours, "by_hand": by_hand, "pandas": by_pandas}


def one(way: str, file: Path) -> None:
    """Print seconds, peak GiB and totals of one way, for `main` to read."""
    seconds, totals = WAYS[way](file)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # Linux counts in KiB
    sys.stdout.write(f"{seconds} {peak} {' '.join(map(str, totals))}\n")


def main(rows: int, rounds: int) -> None:
    """Print the medians of some rounds in turns."""
    with tempfile.TemporaryDirectory() as room:
        file = Path(room, "orders.parquet")
        made(rows, file)
        found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _round in range(rounds):
            for way, runs in found.items():
                command = [sys.executable, __file__, str(rows), "--way", way, "--file", str(file)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                runs.append([float(word) for word in done.stdout.split()])
    totals = {tuple(run[2:]) for runs in found.values() for run in runs}
    seconds = {way: statistics.median(run[0] for run in runs) for way, runs in found.items()}
    sys.stdout.write(f"{rows:,} orders of {next(iter(totals))[0]:,.0f} customers; ")
    sys.stdout.write(f"all agree: {len(totals) == 1}\n")
    for way, runs in found.items():
        sys.stdout.write(f"{way}: {seconds[way]:.2f} s, peak {max(r[1] for r in runs):.2f} GiB\n")
    sys.stdout.write(f"ours takes {seconds['ours'] / seconds['by_hand']:.2f} times DuckDB's SQL ")
    sys.stdout.write(
        f"by hand; pandas takes {seconds['pandas'] / seconds['ours']:.1f} times ours\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="used by the benchmark itself")
    parser.add_argument("--file", type=Path, help="used by the benchmark itself")
    arguments = parser.parse_args()
    if arguments.way:
        one(arguments.way, arguments.file)
    else:
        main(arguments.rows, arguments.rounds)
