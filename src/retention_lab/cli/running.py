"""The commands that run suites and watch over their reports."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Annotated

import typer

from retention_lab import checks
from retention_lab.cli import show

Suite = Annotated[
    str, typer.Argument(help="The suite file, such as experiments/suites/weekly.yml.")
]
Source = Annotated[str | None, typer.Option(help="Another source file than the suite's.")]
Out = Annotated[Path, typer.Option(help="Where reports lie.")]
State = Annotated[Path, typer.Option(help="Where history and ledgers lie: back it up.")]
AsOf = Annotated[
    str | None,
    typer.Option(
        help="The last day to know, such as 2026-11-29; default the last complete period."
    ),
]
_Since = Annotated[
    str | None, typer.Option(help="With --until: every report of these days, oldest first.")
]
_Until = Annotated[str | None, typer.Option(help="The last day of the reports from --since on.")]
_Only = Annotated[str | None, typer.Option(help="One notebook of the suite, by name or number.")]
_Where = Annotated[
    str | None, typer.Option(help="Only customers with this, such as \"country = 'UK'\".")
]
_Force = Annotated[bool, typer.Option("--force", help="Run although nothing has changed.")]
_Jobs = Annotated[int | None, typer.Option(min=1, help="Notebooks at once; default: the cores.")]
_Keep = Annotated[int | None, typer.Option(min=1, help="Keep so many reports; results stay.")]
_Publish = Annotated[str | None, typer.Option(help="Copy the pages to this folder, too.")]
_Pdf = Annotated[bool | None, typer.Option("--pdf/--no-pdf", help="Print each page as PDF, too.")]
_Wait = Annotated[
    str | None, typer.Option("--wait-until", help="Wait for late data until then, such as 09:00.")
]
_Hook = Annotated[str | None, typer.Option(help="A command to call with the path of run.json.")]


def run(  # noqa: PLR0913  each is an option of the command
    suite: Suite, *, source: Source = None, as_of: AsOf = None, since: _Since = None,
    until: _Until = None, out: Out = Path("reports"), state: State = Path("state"),
    only: _Only = None, where: _Where = None, force: _Force = False, jobs: _Jobs = None,
    keep: _Keep = None, publish: _Publish = None, pdf: _Pdf = None, wait_until: _Wait = None,
    on_success: _Hook = None, on_failure: _Hook = None,
) -> int:  # fmt: skip
    """Run a suite of notebooks and publish its pages: all of them, or none.

    A suite that has not changed since its report was made is skipped at once.
    """
    from retention_lab.reports import job
    from retention_lab.reports import suite as suites
    from retention_lab.reports.run import Call

    # On Ctrl-C asyncio would list the tasks of the kernel that was just ended.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loaded = suites.load(
        suite, source=source, where=where, keep=keep, publish=publish, pdf=pdf,
        wait_until=wait_until, on_success=_argv("--on-success", on_success),
        on_failure=_argv("--on-failure", on_failure),
    )  # fmt: skip
    asked = [
        day(name, text)
        for name, text in (("--as-of", as_of), ("--since", since), ("--until", until))
    ]
    days = job.days(as_of=asked[0], since=asked[1], until=asked[2], period=loaded.period)
    with show.progress() as watch:
        call = Call(
            out=out, state=state, now=dt.datetime.now(dt.UTC), only=only, force=force, jobs=jobs,
            watch=watch,
        )  # fmt: skip
        done = job.do(loaded, call, days=days)
    show.done(done)
    return done.exit_code


def status(out: Out = Path("reports")) -> int:
    """Say what became of the last run of each suite, and which reports are overdue (code 3)."""
    from retention_lab.reports import digest, index, ran

    late = index.overdue(out, now=dt.datetime.now(dt.UTC))
    for line in digest.lines(ran.every(out)):
        typer.echo(line)
    for each in late:
        typer.echo(f"Overdue: {each.title} of {each.owner} was due by {each.due}.", err=True)
    return 3 if late else 0


def day(option: str, text: str | None) -> dt.date | None:
    """Read a day that an option gives.

    Raises
    ------
    BadParameter
        When it is none.
    """
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError as error:
        raise checks.BadParameter(
            f"{option} must be a day such as 2026-11-29, got {text!r}."
        ) from error


def _argv(option: str, text: str | None) -> list[str] | None:
    if text is None:
        return None
    from retention_lab.reports import hooks

    return list(hooks.parsed(option, text))
