"""What happened when: dates that readers should have in mind when they see a figure move.

The file is described in `data/README.md`. An annotation says what went on at a time, never that it
was the cause of anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import source as sources
from retention_lab.tables.location import Strict
from retention_lab.tables.period import Period
from retention_lab.tables.settings import first_problem, read_yaml

Kind = Literal["promotion", "price", "outage", "tracking change", "holiday"]

LONGEST = 60  # characters of a label


class Annotation(Strict):
    """One thing that happened on a business-local `date`, or from then to `until`, included."""

    date: dt.date
    until: dt.date | None = None
    label: str
    kind: Kind

    @field_validator("label")
    @classmethod
    def _fits_a_line(cls, label: str) -> str:
        words = " ".join(label.split())
        if not 0 < len(words) <= LONGEST or not words.isprintable():
            raise ValueError(f"a label is 1 to {LONGEST} characters of plain text, got {label!r}")
        return words

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Annotation:
        if self.until is not None and self.until < self.date:
            raise ValueError(f"`until` {self.until} is before `date` {self.date}")
        return self

    @property
    def period(self) -> Period:
        """The days on which it went on."""
        return Period(first=self.date, last=self.until or self.date)


class _File(Strict):
    annotations: tuple[Annotation, ...]

    @field_validator("annotations")
    @classmethod
    def _differ(cls, annotations: tuple[Annotation, ...]) -> tuple[Annotation, ...]:
        seen = set()
        for each in annotations:
            if (each.date, each.label) in seen:
                raise ValueError(f"{each.label!r} of {each.date} stands twice")
            seen.add((each.date, each.label))
        return annotations


def load(path: str | Path, *, as_of: dt.date) -> tuple[Annotation, ...]:
    """Read a file of annotations, as it is to be known at the end of the day `as_of`.

    Returns
    -------
    tuple of Annotation
        By date. Those after `as_of` are left out, and what was still going on then ends with it. An
        empty `path` has none.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or an entry does not fit.
    """
    if not str(path):
        return ()
    file = sources.find(path)
    try:
        fields = read_yaml(file.read_text(encoding="utf-8"), file=file)
        found = _File.model_validate(fields).annotations
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise checks.BadParameter(f"The annotations {file} cannot be read: {why}.") from error
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error, model=_File)}") from error
    known = (_known_at(as_of, each) for each in found if each.date <= as_of)
    return tuple(sorted(known, key=lambda each: (each.date, each.label)))


def _known_at(as_of: dt.date, annotation: Annotation) -> Annotation:
    return annotation.model_copy(update={"until": min(annotation.period.last, as_of)})


def within(
    annotations: Sequence[Annotation], *, first: dt.date, last: dt.date
) -> tuple[Annotation, ...]:
    """Return those that went on at any time from `first` to `last`, both included."""
    return tuple(
        each for each in annotations if each.period.first <= last and first <= each.period.last
    )
