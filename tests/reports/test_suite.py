from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from retention_lab.checks import BadParameter
from retention_lab.reports import suite as suites

ROOT = Path(__file__).parents[2]
WEEKLY = """
name: weekly
title: Weekly retention
source: shop.yml
owner: Lifecycle team
notebooks:
  - {notebook: notebooks/10_overview.ipynb, title: Overview, parameters: {days: 90}}
  - {notebook: notebooks/20_churn.ipynb, title: Churn}
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path("suite.yml")
    path.write_text(WEEKLY, encoding="utf-8")
    return path


def refused(file, old, new):
    """Return the sentence that refuses the suite with one text in the place of another."""
    file.write_text(WEEKLY.replace(old, new), encoding="utf-8")
    with pytest.raises(BadParameter) as refusal:
        suites.load(file)
    return str(refusal.value)


def test_suite_names_its_notebooks(file):
    suite = suites.load(file)
    assert [part.name for part in suite.notebooks] == ["10_overview", "20_churn"]
    assert (suite.period, suite.time_zone, suite.where) == ("week", "", "")


@pytest.mark.parametrize("path", sorted((ROOT / "experiments/suites").glob("*.yml")), ids=str)
def test_suite_of_the_project_names_what_exists(path):
    suite = suites.load(path)
    assert all(suite.place(part.notebook).is_file() for part in suite.notebooks)
    assert suite.place(suite.source).is_file()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("owner: Lif", "ownr: Lif", "ownr is not a setting. Did you mean 'owner'?"),
        ("parameters:", "paramters:", "notebooks.0.paramters is not a setting. Did you mean"),
        ("title: Weekly retention", "", "title is missing"),
        ("name: weekly", "name: ../weekly", "name: String should match"),
        ("owner: Lif", "time_zone: Europe/Londn\nowner: Lif", "Europe/Londn"),
        ("20_churn", "10_overview", "two notebooks have the name '10_overview'"),
        ("title: Churn", "title: Overview", "two notebooks have the title 'Overview'"),
        ("name: weekly", "cell_minutes: 0\nname: weekly", "cell_minutes"),
        ("name: weekly", "period: fortnight\nname: weekly", "period"),
        ("notebooks:", "notebooks: [", "not valid YAML"),
    ],
)
def test_suite_is_refused_with_the_place_and_the_nearest_name(file, old, new, words):
    sentence = refused(file, old, new)
    assert sentence.startswith("suite.yml")
    assert words in sentence


@pytest.mark.usefixtures("file")
def test_suite_that_is_missing_is_named():
    with pytest.raises(BadParameter, match=r"wekly.yml cannot be read: there is no such file"):
        suites.load("wekly.yml")


def test_source_and_customers_can_be_chosen_for_one_run(file):
    suite = suites.load(file, source="other.yml", where="country = 'UK'")
    assert (suite.source, suite.where) == ("other.yml", "country = 'UK'")


@pytest.mark.parametrize("name", ["10", "10_overview", "10_overview.ipynb"])
def test_notebook_is_chosen_by_number_or_name(file, name):
    assert [part.title for part in suites.load(file).chosen(name)] == ["Overview"]


def test_notebook_that_the_suite_lacks_is_refused(file):
    with pytest.raises(
        BadParameter, match=r"no notebook '10_overvew'\. Did you mean '10_overview'"
    ):
        suites.load(file).chosen("10_overvew")


def test_suite_finds_its_files_from_any_folder(file, tmp_path, monkeypatch):
    for name in ("notebooks/10_overview.ipynb", "shop.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert suites.load(file).source_for_notebooks == "shop.yml"
    monkeypatch.chdir(tmp_path / "notebooks")
    inside = suites.load(tmp_path / "suite.yml")
    assert inside.source_for_notebooks == "shop.yml"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("/")
    outside = suites.load(tmp_path / "suite.yml")
    assert outside.place("notebooks/10_overview.ipynb").is_file()
    assert outside.source_for_notebooks == str(tmp_path / "shop.yml")


def test_notebook_of_a_suite_is_its_own_and_not_one_of_that_name_nearby(tmp_path, monkeypatch):
    for name in ("project/notebooks/10_overview.ipynb", "mine/notebooks/10_overview.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "project/suites").mkdir()
    (tmp_path / "project/suites/weekly.yml").write_text(WEEKLY, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "mine")
    suite = suites.load(tmp_path / "project/suites/weekly.yml")
    assert suite.notebook(suite.notebooks[0]) == tmp_path / "project/notebooks/10_overview.ipynb"


@pytest.mark.parametrize(
    ("day", "period", "end"),
    [
        # 29 November 2026 is a Sunday.
        ("2026-11-29", "week", "2026-11-29"),
        ("2026-11-30", "week", "2026-11-29"),
        ("2026-12-05", "week", "2026-11-29"),
        ("2026-12-06", "week", "2026-12-06"),
        ("2026-11-30", "month", "2026-11-30"),
        ("2026-11-29", "month", "2026-10-31"),
        ("2024-03-28", "month", "2024-02-29"),
        ("2026-12-02", "day", "2026-12-02"),
    ],
)
def test_period_ends_on_the_last_day_that_completes_it(day, period, end):
    assert suites.period_end(dt.date.fromisoformat(day), period=period) == dt.date.fromisoformat(
        end
    )
