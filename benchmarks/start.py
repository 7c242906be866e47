"""Seconds and memory of `retention-lab start`, from a CSV file of many order lines to the page.

    python benchmarks/start.py 1000000
    python benchmarks/start.py 50000000 --keep /some/folder

The lines are made up: three to an order, dates of the day first, amounts with decimal commas.
Memory is that of the largest single process: the command or its kernel.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

_LINES = """
copy (
    select
        i // 3 as "Bestellnummer",
        'K' || (hash(i // 3) % {customers}) as "Kundennummer",
        strftime(timestamp '2024-01-01' + interval (i * 60000000 // {lines}) second,
                 '%d.%m.%Y %H:%M:%S') as "Bestelldatum",
        'A-' || (hash(i) % 5000) as "Artikelnummer",
        'Ein Artikel mit einer Beschreibung, ' || (hash(i) % 5000) as "Bezeichnung",
        1 + hash(i + 1) % 4 as "Menge",
        replace(format('{{:.2f}}', 1 + (hash(i + 2) % 9900) / 100.0), '.', ',') as "Einzelpreis",
        ['DE', 'AT', 'CH'][1 + i // 3 % 3] as "Land"
    from range({lines}) as lines(i)
) to '{path}' (header, delimiter ';')
"""


def main(lines: int, folder: Path) -> None:
    """Write the export, start with it and print what it took."""
    path = folder / "lines.csv"
    if not path.exists():
        duckdb.execute(_LINES.format(lines=lines, customers=max(1, lines // 15), path=path))
    began = time.perf_counter()
    options = ["--yes", "--force", "--currency", "EUR", "--out", str(folder / "reports")]
    command = [sys.executable, "-m", "retention_lab", "start", str(path), *options]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    size = path.stat().st_size / 1e6
    sys.stdout.write(f"{size:,.0f} MB: {seconds:.1f} s, peak {peak:.2f} GiB\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", type=int)
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    arguments = parser.parse_args()
    if arguments.keep:
        main(arguments.lines, arguments.keep)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(arguments.lines, Path(temporary))
