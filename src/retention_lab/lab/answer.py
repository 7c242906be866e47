"""An answer: a frame to go on with, and a picture, a sentence and a table to read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

import altair as alt
import pandas as pd
from IPython.display import Markdown, display

from retention_lab import charts
from retention_lab.record import Ledger, percent
from retention_lab.record.small import HIDDEN
from retention_lab.wording import Instead, definitions

Picture: TypeAlias = alt.Chart | alt.LayerChart | Instead | None

SHARES = {"survival", "top_share", "simple_share", "share", "low", "high"}
SHOWN_ROWS = 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """What the lab says: in Jupyter it shows its chart, its sentence and its table.

    `frame` has every row, numbers as numbers: shares between 0 and 1, money in whole units of the
    currency. It is for further work and hides no small group, so a report shows the answer and not
    its frame. `chart` is an Altair chart; a sentence stands in its place while there is nothing to
    draw, and None where there is no picture of such a thing. `table` is what readers see: it hides
    what the chart does, with "<10" or a dash in its place.
    """

    frame: pd.DataFrame
    chart: Picture
    sentence: str
    written: pd.DataFrame | Instead | None = None

    @property
    def table(self) -> pd.DataFrame | Instead:
        """The frame as readers see it: 26.2 %, 1,204, August 2026."""
        return readable(self.frame) if self.written is None else self.written

    def _ipython_display_(self) -> None:
        with pd.option_context("display.max_colwidth", None, "display.max_rows", SHOWN_ROWS):
            words = Markdown(self.sentence)  # type: ignore[no-untyped-call]
            for part in (self.chart, words, self.table):
                if part is not None and not (isinstance(part, pd.DataFrame) and part.empty):
                    display(part)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        table = self.table
        if isinstance(table, Instead):
            return f"{self.sentence}\n\n{table.why}"
        words = "" if table.empty else f"\n\n{table.to_string(max_rows=SHOWN_ROWS)}"
        return f"{self.sentence}{words}"


def told(frame: pd.DataFrame | None, chart: Picture, sentence: str) -> Answer:
    """Answer with the data table of the chart, which hides what the chart hides."""
    whole = pd.DataFrame() if frame is None else frame
    return Answer(frame=whole, chart=chart, sentence=sentence, written=drawn(chart))


def written(
    table: pd.DataFrame | Instead, sentence: str, *, chart: Picture | None = None
) -> Answer:
    """Answer with a table as it is shown; without one, the sentence says why."""
    frame = pd.DataFrame() if isinstance(table, Instead) else table
    return Answer(frame=frame, chart=chart, sentence=sentence, written=table)


class Screen(TypedDict):
    """What an answer says of a whole page."""

    sentence: str
    written: pd.DataFrame


def screen(ledger: Ledger, *parts: str) -> Screen:
    """Give the first screen of a page, headline first, and all its numbers with definitions."""
    said = [f"**{ledger.headline}**", *parts]
    return Screen(sentence="\n\n".join(filter(None, said)), written=definitions(ledger))


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Write each column as people read it, the first one to the left as the names of the rows."""
    text = pd.DataFrame({name: _written(frame[name], str(name)) for name in frame.columns})
    text.columns = pd.Index([heading(str(name)) for name in frame.columns])
    return text.set_index(text.columns[0]) if len(text.columns) > 1 else text


def drawn(chart: Picture) -> pd.DataFrame:
    """Write the data table of a chart under its own headings; empty where nothing is drawn."""
    if chart is None or isinstance(chart, Instead):
        return pd.DataFrame()
    forms, told = chart.usermeta["formats"], charts.listed(chart)
    text = {
        head: [_formed(value, forms.get(field, "")) for value in told[field]]
        for field, head in chart.usermeta["labels"]
    }
    table = pd.DataFrame(text)
    return table.set_index(table.columns[0]) if len(table.columns) > 1 else table


def _formed(value: str | float | dt.datetime, form: str) -> str:
    """Write a value in the form of a chart; a hidden count is a word already, the rest a dash."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) or not form:
        return str(value)
    return HIDDEN if pd.isna(value) else format(value, form).replace("%", "\N{NO-BREAK SPACE}%")


def heading(name: str) -> str:
    """Write the name of a column as people read it: Later share."""
    return name.replace("_", " ").capitalize()


def _written(column: pd.Series, name: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.map(_moment, na_action="ignore").astype(object).fillna("")
    if pd.api.types.is_bool_dtype(column):
        return column.map({True: "yes", False: "no"})
    if pd.api.types.is_numeric_dtype(column):
        share = name.removeprefix("later_") in SHARES
        form = percent if share else _whole if pd.api.types.is_integer_dtype(column) else _decimal
        return column.astype(object).map(form, na_action="ignore").fillna("")
    words = column.astype(object).where(column.notna(), "")
    return words.map(lambda each: _whole(each) if isinstance(each, int) else each)


def _moment(value: dt.datetime) -> str:
    return f"{value:%Y-%m-%d}" if value.time() == dt.time() else f"{value:%Y-%m-%d %H:%M:%S}"


def _whole(value: int) -> str:
    return f"{value:,}"


def _decimal(value: float) -> str:
    return f"{value:,.2f}"
