"""The command that writes a list for the CRM: arguments in, sentences and an exit code out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retention_lab.cli import running

if TYPE_CHECKING:
    from retention_lab.churn.heldback import Compared
    from retention_lab.churn.listing import Listed
    from retention_lab.tables.playbook import Playbook as Book
    from retention_lab.tables.snapshot import Snapshot

Source = Annotated[str, typer.Argument(help="The source file, such as data/sources/demo.yml.")]
AsOf = Annotated[
    str | None,
    typer.Option(help="The last day to know; default the day the source is complete to."),
]
_Out = Annotated[
    Path | None,
    typer.Option(help="A .csv or .parquet file; default lists/SOURCE-DAY-CHANNEL.csv."),
]
Playbook = Annotated[str, typer.Option(help="What may go with staying, and what to do.")]
Channel = Annotated[str | None, typer.Option(help="Only customers who consent to this channel.")]
Capacity = Annotated[
    int | None, typer.Option(help="How many can be handled, held back ones included.")
]
HoldBack = Annotated[
    float | None, typer.Option(help="Share who are not contacted, at random, such as 0.1.")
]
Where = Annotated[str, typer.Option(help="Only customers with this, such as \"country = 'UK'\".")]


def score(  # noqa: PLR0913  each is an option of the command
    source: Source, *, as_of: AsOf = None, out: _Out = None,
    playbook: Playbook = "data/playbook.yml", channel: Channel = None,
    capacity: Capacity = None, hold_back: HoldBack = None, where: Where = "",
    state: running.State = Path("state"),
) -> None:  # fmt: skip
    """List whom to contact: customers at highest risk first, of those who consent.

    A few, chosen at random, are held back, so that the next list tells whether contact helped. What
    was listed is logged in the state; the same day gives the same list.
    """
    from retention_lab import state as states
    from retention_lab.churn import heldback, scoring

    wanted = {"channel": channel, "capacity": capacity, "hold_back": hold_back}
    shop, book = opened(source, playbook, wanted, as_of=as_of, where=where)
    name = f"{Path(source).stem}-{shop.as_of}-{book.score.channel}.csv"
    kept = states.opened(state)
    listed = scoring.write(shop, book, state=kept, out=out or Path("lists", name))
    tell(listed, heldback.compared(shop, kept))


def opened(
    source: str, playbook: str, wanted: Mapping[str, object], *, as_of: str | None, where: str
) -> tuple[Snapshot, Book]:
    """Take the shop of a list, and the playbook with what is `wanted` of the list."""
    from retention_lab.tables import playbook as playbooks
    from retention_lab.tables import snapshot

    book = playbooks.load(playbook).listing(wanted)
    return snapshot.take(source, as_of=running.day("--as-of", as_of), where=where), book


def tell(listed: Listed, earlier: Compared, *cautions: str) -> None:
    """Print where a list lies; beside it what is on it, how to read it and whether contact helped.

    The sentences go to the other stream, so that a script can read the place.
    """
    from retention_lab.wording import heldback

    typer.echo(f"{listed.file}")
    said = [
        f"{listed.contacted:,} customers to contact by {listed.channel}, as of {listed.as_of}, out "
        f"of {listed.consenting:,} who may be contacted and {listed.customers:,} in all.",
        f"{listed.held_back:,} more were held back at random: do not contact them. They stand in "
        "the log only.",
        *listed.sentences,
        *cautions,
        *heldback.contact_helped(earlier.lists),
        *earlier.sentences,
    ]
    for sentence in said:
        typer.echo(sentence, err=True)
