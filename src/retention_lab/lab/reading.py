"""What a test showed, as the lab answers it: the read-out, and its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention_lab import state as states
from retention_lab.charts import campaign_test as campaigns
from retention_lab.charts import readout as charts
from retention_lab.checks import BadParameter
from retention_lab.experiments import plan as plans
from retention_lab.experiments.readout import At, Readout, readout
from retention_lab.experiments.stepwise import stepwise
from retention_lab.lab.answer import Answer, screen, told, written
from retention_lab.lab.figures import claims, completeness, joined
from retention_lab.record import Ledger
from retention_lab.record import campaign_test as recorded_steps
from retention_lab.record import readout as record
from retention_lab.tables import metrics as own
from retention_lab.tables.metrics import Metric
from retention_lab.tables.snapshot import Snapshot
from retention_lab.wording import campaign_test as said_steps
from retention_lab.wording import readout as said


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reading(Answer):
    """What a test showed; each part of the page is an answer of its own."""

    seen: Readout
    ledger: Ledger
    metrics: Mapping[str, Metric]

    @property
    def validity(self) -> Answer:
        """Whether the test may be read; `frame`: the checks, as they are shown."""
        words = said.validity_sentence(self.ledger, self.seen)
        return written(said.validity_table(self.ledger, self.seen), words)

    @property
    def effect(self) -> Answer:
        """What each arm did; `frame`: its numbers, as they are shown."""
        table = said.effects_table(self.ledger, self.seen)
        words = said.effects_sentences(self.ledger, self.seen)
        return written(table, words, chart=charts.against(self.seen))

    @property
    def curves(self) -> Answer:
        """How the arms went on; `frame`: see `survival.daygrid.kaplan_meier`, with `arm`."""
        words = said.effects_sentences(self.ledger, self.seen)
        return told(self.seen.curves, charts.curves(self.seen), words)

    @property
    def looks(self) -> Answer:
        """When it was looked at; `frame`: the looks, as they are shown."""
        words = said.looking_sentence(self.ledger, self.seen)
        table = said.looking_table(self.ledger, self.seen)
        return written(table, words, chart=charts.looks(self.seen))

    @property
    def guardrails(self) -> Answer:
        """What must not suffer; `frame`: see `experiments.measured.measured`."""
        words = said.measured_guardrails(self.ledger, self.seen)
        return told(self.seen.measured, charts.guardrails(self.seen), words)

    @property
    def secondaries(self) -> Answer:
        """What else was measured; `frame`: see `experiments.measured.measured`."""
        words = said.measured_secondaries(self.ledger, self.seen)
        return Answer(
            frame=_rows(self.seen.measured),
            chart=charts.secondaries(self.seen),
            sentence=joined(words, said.measured_basis(self.seen)),
            written=said.measured_table(self.ledger, self.seen),
        )

    @property
    def segments(self) -> Answer:
        """The effect by segment; `frame`: see `experiments.subgroups.Subgroups.rows`."""
        found = self.seen.subgroups
        words = said.subgroups_sentence(self.ledger, self.seen)
        return told(None if found is None else found.rows, charts.segments(self.seen), words)

    @property
    def deviations(self) -> Answer:
        """What differs from the frozen plan; `frame`: as it is shown."""
        return written(said.deviating(self.seen), said.deviating_sentence(self.seen))

    @property
    def decision(self) -> str:
        """The draft of `decision.md`."""
        return said.decision_file(self.ledger, self.seen)

    def steps(self, by: str = "revenue_per_customer") -> Answer:
        """Step by step, and which arm does best `by` an outcome.

        `frame`: see `experiments.campaign.funnel`.
        """
        found = stepwise(self.seen, by=by, metrics=self.metrics)
        recorded_steps.record(self.ledger, found.readout, found.steps, found.best)
        words = joined(
            said_steps.campaign_best(self.ledger, found.readout, found.best),
            said_steps.campaign_steps(self.ledger, found.readout, found.steps),
        )
        return Answer(
            frame=_rows(found.steps),
            chart=campaigns.lifts(found.readout, found.steps),
            sentence=words,
            written=said_steps.campaign_table(self.ledger, found.readout, found.steps),
        )


def read(
    shop: Snapshot,
    plan: str | Path,
    *,
    at: At,
    ledgers: str | Path,
    metrics: str | Path,
    owner: str,
) -> Reading:
    """Answer what the test of a plan showed, and record all that the page does.

    If the shop's day is a look, it is remembered in the state `ledgers` from then on. The picture
    is that of the effect.

    Raises
    ------
    BadParameter
        If only some customers are chosen.
    """
    if shop.where:
        raise BadParameter(
            f"A test is read on everybody who was assigned, and here are only customers with "
            f"{shop.where}: ask the lab without `where`. The page has the effect by segment."
        )
    known = {metric.name: metric for metric in own.load(metrics)}
    state = states.opened(states.found(ledgers))
    seen = readout(shop, plans.load(plan), state=state, at=at, metrics=known)
    ledger = Ledger()
    record.record(ledger, seen)
    ledger.headline = said.readout_headline(ledger, seen)
    return Reading(
        seen=seen,
        ledger=ledger,
        metrics=known,
        frame=claims(ledger.claims()),
        chart=charts.against(seen),
        **screen(
            ledger,
            said.readout_body(ledger, seen),
            said.readout_do(ledger, seen, owner=owner),
            completeness(shop),
        ),
    )


def _rows(frame: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if frame is None else frame
