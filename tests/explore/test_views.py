"""The view that was left: found again by the same notebook, and by no other."""

from __future__ import annotations

import dataclasses
import json

import pytest

from retention_lab import explore

from .toy import Toy


def kept(project):
    [file] = project.glob("data/snapshots/views/*.json")
    return file


def test_view_is_found_as_it_was_left(toy):
    explore.Board(toy(), owner="Olive").move(country="UK", days=30)
    assert explore.Board(toy(), owner="Olive").settings == {
        "country": "UK",
        "days": 30,
        "picture": True,
        "fault": "",
    }


def test_view_is_kept_for_its_owner_only(toy, project):
    explore.Board(toy(), owner="Olive").move(days=30)
    assert kept(project).stat().st_mode & 0o077 == 0


def test_view_belongs_to_what_the_notebook_was_opened_with(toy):
    explore.Board(toy(), owner="Olive").move(country="UK")
    assert explore.Board(toy(days=14), owner="Olive").settings == toy(days=14).start
    assert explore.Board(toy(), owner="Olive").settings["country"] == "UK"


@pytest.mark.parametrize(
    "other", [{"where": "customer_id <> 'eve'"}, {"time_zone": "Europe/Berlin"}]
)
def test_view_belongs_to_the_shop_that_it_is_of(toy, other):
    board = explore.Board(toy(), owner="Olive")
    board.move(country="UK")
    opened = dataclasses.replace(board.explorer.opened, **other)
    assert explore.Board(Toy(opened), owner="Olive").settings["country"] == "all"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "3", '"days"', '{"days": 3}', '{"a": 1}', "\udcff"],
)
def test_file_that_says_something_else_is_as_none(toy, project, text):
    explore.Board(toy(), owner="Olive").move(days=30)
    kept(project).write_bytes(text.encode(errors="surrogateescape"))
    assert explore.Board(toy(), owner="Olive").settings == toy().start


def test_view_with_a_choice_that_there_is_no_longer_begins_anew(toy, project):
    explore.Board(toy(), owner="Olive").move(days=30)
    settings = {**toy().start, "country": "Atlantis", "days": 30}
    kept(project).write_text(json.dumps(settings), encoding="utf-8")
    board = explore.Board(toy(), owner="Olive")
    explore.live.Live(board)
    assert board.settings == toy().start


def test_setting_past_the_end_of_its_control_is_shown_as_the_control_says(toy):
    explore.Board(toy(), owner="Olive").move(days=500)
    board = explore.Board(toy(), owner="Olive")
    assert explore.live.Live(board).seen.says.startswith("Orders of 90 days")
    assert board.settings["days"] == 90


def test_disk_that_refuses_leaves_the_board_alive(toy, project):
    folder = project / "data/snapshots/views"
    folder.rmdir() if folder.exists() else None
    folder.write_text("in the way", encoding="utf-8")
    try:
        board = explore.Board(toy(), owner="Olive")
        board.move(days=30)
        assert board.settings["days"] == 30
        assert explore.Board(toy(), owner="Olive").settings["days"] == 7
    finally:
        folder.unlink()
