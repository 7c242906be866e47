"""The suite of a view: one that runs, the same for the same view, and nobody's file is lost."""

from __future__ import annotations

import dataclasses

import pytest

from retention_lab import explore
from retention_lab.checks import BadParameter
from retention_lab.explore import making
from retention_lab.explore.making import Report
from retention_lab.reports import prepared, suite

from .toy import NOTEBOOK, Toy

REPORT = Report(name="view", title="A view", notebook=NOTEBOOK)


def test_suite_of_a_view_is_one_that_the_runner_takes(board, project):
    board.move(country="UK", days=30)
    made = board.report()
    read = suite.load(made.file)
    assert made.file.parent == project / "experiments/suites"
    assert made.file.read_text(encoding="utf-8") == made.text
    assert made.file.stem == read.name
    assert (read.title, read.owner) == ("Orders of some days", "Olive")
    assert read.where == "country = 'UK'"
    [part] = read.notebooks
    assert part.parameters == {"n": 30}
    assert part.title == read.title
    [chapter] = prepared.prepare(read)
    assert chapter.values["n"] == 30


def test_command_runs_the_suite_as_of_the_day_of_the_view(board):
    made = board.report()
    assert made.command == (
        f"retention-lab run experiments/suites/{made.file.name} --as-of 2026-11-28"
    )


def test_same_view_is_the_same_file(board, project):
    first = board.report()
    assert board.report() == first
    board.move(days=8)
    assert board.report().file != first.file
    assert len([*project.glob("experiments/suites/*")]) == 2


def test_suite_keeps_the_shop_as_it_was_opened(toy):
    opened = dataclasses.replace(toy().opened, where="order_days > 1", time_zone="Europe/Berlin")
    board = explore.Board(Toy(opened), owner="Olive")
    board.move(country="UK")
    read = suite.load(board.report().file)
    assert "order_days > 1" in read.where
    assert "country = 'UK'" in read.where
    assert read.time_zone == "Europe/Berlin"


def test_files_that_the_suite_names_are_written_with_it(toy, project):
    files = {"experiments/plans/view.yml": "name: view\n"}
    keys = {"plan": "experiments/plans/view.yml"}
    report = dataclasses.replace(REPORT, files=files, keys=keys)
    made = making.make(report, toy().opened, owner="Olive")
    assert suite.load(made.file).plan == keys["plan"]
    assert (project / keys["plan"]).read_text(encoding="utf-8") == "name: view\n"
    assert making.make(report, toy().opened, owner="Olive") == made


def test_file_that_says_something_else_is_not_written_over(board):
    made = board.report()
    made.file.write_text("mine", encoding="utf-8")
    with pytest.raises(BadParameter, match="is there already and says something else"):
        board.report()
    assert made.file.read_text(encoding="utf-8") == "mine"


def test_suite_is_made_from_a_notebook_deep_in_the_project(board, project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    opened = dataclasses.replace(board.explorer.opened, source="data/shop.yml")
    made = explore.Board(Toy(opened), owner="Olive").report()
    assert made.file.parent == project / "experiments/suites"


def test_no_project_is_said_with_the_next_step(board, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadParameter, match="no folder experiments/suites here or above"):
        board.report()
    assert [*tmp_path.iterdir()] == []


def test_disk_that_refuses_is_said(toy, project):
    (project / "blocked").write_text("a file, no folder", encoding="utf-8")
    report = dataclasses.replace(REPORT, files={"blocked/plan.yml": "name: view\n"})
    try:
        with pytest.raises(BadParameter, match="nothing was changed"):
            making.make(report, toy().opened, owner="Olive")
    finally:
        (project / "blocked").unlink()
    assert [*project.glob("experiments/suites/*")] == []
