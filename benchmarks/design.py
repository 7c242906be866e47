"""Seconds and memory of simulated trials, and of the power of each calendar day.

    python benchmarks/design.py

10,000 trials of 2,806 customers who enter over 60 days and are read on day 90: by the log-rank test
and by retention at day 60; plain, and with all that may disturb them. Medians, by the clock and of
CPU, which tells more on a machine that is busy. The aim is under 10 s on two cores; one is used.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from retention_lab.experiments import simulate
from retention_lab.experiments.design.assumptions import Assumptions, dropout
from retention_lab.experiments.design.calendar import by_day
from retention_lab.experiments.design.curve import from_days, still_there
from retention_lab.experiments.design.timed import LogRankTest

ROUNDS, TRIALS, CUSTOMERS, DAY, AT = 3, 10_000, 2806, 90, 60
PLAIN = Assumptions(
    baseline=still_there(0.6, day=90), entry=((60, CUSTOMERS / 60),), follow_up_days=90
)
DAYS = np.arange(91)
DISTURBED = replace(
    PLAIN,
    baseline=from_days(pd.DataFrame({"day": DAYS, "survival": 0.6 ** ((DAYS / 90) ** 0.7)})),
    dropout_per_day=dropout(0.05, days=90),
    onset_delay_days=2.0,
    contact_rate=0.8,
)
TESTS: dict[str, Callable[[simulate.Trials], object]] = {
    "log-rank": simulate.logrank,
    f"retention at day {AT}": lambda trials: simulate.retention(trials, at=AT),
}


def main() -> None:
    """Simulate, test, and ask for the power of each day."""
    ratio = PLAIN.hazard_ratio(share=0.66, day=90)
    for name, assumptions in (("plain", PLAIN), ("disturbed", DISTURBED)):
        for test, statistic in TESTS.items():
            _median(
                f"{TRIALS:,} trials, {name}, {test} (at most 10 s)",
                lambda: statistic(_trials(assumptions, ratio)),  # noqa: B023
            )
        design = LogRankTest(assumptions=assumptions, day=DAY)
        _median(f"power of 150 days, {name}", lambda: by_day(design, ratio))  # noqa: B023


def _trials(assumptions: Assumptions, ratio: float) -> simulate.Trials:
    return simulate.trials(
        assumptions,
        hazard_ratios=[ratio],
        customers=CUSTOMERS,
        day=DAY,
        times=TRIALS,
        rng=np.random.default_rng(20261122),
    )


def _median(what: str, act: Callable[[], object]) -> None:
    took = zip(*(_took(act) for _ in range(ROUNDS)), strict=True)
    middle, cpu = (statistics.median(each) for each in took)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{what}: {middle:.2f} s, {cpu:.2f} s of CPU; peak so far {peak:.2f} GiB\n")


def _took(act: Callable[[], object]) -> tuple[float, float]:
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


if __name__ == "__main__":
    main()
