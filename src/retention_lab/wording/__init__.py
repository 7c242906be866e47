"""One function a sentence, built from recorded results; each page defines what a number is.

House rules: "in 100 customers" before "%", points for a difference of shares, the interval in the
same sentence, what to do with an owner and a date, one thing not to do where it is tempting, and no
words above the fold that only a statistician reads.
"""

from __future__ import annotations

from retention_lab.wording.annotations import happened, lately, named
from retention_lab.wording.answer import (
    completeness,
    overview_action,
    overview_body,
    overview_happened,
    overview_headline,
)
from retention_lab.wording.changed import changed_table, restated, what_changed
from retention_lab.wording.measures import (
    activity,
    records_begin,
    repeat_rate,
    repurchase,
    retention_rate,
    returned_curve,
    triangle,
)
from retention_lab.wording.metrics import own_metrics, own_metrics_read
from retention_lab.wording.phrases import (
    Direction,
    Instead,
    counted,
    day,
    direction,
    full_day,
    in_hundred,
    month,
)
from retention_lab.wording.rows import beside, controls, definitions, left_out, waterfall
from retention_lab.wording.why import (
    why_answer,
    why_cautions,
    why_dimensions,
    why_parts,
    why_restated,
)

__all__ = [
    "Direction",
    "Instead",
    "activity",
    "beside",
    "changed_table",
    "completeness",
    "controls",
    "counted",
    "day",
    "definitions",
    "direction",
    "full_day",
    "happened",
    "in_hundred",
    "lately",
    "left_out",
    "month",
    "named",
    "overview_action",
    "overview_body",
    "overview_happened",
    "overview_headline",
    "own_metrics",
    "own_metrics_read",
    "records_begin",
    "repeat_rate",
    "repurchase",
    "restated",
    "retention_rate",
    "returned_curve",
    "triangle",
    "waterfall",
    "what_changed",
    "why_answer",
    "why_cautions",
    "why_dimensions",
    "why_parts",
    "why_restated",
]
