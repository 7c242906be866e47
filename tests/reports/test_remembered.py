"""What a state remembers of a test is part of what its page rests on."""

from __future__ import annotations

import datetime as dt

import pytest

from retention_lab import state as states
from retention_lab.reports import remembered

DAY = dt.date(2026, 3, 8)


@pytest.fixture
def plan(tmp_path):
    file = tmp_path / "plan.yml"
    file.write_text("name: hello\n", encoding="utf-8")
    return file


def told(folder, plan, as_of=DAY):
    return remembered.of_test(folder, plan, as_of=as_of)


def row(**rest):
    return {"source": "Shop", "experiment": "hello", "arm": "a", "look": 1, **rest}


def looks(state):
    return state.ledger("looks", key=("source", "experiment", "arm", "look"))


def test_nothing_is_remembered_where_there_is_no_state(tmp_path, plan):
    assert told(tmp_path / "state", plan) == ""
    assert not (tmp_path / "state").exists()


def test_a_look_counts_from_the_day_after_it(tmp_path, plan):
    state = states.opened(tmp_path / "state")
    before = told(state.folder, plan)
    looks(state).append([row(on=str(DAY))])
    assert told(state.folder, plan) == before
    assert told(state.folder, plan, DAY + dt.timedelta(days=1)) != before


def test_a_plan_counts_from_the_day_on_which_it_is_frozen(tmp_path, plan):
    state = states.opened(tmp_path / "state")
    frozen = {"experiment": "hello", "version": 1, "frozen_on": str(DAY)}
    state.ledger("plans", key=("experiment", "version")).append([frozen])
    assert told(state.folder, plan)
    assert not told(state.folder, plan, DAY - dt.timedelta(days=1))


def test_other_tests_and_ledgers_do_not_count(tmp_path, plan):
    state = states.opened(tmp_path / "state")
    looks(state).append([row(experiment="other", on="2026-01-01")])
    state.ledger("lists", key=("customer_id",)).append([{"customer_id": "1", "on": "2026-01-01"}])
    assert told(state.folder, plan) == ""


def test_a_run_of_the_assignment_counts_on_its_own_day(tmp_path, plan):
    state = states.opened(tmp_path / "state")
    ran = {"source": "Shop", "experiment": "hello", "as_of": str(DAY), "snapshot": "a"}
    runs = state.ledger("assignment-runs", key=("source", "experiment", "as_of", "snapshot"))
    runs.append([ran])
    assert told(state.folder, plan)
    assert not told(state.folder, plan, DAY - dt.timedelta(days=1))
