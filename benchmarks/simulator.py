"""Time, memory and rows of the simulated shop for a million customers over two years."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from retention_lab.tables.simulator import simulate

CUSTOMERS = 1_000_000


def main() -> None:
    """Write the shop to a temporary folder and report what it took."""
    with tempfile.TemporaryDirectory() as room:
        began = time.perf_counter()
        folder = simulate(Path(room, "shop"), customers=CUSTOMERS)
        took = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # Linux counts in KiB
        sys.stdout.write(f"{CUSTOMERS:,} customers: {took:.1f} s, peak {peak:.2f} GiB\n")
        for path in sorted(folder.glob("*.parquet")):
            rows = pq.read_metadata(path).num_rows
            sys.stdout.write(f"{path.stem}: {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB\n")


if __name__ == "__main__":
    main()
