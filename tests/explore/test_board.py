"""A board as its notebook has it: settings, code, the still view, and what each reader gets."""

from __future__ import annotations

import altair as alt
import pandas as pd
import pytest

from retention_lab import explore
from retention_lab.charts.frame import MIME
from retention_lab.checks import BadData
from retention_lab.explore import board as boards
from retention_lab.wording import Instead


@pytest.fixture
def displayed(monkeypatch):
    """What a cell displays, in order."""
    shown = []
    monkeypatch.setattr(boards, "display", lambda what, **how: shown.append((what, how)))
    return shown


def test_board_begins_with_the_settings_of_the_notebook(board):
    assert board.settings == board.explorer.start
    assert board.seen.table["orders"].tolist() == [21, 35]


def test_move_changes_what_is_seen_and_what_the_code_says(board):
    board.move(country="UK", days=2)
    assert board.settings == {**board.explorer.start, "country": "UK", "days": 2}
    assert board.seen.table["orders"].tolist() == [10]
    assert board.code.endswith("lab.orders(2) < 2")


def test_setting_that_there_is_none_of_is_refused_with_those_there_are(board):
    with pytest.raises(KeyError, match="no setting 'weeks'; there are country, days, picture"):
        board.move(days=3, weeks=2)
    assert board.settings["days"] == 7


def test_reset_goes_back_to_what_the_notebook_says(board):
    board.move(country="Nowhere", days=2)
    with pytest.raises(BadData, match="Nobody bought"):
        _ = board.seen
    board.reset()
    assert board.settings == board.explorer.start


def test_board_shows_widgets_and_chart_and_words_for_whoever_has_none(board, displayed):
    board._ipython_display_()
    [(bundle, how)] = displayed
    assert how == {"raw": True}
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert bundle[MIME]["description"] == "Bars."
    assert "Orders of 7 days" in bundle["text/plain"]
    assert "**56 orders.**" in bundle["text/plain"]


@pytest.mark.parametrize("settings", [{"picture": False}, {"country": "Nowhere"}])
def test_board_without_a_picture_still_has_widgets_and_words(board, displayed, settings):
    board.move(**settings)
    board._ipython_display_()
    [(bundle, _)] = displayed
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "text/plain"}


def test_why_there_is_nothing_to_see_is_also_said_to_whoever_has_no_widgets(board, displayed):
    board.move(country="Nowhere")
    board._ipython_display_()
    assert "Nobody bought in Nowhere" in displayed[0][0]["text/plain"]


def test_report_shows_the_same_view_without_controls(toy, displayed, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    explore.Board(toy(days=2), owner="Olive")._ipython_display_()
    says, chart, words, table = (what for what, _ in displayed)
    assert says.data.startswith("Orders of 2 days")
    assert isinstance(chart, alt.Chart)
    assert words.data.startswith("**16 orders.**")
    assert isinstance(table, pd.DataFrame)


def test_report_shows_what_its_parameters_say_and_not_what_somebody_left(toy, monkeypatch):
    explore.Board(toy(), owner="Olive").move(days=30)
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    assert explore.Board(toy(), owner="Olive").settings["days"] == 7


def test_report_of_nothing_says_why_in_the_place_of_the_picture(toy, displayed, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_STATIC", "1")
    board = explore.Board(toy(), owner="Olive")
    board.move(country="Nowhere")
    board._ipython_display_()
    assert Instead("Nobody bought in Nowhere; choose another <country>.") in [
        what for what, _ in displayed
    ]
