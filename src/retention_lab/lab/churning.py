"""Who is likely to stay, as the lab answers it: the first screen of the churn page."""

from __future__ import annotations

from pathlib import Path

from retention_lab import wording
from retention_lab.charts import forecasts, staying
from retention_lab.churn import evidence as evidences
from retention_lab.churn import outlook as outlooks
from retention_lab.lab.answer import Answer
from retention_lab.lab.figures import claims, completeness
from retention_lab.record import Ledger
from retention_lab.record import churn as record
from retention_lab.tables import playbook as plays
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import churn as said

MILESTONE_DAY = 7  # by which the churn page tells who has reached a milestone, and who has not


def churn(shop: Snapshot, *, playbook: str | Path, horizon: int, owner: str) -> Answer:
    """Answer how many will leave, or buy again, and record all that the churn page does.

    `playbook` is a file, or empty for the defaults. The picture is that of earlier forecasts; where
    there are none, that of how long customers stay.
    """
    ledger, book = Ledger(where=shop.where), plays.load(playbook)
    seen = outlooks.outlook(shop, book, horizon=horizon)
    found = evidences.gather(shop, seen, book, day=MILESTONE_DAY)
    record.outlook(ledger, seen)
    record.evidence(ledger, found, day=MILESTONE_DAY, horizon=horizon)
    ledger.headline = said.churn_headline(ledger, seen)
    consents = "consents" in shop.tables
    sentences = (
        f"**{ledger.headline}**",
        said.churn_body(ledger, seen, day=MILESTONE_DAY),
        said.churn_action(ledger, seen, owner=owner, as_of=shop.as_of, consents=consents),
        completeness(shop),
    )
    return Answer(
        frame=claims(ledger.claims()),
        chart=(
            staying.joined(found.joined, endpoint=seen.endpoint)
            if seen.backtest is None
            else forecasts.past_forecasts(seen, what=record.happens(seen.endpoint))
        ),
        sentence="\n\n".join(filter(None, sentences)),
        written=wording.definitions(ledger),
    )
