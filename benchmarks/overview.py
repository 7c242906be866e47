"""Seconds and memory of the overview on a real shop, from raw files to the published page.

    python benchmarks/overview.py data/sources/online_retail_ii.yml 2011-11-30

The snapshot is made anew (`cold`), then reused (`warm`). Memory is that of the largest single
process: the runner or its kernel.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main(source: str, as_of: str) -> None:
    """Run the overview suite twice and print what it took."""
    shutil.rmtree(Path(source).parent / "snapshots" / Path(source).stem, ignore_errors=True)
    with tempfile.TemporaryDirectory() as out:
        for state in ("cold", "warm"):
            began = time.perf_counter()
            suite = "experiments/suites/overview.yml"
            options = ["--source", source, "--as-of", as_of, "--out", out]
            command = [sys.executable, "-m", "retention_lab", "run", suite, *options]
            subprocess.run(
                command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            seconds = time.perf_counter() - began
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
            sys.stdout.write(f"{state}: {seconds:.1f} s, peak so far {peak:.2f} GiB\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
