"""The experiment planner: what the design page says, at once, until the plan is frozen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

import retention_lab
from retention_lab import cli, explore
from retention_lab.checks import BadParameter
from retention_lab.experiments import history as histories
from retention_lab.experiments import plan as plans
from retention_lab.explore.planner import Planner, planner
from retention_lab.tables.simulator import simulate
from retention_lab.wording import Instead

ROOT = Path(__file__).parents[2]
MOVED = {
    "effect": 4.0,
    "weeks": 30,
    "control": 40.0,
    "looks": 3,
    "reach": 70.0,
    "onset": 5.0,
    "horizon": 60,
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A project with the plans of this one, and a smaller shop of the demo's kind."""
    folder = tmp_path_factory.mktemp("project")
    simulate(folder / "data/demo", customers=3_000)
    (folder / "data/sources").mkdir()
    shutil.copy(ROOT / "data/sources/demo.yml", folder / "data/sources")
    shutil.copy(ROOT / "data/demo_plan.yml", folder / "data")
    shutil.copytree(ROOT / "experiments/templates", folder / "experiments/templates")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    (folder / "experiments/suites").mkdir()
    return folder


@pytest.fixture(scope="module")
def explorer(demo):
    """What tests share, so that history is read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(demo)
        shop = explore.take("data/sources/demo.yml", as_of="2026-11-29")
        found = Planner(shop, file="data/demo_plan.yml")
        _ = found.start
        return found


@pytest.fixture
def board(explorer, demo, monkeypatch):
    monkeypatch.chdir(demo)
    monkeypatch.delenv("RETENTION_LAB_STATIC", raising=False)
    shutil.rmtree(demo / "data/sources/snapshots/views", ignore_errors=True)
    return explore.Board(explorer, owner="Olive")


def numbers(seen):
    """All that a proposal says in numbers, as far as the planner asks for it."""
    frames = (seen.calendar, seen.looks, seen.wrong)
    return seen.sized, seen.believed.beliefs, *(frame.to_dict("records") for frame in frames)


def test_planner_opens_on_the_plan_as_it_is(board):
    assert board.explorer.plan(board.settings) == plans.load("data/demo_plan.yml")
    [says, words] = board.seen.says, board.seen.words
    assert says.startswith("Check-in within 48 hours of the first purchase (as of 29 November 2026")
    assert "26 weeks of enrolment bring" in says
    assert "The weakest assumption is that" in words
    assert "Their messages cost £" in words
    assert len(board.seen.table) == 4


def test_numbers_are_those_of_the_lab_on_the_same_file(board, demo):
    lab = retention_lab.open("data/sources/demo.yml", as_of="2026-11-29")
    seen = board.explorer.proposed(board.settings)
    assert numbers(seen) == numbers(lab.design(demo / "data/demo_plan.yml", times=100).seen)


def test_code_gives_the_same_numbers(board):
    board.move(**MOVED, own=True, baseline=33.0, name="other")
    shown, room = [], {}
    code = board.code.replace("baseline=0.33)", "baseline=0.33, times=100)")
    room["display"] = lambda *parts: shown.extend(parts)
    exec(code, room)
    assert numbers(room["design"].seen) == numbers(board.explorer.proposed(board.settings))
    assert len(shown) == 3


def test_every_control_changes_what_is_seen(board):
    controls, before = board.explorer.controls(board.settings), board.seen
    assert {name: control.value for name, control in controls.items()} == board.settings
    for name, value in {**MOVED, "own": True, "starts": "2027-02-01"}.items():
        board.move(**{name: value})
        after = board.seen
        assert (after.says, after.words) != (before.says, before.words), name
        board.reset()


def test_picture_has_the_plan_where_it_stands(board):
    board.move(weeks=40)
    chart, sized = board.seen.chart, board.explorer.proposed(board.settings).sized
    enrolled, *_, point = (layer.data for layer in chart.layer)
    assert enrolled.values == [{"from": 0, "to": 40.0}]
    assert point.values == [{"week": sized.planned_weeks, "share": sized.power}]


def test_own_share_has_a_slider_only_where_it_counts_and_is_set_against_history(board):
    controls = board.explorer.controls(board.settings)
    assert controls["baseline"].layout.display == "none"
    controls["own"].value = True
    assert controls["baseline"].layout.display is None
    board.move(own=True, baseline=40.0)
    assert "by the plan alone, about 40 in 100" in board.seen.words
    assert "is your own word; history says" in board.seen.words


def test_history_is_read_once_for_all_days_up_to_half_a_year(board, monkeypatch):
    read = []
    real = histories.history
    monkeypatch.setattr(histories, "history", lambda *a: read.append(a) or real(*a))
    explorer = type(board.explorer)(board.explorer.opened, file="data/demo_plan.yml")
    for day in (30, 90, 182):
        explorer.seen({**explorer.start, "horizon": day, "effect": 3.0 + day / 100})
    assert len(read) == 1


def test_plan_that_cannot_be_is_told_in_a_sentence(board):
    board.move(onset=60.0, horizon=30)
    with pytest.raises(BadParameter, match="onset_days must be before day 30"):
        _ = board.seen
    board.reset()
    board.move(starts="soon")
    with pytest.raises(BadParameter, match="The first day must be a date such as 2027-01-11"):
        _ = board.seen


def test_plan_that_nobody_can_size_says_why_and_stays_alive(board, demo):
    text = (demo / "data/demo_plan.yml").read_text(encoding="utf-8")
    text = text.replace("milestone: {purchase: 1}", "milestone: no_such_event")
    (demo / "lost.yml").write_text(text.replace("  entry_per_day: 27\n", ""), encoding="utf-8")
    lost = planner(board.explorer.opened, plan="lost.yml")
    assert lost.seen.says.endswith("how many customers it needs cannot be said yet.")
    assert isinstance(lost.seen.chart, Instead)
    assert "Nobody knows how many customers come." in lost.seen.chart.why


def test_plan_is_frozen_where_tests_have_theirs_and_only_once(board, demo, capsys):
    board.move(name="my_check_in", owner="Ann", effect=6.0)
    told = board.explorer.actions(board.settings)["Freeze this plan"](board.settings)
    assert told.startswith("**my_check_in is frozen as of ")
    assert "assign experiments/my_check_in/plan.yml data/sources/demo.yml\n" in told
    written = plans.load(demo / "experiments/my_check_in/plan.yml")
    assert (written.salt, written.owner) == ("my_check_in", "Ann")
    assert written.primary.smallest_effect == 0.06
    assert cli.main(["freeze", "experiments/my_check_in/plan.yml"]) == 0
    assert "my_check_in has been frozen since" in capsys.readouterr().err
    board.move(effect=7.0)
    with pytest.raises(BadParameter, match="is there already and says something else"):
        board.explorer.actions(board.settings)["Freeze this plan"](board.settings)
    assert plans.load(demo / "experiments/my_check_in/plan.yml") == written


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"name": " ", "owner": ""}, "Fill in name and owner, without which no plan is frozen."),
        ({"name": "late", "starts": "2020-01-06"}, "a plan is frozen before its test begins"),
        ({"name": "No/../name"}, "The plan cannot be so: name"),
    ],
)
def test_plan_that_cannot_be_frozen_is_not_written(board, demo, settings, why):
    before = sorted(demo.glob("experiments/*/plan.yml"))
    board.move(**settings)
    with pytest.raises(BadParameter, match=why):
        board.explorer.actions(board.settings)["Freeze this plan"](board.settings)
    assert sorted(demo.glob("experiments/*/plan.yml")) == before


def test_report_is_the_design_page_of_the_plan_that_is_seen(board, demo):
    board.move(effect=6.0, weeks=20)
    made = board.report()
    suite = yaml.safe_load(made.text)
    assert suite["notebooks"][0]["notebook"] == "notebooks/40_experiment_design.ipynb"
    assert plans.load(demo / suite["plan"]) == board.explorer.plan(board.settings)
    assert made.command.startswith("retention-lab run experiments/suites/design-")


@pytest.mark.slow
def test_report_runs(board):
    board.move(looks=2)
    assert cli.main(board.report().command.split()[1:]) == 0
