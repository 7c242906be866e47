"""What the runner adds to a report's own code, and how it compares with papermill and nbconvert.

    python benchmarks/runner.py

Eight notebooks, each of which imports what reports import and shows two charts. The overhead is
that of a page after the first of a run, one at a time: kernel, page and publishing, without the
seconds that its own cells took. The comparison is from command to page, on all cores, with the
papermill command followed by the nbconvert command for each of the same notebooks: one after the
other, and as many at once as there are cores. All are medians.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from retention_lab.reports import run
from retention_lab.reports import suite as suites

NOTEBOOKS, ROUNDS = 8, 3
SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
"""
ORDERS = "id,who,at,paid\n1,ann,2026-11-02 10:00:00,10.00\n2,bob,2026-11-30 11:00:00,20.00\n"
CELLS = (
    """import time
begun = time.perf_counter()
import altair as alt
import lifelines
import pandas as pd
import scipy.stats
import statsmodels.api
from IPython.display import display
from retention_lab.reports.page import CHART""",
    """def show(mark):
    frame = pd.DataFrame({"day": range(90), "share": [0.99**day for day in range(90)]})
    chart = getattr(alt.Chart(frame), mark)().encode(x="day:Q", y="share:Q")
    spec = chart.properties(description=mark, usermeta={"caption": mark}).to_dict()
    display({CHART: spec, "text/plain": mark}, raw=True)""",
    "show('mark_line')",
    "show('mark_bar')",
    """import pathlib
pathlib.Path("own", name).write_text(str(time.perf_counter() - begun))""",
)


def main() -> None:
    """Measure both in one go, taking turns, and print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _write_shop()
        _in_process(1)  # what only the first page of a process waits for: imports, the snapshot
        overhead = statistics.median(_overhead() for _ in range(ROUNDS))
        ways: dict[str, Callable[[], None]] = {
            "retention-lab": _runner,
            "papermill and nbconvert": lambda: _commands(at_once=1),
            "papermill and nbconvert on all cores": lambda: _commands(at_once=os.cpu_count() or 1),
        }
        rounds = [{name: _seconds(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    sys.stdout.write(f"overhead: {overhead:.2f} s a page after the first (at most 1.1)\n")
    middle = {name: statistics.median(each[name] for each in rounds) for name in ways}
    for name, seconds in middle.items():
        factor = seconds / middle["retention-lab"]
        sys.stdout.write(f"{name}: {seconds:.1f} s for {NOTEBOOKS} pages, {factor:.1f} times\n")
    sys.stdout.write("The second is to be at least 2 times the first.\n")


def _write_shop() -> None:
    for name in ("notebooks", "own", "executed"):
        Path(name).mkdir()
    Path("shop.yml").write_text(SHOP, encoding="utf-8")
    Path("orders.csv").write_text(ORDERS, encoding="utf-8")
    for number in range(NOTEBOOKS):
        told = f'source: str = ""\nas_of: str = ""\nname: str = "{number}"'
        tagged = new_code_cell(told, metadata={"tags": ["parameters"]})
        cells = [new_markdown_cell("# Title"), tagged, *map(new_code_cell, CELLS)]
        nbformat.write(new_notebook(cells=cells), _notebook(number))
    for count in (1, NOTEBOOKS):
        parts = [{"notebook": _notebook(each), "title": str(each)} for each in range(count)]
        fields = {"name": "all", "title": "All", "source": "shop.yml", "owner": "O"}
        text = yaml.safe_dump({**fields, "notebooks": parts})
        Path(f"suite{count}.yml").write_text(text, encoding="utf-8")


def _notebook(number: int) -> str:
    return f"notebooks/{number}.ipynb"


def _overhead() -> float:
    """Return the seconds by which eight pages take longer than one, without their own code's."""
    one, all_of_them = _in_process(1), _in_process(NOTEBOOKS)
    own = sum(float(Path("own", str(each)).read_text("utf-8")) for each in range(1, NOTEBOOKS))
    return (all_of_them - one - own) / (NOTEBOOKS - 1)


def _in_process(count: int) -> float:
    suite = suites.load(f"suite{count}.yml")
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    call = run.Call(out=Path("reports"), state=Path("state"), now=now, force=True, jobs=1)
    return _seconds(lambda: run.run(suite, call, as_of=dt.date(2026, 11, 29)))


def _runner() -> None:
    options = ["--as-of", "2026-11-29", "--force"]
    _call(sys.executable, "-m", "retention_lab", "run", f"suite{NOTEBOOKS}.yml", *options)


def _commands(*, at_once: int) -> None:
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(_page, range(NOTEBOOKS)))


def _page(number: int) -> None:
    executed = f"executed/{number}.ipynb"
    _call(sys.executable, "-m", "papermill", _notebook(number), executed, "-k", "python3")
    _call(sys.executable, "-m", "nbconvert", "--to", "html", executed)


def _call(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
