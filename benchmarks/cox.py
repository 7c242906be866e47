"""Seconds and memory of Cox models, and how they compare with lifelines.

    python benchmarks/cox.py

Three questions: a million customers with ten covariates; 200,000 rows (start, stop] with robust
errors, against the time-varying fitter of lifelines, which has none; and a million customers of a
few states each, collapsed to counts, against lifelines on the customers. Both sides of a comparison
take turns within one run; all are medians, by the clock and of CPU, which tells more on a machine
that is busy. The peak is that of this process until then.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, CoxTimeVaryingFitter

from retention_lab.survival import cox

ROUNDS = 3
NAMES = list("abcdefghij")


def main() -> None:
    """Answer the three questions, one after the other."""
    rng = np.random.default_rng(20261122)
    million = _customers(rng, 1_000_000)
    for clock in ("day", "moment"):
        ways = {"retention-lab": lambda clock=clock: _fit(million, stop=million[clock])}
        _medians(f"1,000,000 customers, 10 covariates, by {clock} (at most 6 s)", ways)
    _compare("200,000 rows (start, stop], robust", _start_stop(rng, 200_000), least=20)
    _compare("1,000,000 customers, 5 states, collapsed", _collapsed(million), least=50)


def _customers(rng: np.random.Generator, n: int) -> pd.DataFrame:
    states, amounts = rng.integers(0, 2, (n, 5)), rng.normal(size=(n, 5))
    x = np.column_stack([states, amounts])
    happens = rng.exponential(200 * np.exp(-x @ rng.normal(scale=0.2, size=10)))
    followed = rng.uniform(0, 365, n)
    moment = np.minimum(happens, followed)
    rows = pd.DataFrame(x, columns=NAMES)
    return rows.assign(moment=moment, day=np.floor(moment) + 1, event=happens <= followed)


def _start_stop(rng: np.random.Generator, n: int) -> dict[str, Callable[[], object]]:
    """Four rows a customer, whose first two columns change from one to the next."""
    customers = _customers(rng, n // 4)
    cuts = np.sort(rng.uniform(0, 1, (n // 4, 3)), axis=1) * customers[["day"]].to_numpy()
    edges = np.column_stack([np.zeros(n // 4), cuts, customers["day"]])
    rows = customers.loc[customers.index.repeat(4)].assign(
        who=np.repeat(np.arange(n // 4), 4), start=edges[:, :-1].ravel(), stop=edges[:, 1:].ravel()
    )
    rows[["a", "b"]] = rng.integers(0, 2, (n, 2))
    rows["event"] &= np.tile([False, False, False, True], n // 4)
    theirs = rows.drop(columns=["moment", "day"])
    clock = {"event_col": "event", "start_col": "start", "stop_col": "stop"}
    return {
        "retention-lab": lambda: _fit(
            rows, start=rows["start"], stop=rows["stop"], cluster=rows["who"]
        ),
        "lifelines": lambda: CoxTimeVaryingFitter().fit(theirs, id_col="who", **clock),
    }


def _collapsed(customers: pd.DataFrame) -> dict[str, Callable[[], object]]:
    states = NAMES[:5]
    rows = customers[[*states, "day", "event"]]
    counts = rows.groupby([*states, "day", "event"], as_index=False).size()
    _say(f"collapsed to {len(counts):,} rows")
    return {
        "retention-lab": lambda: cox.fit(
            counts[states],
            stop=counts["day"],
            event_observed=counts["event"],
            weights=counts["size"],
        ),
        "lifelines": lambda: CoxPHFitter().fit(rows, "day", "event"),
    }


def _fit(rows: pd.DataFrame, **clock: pd.Series) -> cox.CoxFit:
    return cox.fit(rows[NAMES], event_observed=rows["event"], **clock)


def _compare(what: str, ways: dict[str, Callable[[], object]], *, least: int) -> None:
    middle = _medians(what, ways)
    _say(f"{middle['lifelines'] / middle['retention-lab']:.0f} times as fast (at least {least})")


def _medians(what: str, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Let the ways take turns, print the median of each, and return its seconds by the clock."""
    rounds = [{name: _took(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    middle = {}
    for name in ways:
        took = zip(*(each[name] for each in rounds), strict=True)
        middle[name], cpu = (statistics.median(each) for each in took)
        _say(f"{what}, {name}: {middle[name]:.2f} s, {cpu:.2f} s of CPU")
    return middle


def _took(act: Callable[[], object]) -> tuple[float, float]:
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


def _say(sentence: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{sentence}; peak so far {peak:.2f} GiB\n")


if __name__ == "__main__":
    main()
