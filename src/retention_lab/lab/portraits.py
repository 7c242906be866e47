"""Questions that a playbook or a plan answers: who will stay, who they are, what a test needs."""

from __future__ import annotations

from pathlib import Path

from retention_lab.customers.thresholds import Thresholds
from retention_lab.experiments.plan import Plan
from retention_lab.lab import churning, designing, overviews, segmenting
from retention_lab.lab.answer import Answer
from retention_lab.lab.churning import Churn
from retention_lab.lab.designing import Design
from retention_lab.lab.segmenting import Segmentation, Valued
from retention_lab.tables.playbook import Playbook
from retention_lab.tables.snapshot import Snapshot

PLAYBOOK = "data/playbook.yml"


class Portraits:
    """What a playbook (or, without a file of that name, its defaults) and a plan answer."""

    snapshot: Snapshot

    def churn(self, *, horizon: int = 90, playbook: str | Path = PLAYBOOK) -> Churn:
        """How many will leave in the next days, or buy again, and how earlier forecasts have fared.

        The playbook says what may go with it; without a file of that name the defaults hold. Its
        parts are answers, too: `.stay`, `.milestones`, `.three_ways`, `.causes`, `.goes_with`,
        `.contracts`, `.tested`, `.chances`, `.whom`, `.lost` and `.again`. `frame`: one row per
        recorded result.

        Example::

            lab.churn(horizon=90)
            lab.churn().goes_with
        """
        return churning.churn(
            self.snapshot, playbook=playbook, horizon=horizon, owner=overviews.OWNER
        )

    def rfm(
        self,
        *,
        days: int = 90,
        thresholds: str | Path | Thresholds = "",
        playbook: str | Path | Playbook = PLAYBOOK,
    ) -> Segmentation:
        """Who the customers are, what they bring, and who slipped or rose within so many days.

        `thresholds` is a file of frozen cut lines; without one they are drawn of the earlier day.
        Lines and a playbook that you made are taken as they are. Its parts are answers, too:
        `.cohorts`, `.named`, `.activity`, `.slipped`, `.moves`, `.moves_named`, `.moves_activity`,
        `.lines`, `.rising`, `.messages`, `.loyalty`, `.first_repeat`, `.acquired`,
        ``.acquired_by("country")`` and `.revenue`. `frame`: one row per recorded result.

        Example::

            lab.rfm()
            lab.rfm(days=30).slipped
        """
        return segmenting.rfm(
            self.snapshot,
            playbook=playbook,
            thresholds=thresholds,
            days=days,
            owner=overviews.OWNER,
        )

    def value(self, *, thresholds: str | Path = "", playbook: str | Path = PLAYBOOK) -> Valued:
        """What today's customers are expected to bring, or why that cannot be said.

        Months, discount and margin stand in the playbook. `frame`: one row per value cohort, as
        `customers.worth.Worth` has them. `.tracked` answers how such a forecast did on days held
        back.

        Example::

            lab.value()
            lab.value().tracked
        """
        return segmenting.value(self.snapshot, playbook=playbook, thresholds=thresholds)

    def segment_of(
        self, customer: str, *, thresholds: str | Path = "", playbook: str | Path = PLAYBOOK
    ) -> Answer:
        """In which cohort and segment a customer is, and why, in a sentence each.

        `frame`: the purchases and the scores of the customer, in one row.

        Example::

            lab.segment_of("100")
        """
        return segmenting.segment_of(
            self.snapshot, customer, playbook=playbook, thresholds=thresholds
        )

    def design(
        self,
        plan: Plan | str | Path,
        *,
        metrics: str | Path = "",
        baseline: float | None = None,
        times: int = 2000,
        seed: int = 1,
    ) -> Design:
        """How large the randomized test of a plan must be, and how wrong what it rests on may be.

        `plan` is its file, or a plan that is tried out, as by `experiments.drafting.drafted`.
        `metrics` is a file of your own metrics, which the plan may guard; a `baseline` counts in
        the place of what history tells; `times` tests are simulated. Its parts are answers, too:
        `.plan`, `.arrivals`, `.baseline`, `.effects`, `.calendar`, `.allocations`, `.looks`,
        `.families`, `.assumptions`, `.believed` and `.guardrails`.
        `frame`: one row per recorded result.

        Example::

            lab.design("experiments/templates/check_in_48h.yml")
            lab.design("experiments/templates/win_back.yml", times=100).effects
        """
        return designing.design(
            self.snapshot, plan, metrics=metrics, baseline=baseline, times=times, seed=seed
        )
