"""Who is likely to stay, as the lab answers it: the churn page's first screen, and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention_lab import wording
from retention_lab.charts import forecasts, staying, worth
from retention_lab.churn import evidence as evidences
from retention_lab.churn import outlook as outlooks
from retention_lab.churn.evidence import Evidence, Missing
from retention_lab.churn.forecast import allocation
from retention_lab.churn.model import coefficients
from retention_lab.churn.outlook import Outlook
from retention_lab.lab.answer import Answer, told
from retention_lab.lab.figures import claims, completeness
from retention_lab.record import Ledger
from retention_lab.record import churn as record
from retention_lab.tables import playbook as plays
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import churn as said
from retention_lab.wording.worth import worth_contracts

MILESTONE_DAY = 7  # by which the churn page tells who has reached a milestone, and who has not


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Churn(Answer):
    """Who is likely to stay; each part of the churn page is an answer of its own."""

    seen: Outlook
    found: Evidence
    ledger: Ledger

    @property
    def stay(self) -> Answer:
        """How long customers stay, or wait, by when they joined; `frame`: a day grid by group."""
        return told(
            self.found.joined,
            staying.joined(self.found.joined, endpoint=self.seen.endpoint),
            said.churn_curves(self.seen.endpoint, self.found.differ),
        )

    @property
    def milestones(self) -> Answer:
        """The same by whether the first milestone was reached; `frame`: three ways to compare."""
        frames = self.found.side_by_side
        return told(
            pd.concat(frames, names=["milestone"]).reset_index(0) if frames else _NONE,
            staying.by_milestone(
                self.found.by_milestone, endpoint=self.seen.endpoint, day=MILESTONE_DAY
            ),
            said.churn_immortal(frames),
        )

    @property
    def three_ways(self) -> Answer:
        """What comparing customers who ever reached a milestone would have said."""
        frames = self.found.side_by_side
        chart = forecasts.side_by_side(frames, what=self._happens)
        return told(self.milestones.frame, chart, said.churn_immortal(frames))

    @property
    def causes(self) -> Answer:
        """Share who have left by cause; `frame`: see `incidence.cumulative_incidence`."""
        causes = self.found.causes
        return told(_or_none(causes), staying.causes(causes), "")

    @property
    def goes_with(self) -> Answer:
        """What goes with leaving, or returning; `frame`: see `churn.model.coefficients`."""
        found = self.found.associations
        return Answer(
            frame=_NONE if isinstance(found, Missing) else coefficients(found),
            chart=forecasts.ratios(found, what=self._happens),
            sentence=said.churn_ratios(found),
            written=said.churn_proportional(found),
        )

    @property
    def tested(self) -> Answer:
        """What earlier forecasts said, and what came; `frame`: see `churn.backtest.Backtest`."""
        tested = self.seen.backtest
        return told(
            _NONE if tested is None else tested.origins,
            forecasts.past_forecasts(self.seen, what=self._happens),
            said.churn_left_out(self.seen),
        )

    @property
    def chances(self) -> Answer:
        """Whether the chances of single customers were right; `frame`: ten groups by chance."""
        tested = self.seen.backtest
        return told(
            _NONE if tested is None else tested.calibration,
            forecasts.calibration(self.seen),
            said.churn_calibration(self.ledger, self.seen),
        )

    @property
    def whom(self) -> Answer:
        """Who carries how much of what is expected; `frame`: see `churn.forecast.allocation`."""
        ahead = self.seen.forecast
        return told(
            _NONE if ahead is None else allocation(ahead),
            forecasts.allocation(self.seen, what=self._happens),
            said.churn_list(self.ledger, self.seen),
        )

    @property
    def contracts(self) -> Answer:
        """How many contracts are kept, month by month; `frame`: see `customers.contracts`."""
        found = self.found.contracts
        return told(found.frame, worth.contracts(found), worth_contracts(found))

    @property
    def lost(self) -> Answer:
        """After how many silent days a customer is lost; `frame`: see `churn.gaps.evidence`."""
        lost = self.found.lost
        chart, words = forecasts.lost_after(lost), said.churn_lost(lost)
        return told(_or_none(lost), chart, words)

    @property
    def again(self) -> Answer:
        """What goes with buying again and again; `frame`: see `churn.recurrent`."""
        repeat = self.found.repeat
        chart, words = forecasts.repeat_purchases(repeat), said.churn_repeat(repeat)
        return told(_or_none(repeat), chart, words)

    @property
    def _happens(self) -> str:
        return record.happens(self.seen.endpoint)


_NONE = pd.DataFrame()


def _or_none(part: pd.DataFrame | Missing) -> pd.DataFrame:
    return _NONE if isinstance(part, Missing) else part


def churn(shop: Snapshot, *, playbook: str | Path, horizon: int, owner: str) -> Churn:
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
    return Churn(
        seen=seen,
        found=found,
        ledger=ledger,
        frame=claims(ledger.claims()),
        chart=(
            staying.joined(found.joined, endpoint=seen.endpoint)
            if seen.backtest is None
            else forecasts.past_forecasts(seen, what=record.happens(seen.endpoint))
        ),
        sentence="\n\n".join(filter(None, sentences)),
        written=wording.definitions(ledger),
    )
