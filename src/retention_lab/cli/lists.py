"""The commands that write lists of customers who moved: who rose, and who slipped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retention_lab.cli import running
from retention_lab.cli.score import (
    AsOf,
    Capacity,
    Channel,
    HoldBack,
    Playbook,
    Source,
    Where,
    opened,
    tell,
)

if TYPE_CHECKING:
    from retention_lab.tables.snapshot import Snapshot

app = typer.Typer(rich_markup_mode=None, help="List whom to contact, of customers who moved.")

_Out = Annotated[
    Path | None,
    typer.Option(help="A .csv or .parquet file; default lists/SOURCE-KIND-DAY-CHANNEL.csv."),
]
_Thresholds = Annotated[
    Path | None, typer.Option(help="A file of frozen cut lines; default those of the earlier day.")
]
_Days = Annotated[int, typer.Option(help="How many days ago the earlier day is.")]


@app.command()
def rising(  # noqa: PLR0913  each is an option of the command
    source: Source, *, as_of: AsOf = None, out: _Out = None,
    playbook: Playbook = "data/playbook.yml", channel: Channel = None,
    capacity: Capacity = None, hold_back: HoldBack = None, where: Where = "",
    state: running.State = Path("state"),
) -> None:  # fmt: skip
    """List who bought more often of late than their own history lets expect, the clearest first.

    A few, chosen at random, are held back and all are logged, as `score` does.
    """
    from retention_lab import state as states
    from retention_lab.churn import heldback, movers
    from retention_lab.wording.rising import caution

    wanted = {"channel": channel, "capacity": capacity, "hold_back": hold_back}
    shop, book = opened(source, playbook, wanted, as_of=as_of, where=where)
    kept, file = states.opened(state), out or _named(source, "rising", shop, book.score.channel)
    listed = movers.rising(shop, book, state=kept, out=file)
    earlier = heldback.compared(shop, kept, kind="rising")
    tell(listed, earlier, caution(book.rising.false_alerts))


@app.command()
def slipped(  # noqa: PLR0913  each is an option of the command
    source: Source, *, as_of: AsOf = None, out: _Out = None,
    playbook: Playbook = "data/playbook.yml", channel: Channel = None,
    capacity: Capacity = None, hold_back: HoldBack = None, where: Where = "",
    thresholds: _Thresholds = None, days: _Days = 90,
    state: running.State = Path("state"),
) -> None:  # fmt: skip
    """List who left the best repeat buyers, those who had brought the most first.

    A few, chosen at random, are held back and all are logged, as `score` does.
    """
    from retention_lab import state as states
    from retention_lab.churn import heldback, movers

    wanted = {"channel": channel, "capacity": capacity, "hold_back": hold_back}
    shop, book = opened(source, playbook, wanted, as_of=as_of, where=where)
    kept, file = states.opened(state), out or _named(source, "slipped", shop, book.score.channel)
    listed = movers.slipped(shop, book, state=kept, out=file, thresholds=thresholds, days=days)
    tell(listed, heldback.compared(shop, kept, kind="slipped"), _SOME)


_SOME = (
    "Some slip by luck alone, however steady customers are; those held back tell what contact did."
)


def _named(source: str, kind: str, shop: Snapshot, channel: str) -> Path:
    return Path("lists", f"{Path(source).stem}-{kind}-{shop.as_of}-{channel}.csv")
