"""Log-rank and Kaplan-Meier on a day grid against lifelines on rows: seconds, and their ratio.

    python benchmarks/survival.py 1000000

Both answer one question of the same customers in one run, in turns; medians are shown, with the
greatest difference of the two answers. The rows become the grid once, in the engine, for both.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

from retention_lab.churn import grids
from retention_lab.survival.daygrid import kaplan_meier, survival_at
from retention_lab.survival.logrank import logrank
from retention_lab.tables import engine

DAYS = [30, 90, 180, 365]


def customers(n: int) -> pd.DataFrame:
    """Make up two groups that leave at different paces and were followed for up to two years."""
    rng = np.random.default_rng(7)
    group = rng.integers(0, 2, n)
    leaves, seen = rng.geometric(np.where(group, 0.004, 0.0042)), rng.integers(1, 730, n)
    return pd.DataFrame(
        {
            "group": group,
            "day": np.minimum(leaves, seen),
            "event_observed": leaves <= seen,
            "cause": None,
        }
    ).astype({"cause": "string"})


def timed(question: Callable[[], list[float]]) -> tuple[float, list[float]]:
    """Return the seconds of one answer, and the answer."""
    began = time.perf_counter()
    answer = question()
    return time.perf_counter() - began, answer


def main(n: int, rounds: int) -> None:
    """Print the medians of some rounds in turns."""
    rows = customers(n)
    spells = engine.connect().create_table("spells", rows, temp=True)
    began = time.perf_counter()
    grid = grids.by(spells, "group")
    seconds = time.perf_counter() - began
    sys.stdout.write(f"{n:,} rows to a grid of {len(grid):,}, in the engine: {seconds:.3f} s\n")
    one, other = (rows[rows["group"] == name] for name in (0, 1))

    def curve_by_rows() -> list[float]:
        fitted = KaplanMeierFitter().fit(rows["day"], rows["event_observed"])
        return [float(share) for share in fitted.predict(DAYS)]

    def test_by_rows() -> list[float]:
        pair = (one["day"], other["day"], one["event_observed"], other["event_observed"])
        return [float(logrank_test(*pair).test_statistic)]

    questions = {
        "Kaplan-Meier": (
            lambda: [*survival_at(kaplan_meier(grid), DAYS)["survival"]],
            curve_by_rows,
        ),
        "log-rank": (lambda: [logrank(grid).statistic], test_by_rows),
    }
    for name, pair in questions.items():
        answers = [[timed(question) for question in pair] for _ in range(rounds)]
        ours, theirs = (statistics.median(round_[i][0] for round_ in answers) for i in (0, 1))
        apart = np.abs(np.subtract(answers[0][0][1], answers[0][1][1])).max()
        sys.stdout.write(
            f"{name}: grid {ours * 1e3:.1f} ms, lifelines on rows {theirs:.2f} s, "
            f"{theirs / ours:,.0f} times (with the grid {theirs / (ours + seconds):.0f}); "
            f"answers differ by {apart:.1e}\n"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.rounds)
