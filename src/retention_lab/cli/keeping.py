"""The commands that prove, keep and erase: arguments in, sentences and an exit code out."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from retention_lab.cli import running

_Folder = Annotated[Path, typer.Argument(help="A report, such as reports/weekly/2026-11-29.")]
_Old = Annotated[
    Path | None, typer.Option(help="An environment or a checkout of the older version.")
]
_Backup = Annotated[Path, typer.Argument(help="The backup, such as state-2026-11-29.tar.gz.")]
_Customer = Annotated[str, typer.Argument(help="The customer's id, as the source has it.")]
_Sources = Annotated[
    list[Path], typer.Option("--source", help="A source file that knows the customer; repeatable.")
]


def verify(folder: _Folder, state: running.State = Path("state")) -> int:
    """Make a published report again and say which part differs, if any does (exit code 1)."""
    from retention_lab.reports import job
    from retention_lab.reports import verify as verifying

    with _room() as room, _copied(state) as copy:
        run = partial(job.afresh, remembers=copy)
        verdict = verifying.verify(folder, run=run, out=room, state=job.known(state))
    for sentence in verdict.sentences:
        typer.echo(sentence)
    return verdict.exit_code


def upgrade_check(
    suite: running.Suite, *, old: _Old = None, as_of: running.AsOf = None,
    source: running.Source = None, out: running.Out = Path("reports"),
    state: running.State = Path("state"),
) -> int:  # fmt: skip
    """Run old and new code on one snapshot, and list every number that moves (exit code 1).

    Without --old, the old side is what the last published report says.
    """
    from retention_lab.reports import job, upgrade
    from retention_lab.reports import suite as suites

    day, history, code = running.day("--as-of", as_of), job.known(state), 0
    for each in suites.load(suite, source=source).expanded():
        with _room() as room, _copied(state) as copy:
            run = partial(job.afresh, remembers=copy)
            if old is not None:
                found = upgrade.check_code(each, old=old, run=run, room=room, as_of=day)
            else:
                report = out / each.name / str(day or "latest")
                past = () if history is None else history.results(each.name)
                found = upgrade.check_published(
                    each, report=report, run=run, room=room, history=past
                )
        for sentence in found.sentences:
            typer.echo(sentence)
        code = max(code, found.exit_code)
    return code


def backup(file: _Backup, state: running.State = Path("state")) -> None:
    """Write the state, history and ledgers, into one file with checksums."""
    from retention_lab import state as states

    typer.echo(f"Written: {states.backup(states.opened(state), file)}")


def restore(file: _Backup, state: running.State = Path("state")) -> None:
    """Bring the state back from a backup."""
    from retention_lab import state as states

    typer.echo(f"The state {states.restore(file, state)[:12]} is in {state}.")


def forget(
    customer: _Customer, source: _Sources, out: running.Out = Path("reports"),
    state: running.State = Path("state"),
) -> None:  # fmt: skip
    """Erase a customer from snapshots, lists and ledgers, and log that it was done."""
    from retention_lab.reports import erasure

    for line in erasure.forget(customer, sources=source, state=state, out=out):
        typer.echo(line)


@contextmanager
def _copied(state: Path) -> Iterator[Path | None]:
    """Lend a copy of a state, as a page that is made again may take a look; None without one."""
    with _room() as room:
        yield Path(shutil.copytree(state, room / "state")) if state.is_dir() else None


@contextmanager
def _room() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="retention-lab-") as room:
        yield Path(room)
