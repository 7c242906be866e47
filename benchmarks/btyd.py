"""Seconds and memory of purchase models of a million customers.

    python benchmarks/btyd.py

Whole days, as a shop has them, collapsed to distinct histories with weights; and the worst that can
be, a million moments of which no two are alike. Collapsing is not in it: it is the engine's work.
Medians, by the clock and of CPU, which tells more on a machine that is busy.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from retention_lab.inference.btyd import answers, fitting, spend, totals, value
from retention_lab.inference.btyd.likelihood import Model

ROUNDS = 3
CUSTOMERS = 1_000_000
MODELS: tuple[Model, ...] = ("BG/NBD", "MBG/NBD")


def main() -> None:
    """Fit both models on distinct histories and on customers, and forecast from them."""
    rng = np.random.default_rng(20261122)
    moments = _customers(rng, CUSTOMERS)
    days = moments.assign(recency=np.ceil(moments["recency"]), T=np.ceil(moments["T"]))
    keys = ["frequency", "recency", "T"]
    patterns = days.groupby(keys, as_index=False).size().rename(columns={"size": "weight"})
    _say(f"{CUSTOMERS:,} customers, {len(patterns):,} distinct histories")
    for name, rows in (("distinct histories", patterns), ("all different", moments)):
        for model in MODELS:
            _median(f"fit {model}, {name} (at most 5 s)", lambda: fitting.fit(rows, model=model))  # noqa: B023
    fit = fitting.fit(patterns, model="BG/NBD")
    _median("forecast with intervals, distinct histories", lambda: _ahead(fit, patterns))
    _median("forecast with intervals, all different", lambda: _ahead(fit, moments))
    money = moments.assign(monetary=rng.gamma(6, rng.gamma(4, 2, CUSTOMERS)))
    spending = spend.fit(money)
    _median("fit Gamma-Gamma, all different (at most 5 s)", lambda: spend.fit(money))
    worth = patterns.assign(monetary=20.0)
    _median(
        "value of 12 months with intervals, distinct histories",
        lambda: value.discounted(fit, spending, worth, months=12, monthly_discount=0.01),
    )
    _median("choose and fit the likelier model", lambda: fitting.likelier(patterns))
    groups = worth.assign(group=np.where(worth["frequency"] > 0, "again", "once"))
    means = totals.by_model(spending, groups, between=0.4)
    terms = totals.Terms(months=12, monthly_discount=0.01)
    _median(
        "value of two groups, each in one range",
        lambda: totals.totals(fit, means, groups, terms=terms),
    )
    ends = [28.0 * end for end in range(1, 14)]
    _median("purchases by week, with ranges", lambda: totals.cumulative(fit, groups, ends=ends))


def _customers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """BG/NBD customers of two years, who came evenly over them; times in days."""
    rate, leaves = rng.gamma(0.25, 1 / 30, n), rng.beta(0.8, 2.5, n)
    age = rng.uniform(1, 730, n)
    frequency, recency, here = np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
    while here.any():
        buys = recency[here] + rng.exponential(1 / np.maximum(rate[here], 1e-300))
        seen, who = buys < age[here], np.flatnonzero(here)
        frequency[who[seen]] += 1
        recency[who[seen]] = buys[seen]
        here[who] = seen & (rng.uniform(size=len(who)) > leaves[who])
    return pd.DataFrame({"frequency": frequency, "recency": recency, "T": age})


def _ahead(fit: fitting.Fit, rows: pd.DataFrame) -> pd.DataFrame:
    return answers.forecast(fit, rows, horizon=90)


def _median(what: str, act: Callable[[], object]) -> None:
    took = zip(*(_took(act) for _ in range(ROUNDS)), strict=True)
    middle, cpu = (statistics.median(each) for each in took)
    _say(f"{what}: {middle:.2f} s, {cpu:.2f} s of CPU")


def _took(act: Callable[[], object]) -> tuple[float, float]:
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


def _say(sentence: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{sentence}; peak so far {peak:.2f} GiB\n")


if __name__ == "__main__":
    main()
