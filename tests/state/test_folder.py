"""The folder of a state: which one it is, what reports said, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from retention_lab import state
from retention_lab.checks import BadData, BadParameter

DAY = dt.date(2026, 11, 29)


def test_state_is_made_where_none_is_expected_and_found_again(tmp_path):
    first = state.opened(tmp_path / "a" / "state")
    assert len(first.id) == 32
    assert state.opened(first.folder) == first
    assert state.opened(first.folder, expected=first.id) == first
    assert state.opened(tmp_path / "other").id != first.id


def test_git_ignores_a_state_wherever_it_lies(kept):
    assert (kept.folder / ".gitignore").read_text() == "*\n"


def test_eight_processes_make_one_state(tmp_path, python):
    lines = "import sys, pathlib; from retention_lab import state; "
    lines += "print(state.opened(pathlib.Path(sys.argv[1])).id)"
    processes = [python(lines, tmp_path / "state") for _ in range(8)]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1


def test_missing_empty_or_other_state_is_refused_where_one_is_expected(tmp_path, kept):
    (tmp_path / "empty").mkdir()
    for folder in ("missing", "empty"):
        with pytest.raises(BadData, match=r"go on from the state abc.* holds none\. .*restore FIL"):
            state.opened(tmp_path / folder, expected="abc")
    assert not (tmp_path / "missing").exists()
    with pytest.raises(BadData, match=r"holds another.* another --state and another --out\.$"):
        state.opened(kept.folder, expected="abc")


def test_folder_of_something_else_does_not_become_a_state(tmp_path):
    (tmp_path / "index.html").touch()
    with pytest.raises(BadData, match=r"holds index\.html but no state\.json"):
        state.opened(tmp_path)
    with pytest.raises(BadParameter, match="No state can be kept in"):
        state.opened(tmp_path / "index.html")


def test_state_that_lost_its_state_file_is_refused(kept):
    kept.keep("weekly", DAY, {})
    (kept.folder / "state.json").unlink()
    with pytest.raises(BadData, match=r"holds results but no state\.json: .* has lost it"):
        state.opened(kept.folder)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "does not say what a state holds"),
        ("[]", "does not say what a state holds"),
        ('{"id": "x", "ledgers": {"a": {}}}', "does not say what a state holds"),
        ('{"id": "x", "contract": 2, "ledgers": {}}', "is of contract 2, and this version knows 1"),
    ],
)
def test_state_file_that_is_damaged_or_newer_is_refused(kept, text, why):
    (kept.folder / "state.json").write_text(text)
    with pytest.raises(BadData, match=why):
        state.opened(kept.folder)


def test_results_are_listed_oldest_first_and_a_day_has_one(kept):
    days = [DAY, DAY - dt.timedelta(days=7), DAY]
    for number, day in enumerate(days):
        kept.keep("weekly", day, {"as_of": str(day), "number": number, "é": 1})
    kept.keep("monthly", DAY, {})
    found = kept.results("weekly")
    assert [file.stem for file in found] == ["2026-11-22", "2026-11-29"]
    assert json.loads(found[1].read_bytes()) == {"as_of": "2026-11-29", "number": 2, "é": 1}
    assert kept.results("daily") == []


def test_results_of_a_name_that_is_a_path_are_refused(kept):
    with pytest.raises(BadParameter, match=r"A suite has a name of .*; got '\.\./weekly'\."):
        kept.keep("../weekly", DAY, {})


def test_state_is_found_from_the_folder_of_notebooks(tmp_path, monkeypatch):
    for folder in ("notebooks", "experiments"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert state.found("state") == tmp_path / "state"  # where it is to lie
    state.opened(tmp_path / "state")
    assert state.found("state") == tmp_path / "state"


def test_state_lies_here_where_there_is_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert state.found("state") == Path("state")
    assert state.found(tmp_path / "other") == tmp_path / "other"
