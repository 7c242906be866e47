"""The widgets of a board: what they say, that each change is shown once, and that they live on."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab import explore
from retention_lab.checks import BadParameter
from retention_lab.explore import live
from retention_lab.explore.live import Live
from retention_lab.wording import Instead

from .toy import Toy


class Alive:
    """A board's widgets by what they are for."""

    def __init__(self, board):
        self.live = Live(board)
        controls, self.says, self.trouble, self.place, self.words, self.table, *_ = (
            self.live.widget.children
        )
        buttons, self.told = self.live.widget.children[-2:]
        self.buttons = {button.description: button for button in buttons.children}
        self.controls = dict(zip(board.explorer.start, controls.children, strict=True))
        self.asked = board.explorer.asked
        self.asked.clear()

    def move(self, **settings):
        for name, value in settings.items():
            self.controls[name].value = value

    def click(self, **point):
        """Do what the browser does when a mark is clicked."""
        [picture] = self.place.children
        picture._vl_selections = {"pick": {"value": {"vlPoint": {"or": [point]}}, "store": []}}

    @property
    def settings(self):
        return {name: control.value for name, control in self.controls.items()}


@pytest.fixture
def alive(board):
    return Alive(board)


def test_board_opens_with_words_picture_and_table(alive):
    assert alive.says.value == "Orders of 7 days, all &lt;of the shop&gt;."
    assert "<strong>56 orders.</strong>" in alive.words.value
    assert "<td>35</td>" in alive.table.value
    assert alive.trouble.value == alive.told.value == ""
    assert alive.place.children[0].spec["description"] == "Bars."


def test_words_of_a_view_are_no_script(alive):
    assert "<script" not in alive.words.value


@pytest.mark.parametrize(
    "change", [{"country": "UK"}, {"days": 3}, {"picture": False}, {"fault": "x"}]
)
def test_change_of_a_control_is_shown_once(alive, change):
    alive.move(**change)
    assert alive.asked == [{**alive.live._board.explorer.start, **change}]


def test_change_of_a_control_is_seen_in_all_parts(alive):
    picture = alive.place.children[0]
    before = picture.spec
    alive.move(days=3)
    assert alive.says.value.startswith("Orders of 3 days")
    assert "24 orders" in alive.words.value
    assert "<td>15</td>" in alive.table.value
    assert alive.place.children == (picture,)  # it is redrawn, not made anew
    assert picture.spec != before


def test_empty_selection_is_one_line_and_the_controls_live_on(alive):
    alive.move(country="Nowhere")
    assert "Nobody bought in Nowhere; choose another &lt;country&gt;." in alive.trouble.value
    assert alive.trouble.value.startswith('<span role="status">')
    assert (alive.says.value, alive.words.value, alive.table.value) == ("", "", "")
    assert alive.place.children == ()
    alive.move(country="Malta")
    assert alive.trouble.value == ""
    assert "21 orders" in alive.words.value
    assert alive.place.children[0].spec["height"]


def test_fault_is_one_line_and_the_controls_live_on(alive):
    alive.move(fault="by <nought>")
    assert "This failed (ZeroDivisionError: by &lt;nought&gt;)." in alive.trouble.value
    assert "where it was" not in alive.trouble.value
    alive.move(fault="")
    assert "56 orders" in alive.words.value


def test_board_opens_on_a_view_that_cannot_be_shown(board):
    board.move(country="Nowhere")
    alive = Alive(board)
    assert "Nobody bought" in alive.trouble.value
    alive.move(country="UK")
    assert "35 orders" in alive.words.value


def test_view_without_a_picture_has_words(alive):
    alive.move(picture=False)
    assert alive.place.children == ()
    assert "56 orders" in alive.words.value
    alive.move(picture=True)
    assert alive.place.children[0].spec


def test_click_moves_several_controls_and_is_shown_once(alive):
    alive.click(country="UK", orders=35)
    assert alive.settings == {"country": "UK", "days": 35, "picture": True, "fault": ""}
    assert [(each["country"], each["days"]) for each in alive.asked] == [("UK", 35)]
    assert "175 orders" in alive.words.value


def test_click_after_a_change_is_heard_once(alive):
    for days in (2, 3, 4):
        alive.move(days=days)
    alive.asked.clear()
    alive.click(country="Malta", orders=12)
    assert len(alive.asked) == 1
    assert alive.live._board.settings["days"] == 12


def test_click_on_nothing_changes_nothing(alive):
    alive.place.children[0]._vl_selections = {"pick": {"value": None, "store": []}}
    assert alive.asked == []


def test_click_that_the_board_cannot_follow_is_one_line(alive):
    alive.click(country="Atlantis", orders=3)  # the dropdown has no such choice
    assert "Atlantis" not in alive.live._board.settings.values()
    assert 'role="status"' in alive.told.value
    alive.move(days=3)
    assert "24 orders" in alive.words.value


def test_code_is_given_as_it_is(alive):
    alive.buttons["Give me the code"].click()
    assert "<pre><code>lab = retention_lab.open(" in alive.told.value
    assert "lab.orders(7) &lt; 2" in alive.told.value
    alive.move(days=8)
    assert alive.told.value == ""  # it would not be the code of this view


def test_report_is_written_and_said_how_to_run(alive, project):
    alive.move(country="UK")
    alive.buttons["Make this a report"].click()
    [file] = project.glob("experiments/suites/toy-*.yml")
    assert f"retention-lab run experiments/suites/{file.name} --as-of 2026-11-28" in (
        alive.told.value
    )
    assert "country = &#x27;UK&#x27;" in alive.told.value


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"country": "Nowhere"}, "There is no code of nothing."),
        ({"fault": "by nought"}, "failed (ZeroDivisionError: by nought)"),
    ],
)
def test_button_that_cannot_is_one_line(alive, settings, line):
    alive.move(**settings)
    alive.buttons["Give me the code"].click()
    assert line in alive.told.value
    assert alive.told.value.startswith('<p role="status">')


def test_start_over_moves_all_controls_back_and_shows_once(alive):
    alive.move(country="UK", days=50)
    alive.asked.clear()
    alive.buttons["Start over"].click()
    assert alive.settings == alive.live._board.explorer.start
    assert len(alive.asked) == 1


def test_every_control_has_its_words(alive):
    assert all(control.description for control in alive.controls.values())


def test_one_control_may_change_the_value_of_another(board):
    """A slider whose end is moved takes its value along, and the board does not speak twice."""
    alive = Alive(board)
    alive.controls["country"].observe(
        lambda _: setattr(alive.controls["days"], "max", 5), names="value"
    )
    alive.move(country="UK")
    assert board.settings["days"] == 5
    assert "25 orders" in alive.words.value


@pytest.mark.parametrize(
    ("table", "html"),
    [
        (None, ""),
        (pd.DataFrame(), ""),
        (Instead("Too few <to show>."), "<p>Too few &lt;to show&gt;.</p>"),
    ],
)
def test_table_that_is_none_takes_no_place(table, html):
    assert live._html(table) == html


def test_long_table_is_cut_and_its_words_are_no_html():
    frame = pd.DataFrame({"<b>": [f"<i>{row}" for row in range(1000)]})
    html = live._html(frame)
    assert html.count("<tr") < 40
    assert "<i>" not in html
    assert "<b>" not in html


class Frozen(Toy):
    """One whose report nobody can make."""

    def report(self, _settings):
        raise BadParameter("This view cannot be a report; choose <days>.")


def test_refused_report_is_one_line(toy):
    alive = Alive(explore.Board(Frozen(toy().opened), owner="Olive"))
    alive.buttons["Make this a report"].click()
    assert alive.told.value == (
        '<p role="status">This view cannot be a report; choose &lt;days&gt;.</p>'
    )


def test_rows_have_their_names_beside_them_and_no_head_is_empty():
    named = pd.DataFrame({"n": [1]}, index=pd.Index(["UK"], name="Country"))
    assert "<th>Country</th>" in live._html(named)
    assert "<th></th>" not in live._html(named) + live._html(pd.DataFrame({"n": [1]}))
