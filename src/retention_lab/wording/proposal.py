"""The sentences of the page that designs a test, in one place."""

from __future__ import annotations

from retention_lab.wording.design import (
    design_body,
    design_decide,
    design_headline,
    design_plan_lines,
    design_unknown,
)

__all__ = [
    "design_body",
    "design_decide",
    "design_headline",
    "design_plan_lines",
    "design_unknown",
]
