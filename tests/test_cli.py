from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import __version__, cli
from retention_lab import state as states
from retention_lab.checks import BadData
from retention_lab.reports import intake, publish
from retention_lab.reports import run as runner
from retention_lab.reports import verify as verifying
from retention_lab.reports.kernel import Stopped
from retention_lab.reports.ran import Failure, Ran

ROOT = Path(__file__).parents[1]
RETAIL = ROOT / "data/sources/online_retail_ii.yml"
SHOP = """
name: Corner shop
time_zone: Europe/London
currency: GBP
control_totals:
  - {table: orders, first: 2026-11-01, last: 2026-11-30, rows: 2, amount: 30.5}
tables:
  orders:
    rows: orders.csv
    columns: {order_id: id, customer_id: who, ordered_at: at, amount: paid}
    leave_out:
      - {reason: test order, where: who = 'test'}
      - missing customer_id
"""
ORDERS = """id,who,at,paid
1,ann,2026-10-02 10:00:00,10.00
2,bob,2026-11-15 11:00:00,20.00
3,,2026-11-20 12:00:00,1000.00
4,test,2026-11-28 12:00:00,0.01
5,ann,2026-11-28 12:00:00,15.50
6,eve,2026-12-02 13:00:00,30.00
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("shop.yml", SHOP), ("orders.csv", ORDERS)):
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def told(capsys):
    """Run a command; return its exit code and the lines it wrote to stdout and to stderr."""

    def run(*arguments):
        code = cli.main([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out.splitlines(), err.splitlines()

    return run


def numbers(lines, step):
    """Return the numbers that stand behind a step, in order."""
    [line] = [line.strip() for line in lines if line.strip().startswith(step)]
    return line.removeprefix(step).split()


def test_command_line_starts_without_heavy_modules():
    command = "import retention_lab.cli, sys; print(*sys.modules)"
    outside = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    found = subprocess.run(
        [sys.executable, "-c", command], env=outside, capture_output=True, text=True, check=True
    )
    assert not {"pandas", "ibis", "papermill", "numpy", "yaml"} & set(found.stdout.split())


@pytest.mark.parametrize("module", ["retention_lab.reports.report", "retention_lab.charts"])
def test_no_process_of_a_run_builds_the_grammar_of_web_addresses(module):
    # jsonschema would, with lark; it took half of the time that a report spends on imports.
    command = f"import {module}, sys; print(*sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, "RETENTION_LAB_STATIC": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "jsonschema" in found.stdout.split()
    assert "lark" not in found.stdout.split()


def test_version_is_told(told):
    assert told("--version") == (0, [f"retention-lab {__version__}"], [])


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["check", "--help"]])
def test_help_tells_the_exit_codes(told, arguments):
    code, out, _ = told(*arguments)
    words = " ".join(" ".join(out).split())
    assert code == 0
    assert "0 done or unchanged; 1 a notebook failed" in words
    assert "75 the suite is being run already" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chekc"], "check"),
        (["run"], "suite"),
        (["run", "x.yml", "--asof", "2026-11-29"], "--as-of"),
        (["demo", "--customers", "many"], "--customers"),
        (["demo", "--customers", "0"], "customers must be at least 1"),
        (["run", "wekly.yml"], "The suite file wekly.yml cannot be read: there is no such file."),
        (["check", "shp.yml"], "shp.yml cannot be read"),
        (["check", "shop.yml", "--as-of", "29/11/2026"], "--as-of must be a day such as"),
        (["demo", "--until", "tomorrow"], "--until must be a day such as"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_wrong_arguments_get_one_sentence(told, arguments, words):
    code, out, [sentence] = told(*arguments)
    assert (code, out) == (2, [])
    assert words in sentence


@pytest.mark.parametrize(
    ("raised", "code", "sentence"),
    [
        (BadData("No order remains."), 3, "No order remains."),
        (Stopped("The kernel died.", exit_code=4), 4, "The kernel died."),
        (publish.Locked("It is being run."), 75, "It is being run."),
        (OSError(errno.ENOSPC, "No space left on device", "x"), 1, "x: No space left on device."),
        (KeyError("days"), 1, "Unforeseen: KeyError: 'days'."),
    ],
)
def test_what_goes_wrong_is_one_sentence_without_traceback(
    told, monkeypatch, raised, code, sentence
):
    def inspect(*_, **__):
        raise raised

    monkeypatch.setattr(intake, "inspect", inspect)
    monkeypatch.delenv(cli.DEBUG, raising=False)
    found, out, err = told("check", "shop.yml")
    assert (found, out) == (code, [])
    hint = f" Set {cli.DEBUG}=1 to see the traceback." if code == 1 else ""
    assert err == [sentence + hint]


def test_traceback_is_shown_on_request(told, monkeypatch):
    monkeypatch.setattr(intake, "inspect", lambda *_, **__: {}["days"])
    monkeypatch.setenv(cli.DEBUG, "1")
    assert told("check", "shop.yml")[2][0].startswith("Traceback")


@pytest.mark.usefixtures("shop")
def test_check_shows_each_row_once_and_what_each_reason_fits(told):
    code, out, err = told("check", "shop.yml", "--as-of", "2026-11-30", "--by-month")
    assert (code, err) == (0, [])
    # Five orders by 30 November: 10 + 20 + 1000 + 0.01 + 15.50, worked by hand.
    assert numbers(out, "read") == ["5", "1,045.51"]
    assert numbers(out, "test order") == ["1", "0.01", "1", "0.01"]
    assert numbers(out, "missing customer_id") == ["1", "1,000.00", "1", "1,000.00"]
    assert numbers(out, "used") == ["3", "45.50"]
    assert "Later than 2026-11-30, and not counted: 1." in out
    assert numbers(out, "2026-10") == ["1", "0", "0", "1"]
    assert numbers(out, "2026-11") == ["4", "1", "1", "2"]
    totals = [line.split()[3:] for line in out if line.split()[:2] == ["orders", "2026-11-01"]]
    assert totals == [["rows", "2.00", "2.00", "yes"], ["amount", "35.50", "30.50", "no"]]
    assert out[-1] == (
        "Reports that this source can feed: overview, churn, segments, design of a test."
    )


@pytest.mark.usefixtures("shop")
def test_check_refuses_a_broken_contract(told):
    Path("orders.csv").write_text(ORDERS.replace("15.50", "x"), encoding="utf-8")
    code, _, [sentence] = told("check", "shop.yml")
    assert code == 3
    assert "not a number: amount" in sentence


@pytest.mark.slow
@pytest.mark.skipif(
    "RETENTION_LAB_DATA" not in os.environ and not (ROOT.parent / "shared/data").is_dir(),
    reason="the data set is not here",
)
def test_check_counts_what_is_known_of_online_retail_ii(told):
    # Counted in the published files with pandas: rows that stand in both, without a customer, and
    # with an invoice number that begins with C.
    _, out, _ = told("check", RETAIL)
    lines = out[: next(place for place, line in enumerate(out) if line.startswith("returns"))]
    assert numbers(lines, "stands in two files")[2] == "22,523"
    assert numbers(lines, "missing customer_id")[2] == "243,007"
    assert numbers(lines, "cancellation of any kind, customer known or not")[0] == "19,494"


@pytest.mark.usefixtures("shop")
def test_demo_tells_what_it_wrote(told):
    code, out, err = told("demo", "--customers", "50", "--seed", "7", "--until", "2026-01-31")
    assert (code, err) == (0, [])
    assert out[0] == "Made-up customers are in data/demo:"
    assert {line.split(",")[0].strip() for line in out[1:]} == {
        each.name for each in Path("data/demo").iterdir()
    }
    assert '"until": "2026-01-31"' in Path("data/demo/truth.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("shop")
def test_run_prints_where_the_pages_are_and_the_worst_code(told, monkeypatch):
    notebook = "{notebook: notebooks/10.ipynb, title: T}"
    text = f"name: w\ntitle: W\nsource: s\nowner: O\nnotebooks: [{notebook}]"
    Path("suite.yml").write_text(text, encoding="utf-8")
    about = {
        "suite": "w",
        "title": "W",
        "owner": "O",
        "started": "2026-11-30T06:00:00+00:00",
        "finished": "2026-11-30T06:01:00+00:00",
        "seconds": 1.0,
    }
    failures = (
        Failure(notebook="a", sentence="A failed.", exit_code=1),
        Failure(notebook="b", sentence="B died.", exit_code=4),
    )
    outcomes = [
        Ran(**about, status="published", exit_code=0, pages=("r/w/10.html",)),
        Ran(**about, status="failed", exit_code=4, failures=failures, kept="r/w/failed"),
    ]

    def run(_, call, **__):
        call.watch("10.ipynb", 1, 2)
        call.watch("10.ipynb", 2, 2)
        return outcomes.pop(0)

    monkeypatch.setattr(runner, "run", run)
    code, out, err = told("run", "suite.yml")
    assert (code, out) == (0, ["r/w/10.html", "reports/index.html"])
    assert err[0] == "10.ipynb ..."
    assert err[1].startswith('suite="w" as_of="" status="published" exit_code=0 pages=1')
    code, out, err = told("run", "suite.yml")
    assert (code, out) == (4, ["reports/index.html"])
    assert err[1:4] == [
        "A failed.",
        "B died.",
        "Nothing was published; what was run is kept in r/w/failed.",
    ]
    assert 'status="failed" exit_code=4' in err[4]


def test_verify_reads_a_copy_of_the_state_that_nothing_can_be_added_to(told, tmp_path, monkeypatch):
    state = states.opened(tmp_path / "state")
    seen = []

    def verify(folder, *, run, **_):
        copy = run.keywords["remembers"]
        seen.append((copy.name, copy != state.folder, (copy / "state.json").read_bytes()))
        return verifying.Verdict(folder=folder, moved=pd.DataFrame(), notes=("Looked.",))

    monkeypatch.setattr(verifying, "verify", verify)
    code, out, _ = told("verify", "reports/weekly/latest", "--state", state.folder)
    assert (code, out[0]) == (0, "Looked.")
    assert seen == [("state", True, (state.folder / "state.json").read_bytes())]
