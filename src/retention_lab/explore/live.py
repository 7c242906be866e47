"""The board of an explorer in JupyterLab: controls, one line, picture, words, table, buttons.

Whatever goes wrong in a view is one line above the picture, and the controls stay alive: the next
setting may be one that can be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
import mistune
import pandas as pd
from traitlets import TraitError

from retention_lab.checks import Refusal
from retention_lab.explore import picture
from retention_lab.explore.explorer import Seen, Settings
from retention_lab.wording import Instead

if TYPE_CHECKING:
    from retention_lab.explore.board import Board

_ROWS = 24  # of a table that are shown
_WRAP = ipywidgets.Layout(flex_flow="row wrap", grid_gap="4px 16px")
_markdown = mistune.create_markdown(escape=True)


class Live:
    """The widgets of a board; `widget` holds them all, `seen` is what is shown now."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._controls = _controls(board)
        self._says, self._trouble = _line("explore-says"), _line("explore-trouble")
        self._words, self._table = _rich("explore-words"), _rich("explore-table")
        self._place = ipywidgets.VBox(layout=ipywidgets.Layout(overflow="auto"))
        self._place.add_class("explore-picture")
        self._picture: Any = None  # Altair's widget has no types
        self._told = _rich("explore-told")
        self._quiet = False
        for control in self._controls.values():
            control.observe(self._moved, names="value")
        self._board.settings = self._values()  # a slider may be shorter than what was left
        self.seen = self._show()
        controls = ipywidgets.Box([*self._controls.values()], layout=_WRAP)
        controls.add_class("explore-controls")
        self.widget = ipywidgets.VBox(
            [
                controls,
                self._says,
                self._trouble,
                self._place,
                self._words,
                self._table,
                ipywidgets.HBox(self._buttons(), layout=_WRAP),
                self._told,
            ]
        )

    def _buttons(self) -> list[ipywidgets.Button]:
        actions = self._board.explorer.actions(self._board.settings)
        does: dict[str, Callable[[object], None]] = {
            "Give me the code": self._code,
            "Make this a report": self._report,
            **{name: self._doing(act) for name, act in actions.items()},
            "Start over": self._reset,
        }
        buttons = [
            ipywidgets.Button(description=name, layout=ipywidgets.Layout(width="auto"))
            for name in does
        ]
        for button, do in zip(buttons, does.values(), strict=True):
            button.on_click(do)
        return buttons

    def _values(self) -> dict[str, Any]:
        return {name: control.value for name, control in self._controls.items()}

    def _moved(self, _change: object) -> None:
        if self._quiet:
            return
        self._board.settings = self._values()
        self._told.value = ""
        self.seen = self._show()
        self._board.keep()  # after the picture, as a disk may be slow

    def _picked(self, point: Mapping[str, object]) -> None:
        self._tell(lambda: self._set(self._board.explorer.picked(point)))

    def _set(self, settings: Mapping[str, Any]) -> None:
        """Move controls, all of them before the view is shown again."""
        self._quiet = True
        try:
            for name, value in settings.items():
                self._controls[name].value = value
        finally:  # where one refuses its value, what the others say now is shown
            self._quiet = False
            self._moved(None)

    def _show(self) -> Seen:
        """Show the settings of now, or one line that says why they cannot be shown."""
        try:
            seen = self._board.seen
        except Exception as error:  # also a fault of ours or of the engine: the controls live on
            seen = Seen(says="", chart=Instead(_why(error)), words="")
        self._says.value = escape(seen.says)
        self._words.value = str(_markdown(seen.words))
        self._table.value = _html(seen.table)
        self._draw(seen)
        return seen

    def _draw(self, seen: Seen) -> None:
        chart = seen.chart
        why = chart.why if isinstance(chart, Instead) else ""
        self._trouble.value = f'<span role="status">{escape(why)}</span>' if why else ""
        if chart is None or isinstance(chart, Instead):
            self._place.children = ()
            return
        if self._picture is None:
            self._picture = picture.drawn(chart, picked=self._picked)
        else:
            picture.redraw(self._picture, chart, picked=self._picked)
        if not self._place.children:
            self._place.children = (self._picture,)

    def _code(self, _button: object) -> None:
        self._tell(lambda: _cell("Put this into a cell:", self._board.code))

    def _report(self, _button: object) -> None:
        self._tell(self._made)

    def _doing(self, act: Callable[[Settings], str]) -> Callable[[object], None]:
        return lambda _button: self._tell(lambda: str(_markdown(act(self._board.settings))))

    def _made(self) -> str:
        made = self._board.report()
        return _cell(f"Written to {made.file}. Run it with:", made.command) + _cell(
            "It says:", made.text
        )

    def _tell(self, what: Callable[[], str | None]) -> None:
        try:
            self._told.value = what() or ""
        except Exception as error:
            self._told.value = f'<p role="status">{escape(_why(error))}</p>'

    def _reset(self, _button: object) -> None:
        self._tell(lambda: self._set(self._board.explorer.start))


def _controls(board: Board) -> dict[str, ipywidgets.Widget]:
    """Return the controls; a view that was left with a choice that is gone begins anew."""
    try:
        return board.explorer.controls(board.settings)
    except TraitError:
        board.reset()
        return board.explorer.controls(board.settings)


def _why(error: Exception) -> str:
    """Say in one line what was refused, or that something broke."""
    if isinstance(error, Refusal):
        return str(error)
    reason = next(iter(str(error).strip().splitlines()), "no reason given")
    return f"This failed ({type(error).__name__}: {reason})."


def _line(name: str) -> ipywidgets.HTML:
    """Return a line of text that tests and styles find by its name."""
    line = ipywidgets.HTML()
    line.add_class(name)
    return line


def _rich(name: str) -> ipywidgets.HTML:
    """Return a place for headings, tables and code, in the style of JupyterLab's own."""
    place = _line(name)
    place.add_class("jp-RenderedHTMLCommon")
    return place


def _cell(words: str, code: str) -> str:
    return f"<p>{escape(words)}</p><pre><code>{escape(code)}</code></pre>"


def _html(table: pd.DataFrame | Instead | None) -> str:
    if table is None or isinstance(table, Instead):
        return "" if table is None else f"<p>{escape(table.why)}</p>"
    if table.empty:
        return ""
    # Names of rows are a column like others: pandas would leave heads without a word.
    flat = table.rename_axis(columns=None).reset_index(drop=table.index.names == [None])
    return str(flat.to_html(escape=True, index=False, max_rows=_ROWS, border=0))
