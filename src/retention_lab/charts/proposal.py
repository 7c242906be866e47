"""The pictures of the page that designs a test, or the sentence why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import altair as alt
import pandas as pd

from retention_lab.charts import believed, guarding, tradeoffs
from retention_lab.charts.history import arrivals, baseline
from retention_lab.experiments.proposal import Proposal
from retention_lab.wording import Instead

__all__ = [
    "allocations",
    "arrivals",
    "baseline",
    "calendar",
    "effects",
    "families",
    "looks",
    "margins",
    "wrong",
]

Picture = TypeVar("Picture", bound=alt.Chart | alt.LayerChart | Instead)
_RESTS_ON = ("sized", "believed")


def effects(seen: Proposal) -> alt.LayerChart | Instead:
    """Weeks that the test takes by the effect it looks for."""
    return _or_why(seen, "effects", tradeoffs.effects)


def calendar(seen: Proposal) -> alt.LayerChart | Instead:
    """How often the test would find its effect, by the day on which it is read once."""
    return _or_why(seen, "calendar", tradeoffs.calendar)


def allocations(seen: Proposal) -> alt.LayerChart | Instead:
    """Customers that the test needs by the share of control."""
    return _or_why(seen, "allocations", tradeoffs.allocations)


def looks(seen: Proposal) -> alt.LayerChart | Instead:
    """What stops the test at each look, and how likely that is."""
    return _or_why(seen, "looks", tradeoffs.looks)


def families(seen: Proposal) -> alt.LayerChart | Instead:
    """What more looks cost, and save."""
    return _or_why(seen, "families", tradeoffs.families)


def wrong(seen: Proposal) -> alt.LayerChart | Instead:
    """Customers needed if an assumption is wrong."""
    return _or_why(seen, "wrong", believed.wrong)


def margins(seen: Proposal) -> alt.LayerChart | Instead:
    """The smallest harm that the test could rule out, by guardrail."""
    return _or_why(seen, "guardrails", guarding.margins)


def _or_why(
    seen: Proposal, name: str, draw: Callable[[pd.DataFrame], Picture]
) -> Picture | Instead:
    part = getattr(seen, name)
    if part is not None:
        return draw(part)
    why = next((seen.why[each] for each in (name, *_RESTS_ON) if each in seen.why), "")
    return Instead(f"No picture. {why}".strip())
