"""The command that drafts the decision on a test: arguments in, a file and sentences out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from retention_lab.checks import BadParameter
from retention_lab.cli import running

NAME = "decision.md"

_Plan = Annotated[Path, typer.Argument(help="The plan, such as experiments/check-in/plan.yml.")]
_Source = Annotated[str, typer.Argument(help="The source file of the shop.")]
_Metrics = Annotated[str, typer.Option(help="File of own metrics that the plan names.")]
_Replace = Annotated[bool, typer.Option("--replace", help="Write although there is a draft.")]


def decide(
    plan: _Plan, source: _Source, *, as_of: running.AsOf = None, metrics: _Metrics = "",
    state: running.State = Path("state"), replace: _Replace = False,
) -> None:  # fmt: skip
    """Draft the decision on a test, as decision.md beside its plan, from what was read of it.

    It is read as its page does: if the day is a look of the test, it is remembered. A draft that is
    there may have been written on and is left alone without --replace.
    """
    import retention_lab
    from retention_lab.tables.drafts import writing

    file = plan.parent / NAME
    if file.exists() and not replace:
        raise BadParameter(
            f"{file} is there, and somebody may have written in it. Move it, or replace it with "
            "--replace."
        )
    day: dt.date | None = running.day("--as-of", as_of)
    read = retention_lab.open(source, as_of=day).readout(plan, metrics=metrics, ledgers=state)
    writing.write(file, read.decision)
    typer.echo(str(file))
    typer.echo(read.ledger.headline, err=True)
