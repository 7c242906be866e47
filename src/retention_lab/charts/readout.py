"""The pictures of the page that reads a test, or the sentence why there is none."""

from __future__ import annotations

from retention_lab.charts.effects import against, curves
from retention_lab.charts.looking import looks
from retention_lab.charts.measured import guardrails, secondaries
from retention_lab.charts.subgroups import effects as segments

__all__ = ["against", "curves", "guardrails", "looks", "secondaries", "segments"]
