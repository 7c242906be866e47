"""Seconds and memory of what churn takes of a simulated shop, and of its page.

    python benchmarks/churn.py --customers 1000000
    python benchmarks/churn.py --suite experiments/suites/churn.yml

Memory is the peak so far: of this process by stage, then of the largest process of the page.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from retention_lab.churn import backtest, endpoints, episodes, factors, forecast, landmarks, model
from retention_lab.survival import cox
from retention_lab.tables import playbook, snapshot
from retention_lab.tables.simulator import simulate
from retention_lab.tables.snapshot import Snapshot

SOURCE = Path(__file__).parents[1] / "data" / "sources" / "demo.yml"


@contextmanager
def told(stage: str, whose: int = resource.RUSAGE_SELF) -> Iterator[None]:
    """Print what a stage took; on a busy machine, seconds of computing tell more than the clock."""
    began, computed = time.perf_counter(), _computing(whose)
    yield
    seconds, computing = time.perf_counter() - began, _computing(whose) - computed
    peak = resource.getrusage(whose).ru_maxrss / 1024**2  # Linux counts in KiB
    sys.stdout.write(f"{stage}: {seconds:.1f} s ({computing:.1f} s of computing), ")
    sys.stdout.write(f"peak so far {peak:.2f} GiB\n")
    sys.stdout.flush()


def _computing(whose: int) -> float:
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def stages(shop: Snapshot) -> None:
    """Tell episodes, landmarks and the models of each."""
    churn = playbook.load("").churn
    endpoint = endpoints.chosen(shop)
    timed = factors.usable(shop, churn.factors, timed=True)
    with told("episodes"):
        rows = episodes.collapsed(episodes.episodes(shop, endpoint, timed), timed)
    sys.stdout.write(f"  {rows['weight'].sum():,} of them, {len(rows):,} different\n")
    with told("Cox model of the episodes"):
        states = pd.get_dummies(rows[[factor.name for factor in timed]], drop_first=True)
        cox.fit(
            states.astype("float64"),
            start=rows["start"],
            stop=rows["stop"],
            event_observed=rows["event_observed"],
            weights=rows["weight"],
        )
    known = factors.usable(shop, churn.factors, timed=False)
    with told("landmarks"):
        days = landmarks.dates(shop, horizon=churn.horizon)
        seen = landmarks.landmarks(shop, endpoint, known, days=days, horizon=churn.horizon)
    sys.stdout.write(f"  {seen['weight'].sum():,} of them, {len(seen):,} different\n")
    with told("landmark model"):
        fitted = model.fit(seen, known, horizon=churn.horizon)
    with told("forecast"):
        people = landmarks.people_collapsed(shop, endpoint, known)
        forecast.forecast(fitted, people, endpoint=endpoint, as_of=shop.as_of)
    with told("backtest"):
        backtest.backtest(seen, known, horizon=churn.horizon, as_of=shop.as_of, endpoint=endpoint)


def page(suite: str, source: Path, out: Path) -> None:
    """Run the suite on the snapshot that is there."""
    command = [sys.executable, "-m", "retention_lab", "run", suite, "--source", str(source)]
    with told("page", resource.RUSAGE_CHILDREN):
        subprocess.run(
            [*command, "--out", str(out)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def main(customers: int, suite: str | None) -> None:
    """Make the shop in a temporary folder and print what each stage takes."""
    with tempfile.TemporaryDirectory() as room:
        source = Path(room, "sources", SOURCE.name)
        source.parent.mkdir()
        source.write_bytes(SOURCE.read_bytes())
        with told(f"{customers:,} made-up customers"):
            simulate(Path(room, "demo"), customers=customers)
        with told("snapshot"):
            shop = snapshot.take(source)
        stages(shop)
        if suite:
            page(suite, source, Path(room, "reports"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--customers", type=int, default=20_000)
    parser.add_argument("--suite")
    main(**vars(parser.parse_args()))
