"""A campaign test step by step: as of the last look, and only where the effect may be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import pandas as pd

from retention_lab.experiments import campaign
from retention_lab.experiments.attempts import Attempts
from retention_lab.experiments.campaign import Best
from retention_lab.experiments.readout import Readout
from retention_lab.tables.metrics import Metric

_NONE: Mapping[str, Metric] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Stepwise:
    """A read-out with `steps` (`campaign.funnel`) and `best` (`campaign.best`), None if untold.

    `readout.why` has a sentence under "funnel" and "best" then, if the test may be read at all.
    """

    readout: Readout
    steps: pd.DataFrame | None
    best: Best | None


def stepwise(seen: Readout, *, by: str, metrics: Mapping[str, Metric] = _NONE) -> Stepwise:
    """Measure the steps of a campaign, and which arm does best by one outcome.

    Parameters
    ----------
    by
        The outcome by which arms are ranked, as of `campaign.best`.
    metrics
        Own metrics by their names.
    """
    if seen.shop is None or seen.marked is None:
        return Stepwise(readout=seen, steps=None, best=None)
    tried = Attempts()
    asked = seen.shop, seen.marked.arms, seen.plan
    steps = tried("funnel", partial(campaign.funnel, *asked, metrics=metrics))
    best = tried("best", partial(campaign.best, *asked, metric=by, metrics=metrics))
    told = replace(seen, why={**seen.why, **tried.why})
    return Stepwise(readout=told, steps=steps, best=best)
