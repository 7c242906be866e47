"""The overview as the lab answers it, and what of it is no longer as an earlier report printed."""

from __future__ import annotations

from collections.abc import Sequence

from retention_lab import charts, checks, wording
from retention_lab.customers import kpis, newest, repurchase
from retention_lab.lab.answer import Answer
from retention_lab.lab.figures import claims, completeness, joined, newest_month
from retention_lab.record import Ledger, comeback, periods, previous, why
from retention_lab.survival.daygrid import kaplan_meier
from retention_lab.tables.annotations import Annotation
from retention_lab.tables.snapshot import Snapshot

OWNER = "The retention team"
EARLY = 30


def overview(shop: Snapshot, *, days: int, annotations: Sequence[Annotation]) -> Answer:
    """Answer whether new customers come back, and record all that the overview report does."""
    ledger = Ledger(where=shop.where)
    found, judged = newest_month(ledger, shop, days=days)
    explained = why.returned(ledger, shop, found, days=days)
    ledger.headline = wording.overview_headline(ledger, found, days=days)
    _further(ledger, shop, days=days)
    said = (
        f"**{ledger.headline}**",
        wording.overview_body(ledger, found, days=days, records_from=shop.records_from),
        joined(
            wording.why_answer(ledger, explained), wording.overview_happened(annotations, found)
        ),
        wording.overview_action(
            ledger,
            owner=OWNER,
            as_of=shop.as_of,
            days=days,
            next_cohort=newest.next_complete(judged),
        ),
        completeness(shop),
    )
    return Answer(
        frame=claims(ledger.claims()),
        chart=charts.returned_by_month(judged, days=days, annotations=annotations),
        sentence="\n\n".join(filter(None, said)),
        written=wording.definitions(ledger),
    )


def changed(shop: Snapshot, *, told: str, source: str, days: int) -> Answer:
    """Answer which figures of the overview are no longer what an earlier report printed.

    `told` names the results and the notebook as a runner does; `source` is the source file, or
    empty for frames, of which no earlier snapshot is kept.
    """
    before = previous.read(told, as_of=shop.as_of)
    if before is None:
        file, _, notebook = told.rpartition("#")
        raise checks.BadParameter(f"{file} holds no results of the notebook {notebook!r}.")
    ledger = Ledger(where=shop.where)
    found, _ = newest_month(ledger, shop, days=days)
    then = why.as_printed(ledger, before, shop=shop, source=source) if source else None
    explained = why.returned(ledger, shop, found, days=days, printed=then)
    _further(ledger, shop, days=days)
    frame = previous.changes(ledger, before)
    return Answer(
        frame=frame,
        chart=None,
        sentence=joined(
            wording.what_changed(frame, before), wording.why_restated(ledger, explained)
        ),
        written=wording.changed_table(frame, before),
    )


def _further(ledger: Ledger, shop: Snapshot, *, days: int) -> None:
    """Record what the overview holds beside its answer."""
    periods.periods(ledger, shop, days=days)
    comeback.repeat(ledger, kpis.repeat_purchase_rate(shop.orders, as_of=shop.as_of))
    grid = repurchase.first_repeat_grid(shop.orders, as_of=shop.as_of)
    comeback.repurchase(ledger, grid, kaplan_meier(grid), days=days)
    periods.activity(ledger, shop, edges=(EARLY, days) if days > EARLY else (days,))
