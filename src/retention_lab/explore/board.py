"""A board: one explorer, alive under its controls in JupyterLab, and still in a report."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd
from IPython.display import Markdown, display

from retention_lab.charts.frame import MIME, as_mime
from retention_lab.checks import Refusal
from retention_lab.explore import live, making, views
from retention_lab.explore.explorer import Explorer, Seen, Setting, Settings
from retention_lab.explore.making import Made
from retention_lab.wording import Instead


class Board:
    """An explorer and the settings it stands at.

    In JupyterLab it shows controls, one line that says what is shown, the picture, the answer and
    its table; a report, and whatever knows no widgets, gets the same view without the controls.
    `board.settings` are those of now, `board.seen` what they show, `board.code` the Python of one
    cell that shows it again, and `board.report()` writes the suite that makes a report of it.

    Parameters
    ----------
    explorer
        What is asked.
    owner
        Whose name stands on a report made of it.
    """

    def __init__(self, explorer: Explorer, *, owner: str) -> None:
        self.explorer, self._owner, start = explorer, owner, explorer.start
        self._left = views.place(explorer)
        self.settings: Settings = dict(start) if _still() else views.left(self._left, start)

    @property
    def seen(self) -> Seen:
        """What the settings of now show; raises `Refusal` where that is nothing."""
        return self.explorer.seen(self.settings)

    @property
    def code(self) -> str:
        """The Python of one cell that shows the view again."""
        return self.explorer.code(self.settings)

    def report(self) -> Made:
        """Write the suite that makes a report of the view."""
        report = self.explorer.report(self.settings)
        return making.make(report, self.explorer.opened, owner=self._owner)

    def move(self, **settings: Setting) -> None:
        """Change settings, as the controls do."""
        unknown = settings.keys() - self.explorer.start.keys()
        if unknown:
            known = ", ".join(self.explorer.start)
            raise KeyError(f"There is no setting {min(unknown)!r}; there are {known}.")
        self.settings = {**self.settings, **settings}
        self.keep()

    def keep(self) -> None:
        """Remember the settings, so that running the notebook again shows them again."""
        views.leave(self._left, self.settings)

    def reset(self) -> None:
        """Go back to the settings that the notebook was opened with."""
        self.move(**self.explorer.start)

    def _ipython_display_(self) -> None:
        if _still():
            _display(shown(self.explorer, self.settings))
            return
        alive = live.Live(self)
        bundle = {**alive.widget._repr_mimebundle_(), **_without_widgets(alive.seen)}
        display(bundle, raw=True)  # type: ignore[no-untyped-call]


def _still() -> bool:
    """Tell whether nobody can move anything: in a report, of which the runner says so."""
    return bool(os.environ.get("RETENTION_LAB_STATIC"))


def shown(explorer: Explorer, settings: Settings) -> Seen:
    """Show the settings; where there is nothing to show, a sentence says why."""
    try:
        return explorer.seen(settings)
    except Refusal as refused:
        return Seen(says="", chart=Instead(str(refused)), words="")


def _display(seen: Seen) -> None:
    with pd.option_context("display.max_colwidth", None):
        says, words = (Markdown(text) for text in (seen.says, seen.words))  # type: ignore[no-untyped-call]
        for part in (says, seen.chart, words, seen.table):
            if part is not None:
                display(part)  # type: ignore[no-untyped-call]


def _without_widgets(seen: Seen) -> dict[str, Any]:
    """Give what a reader without widgets shows in their place: the chart, or the words."""
    why = seen.chart.why if isinstance(seen.chart, Instead) else ""
    words = "\n\n".join(part for part in (seen.says, why, seen.words) if part)
    if seen.chart is None or isinstance(seen.chart, Instead):
        return {"text/plain": words}
    bundle, _about = as_mime(seen.chart.to_dict())
    return {MIME: bundle[MIME], "text/plain": words}
