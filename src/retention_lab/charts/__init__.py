"""One function a picture. Each takes a small aggregated frame and embeds only what it shows.

Every chart carries its words: a description for readers who cannot see it, a caption, and the
headings of its data table. Groups of fewer than `SMALL` customers are left out, and curves end
where fewer are followed; where nothing remains, a sentence stands in the place of the picture.
"""

from __future__ import annotations

import os
import sys

if os.environ.get("RETENTION_LAB_STATIC"):  # the runner's own kernels, not a person's
    # A report has no widgets: without this Altair would load them all, a fifth of a second.
    sys.modules.setdefault("anywidget", None)  # type: ignore[arg-type]
if "rfc3987_syntax" not in sys.modules:  # as in `reports`: Altair has its grammar not built
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import altair as alt

if sys.modules["rfc3987_syntax"] is None:  # in a person's kernel it is there again
    del sys.modules["rfc3987_syntax"]

from retention_lab.charts.activity import activity_tiers, monthly_revenue, repurchase_curve
from retention_lab.charts.cohorts import COHORTS, PERIODS, returned_by_month, triangle
from retention_lab.charts.frame import MIME, as_mime, listed
from retention_lab.charts.quality import left_out
from retention_lab.charts.why import why_groups, why_steps

__all__ = [
    "COHORTS",
    "MIME",
    "PERIODS",
    "activity_tiers",
    "left_out",
    "listed",
    "monthly_revenue",
    "repurchase_curve",
    "returned_by_month",
    "triangle",
    "why_groups",
    "why_steps",
]

alt.renderers.register("retention_lab", as_mime)
alt.renderers.enable("retention_lab")
