from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from retention_lab import state as states
from retention_lab.checks import BadParameter
from retention_lab.reports import manifest, verify
from retention_lab.reports import suite as suites
from retention_lab.reports.ran import Failure

from . import projects

DAYS = dt.date(2026, 11, 22), dt.date(2026, 11, 29)
RUN = projects.Runner()
SAME = "10_page: the same, byte for byte."


@pytest.fixture(autouse=True)
def code(monkeypatch):
    """The code stays the same, whoever works on it meanwhile."""
    monkeypatch.setattr(manifest, "code", lambda: "code")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with two reports of a suite, the second compared with the first."""
    folder, before = tmp_path_factory.mktemp("made") / "project", None
    projects.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(manifest, "code", lambda: "code")
        suite = suites.load("experiments/weekly.yml")
        for day in DAYS:
            RUN(suite, as_of=day, out=Path("reports"), before=before, now=None)
            before = Path(f"reports/weekly/{day}/results.json")
    return folder


@pytest.fixture
def project(made, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "first"))
    return tmp_path / "first"


@pytest.fixture
def report(project):
    return project / "reports/weekly/2026-11-29"


def clone(project, *, to):
    """Copy what git holds: no report, no snapshot, and files of another time."""
    to.mkdir()
    for each in (*projects.FOLDERS, "requirements.lock"):
        copy = shutil.copytree if (project / each).is_dir() else shutil.copy
        copy(project / each, to / each)
    shutil.rmtree(to / "data/snapshots")
    (to / "data/orders.csv").touch()
    return to


def content(folder):
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def verified(report, tmp_path, *, run=RUN, **rest):
    room = tmp_path / "room"
    shutil.rmtree(room, ignore_errors=True)
    room.mkdir()
    return verify.verify(report, run=run, out=room, **rest)


def test_report_is_the_same_byte_for_byte_and_nothing_is_touched(project, report, tmp_path):
    before, variables = content(project), dict(os.environ)
    for folder in (report, report.with_name("2026-11-22")):
        found = verified(folder, tmp_path)
        assert (found.exit_code, found.sentences) == (0, [SAME])
    assert content(project) == before
    assert os.environ == variables


def test_second_clone_makes_the_same_report(project, report, tmp_path, monkeypatch):
    other = clone(project, to=tmp_path / "second")
    monkeypatch.chdir(other / "notebooks")  # the suite is looked for above, too
    found = verified(report, tmp_path)
    assert found.sentences[1:] == [SAME]
    assert found.exit_code == 0
    assert "was taken again from the source" in found.sentences[0]
    assert not (other / "data/snapshots").exists()


def test_second_clone_has_the_report_before_from_the_history(project, tmp_path, monkeypatch):
    monkeypatch.chdir(clone(project, to=tmp_path / "second"))
    alone = shutil.copytree(project / "reports/weekly/2026-11-29", tmp_path / "mailed")
    found = verified(alone, tmp_path)
    assert found.exit_code == 1
    assert "The results of the report before it, of 2026-11-22, are not here." in found.sentences
    assert any("the files that it reads (previous) differs" in each for each in found.sentences)
    state = states.opened(tmp_path / "state")
    said = json.loads((project / "reports/weekly/2026-11-22/results.json").read_bytes())
    state.keep("weekly", DAYS[0], said)
    assert verified(alone, tmp_path, state=state).sentences[-1] == SAME
    said["notebooks"]["10_page"]["results"][0]["value"] = 1
    state.keep("weekly", DAYS[0], said)
    found = verified(alone, tmp_path, state=state)
    assert "of 2026-11-22, says something else than it did." in found.sentences[0]


@pytest.mark.parametrize(
    ("name", "change", "differs"),
    [
        ("notebooks/10_page.ipynb", ("print(n)", "print(n, n)"), "the notebook"),
        ("requirements.lock", ("1", "2"), "the lock file"),
    ],
)
def test_what_differs_is_named(project, report, tmp_path, name, change, differs):
    projects.edit(project / name, *change)
    found = verified(report, tmp_path)
    assert found.exit_code == 1
    expected = [f"10_page: {differs} differs from that of then.", "No number differs."]
    assert found.sentences == expected


def test_other_parameters_code_and_packages_are_named(project, report, tmp_path, monkeypatch):
    projects.edit(project / "experiments/weekly.yml", "n: 1", "n: 2")
    monkeypatch.setattr(manifest, "code", lambda: "other")
    monkeypatch.setattr(manifest, "packages", lambda: {"pandas": "0.1"})
    found = verified(report, tmp_path)
    # 1 to 3 are known on 29 November: 10.00 + 20.00 + 15.50, in pence.
    assert found.sentences[-1] == "10_page: All orders (total): value was 4550, is 9100 (+4550)."
    assert any("the parameters (n) differs" in each for each in found.sentences)
    assert any("the code of retention-lab differs" in each for each in found.sentences)
    assert any(each.endswith(", and is 0.1 now.") for each in found.sentences)


def test_kept_snapshot_is_used_though_the_source_has_changed(project, report, tmp_path):
    projects.edit(project / "data/orders.csv", "20.00", "21.00")
    assert verified(report, tmp_path).sentences == [SAME]
    shutil.rmtree(project / "data/snapshots")
    found = verified(report, tmp_path)
    assert "was taken again from the source" in found.sentences[0]
    assert found.sentences[1].startswith("The source now holds other data as of 2026-11-29")
    assert found.sentences[-1].endswith("value was 4550, is 4650 (+100).")
    assert any("the content of the snapshot differs" in each for each in found.sentences)


def test_data_of_the_report_before_are_taken_again_where_it_had_them(project, report, tmp_path):
    parts = json.loads((report / "manifest.json").read_bytes())["notebooks"]["10_page"]["parts"]
    assert parts["earlier"].startswith("2026-11-22-")
    shutil.rmtree(project / "data/snapshots" / "shop" / parts["earlier"])
    assert verified(report, tmp_path).sentences == [SAME]


def test_page_that_is_not_reproducible_is_told_by_its_first_line(report, tmp_path):
    found = verified(report, tmp_path, run=projects.Runner(word="now"))
    assert found.exit_code == 1
    assert found.sentences == [
        "10_page: the page is not reproducible: line 3 was '<p></p>' and is '<p>now</p>'.",
        "No number differs.",
    ]


def test_page_and_results_that_were_changed_by_hand_are_told(report, tmp_path):
    page, results = report / "10_page.html", report / "results.json"
    projects.edit(page, "4550", "9999")
    found = verified(report, tmp_path)
    assert found.sentences[0] == "10_page: the page was changed after it was published."
    assert found.exit_code == 1
    projects.edit(page, "9999", "4550")
    projects.edit(results, '"value": 4550', '"value": 9999')
    found = verified(report, tmp_path)
    assert (found.exit_code, found.sentences[0]) == (1, SAME)
    assert "value was 9999, is 4550" in found.sentences[1]
    page.unlink()
    assert verified(report, tmp_path).sentences[0] == "10_page: the page is missing."


def test_failure_is_told_with_its_exit_code(report, tmp_path):
    def fails(suite, **_):
        failure = Failure(notebook="10_page", sentence="It failed.", exit_code=3)
        return projects.ran(suite, status="failed", exit_code=3, failures=(failure,))

    found = verified(report, tmp_path, run=fails)
    assert (found.exit_code, found.sentences) == (3, ["It failed."])


def test_report_of_chosen_customers_is_made_again_of_these(project, tmp_path):
    suite = suites.load("experiments/weekly.yml", where="customer_id = 'ann'")
    RUN(suite, as_of=DAYS[1], out=Path("other"), before=None, now=None)
    assert verified(project / "other/weekly/2026-11-29", tmp_path).sentences == [SAME]


def test_folder_without_a_report_is_refused(project, report, tmp_path):
    with pytest.raises(BadParameter, match="holds no report"):
        verified(project, tmp_path)
    (report / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(BadParameter, match="are broken"):
        verified(report, tmp_path)


def test_suite_that_is_not_here_is_refused(report, tmp_path):
    projects.edit(report / "manifest.json", '"suite": "weekly"', '"suite": "weekly-uk"')
    with pytest.raises(BadParameter, match=r"no suite 'weekly-uk'.* Did you mean 'weekly'"):
        verified(report, tmp_path)
    projects.edit(report / "manifest.json", "experiments/weekly.yml", "experiments/gone.yml")
    with pytest.raises(BadParameter, match="there is no such file"):
        verified(report, tmp_path)
