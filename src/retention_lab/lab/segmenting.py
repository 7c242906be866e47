"""Who the customers are and what they are worth, as the lab answers it: the page, and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from ibis import _

from retention_lab import charts, checks, wording
from retention_lab.charts import acquisition, campaigns, loyalty, revenue, rising, segments, worth
from retention_lab.checks import BadParameter
from retention_lab.customers import portrait as portraits
from retention_lab.customers import standing
from retention_lab.customers import worth as worths
from retention_lab.customers.migration import moves
from retention_lab.customers.portrait import BACK, FIRST_REPEAT, Portrait
from retention_lab.customers.rfm import MEASURES
from retention_lab.customers.segments import why
from retention_lab.customers.thresholds import Thresholds
from retention_lab.customers.worth import Worth
from retention_lab.lab.answer import Answer, Picture, told
from retention_lab.lab.figures import claims, completeness, in_whole_units, joined
from retention_lab.record import Ledger
from retention_lab.record import portrait as record
from retention_lab.record import worth as worth_record
from retention_lab.tables import playbook as plays
from retention_lab.tables.engine import collect
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import portrait as said

_NONE = pd.DataFrame()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Segmentation(Answer):
    """Who the customers are; each part of the segments page is an answer of its own."""

    shop: Snapshot
    seen: Portrait
    ledger: Ledger

    @property
    def cohorts(self) -> Answer:
        """Value cohorts; `frame`: see `customers.standing.sizes`, as for the next two."""
        return self._sized(self.seen.cohorts, segments.cohorts(self.seen.cohorts, self._currency))

    @property
    def named(self) -> Answer:
        """Named segments by the rules of the playbook."""
        return self._sized(self.seen.named, segments.named(self.seen.named, self._currency))

    @property
    def activity(self) -> Answer:
        """Tiers by days since the last purchase."""
        return self._sized(
            self.seen.activity, segments.activity(self.seen.activity, self._currency)
        )

    @property
    def slipped(self) -> Answer:
        """Who left a cohort, beside what luck does; `frame`: see `customers.migration.flows`."""
        chart = segments.flows(self.seen.flows, self.seen.moves)
        words = said.segments_moved(self.ledger, self.seen.standing)
        return told(self.seen.flows, chart, words)

    @property
    def moves(self) -> Answer:
        """From which cohort to which; `frame`: see `customers.migration.moves`."""
        return self._moved(self.seen.moves)

    @property
    def moves_named(self) -> Answer:
        """The same between named segments."""
        return self._moved(self.seen.moved)

    @property
    def moves_activity(self) -> Answer:
        """The same between tiers by days since the last purchase."""
        here = self.seen.standing
        return self._moved(None if here.before is None else moves(here, by="activity"))

    @property
    def lines(self) -> Answer:
        """The cut lines, and whether customers drift away from them; `frame`: by measure."""
        here, review = self.seen.standing, self.seen.review
        return Answer(
            frame=_NONE if review is None else review.stability,
            chart=None,
            sentence=joined(said.segments_lines_read(here), said.segments_review(review)),
            written=said.segments_lines(self.ledger, here),
        )

    @property
    def rising(self) -> Answer:
        """Who bought more of late than expected; `frame`: see `customers.rising.Rising`."""
        found = self.seen.rising
        chart = rising.observed_expected(found)
        return told(found.patterns, chart, said.rising_alerts(self.ledger, found))

    @property
    def messages(self) -> Answer:
        """What messages bring, beside the bands; `frame`: see `customers.campaigns.rates`."""
        frame = self.seen.messages
        return told(frame, campaigns.bands(frame), said.campaigns_rates(self.ledger, frame))

    @property
    def loyalty(self) -> Answer:
        """The ladder of loyalty; `frame`: see `customers.loyalty.tiers`."""
        frame, within = self.seen.tiers, self.seen.standing.within
        chart, words = loyalty.loyalty(frame), said.loyalty_tiers(frame, within=within)
        return told(in_whole_units(frame, self.shop, "revenue_within"), chart, words)

    @property
    def first_repeat(self) -> Answer:
        """Second purchases within 30 days by month; `frame`: see `customers.cohorts.returned`."""
        frame = self.seen.first_repeat
        chart = charts.returned_by_month(frame, days=FIRST_REPEAT)
        words = joined(
            said.first_repeat(frame, days=FIRST_REPEAT),
            wording.returned_curve(frame, days=FIRST_REPEAT),
            wording.records_begin(self.shop.records_from),
        )
        return told(frame, chart, words)

    @property
    def acquired(self) -> Answer:
        """Groups by how they came, compared; `frame`: share back by attribute and group."""
        frames = [one.shares.assign(by=one.by, days=BACK) for one in self.seen.acquired]
        frame = pd.concat(frames) if frames else _NONE
        return Answer(frame=frame, chart=None, sentence=said.acquired(self.seen.acquired))

    def acquired_by(self, by: str) -> Answer:
        """The curves of the groups of one attribute; `frame`: share back by group."""
        parts = {one.by: one for one in self.seen.acquired}
        checks.known("acquired_by", "attribute", [by], parts)
        return told(parts[by].shares, acquisition.acquired(parts[by]), said.acquired([parts[by]]))

    @property
    def revenue(self) -> Answer:
        """Revenue so far by month of the first purchase; `frame`: see `cohorts.revenue_triangle`.

        Money in the frame is in minor units.
        """
        frame = self.seen.revenue
        chart = revenue.revenue_triangle(frame, currency=self._currency)
        words = said.revenue_triangle(charts.listed(chart), currency=self._currency)
        return told(frame, chart, words)

    @property
    def _currency(self) -> str:
        return self.shop.currency

    def _sized(self, sizes: pd.DataFrame, chart: Picture) -> Answer:
        return told(in_whole_units(sizes, self.shop, "revenue_within"), chart, "")

    def _moved(self, moves: pd.DataFrame | None) -> Answer:
        chart = segments.moves(moves, self._currency, days=self.seen.standing.days)
        if moves is None:
            return told(moves, chart, "")
        return told(in_whole_units(moves, self.shop, "revenue_before", "revenue_now"), chart, "")


def rfm(
    shop: Snapshot,
    *,
    playbook: str | Path | Playbook,
    thresholds: str | Path | Thresholds,
    days: int,
    owner: str,
) -> Segmentation:
    """Answer who the customers are, and record all that the segments page does."""
    ledger = Ledger(where=shop.where)
    book = playbook if isinstance(playbook, Playbook) else plays.load(playbook)
    seen = portraits.portrait(shop, book, thresholds=thresholds, days=days)
    record.record(ledger, seen)
    here, consents = seen.standing, "consents" in shop.tables
    ledger.headline = said.segments_headline(ledger, here)
    sentences = (
        f"**{ledger.headline}**",
        said.portrait_body(ledger, seen),
        said.segments_action(ledger, here, owner=owner, consents=consents),
        completeness(shop),
    )
    return Segmentation(
        shop=shop,
        seen=seen,
        ledger=ledger,
        frame=claims(ledger.claims()),
        chart=segments.cohorts(seen.cohorts, shop.currency),
        sentence="\n\n".join(filter(None, sentences)),
        written=wording.definitions(ledger),
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Valued(Answer):
    """What customers are worth, and how such a forecast did on days held back."""

    found: Worth
    ledger: Ledger

    @property
    def tracked(self) -> Answer:
        """Purchases of days held back, expected and come; `frame`: see `customers.btyd`."""
        words = joined(
            said.worth_tracking(self.ledger, self.found) or self.found.why,
            said.worth_once(self.ledger, self.found),
        )
        return told(self.found.weeks, worth.tracking(self.found), words)


def value(shop: Snapshot, *, playbook: str | Path, thresholds: str | Path) -> Valued:
    """Answer what customers are expected to bring; `frame` has money in whole units."""
    ledger, book = Ledger(where=shop.where), plays.load(playbook)
    here = _standing(shop, book.segments, thresholds)
    found = worths.worth(shop, here.now, value=book.value, rules=here.rules)
    worth_record.record(ledger, found)
    frame = found.observed if found.by is None else found.by
    return Valued(
        found=found,
        ledger=ledger,
        frame=in_whole_units(frame, shop, "value", "low", "high"),
        chart=worth.by_cohort(found),
        sentence=said.worth_total(ledger, found),
        written=wording.definitions(ledger),
    )


def segment_of(
    shop: Snapshot, customer: str, *, playbook: str | Path, thresholds: str | Path
) -> Answer:
    """Answer where one customer stands and why; `frame` has the customer's purchases and scores."""
    here = _standing(shop, plays.load(playbook).segments, thresholds)
    row = collect(here.now.filter(_.customer_id == customer))
    if row.empty:
        raise BadParameter(
            f"No customer {customer!r} of {shop.name} has bought by {shop.as_of}, so there is no "
            "segment; look the id up in lab.orders."
        )
    known = {name: int(row.iloc[0][name]) for name in MEASURES.values()}
    known["purchases"], cuts = int(row.iloc[0]["purchases"]), here.thresholds.cuts
    rules = (here.rules.cohorts, here.rules.named)
    sentences = (why(known, cuts=cuts, rules=each, within=here.within) for each in rules)
    return Answer(
        frame=in_whole_units(row, shop, "revenue", "revenue_within", "repeat_revenue"),
        chart=None,
        sentence="\n\n".join(sentences),
    )


def _standing(shop: Snapshot, rules: plays.Segments, thresholds: str | Path) -> standing.Standing:
    file = Path(thresholds) if str(thresholds) else None
    return standing.standing(shop, rules, thresholds=file)
