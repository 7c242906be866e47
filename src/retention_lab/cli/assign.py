"""The daily command of a test: who is enrolled, in which arm, and what is sent to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retention_lab.cli import running
from retention_lab.cli.score import AsOf, Source

if TYPE_CHECKING:
    from retention_lab.experiments.enrolling import Enrolled

_Plan = Annotated[Path, typer.Argument(help="The plan, such as experiments/check-in/plan.yml.")]
_Out = Annotated[Path, typer.Option(help="The folder for the lists, one for each arm.")]
_Holdout = Annotated[
    float | None,
    typer.Option(help="Share of customers whom no test contacts; default as last time, or none."),
]


def assign(
    plan: _Plan, source: Source, *, as_of: AsOf = None, state: running.State = Path("state"),
    out: _Out = Path("lists"), holdout_share: _Holdout = None,
) -> None:  # fmt: skip
    """Enrol who is new at the milestone of a frozen plan, and write a list for each arm.

    Run it every day of the plan. Who was assigned is logged in the state; the same day again adds
    nobody. Who was missed is counted, and is not enrolled later.
    """
    from retention_lab import state as states
    from retention_lab.experiments import assignments, enrolling
    from retention_lab.experiments import plan as plans
    from retention_lab.tables import snapshot

    test = plans.load(plan)
    shop = snapshot.take(source, as_of=running.day("--as-of", as_of))
    kept = states.opened(state)
    done = enrolling.enrol(
        shop, test, state=kept, as_of=shop.as_of, out=out,
        holdout_share=holdout_share,
    )  # fmt: skip
    for file in done.files:
        typer.echo(f"{file}")
    past = assignments.past_runs(kept, shop)
    runs = [done.arms, *(row["arms"] for row in past if row["experiment"] == test.name)]
    days = [customers for arms in runs for customers in arms.values()]
    for sentence in _told(done, days=days):
        typer.echo(sentence, err=True)


def _told(done: Enrolled, *, days: Sequence[int]) -> Iterator[str]:
    """Say what a run did; neither numbers of a few customers nor totals that would tell them.

    `days` are the customers of each arm on each day so far.
    """
    from retention_lab.record import small
    from retention_lab.wording.phrases import listed

    counts = {**{f"assigned to {arm}": n for arm, n in done.arms.items()}, **done.left_out}
    yield (
        f"{done.experiment} as of {done.as_of}, by {listed(done.channels)}; new at the milestone: "
        f"{_parts(counts) or 'nobody'}."
    )
    if not small.few(days).any():  # else two days' sizes would tell those of a day between
        yield f"Assigned so far: {_parts(done.sizes) or 'nobody'}."
    yield from _missed(done)
    yield from done.sentences


def _missed(done: Enrolled) -> Iterator[str]:
    """Say how many milestones were looked at within the window."""
    from retention_lab.record import small

    every = done.in_time + done.missed
    if not every:
        yield "Nobody has reached the milestone on the days so far."
    elif not done.missed:
        yield "All who reached the milestone on the days so far were looked at in time."
    elif small.splits(done.missed, every):
        yield (
            "Not all who reached the milestone on the days so far were looked at in time; those "
            "who were not are left out."
        )
    else:
        yield (
            f"About {100 * done.in_time / every:.0f} in 100 of those who reached the milestone on "
            f"the days so far were looked at in time. {done.missed:,} were missed and are left "
            "out: run the job every day, and look whether events arrive late."
        )


def _parts(counts: Mapping[str, int]) -> str:
    """Say counts that have no shown total; what is few is hidden."""
    from retention_lab.record import small

    few = small.few([*counts.values()])
    shown = small.cells([*counts.values()], few)
    return "; ".join(
        f"{n:,} {name}" if isinstance(n, int) else f"{n} {name}"
        for n, name in zip(shown, counts, strict=True)
        if n != 0
    )
