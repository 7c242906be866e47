"""A suite: the YAML file that says which notebooks are run together, on what and for whom."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from retention_lab import checks
from retention_lab.tables import clocks
from retention_lab.tables import source as sources

Period = Literal["day", "week", "month"]
OWN_FILES = {"metrics": "data/metrics.yml", "annotations": "data/annotations.yml"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Part(_Strict):
    """One notebook of a suite, the title of its page, and what it is told besides the usual."""

    notebook: str
    title: str
    parameters: dict[str, object] = {}

    @property
    def name(self) -> str:
        """The notebook's name without its ending, which is also that of its page."""
        return Path(self.notebook).stem

    def is_called(self, name: str) -> bool:
        """Tell whether `name` is the notebook's, or the number that its name begins with."""
        wanted = name.removesuffix(".ipynb")
        return wanted in (self.name, self.name.split("_")[0])


class Suite(_Strict):
    """What is run together.

    An empty `time_zone` means the source's own, an empty `where` all customers. `metrics` and
    `annotations` name the team's own files; where they are not said, those of `OWN_FILES` are used
    if they exist. `cell_minutes` is the longest that one cell may take.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str
    source: str
    owner: str
    period: Period = "week"
    time_zone: str = ""
    where: str = ""
    metrics: str | None = None
    annotations: str | None = None
    cell_minutes: Annotated[int, Field(ge=1)] = 60
    notebooks: Annotated[list[Part], Field(min_length=1)]
    file: Path = Field(default=Path("suite.yml"), exclude=True)

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        return clocks.zone(name).key if name else name

    @model_validator(mode="after")
    def _differ(self) -> Suite:
        for what, words in (
            ("name", [part.name for part in self.notebooks]),
            ("title", [part.title for part in self.notebooks]),
        ):
            twice = next((word for word in words if words.count(word) > 1), None)
            if twice is not None:
                raise ValueError(f"two notebooks have the {what} {twice!r}")
        return self

    def chosen(self, name: str | None) -> list[Part]:
        """Return the notebook of that name or number, or all.

        Raises
        ------
        BadParameter
            When the suite has none of that name.
        """
        found = [part for part in self.notebooks if name is None or part.is_called(name)]
        if name is not None and not found:
            checks.known(str(self.file), "notebook", [name], [part.name for part in self.notebooks])
        return found

    def place(self, path: str) -> Path:
        """Find a file by a path from here, from the suite's folder, or from one above either."""
        found = sources.find(path)
        if found.exists():
            return found
        above = (folder / path for folder in self.file.resolve().parents)
        return next((place for place in above if place.exists()), found)

    def notebook(self, part: Part) -> Path:
        """Look for a notebook above the suite first: one of that name elsewhere is not meant."""
        above = (folder / part.notebook for folder in self.file.resolve().parents)
        return next((place for place in above if place.is_file()), self.place(part.notebook))

    @property
    def source_for_notebooks(self) -> str:
        """The source as a notebook is told of it."""
        return self._spelled(self.source)

    def own_file(self, kind: Literal["metrics", "annotations"]) -> str:
        """Return the team's own file as a notebook is told of it; empty where there is none.

        Raises
        ------
        BadParameter
            When the suite names a file that is missing.
        """
        said: str | None = getattr(self, kind)
        path = OWN_FILES[kind] if said is None else said
        if not path or self.place(path).is_file():
            return path and self._spelled(path)
        if said is None:
            return ""
        raise checks.BadParameter(f"{self.file}: {kind} names {said}, but there is no such file.")

    def _spelled(self, path: str) -> str:
        """Keep the suite's spelling if it can be found so: a page names no folder of a machine."""
        return path if sources.find(path).exists() else str(self.place(path))


def load(path: str | Path, *, source: str | None = None, where: str | None = None) -> Suite:
    """Read and validate a suite file; `source` and `where` take the place of what it says.

    Raises
    ------
    BadParameter
        When the file is missing, is no YAML, or says something that a suite does not know.
    """
    file = sources.find(path)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cause = (
            "there is no such file"
            if isinstance(error, FileNotFoundError)
            else "it is no readable text file"
        )
        raise checks.BadParameter(f"The suite file {file} cannot be read: {cause}.") from error
    instead = {
        name: value for name, value in (("source", source), ("where", where)) if value is not None
    }
    try:
        return Suite.model_validate({**sources.read_yaml(text, file=file), **instead, "file": file})
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {sources.first_problem(error, model=Suite)}") from error


def period_end(day: dt.date, *, period: Period) -> dt.date:
    """Return the last day, on or before `day`, that completes a period; a week ends on Sunday."""
    match period:
        case "day":
            return day
        case "week":
            return day - dt.timedelta(days=day.isoweekday() % 7)
        case "month":
            return (day + dt.timedelta(days=1)).replace(day=1) - dt.timedelta(days=1)
