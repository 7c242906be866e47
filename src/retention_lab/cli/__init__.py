"""The command line: arguments in, sentences and an exit code out.

Heavy modules are imported inside the commands, so that `--help` comes at once.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from retention_lab import __version__, checks
from retention_lab.cli import assign, cuts, decide, freeze, keeping, lists, running, score, show
from retention_lab.cli.start import start as _start

DEBUG = "RETENTION_LAB_DEBUG"
CODES = (
    "Exit codes: 0 done or unchanged; 1 a notebook failed, a report differs or was not delivered, "
    "or something unforeseen; 2 a setting does not fit; 3 the data do not, or are late; 4 a kernel "
    "died or took too long; 75 the suite is being run already; 130, 143 stopped."
)

app = typer.Typer(
    name="retention-lab",
    epilog=CODES,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; what goes wrong is told in one sentence."""
    try:
        return app(arguments, standalone_mode=False) or 0
    except checks.Refusal as refusal:
        return _told(str(refusal), code=refusal.exit_code)
    except Exception as error:  # the last wall: a sentence, and a traceback on request
        usage: Callable[[], str] | None = getattr(error, "format_message", None)
        if type(error).__name__ == "Abort":  # Ctrl-C; its class is private, too
            return _told("Stopped.", code=1)
        if usage is not None:  # what typer finds wrong with the arguments; its class is private
            return _told(usage(), code=2)
        if os.environ.get(DEBUG):
            traceback.print_exc()
        return _told(f"{_cause(error)} Set {DEBUG}=1 to see the traceback.", code=1)


def _told(sentence: str, *, code: int) -> int:
    typer.echo(sentence, err=True)
    return code


def _cause(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'The disk'}: {error.strerror}."
    first = next(iter(str(error).splitlines()), "").rstrip(".")
    return f"Unforeseen: {type(error).__name__}: {first}."


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"retention-lab {__version__}")
        raise typer.Exit


@app.callback(epilog=CODES)
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Say which version this is."
        ),
    ] = False,
) -> None:
    """Post-purchase retention: reproducible reports from a shop's own tables."""


@app.command(epilog=CODES)
def check(
    source: Annotated[str, typer.Argument(help="The source file, such as data/sources/demo.yml.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="The last day to know; default the day the source is complete to."),
    ] = None,
    by_month: Annotated[bool, typer.Option("--by-month", help="Count by month, too.")] = False,
) -> None:
    """Show what a source holds, what is left out of it and why, and which reports it can feed."""
    from retention_lab.reports import intake

    show.intake(intake.inspect(source, as_of=running.day("--as-of", as_of)), by_month=by_month)


@app.command(epilog=CODES)
def demo(
    customers: Annotated[int | None, typer.Option(help="How many customers sign up.")] = None,
    until: Annotated[str | None, typer.Option(help="The last day, such as 2026-11-29.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same shop.")] = None,
    folder: Annotated[Path, typer.Option(help="Where to write it.")] = Path("data/demo"),
) -> None:
    """Write the data of a made-up shop, with known truths planted in it."""
    from retention_lab.tables.simulator import simulate

    wanted = {"customers": customers, "until": running.day("--until", until), "seed": seed}
    simulate(folder, **{name: value for name, value in wanted.items() if value is not None})  # type: ignore[arg-type]
    typer.echo(f"Made-up customers are in {folder}:")
    for file in sorted(folder.iterdir()):
        typer.echo(f"  {file.name}, {file.stat().st_size / 1e6:,.1f} MB")


for _command in (
    running.run, running.status, score.score, cuts.cuts, freeze.freeze, assign.assign,
    decide.decide,
    keeping.verify, keeping.upgrade_check, keeping.backup, keeping.restore, keeping.forget, _start,
):  # fmt: skip
    app.command(epilog=CODES)(_command)
app.add_typer(lists.app, name="list")
