"""What an explorer is: settings, what they show, and what to do with what is shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import ipywidgets
import pandas as pd

from retention_lab.explore.making import Report
from retention_lab.explore.opened import Opened
from retention_lab.lab.answer import Picture
from retention_lab.wording import Instead

Setting: TypeAlias = str | int | float | bool | list[str] | list[int] | list[float] | None
Settings: TypeAlias = Mapping[str, Setting]


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What one choice of settings shows.

    Parameters
    ----------
    says
        One line, plain text: what is shown, of whom, and as of which day.
    chart
        An Altair chart, or a sentence in its place. A point selection in it that is called `pick`
        is what a click chooses; see `Explorer.picked`.
    words
        Markdown: the answer with its interval, and its caution.
    table
        As readers see it, small groups hidden; None where the chart says it all.
    """

    says: str
    chart: Picture
    words: str
    table: pd.DataFrame | Instead | None = None


class Explorer(ABC):
    """A question about a shop with settings that are moved by hand.

    `name` is that of its files, `opened` the shop that it is about. Settings are plain values, so
    that code, a suite and a remembered view can hold them.
    """

    name: str
    opened: Opened

    @property
    @abstractmethod
    def start(self) -> Settings:
        """The settings that the notebook was opened with."""

    @abstractmethod
    def controls(self, settings: Settings) -> dict[str, ipywidgets.Widget]:
        """Return a control for each setting, in the order in which they stand, so set.

        A control that makes no sense beside another's value hides itself (`layout.display`).
        """

    @abstractmethod
    def seen(self, settings: Settings) -> Seen:
        """Show what the settings ask for.

        Raises
        ------
        Refusal
            Where there is nothing to show, in a sentence that stands in the place of the picture.
        """

    @abstractmethod
    def code(self, settings: Settings) -> str:
        """Write the Python of one cell that gives the same view in an empty notebook."""

    @abstractmethod
    def report(self, settings: Settings) -> Report:
        """Say what suite makes a report of this view, and which other files it needs."""

    def picked(self, point: Mapping[str, object]) -> Settings:
        """Tell which settings a click on the picture changes, by the fields of the point."""
        del point  # most pictures are only looked at
        return {}

    def actions(self, settings: Settings) -> dict[str, Callable[[Settings], str]]:
        """Say what else a button does with what is shown, by its label, and for which settings.

        An action tells in Markdown what it did; a `Refusal` says why it did nothing. The labels are
        those of the settings that the board is displayed with.
        """
        del settings
        return {}
