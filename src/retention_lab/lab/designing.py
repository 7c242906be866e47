"""How large a test must be, as the lab answers it: the design page, and its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention_lab.charts import proposal as charts
from retention_lab.experiments import plan as plans
from retention_lab.experiments.plan import Plan
from retention_lab.experiments.proposal import Proposal, proposal
from retention_lab.lab.answer import Answer, Picture, screen, told, written
from retention_lab.lab.figures import claims, completeness, joined
from retention_lab.lab.overviews import OWNER
from retention_lab.record import Ledger
from retention_lab.record import design as record
from retention_lab.tables import metrics as own
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import proposal as said


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Design(Answer):
    """How large a test must be; each part of the design page is an answer of its own."""

    seen: Proposal
    ledger: Ledger

    @property
    def plan(self) -> Answer:
        """The plan in words, and the names in it that the shop does not know."""
        return written(said.design_plan(self.seen), said.design_unknown(self.seen))

    @property
    def arrivals(self) -> Answer:
        """Who reached the milestone by week; `frame`: see `experiments.history.History.weeks`."""
        past = self.seen.history
        return told(past.weeks, charts.arrivals(past), said.history_arrivals(self.ledger, past))

    @property
    def baseline(self) -> Answer:
        """How those who reached it went on; `frame`: see `survival.daygrid.kaplan_meier`."""
        past = self.seen.history
        words = joined(
            said.history_baseline(self.ledger, past), said.history_delivered(self.ledger, past)
        )
        return told(past.curve, charts.baseline(past), words)

    @property
    def effects(self) -> Answer:
        """What smaller and larger effects take; `frame`: see `experiments.tradeoffs.effects`."""
        return self._part("effects", charts.effects(self.seen), said.tradeoffs_effects(self.seen))

    @property
    def calendar(self) -> Answer:
        """What it would find by day; `frame`: see `experiments.tradeoffs.calendar`."""
        words = said.tradeoffs_calendar(self.seen)
        return self._part("calendar", charts.calendar(self.seen), words)

    @property
    def allocations(self) -> Answer:
        """What the share of control costs; `frame`: see `experiments.tradeoffs.allocations`."""
        words = said.tradeoffs_allocation(self.seen)
        return self._part("allocations", charts.allocations(self.seen), words)

    @property
    def looks(self) -> Answer:
        """What stops it at each look; `frame`: see `experiments.lookahead.looks`."""
        return self._part("looks", charts.looks(self.seen), said.tradeoffs_looks(self.seen))

    @property
    def families(self) -> Answer:
        """What more looks cost and save; `frame`: see `experiments.lookahead.families`."""
        return self._part("families", charts.families(self.seen), said.tradeoffs_looks(self.seen))

    @property
    def assumptions(self) -> Answer:
        """What it rests on and how wrong that may be; `frame`: see `experiments.believed.wrong`."""
        words = (
            said.believed_weakest(self.ledger, self.seen),
            said.believed_differs(self.seen),
            said.design_plan_lines(self.seen),
        )
        return self._part("wrong", charts.wrong(self.seen), joined(*words))

    @property
    def believed(self) -> Answer:
        """What it rests on, by whose word, and what the plan says; `frame`: as it is shown."""
        words = said.design_simulated(self.ledger, self.seen)
        return written(said.believed_table(self.seen), words)

    @property
    def guardrails(self) -> Answer:
        """Which harm it could rule out; `frame`: see `experiments.guarding.guardrails`."""
        frame = self.seen.guardrails
        return Answer(
            frame=pd.DataFrame() if frame is None else frame,
            chart=charts.margins(self.seen),
            sentence=joined(
                said.guarding_sentence(self.ledger, self.seen),
                said.design_costs(self.ledger, self.seen),
            ),
            written=said.guarding_table(self.ledger, self.seen),
        )

    def _part(self, name: str, chart: Picture, words: str) -> Answer:
        return told(getattr(self.seen, name), chart, words)


def design(
    shop: Snapshot,
    plan: Plan | str | Path,
    *,
    metrics: str | Path,
    baseline: float | None,
    times: int,
    seed: int,
) -> Design:
    """Answer how large the test of a plan must be, and record all that the design page does.

    `metrics` is a file of own metrics, or empty. The picture is that of effects.
    """
    ledger, read = Ledger(where=shop.where), plan if isinstance(plan, Plan) else plans.load(plan)
    known = {metric.name: metric for metric in own.load(metrics)}
    seen = proposal(shop, read, metrics=known, baseline=baseline, times=times, seed=seed)
    record.record(ledger, seen)
    ledger.headline = said.design_headline(ledger, seen)
    return Design(
        seen=seen,
        ledger=ledger,
        frame=claims(ledger.claims()),
        chart=charts.effects(seen),
        **screen(
            ledger,
            said.design_body(ledger, seen),
            said.design_decide(ledger, seen, owner=OWNER),
            completeness(shop),
        ),
    )
