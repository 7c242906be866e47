"""Seconds until an unchanged suite is skipped and a mistake is refused, each from a cold process.

    python benchmarks/skip.py experiments/suites/weekly.yml

The suite is run first where its report is not there yet, into a folder of its own. What counts is
the median; CPU seconds tell more than the clock does on a machine that is busy.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

_TIMES = 5
# An engine, pandas or a kernel's client: none of them is needed to skip or to refuse.
_HEAVY = (
    *("ibis", "duckdb", "pandas", "numpy", "pyarrow"),
    *("nbformat", "papermill", "altair", "jinja2", "bs4"),
)
_MODULES = """
import sys
from retention_lab.cli import main
code = main(sys.argv[1:])
sys.stderr.write("\\nloaded " + " ".join(sorted(sys.modules)))
sys.exit(code)
"""


def main(suite: str, folder: Path) -> None:
    """Run the suite, and print what skipping it and refusing mistakes in it takes."""
    run = ["run", suite, f"--out={folder / 'reports'}", f"--state={folder / 'state'}"]
    first = subprocess.run([sys.executable, "-m", "retention_lab", *run], check=False)
    if first.returncode:
        sys.exit(first.returncode)
    for what, command in (
        ("unchanged", run),
        ("unknown notebook", [*run, "--only=no-such-notebook"]),
        ("bad day", [*run, "--as-of=2026-02-30"]),
    ):
        took = [_took(command) for _ in range(_TIMES)]
        clock, cpu = (statistics.median(each) for each in zip(*took, strict=True))
        loaded = ", ".join(_loaded(command)) or "nothing heavy"
        sys.stdout.write(f"{what}: {clock:.2f} s, {cpu:.2f} s of CPU, with {loaded}\n")


def _took(command: Sequence[str]) -> tuple[float, float]:
    """Run a command and return its seconds by the clock and of CPU."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "retention_lab", *command], capture_output=True, check=False
    )
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, sum(
        getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime")
    )


def _loaded(command: Sequence[str]) -> list[str]:
    """Name the heavy packages that a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", _MODULES, *command], capture_output=True, text=True, check=False
    )
    modules = set(done.stderr.rpartition("\nloaded ")[2].split())
    return [each for each in _HEAVY if each in modules]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    arguments = parser.parse_args()
    if arguments.keep:
        main(arguments.suite, arguments.keep)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(arguments.suite, Path(temporary))
