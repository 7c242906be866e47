"""What went on in a period: named beside a figure, never called its cause."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from retention_lab.tables.annotations import Annotation, within

_MARKS = re.compile(r"([\\`*_~<>&$|\[\]:@.])")  # the last three make links of addresses


def named(annotation: Annotation) -> str:
    """Return for example `Summer sale (promotion, August 2026)`, as plain text."""
    return f"{annotation.label} ({annotation.kind}, {annotation.period.name})"


def happened(annotations: Sequence[Annotation], *, first: dt.date, last: dt.date) -> str:
    """Name what went on from `first` to `last`, in Markdown; an empty text where nothing did."""
    found = within(annotations, first=first, last=last)
    if not found:
        return ""
    return f"In that time: {'; '.join(inert(named(each)) for each in found)}."


def lately(annotations: Sequence[Annotation], *, as_of: dt.date, days: int) -> str:
    """Name what went on in the `days` days up to a day; an empty text where nothing did."""
    return happened(annotations, first=as_of - dt.timedelta(days=days - 1), last=as_of)


def inert(text: str) -> str:
    """Escape what Markdown would read inside a sentence: a label is what somebody typed."""
    return _MARKS.sub(r"\\\1", text)
