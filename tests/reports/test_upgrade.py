from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from pathlib import Path

import pytest

from retention_lab.checks import BadParameter, Refusal
from retention_lab.reports import manifest, upgrade
from retention_lab.reports import suite as suites
from retention_lab.reports.ran import Failure

from . import projects

DAY = dt.date(2026, 11, 29)
RUN = projects.Runner()
# As an older version: another command line than ours, and other figures.
OLD = """
import json, os, sys
from pathlib import Path
import yaml

command, suite, *options = sys.argv[1:]
told = dict(option.removeprefix("--").split("=") for option in options)
assert command == "run" and set(told) == {"source", "as-of", "out"}
if Path(told["source"]).read_text(encoding="utf-8").startswith("#"):
    sys.exit("Some words.\\nA sentence of the old code.")
suite = yaml.safe_load(Path(suite).read_text(encoding="utf-8"))
[part] = suite["notebooks"]
assert Path(part["notebook"]).is_file()
Path("state").mkdir()
Path(os.environ["RETENTION_LAB_SNAPSHOTS"]).mkdir()
folder = Path(told["out"], suite["name"], told["as-of"])
folder.mkdir(parents=True)
total = {"name": "total", "label": "All orders", "value": part["parameters"]["n"], "text": "1"}
cut = {"sha256": "another", "name": "2026-11-29-0"}
head = {"suite": suite["name"], "as_of": told["as-of"], "snapshot": cut}
for name in ("manifest.json", "results.json"):
    page = {"results": [total], "notebook": part["notebook"]}
    folder.joinpath(name).write_text(json.dumps({**head, "notebooks": {"10_page": page}}))
"""


def result(name, value, **rest):
    return {"name": name, "value": value, "low": None, "high": None, "n": 10, **rest}


def report(**pages):
    return {"notebooks": {name: {"results": results} for name, results in pages.items()}}


def test_each_number_that_moves_is_told():
    old = report(
        a=[
            result("rate", 0.25, low=0.2, high=0.3, label="Bought again", about="May 2026"),
            result("orders", 100, definition="Orders."),
            result("same", 0.1 + 0.2),
        ],
        b=[result("gone", 7)],
    )
    new = report(
        a=[
            result("rate", 0.26, low=0.2, high=0.31, label="Bought again", about="May 2026"),
            result("orders", 100, definition="Orders without returns.", currency=""),
            result("same", 0.3),
            result("new", 1.5, n=None),
        ],
    )
    moved = upgrade.compare(old, new)
    assert list(moved.columns) == list(upgrade.COLUMNS)
    assert upgrade.told(moved) == [
        "a: Bought again, May 2026 (rate): value was 0.25, is 0.26 (+0.01).",
        "a: Bought again, May 2026 (rate): its upper bound was 0.3, is 0.31 (+0.01).",
        "a: orders (orders) has another definition, unit or currency.",
        "a: new (new) is new: value 1.5.",
        "b: gone (gone) is gone: value 7.",
        "b: gone (gone) is gone: n 10.",
    ]
    assert moved["kind"].tolist() == ["moved", "moved", "definition", "new", "gone", "gone"]
    assert upgrade.compare(new, new).empty


def test_bound_that_appears_and_difference_around_zero_are_told_apart():
    old, new = result("points", 1e-17), result("points", 0.0, low=-0.1)
    moved = upgrade.compare(report(a=[old]), report(a=[new]))
    assert upgrade.told(moved) == ["a: points (points): its lower bound was none, is -0.1."]


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setattr(manifest, "code", lambda: "code")
    folder = tmp_path / "project"
    projects.write(folder)
    monkeypatch.chdir(folder)
    (tmp_path / "room").mkdir()
    return folder


def load():
    return suites.load("experiments/weekly.yml")


def test_new_code_is_compared_with_what_the_last_report_printed(project, tmp_path):
    RUN(load(), as_of=DAY, out=Path("reports"), before=None, now=None)
    latest = project / "reports/weekly/latest"
    latest.symlink_to("2026-11-29")
    projects.edit(project / "data/orders.csv", "20.00", "21.00")  # the snapshot is kept
    found = upgrade.check_published(load(), report=latest, run=RUN, room=tmp_path / "room")
    assert (found.exit_code, found.sentences) == (0, ["No number moves."])
    shutil.rmtree(tmp_path / "room")
    (tmp_path / "room").mkdir()
    double = projects.Runner(factor=2)
    found = upgrade.check_published(load(), report=latest, run=double, room=tmp_path / "room")
    # 10.00 + 20.00 + 15.50, in pence; the order of 2 December is not known yet.
    line = "10_page: All orders (total): value was 4550, is 9100 (+4550)."
    assert (found.exit_code, found.sentences) == (1, [line])


@pytest.mark.usefixtures("project")
def test_suite_without_a_report_is_refused(tmp_path):
    with pytest.raises(BadParameter, match="holds no report"):
        upgrade.check_published(
            load(), report=Path("reports/weekly/latest"), run=RUN, room=tmp_path
        )


def checkout(folder):
    package = folder / "src/retention_lab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(OLD, encoding="utf-8")
    return folder


def environment(folder):
    """An interpreter that knows nothing of where the older package lies but by itself."""
    source = checkout(folder / "lib").absolute() / "src"
    python = folder / "bin/python"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nPYTHONPATH={source} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return folder


@pytest.mark.parametrize("make", [checkout, environment])
def test_older_code_runs_apart_on_the_same_source_and_day(project, tmp_path, make):
    old, room, before = make(tmp_path / "old"), tmp_path / "room", dict(os.environ)
    found = upgrade.check_code(load(), old=old, run=RUN, room=room, as_of=DAY)
    assert found.sentences == [
        "The old code makes another snapshot of the source, so numbers move for that, too.",
        "10_page: All orders (total): value was 1, is 4550 (+4549).",
    ]
    assert found.exit_code == 1
    assert (room / "state").is_dir()  # what the old code keeps, it keeps there
    assert not (project / "state").exists()
    assert os.environ == before


def test_checkout_runs_its_own_notebooks(project, tmp_path):
    old = checkout(tmp_path / "old")
    shutil.copytree(project / "notebooks", old / "notebooks")
    upgrade.check_code(load(), old=old, run=RUN, room=tmp_path / "room", as_of=DAY)
    told = (tmp_path / "room/old/weekly/2026-11-29/results.json").read_text(encoding="utf-8")
    assert str(old / "notebooks/10_page.ipynb") in told


def test_older_code_that_fails_and_what_is_no_code_are_refused(project, tmp_path):
    with pytest.raises(BadParameter, match="neither an environment"):
        upgrade.check_code(load(), old=project, run=RUN, room=tmp_path / "room", as_of=DAY)
    old = checkout(tmp_path / "old")
    projects.edit(project / "data/shop.yml", "\nname: Corner", "# at the top\nname: Corner")
    with pytest.raises(Refusal, match=r"ended with 1: A sentence of the old code\."):
        upgrade.check_code(load(), old=old, run=RUN, room=tmp_path / "room", as_of=DAY)


@pytest.mark.usefixtures("project")
def test_failure_of_the_new_code_is_told(tmp_path):
    def fails(suite, **_):
        failure = Failure(notebook="10_page", sentence="It failed.", exit_code=1)
        return projects.ran(suite, status="failed", exit_code=1, failures=(failure,))

    old = checkout(tmp_path / "old")
    found = upgrade.check_code(load(), old=old, run=fails, room=tmp_path / "room")
    assert (found.exit_code, found.sentences) == (1, ["It failed."])
