"""Seconds and memory of an assignment: ten million customers in batches of Arrow, as they stream.

    python benchmarks/assign.py 10000000

Only the arms are worked out: reading customers and writing who got what is not in it. The plain
loop over ids in Python, on a part of them, must give the same arms; it tells what arrays save.
Medians, by the clock and of CPU, which tells more on a machine that is busy.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retention_lab.experiments.assigning import assigned
from retention_lab.experiments.blocks import blocked

ROUNDS = 3
BATCH = 100_000  # what `tables.engine.stream` yields
SALT, WEIGHTS = "2026-11-check-in", {"check-in": 0.5, "control": 0.5}
BLOCK = {"check-in": 2, "control": 2}


def main() -> None:
    """Assign customers by hash and by blocks, and check a part of them by a loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("customers", type=int, nargs="?", default=10_000_000)
    customers = parser.parse_args().customers
    _agree(next(_ids(1)))
    batches = customers // BATCH
    making = _median("making the ids", lambda: sum(map(len, _ids(batches))))
    both = _median("making and hashing them", lambda: sum(map(len, map(_hashed, _ids(batches)))))
    _say(f"so the hash of {customers:,} customers takes {both - making:.1f} s of CPU")
    strata = pa.array(["DE", "FR", "IT", "NL", "PL"] * (BATCH // 5))
    _median("permuted blocks in five strata", lambda: [_in_blocks(strata) for _ in range(batches)])


def _ids(batches: int) -> Iterator[pa.Array]:
    for batch in range(batches):
        numbers = pa.array(np.arange(batch * BATCH, (batch + 1) * BATCH))
        yield pc.binary_join_element_wise("customer", pc.cast(numbers, pa.string()), "-")


def _hashed(ids: pa.Array) -> pa.DictionaryArray:
    return assigned(ids, salt=SALT, weights=WEIGHTS)


def _in_blocks(strata: pa.Array) -> pa.DictionaryArray:
    return blocked(strata, salt=SALT, block=BLOCK, before={"DE": 7})


def _agree(ids: pa.Array) -> None:
    """Hash letter by letter, as the rule reads, and compare."""
    began = time.perf_counter()
    places = [_plain(_plain(f"{SALT}{one}")) % 10_000 for one in ids.to_pylist()]
    took = time.perf_counter() - began
    halves = ["check-in" if place < 5_000 else "control" for place in places]
    assert halves == _hashed(ids).to_pylist()
    _say(f"a plain loop over ids: {took / len(ids) * 10_000_000:.0f} s for 10,000,000")


def _plain(text: object) -> int:
    number = 2166136261
    for letter in str(text).encode():
        number = (number ^ letter) * 16777619 % 2**32
    return number


def _median(what: str, act: Callable[[], object]) -> float:
    took = zip(*(_took(act) for _ in range(ROUNDS)), strict=True)
    middle, cpu = (statistics.median(each) for each in took)
    _say(f"{what}: {middle:.2f} s, {cpu:.2f} s of CPU")
    return cpu


def _took(act: Callable[[], object]) -> tuple[float, float]:
    began, busy = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - began, time.process_time() - busy


def _say(sentence: str) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    sys.stdout.write(f"{sentence}; peak so far {peak:.2f} GiB\n")


if __name__ == "__main__":
    main()
