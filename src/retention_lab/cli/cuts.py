"""The command that freezes cut lines and reviews them: arguments in, sentences out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retention_lab.checks import BadParameter
from retention_lab.cli import running, show

if TYPE_CHECKING:
    import datetime as dt

    from retention_lab.customers.thresholds import Review, Thresholds

OWN = Path("data/thresholds.yml")  # where a suite looks that says nothing

_Source = Annotated[str, typer.Argument(help="The source file, such as data/sources/demo.yml.")]
_AsOf = Annotated[
    str | None,
    typer.Option(help="The last day to know; default the day the source is complete to."),
]
_Method = Annotated[str, typer.Option(help="quantile, or nested; fixed lines are written by hand.")]
_Owner = Annotated[str | None, typer.Option(help="Who answers for the lines.")]
_ReviewBy = Annotated[str | None, typer.Option(help="Until when they hold, such as 2027-03-31.")]
_Out = Annotated[Path, typer.Option(help="The file to write.")]
_Replace = Annotated[bool, typer.Option("--replace", help="Write although the file exists.")]
_Review = Annotated[
    Path | None, typer.Option(help="Draw nothing; say whether the lines of this file still fit.")
]
_Playbook = Annotated[str, typer.Option(help="Which days are scored, and the rules of segments.")]


def cuts(  # noqa: PLR0913  each is an option of the command
    source: _Source, *, as_of: _AsOf = None, method: _Method = "quantile", owner: _Owner = None,
    review_by: _ReviewBy = None, out: _Out = OWN, replace: _Replace = False,
    review: _Review = None, playbook: _Playbook = "data/playbook.yml",
) -> None:  # fmt: skip
    """Freeze the cut lines of segments in a file, so that nobody moves because they were redrawn.

    With --review, say whether the customers have drifted since, and who would change segment.
    """
    from retention_lab.customers import thresholds
    from retention_lab.tables import playbook as playbooks
    from retention_lab.tables import snapshot

    day, rules = running.day("--as-of", as_of), playbooks.load(playbook).segments
    if review is not None:
        shop = snapshot.take(source, as_of=day)
        kept = thresholds.load(review, currency=shop.currency)
        _tell(kept, thresholds.reviewed(kept, shop, segments=rules), day=shop.as_of)
        return
    due = running.day("--review-by", review_by)
    if owner is None or due is None:
        raise BadParameter(
            "Say --owner and --review-by: who answers for the lines, and until when they hold."
        )
    if out.exists() and not replace:
        raise BadParameter(
            f"{out} exists, and pages may rest on its lines. Look at them with --review {out}, "
            "then say --replace, or write another file with --out."
        )
    shop = snapshot.take(source, as_of=day)
    lines = thresholds.draw(shop, method=method, within=rules.within, owner=owner, review_by=due)
    thresholds.save(lines, out)
    typer.echo(f"{out}")
    unsaid = ", or says nothing, as it looks there" if out == OWN else ""
    _say(
        f"Lines of those who bought in the {rules.within} days to {shop.as_of}; {owner} answers "
        f"for them until {due}.",
        f"A suite uses them if it says `thresholds: {out}`{unsaid}.",
    )


def _tell(lines: Thresholds, found: Review, *, day: dt.date) -> None:
    """Print how far customers drifted, and how many would change segment."""
    import pandas as pd

    from retention_lab.record import SMALL
    from retention_lab.wording import moved

    when = "was due" if lines.review_by < day else "is due"
    _say(
        f"The lines are of {lines.as_of} ({lines.method}); {lines.owner} answers for them, and "
        f"their review {when} by {lines.review_by}.",
        moved.segments_review(found)
        or f"Fewer than {SMALL} customers have bought by {day}, so nothing is shown.",
    )
    if found.customers >= SMALL:
        numbers = found.stability[["index", "by_chance"]].map("{:.3f}".format)
        shown = pd.concat([found.stability["measure"], numbers], axis=1)
        show.table(
            f"stability of {day} against {lines.as_of}",
            shown.rename(columns={"index": "stability_index", "by_chance": "at_most_by_chance"}),
        )


def _say(*sentences: str) -> None:
    for sentence in sentences:
        typer.echo(sentence, err=True)
