"""What commands show: a bar while notebooks run, tables, and what a source brings."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import TaskID

    from retention_lab.reports.intake import Intake
    from retention_lab.reports.job import Done
    from retention_lab.reports.run import Watch


@contextmanager
def progress() -> Iterator[Watch]:
    """Show on a terminal a bar over the cells of each notebook, elsewhere one line as it begins."""
    if not sys.stderr.isatty():
        yield lambda name, cell, _: typer.echo(f"{name} ...", err=True) if cell == 1 else None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def watch(name: str, cell: int, cells: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=cells)
            bars.update(tasks[name], completed=cell)

        yield watch


def done(found: Done) -> None:
    """Print what became of each run: pages to stdout, what is said of them to stderr."""
    from retention_lab.reports import digest

    for ran in found.rans:
        kept = f"Nothing was published; what was run is kept in {ran.kept}."
        said = [each.sentence for each in ran.failures] + [kept] * bool(ran.kept)
        said += [f"Warning: {warning}" for warning in ran.warnings]
        _errors([*said, *([] if sys.stderr.isatty() else [digest.logged(ran)])])
    _errors([*(digest.lines(found.rans) if len(found.rans) > 1 else []), *found.troubles])
    for page in (page for ran in found.rans for page in ran.pages):
        typer.echo(page)
    if found.index is not None:
        typer.echo(str(found.index))


def _errors(lines: Iterable[str]) -> None:
    from retention_lab.reports import digest

    for line in lines:  # a name of somebody's must not write one of its own, or turn it red
        typer.echo(digest.one_line(line), err=True)


def intake(found: Intake, *, by_month: bool) -> None:
    """Print what a source brings, table by table."""
    source, day = found.source, found.as_of
    typer.echo(
        f"{source.name}: what was known on {day} ({source.zone}; amounts in {source.currency})"
    )
    for name, steps in found.steps.items():
        table(name, steps)
        if found.later[name]:
            typer.echo(f"Later than {day}, and not counted: {found.later[name]:,}.")
        if by_month:
            table(f"{name}, rows by month", found.months[name])
    if not found.controls.empty:
        table("control totals", found.controls)
    typer.echo(f"\nReports that this source can feed: {', '.join(found.feeds) or 'none'}.")


def table(title: str, frame: pd.DataFrame) -> None:
    """Print a table: ruled on a terminal, in plain columns elsewhere."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 200, markup=False, highlight=False, emoji=False)
    table = Table(
        title=f"\n{title}", title_justify="left", box=box.SIMPLE_HEAD if terminal else None
    )
    for place, name in enumerate(frame.columns):
        table.add_column(name.replace("_", " "), justify="right" if place else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _cell(value: object) -> str:
    import pandas as pd

    match value:
        case bool():
            return "yes" if value else "no"
        case float() if not pd.isna(value):
            return f"{value:,.2f}"
        case Integral():
            return f"{value:,}"
    return "" if pd.isna(value) else str(value)  # type: ignore[call-overload]
