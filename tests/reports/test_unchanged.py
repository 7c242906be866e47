from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.checks import BadParameter
from retention_lab.reports import manifest, prepared, unchanged
from retention_lab.reports import suite as suites
from retention_lab.tables import store

from .corner_shop import SHOP
from .test_prepared import HEAVY

DAY = dt.date(2026, 11, 29)
SUITE = """
name: weekly
title: Weekly
source: shop.yml
owner: O
where: customer_id = 'ann'
metrics: metrics.yml
brand: brand.yml
notebooks:
  - {notebook: notebooks/10_page.ipynb, title: Page}
"""
PARAMETERS = 'source: str = ""\nas_of: str = ""\nwhere: str = ""'
FILES = {
    "suite.yml": SUITE,
    "shop.yml": SHOP,
    "orders.csv": "id,who,at,paid\n1,ann,2026-11-02 10:00:00,10.00\n",
    "metrics.yml": "metrics: []\n",
    "brand.yml": "name: Us\nlogo: logo.svg\n",
    "logo.svg": "<svg></svg>",
    "requirements.lock": "numpy==1\n",
    "data/cohorts/vip.yml": "name: vip\n",
}
RESULTS = {
    "as_of": "2026-11-22",
    "snapshot": {"name": "2026-11-22-0"},
    "notebooks": {"10_page": {"title": "Page", "results": [{"name": "n", "value": 1}]}},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    Path("notebooks").mkdir()
    write_notebook("print(as_of)")
    Path("before.json").write_text(json.dumps(RESULTS), encoding="utf-8")
    return tmp_path


def write_notebook(source):
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(source)]
    nbformat.write(new_notebook(cells=cells), "notebooks/10_page.ipynb")


def fingerprint(as_of=DAY, before="before.json"):
    suite = suites.load("suite.yml")
    chapters = prepared.prepare(suite)
    before = None if before is None else Path(before)
    return unchanged.fingerprint(suite, chapters, as_of=as_of, before=before, state=Path("state"))


def edit(name, old, new):
    text = Path(name).read_text(encoding="utf-8")
    assert old in text
    Path(name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("suite.yml", "Page}", "Pages}"),
        ("suite.yml", "owner: O", "owner: P"),
        ("shop.yml", "Corner", "Other"),
        ("orders.csv", "10.00", "10.01"),
        ("metrics.yml", "[]", "[ ]"),
        ("brand.yml", "Us", "You"),
        ("logo.svg", "></svg>", "/>"),
        ("requirements.lock", "1", "2"),
        ("data/cohorts/vip.yml", "vip", "vip "),
        ("notebooks/10_page.ipynb", "print(as_of)", "print(source)"),
        ("before.json", '"value": 1', '"value": 2'),
        ("before.json", "22-0", "22-1"),
    ],
)
def test_fingerprint_changes_with_all_that_a_report_rests_on(name, old, new):
    first = fingerprint()
    assert first == fingerprint()
    edit(name, old, new)
    assert first != fingerprint()


@pytest.mark.usefixtures("folder")
def test_fingerprint_changes_with_the_day_the_code_and_what_runs_it(monkeypatch):
    found = [fingerprint(), fingerprint(as_of=DAY - dt.timedelta(days=7)), fingerprint(before=None)]
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "code", lambda: "other")
        found.append(fingerprint())
    with monkeypatch.context() as patch:
        patch.setattr(platform, "python_version", lambda: "3.99")
        found.append(fingerprint())
    with monkeypatch.context() as patch:
        patch.setattr(manifest, "packages", lambda: {"pandas": "0"})
        found.append(fingerprint())
    os.utime("orders.csv", (1, 1))  # the same size, but written at another time
    found.append(fingerprint())
    assert len(set(found)) == 7


@pytest.mark.usefixtures("folder")
def test_fingerprint_stays_when_only_words_about_the_same_change():
    first = fingerprint()
    edit("suite.yml", "owner: O", "owner: O  # who is asked")
    write_notebook("print(as_of)")  # with other ids of cells
    Path("state").mkdir()
    content = dict(reversed(RESULTS.items()))
    Path("state/2026-11-22.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    assert first == fingerprint(before="state/2026-11-22.json")


@pytest.mark.usefixtures("folder")
def test_database_without_a_query_has_no_fingerprint():
    edit("shop.yml", "orders.csv", "{connection: 'duckdb://shop.duckdb', table: sales}")
    assert fingerprint() is None
    assert unchanged.as_of_of_data(suites.load("suite.yml")) is None


@pytest.mark.usefixtures("folder")
def test_missing_file_of_the_source_is_refused():
    Path("orders.csv").unlink()
    with pytest.raises(BadParameter, match=r"shop\.yml names orders\.csv"):
        fingerprint()


@pytest.fixture
def report(folder):
    day = folder / "reports/weekly/2026-11-29"
    day.mkdir(parents=True)
    (day / "10_page.html").write_text("<p>é</p>", encoding="utf-8")
    (day / "results.json").write_text("{}", encoding="utf-8")
    sha = hashlib.sha256("<p>é</p>".encode()).hexdigest()
    about = {"fingerprint": fingerprint(), "notebooks": {"10_page": {"sha256": sha}}}
    (day / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    return day


def test_report_is_unchanged_until_a_page_of_it_changes(report):
    found = fingerprint()
    assert unchanged.unchanged(report, found)
    assert not unchanged.unchanged(report, "0" * 64)
    assert not unchanged.unchanged(report, None)
    assert not unchanged.unchanged(report.with_name("2026-11-22"), found)
    (report / "10_page.html").write_text("<p>e</p>", encoding="utf-8")
    assert not unchanged.unchanged(report, found)


@pytest.mark.parametrize("name", ["10_page.html", "results.json", "manifest.json"])
def test_report_that_lacks_a_file_is_not_unchanged(report, name):
    (report / name).unlink()
    assert not unchanged.unchanged(report, fingerprint())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"notebooks": {"10_page": {}}}'])
def test_report_with_a_manifest_of_another_kind_is_not_unchanged(report, text):
    (report / "manifest.json").write_text(text, encoding="utf-8")
    assert not unchanged.unchanged(report, None)
    assert not unchanged.unchanged(report, fingerprint())


@pytest.mark.usefixtures("folder")
def test_day_of_the_data_is_known_once_it_was_noted_until_a_file_changes():
    suite = suites.load("suite.yml")
    assert unchanged.as_of_of_data(suite) is None
    store.remember_end(unchanged.source_of(suite), dt.date(2026, 12, 2))  # a Wednesday
    assert unchanged.as_of_of_data(suite) == DAY
    edit("orders.csv", "10.00", "11.00")
    assert unchanged.as_of_of_data(suite) is None
    edit("shop.yml", "currency: GBP", "currency: GBP\ncomplete_to: 2026-11-29")
    assert unchanged.as_of_of_data(suite) == DAY


def test_skip_loads_nothing_heavy(report):
    store.remember_end(unchanged.source_of(suites.load("suite.yml")), DAY)
    lines = [
        "import json, sys",
        "from pathlib import Path",
        "import retention_lab.cli",
        "from retention_lab.reports import prepared, suite, unchanged",
        "loaded = suite.load('suite.yml')",
        "chapters, day = prepared.prepare(loaded), unchanged.as_of_of_data(loaded)",
        "before, state = Path('before.json'), Path('state')",
        "found = unchanged.fingerprint(",
        "    loaded, chapters, as_of=day, before=before, state=state",
        ")",
        f"assert unchanged.unchanged(Path({str(report)!r}), found)",
        "print(json.dumps(sorted(sys.modules)))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("day", "code", "said"),
    [
        ("2026-11-29", 0, 'status="unchanged"'),
        ("2026-11-31", 2, "a day"),
    ],
)
def test_command_line_skips_and_refuses_without_anything_heavy(report, day, code, said):
    about = json.loads((report / "manifest.json").read_bytes())
    about |= {"as_of": "2026-11-29", "fingerprint": fingerprint(before=None)}
    (report / "manifest.json").write_text(json.dumps(about), encoding="utf-8")
    lines = [
        "import json, sys",
        "from retention_lab.cli import main",
        f"code = main(['run', 'suite.yml', '--as-of={day}'])",
        "print(json.dumps([code, sorted(sys.modules)]))",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    found, modules = json.loads(done.stdout.splitlines()[-1])
    assert (found, said in done.stderr) == (code, True)
    assert HEAVY & set(modules) == set()
