"""`start`: from exported files to a source file and an open report.

What it finds, asks and takes is decided in `tables`; here it is asked and told.
"""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from retention_lab import checks
from retention_lab.cli import show

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

    from retention_lab.tables.drafts.deciding import Settings
    from retention_lab.tables.drafts.questions import Question
    from retention_lab.tables.drafts.rehearsal import Rehearsal
    from retention_lab.tables.drafts.sniffing import Layout
    from retention_lab.tables.source import Source

SUITE = "experiments/suites/overview.yml"
SLOW = 1 << 30  # bytes: from here on it is said beforehand how long it may take
_SECONDS_PER_GB = 300  # from benchmarks/start.py, on two cores with other work
_HINTS = {
    "negative amount": "these are probably refunds; a table of `returns` can be mapped from them",
    "non-positive quantity": "these are probably returns; `returns` can be mapped from them",
    "missing customer_id": "nobody can be followed without one",
}


_Files = Annotated[list[Path], typer.Argument(help="Exports: CSV, Excel or Parquet.")]
_To = Annotated[
    Path | None, typer.Option(help="The source file to write; default beside the first file.")
]
_Name = Annotated[str | None, typer.Option(help="The shop's name, as reports call it.")]
_Column = Annotated[
    list[str] | None,
    typer.Option(help="What a column means, such as customer_id='Client No'; repeatable."),
]
_Dates = Annotated[str | None, typer.Option(help="How dates are written: %d/%m/%Y.")]
_Number = Annotated[str | None, typer.Option(help="How 1234.56 is written, such as 1.234,56.")]
_Currency = Annotated[str | None, typer.Option(help="Three letters, such as EUR.")]
_Zone = Annotated[str | None, typer.Option(help="Such as Europe/Berlin.")]
_Amounts = Annotated[
    str | None, typer.Option(help="In rows of one order: its total repeated, or parts.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Ask nothing; take what is safe.")]
_Force = Annotated[bool, typer.Option("--force", help="Replace the source file.")]
_NoRun = Annotated[bool, typer.Option("--no-run", help="Make no report yet.")]
_NoOpen = Annotated[bool, typer.Option("--no-open", help="Do not open the report.")]
_Out = Annotated[Path, typer.Option(help="Where reports lie.")]
_State = Annotated[Path, typer.Option(help="Where history and ledgers lie.")]


def start(  # noqa: PLR0913  each is an option of the command
    files: _Files, *, to: _To = None, name: _Name = None, column: _Column = None,
    dates: _Dates = None, number: _Number = None, currency: _Currency = None,
    time_zone: _Zone = None, amounts: _Amounts = None, yes: _Yes = False, force: _Force = False,
    no_run: _NoRun = False, no_open: _NoOpen = False, out: _Out = Path("reports"),
    state: _State = Path("state"),
) -> int:  # fmt: skip
    """Make a source file and a first report from exported files; asks what they leave open."""
    from retention_lab.tables import engine
    from retention_lab.tables.drafts import deciding, sniffing
    from retention_lab.tables.drafts.questions import Talk

    target = to or files[0].with_suffix(".yml")
    _refuse_target(target, force=force)
    _refuse_answers(currency, amounts, number)
    con = engine.connect()
    layouts = [sniffing.look(file, con=con) for file in files]
    _tell_files(layouts)
    notes: list[str] = []
    talk = Talk(
        columns=_said(column or []), dates=dates, number=number,
        currency=currency.upper() if currency else None, time_zone=time_zone, amounts=amounts,
        ask=lambda question: _asked(question, yes=yes, notes=notes), tell=notes.append,
    )  # fmt: skip
    decided = deciding.decide(layouts, talk=talk, folder=target.parent)
    settings = {"name": name or target.stem.replace("_", " ").capitalize(), **decided}
    _tell_left_alone(layouts, settings)
    _list("Taken as safe:", notes)
    above = [f"Written by `retention-lab start {' '.join(file.name for file in files)}`.", *notes]
    suite = None if no_run else _suite()
    made = _written(settings, target, above=above, con=con, suite=suite)
    typer.echo(f"\nWritten: {target}")
    _tell_feeds(made.source)
    if no_run:
        return 0
    return _run(target, suite, as_of=made.as_of, out=out, state=state, opened=not no_open)


def _written(
    settings: Settings, target: Path, *, above: Sequence[str], con: BaseBackend, suite: Path | None
) -> Rehearsal:
    """Rehearse the settings for a report of a suite, tell what came of it, and write them."""
    from retention_lab.reports import suite as suites
    from retention_lab.tables.drafts import rehearsal, writing

    reported = partial(suites.period_end, period=suites.load(suite).period) if suite else None
    try:
        made = rehearsal.rehearse(settings, file=target, con=con, reported=reported)
    except checks.BadData as error:  # what remains is said in the file, so there must be one
        writing.write(target, writing.text(settings, notes=above))
        raise checks.BadData(
            f"{error} {target} is written; change it there, then: retention-lab check {target}"
        ) from error
    _tell_rows(made)
    writing.write(target, writing.text(made.settings, notes=above))
    return made


def _refuse_target(target: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise checks.BadParameter(
            f"{target} is there already. Choose another with --to, or replace it with --force."
        )
    if not target.parent.is_dir():
        raise checks.BadParameter(f"There is no folder {target.parent}. Make it first.")


def _refuse_answers(currency: str | None, amounts: str | None, number: str | None) -> None:
    from retention_lab.tables.contracts import NumberStyle

    if currency is not None and not (len(currency) == 3 and currency.isalpha()):
        raise checks.BadParameter(f"--currency takes three letters such as EUR, got {currency!r}.")
    checks.known("--amounts", "meaning", [amounts] if amounts else [], ["total", "parts"])
    checks.known("--number", "style", [number] if number else [], get_args(NumberStyle))


def _said(columns: Sequence[str]) -> dict[str, str]:
    from retention_lab.tables.names import NAMES

    pairs = [said.partition("=") for said in columns]
    if any(not sign for _, sign, _ in pairs):
        raise checks.BadParameter('--column takes a meaning and a name: customer_id="Client No".')
    found = {role.strip(): name for role, _, name in pairs}
    checks.known("--column", "meaning", found, NAMES)
    return found


def _tell_files(layouts: Sequence[Layout]) -> None:
    """Tell what the files are, and how long much text will take."""
    signs = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}
    texts = 0
    for layout in layouts:
        place, size = layout.place, layout.path.stat().st_size
        parts = [f"{size / 1e6:,.1f} MB", f"{len(layout.columns)} columns"]
        if place.kind == "csv":
            texts += size
            parts += [f"divided by {signs[place.delimiter]}", place.encoding]
        if place.skip:
            parts.append(f"header in line {place.skip + 1}")
        typer.echo(f"{layout.name}: {', '.join(parts)}")
    if texts > SLOW:
        minutes = max(1, round(texts / 1e9 * _SECONDS_PER_GB / 60))
        typer.echo(
            f"This much text takes about {minutes} minutes on two cores, until the report is made. "
            "As Parquet it is read several times faster."
        )


def _asked(question: Question, *, yes: bool, notes: list[str]) -> str:
    """Ask on the terminal, or take the safe answer, or refuse with the option that answers."""
    choices = list(question.choices)
    ways = dict.fromkeys(question.option.replace("ANSWER", one) for one in choices or [""])
    option = " or ".join(ways)
    if yes:
        if question.safe is None:
            raise checks.BadParameter(f"{question.text} No answer is safe; say it: {option}.")
        notes.append(f"{question.taken} {option} says otherwise.")
        return question.safe
    typer.echo(f"\n{question.text}")
    for place, choice in enumerate(choices, start=1):
        typer.echo(f"  {place}  {choice}  {question.choices[choice]}".rstrip())
    while True:
        typer.echo(f"Answer{f' [{question.safe}]' if question.safe else ''}: ", nl=False)
        line = sys.stdin.readline()
        if not line:
            typer.echo("")
            safe = ", or take what is safe with --yes" if question.safe else ""
            raise checks.BadParameter(f"{question.text} Nobody answers; say {option}{safe}.")
        answer = line.strip() or question.safe or ""
        if answer.isdigit() and 1 <= int(answer) <= len(choices):
            return choices[int(answer) - 1]
        if answer in choices or (not choices and question.fits(answer)):
            return answer
        typer.echo("That is none of the answers.")


def _list(title: str, lines: Sequence[str]) -> None:
    if lines:
        typer.echo(f"\n{title}")
        for line in lines:
            typer.echo(f"  {line}")


def _tell_left_alone(layouts: Sequence[Layout], settings: Settings) -> None:
    from retention_lab.tables.drafts import deciding, roles

    taken = deciding.taken(settings)
    found = [name for layout in layouts for name in roles.personal(layout, taken=taken)]
    if found:
        typer.echo(f"Left alone, as personal data: {', '.join(dict.fromkeys(found))}")


def _tell_rows(made: Rehearsal) -> None:
    show.table("the first orders, as they were read", made.sample)
    for table, reasons in made.left_out.items():
        typer.echo(f"\n{table}, rows used: {made.used[table]:,}")
        for reason, rows in reasons.items():
            hint = f" ({_HINTS[reason]})" if reason in _HINTS else ""
            typer.echo(f"  left out: {rows:,}, {reason}{hint}")


def _tell_feeds(source: Source) -> None:
    from retention_lab.reports import intake

    there = [feed.name for feed in intake.FEEDS if intake.possible(source, feed)]
    _list("Possible now:", there)
    rest = [feed for feed in intake.FEEDS if feed.name not in there]
    _list("Possible once there is more:", [f"{feed.name}: {feed.unlock}" for feed in rest])


def _run(
    target: Path, file: Path | None, *, as_of: dt.date | None, out: Path, state: Path, opened: bool
) -> int:
    """Run the overview of a source file, and open its page on a terminal.

    Raises
    ------
    BadParameter
        When there is no suite.
    """
    from retention_lab.reports import job
    from retention_lab.reports import suite as suites
    from retention_lab.reports.run import Call

    if file is None:
        raise checks.BadParameter(
            f"The notebooks are not here: {SUITE} is missing. Go to the folder of retention-lab, "
            f"then: retention-lab run {SUITE} --source {target.resolve()}"
        )
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    suite = suites.load(file, source=str(target))
    with show.progress() as watch:
        call = Call(out=out, state=state, now=dt.datetime.now(dt.UTC), watch=watch)
        done = job.do(suite, call, days=[] if as_of is None else [as_of])
    for failure in (failure for ran in done.rans for failure in ran.failures):
        typer.echo(failure.sentence, err=True)
    if done.exit_code:
        kept = "".join(f" What was run is kept in {ran.kept}." for ran in done.rans if ran.kept)
        again = f"retention-lab run {suite.file} --source {target}"
        typer.echo(f"No report was made.{kept} Again: {again}")
    for page in (page for ran in done.rans for page in ran.pages):
        typer.echo(f"\nReport: {page}")
        if opened and sys.stdout.isatty():
            typer.launch(page)
    return done.exit_code


def _suite() -> Path | None:
    """Find the overview from here, or beside the package where it is a checkout."""
    import retention_lab
    from retention_lab.tables import source

    here = source.find(SUITE)
    beside = Path(retention_lab.__file__).parents[2] / SUITE
    return next((path for path in (here, beside) if path.exists()), None)
