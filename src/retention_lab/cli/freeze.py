"""The command that freezes the plan of a test before it begins: arguments in, sentences out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retention_lab.checks import BadParameter
from retention_lab.cli import running

if TYPE_CHECKING:
    from retention_lab.experiments.freezing import Frozen
    from retention_lab.experiments.plan import Plan

_Plan = Annotated[Path, typer.Argument(help="The plan, such as experiments/check-in/plan.yml.")]
_Amend = Annotated[
    str | None, typer.Option(help="Why the plan says something else than when it was frozen.")
]


def freeze(plan: _Plan, *, state: running.State = Path("state"), amend: _Amend = None) -> None:
    """Freeze the plan of a test before it begins: its digest, today's date and all it says.

    The same plan again changes nothing. What is changed later is told in every read-out, field by
    field; --amend freezes a change with its reason.
    """
    from retention_lab import state as states
    from retention_lab.experiments import freezing
    from retention_lab.experiments import plan as plans

    read = plans.load(plan)
    today = dt.datetime.now(dt.UTC).date()
    kept = states.opened(state)
    found = freezing.freeze(read, state=kept, as_of=today, amend=amend)
    typer.echo(found.digest)
    for sentence in (*_told(found), *freezing.overlapping(read, kept)):
        typer.echo(sentence, err=True)


def _told(found: Frozen) -> list[str]:
    """Say what was frozen, and how it differs from what was frozen first."""
    from retention_lab.experiments import freezing

    plan, last = found.plan, found.last
    reason = f", amended ({last.reason})" if last.reason else ""
    when = "is frozen as of" if found.added else "has been frozen since"
    changed = freezing.deviations(plan, found)
    return [
        f"{plan.name} {when} {last.frozen_on}{reason}; {plan.owner} answers for it.",
        f"Customers enter from {plan.starts} to {plan.ends}. {_size(plan)}",
        *(
            f"{row.field}: {_word(row.frozen)} when frozen first, {_word(row.now)} since "
            f"{row.changed_on}."
            for row in changed.itertuples()
        ),
    ]


def _size(plan: Plan) -> str:
    """Say whether the test is large enough; a plan that cannot be sized is frozen all the same."""
    from retention_lab.experiments.sizing import sized

    if plan.assumptions.entry_per_day is None:
        return (
            "How many are needed and how long that takes is told by the design page: the plan "
            "leaves the pace of entry to the shop's history."
        )
    try:
        found = sized(plan)
    except BadParameter as error:
        return str(error)
    effect = plan.primary.smallest_effect
    return found.why or (
        f"{found.needed.total:,} are needed, and {found.planned:,} come if the assumptions hold: "
        f"about {found.power * 100:.0f} in 100 such tests find a gain of {effect * 100:g} points."
    )


def _word(value: object) -> str:
    return "not there" if value is None else str(value)
