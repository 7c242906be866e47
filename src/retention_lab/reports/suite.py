"""A suite: the YAML file that says which notebooks are run together, on what and for whom.

It is read before anything else is loaded, so that a mistake is refused at once.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from retention_lab import checks
from retention_lab.reports import matrix, parameters
from retention_lab.reports.calendar import Period, period_end
from retention_lab.reports.matrix import Cell, Matrix, Strict
from retention_lab.tables import clocks
from retention_lab.tables import source as sources
from retention_lab.tables.contracts import CONTRACTS
from retention_lab.tables.settings import first_problem, read_yaml

__all__ = ["OWN_FILES", "Part", "Period", "Suite", "load", "period_end"]

OWN_FILES = {
    "metrics": "data/metrics.yml",
    "annotations": "data/annotations.yml",
    "playbook": "data/playbook.yml",
    "thresholds": "data/thresholds.yml",
    "plan": "",  # of one test; no file is every suite's
}


def _mail_address(text: str) -> str:
    if not re.fullmatch(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.[^\s@<>,;:\".]+", text):
        raise ValueError(f"{text!r} is no mail address such as team@example.org")
    return text


def _clock_time(value: object) -> dt.time:
    """Read a time; YAML takes 10:30 without quotes for the number 630."""
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f'give a time in quotes, such as "09:00", got {value!r}')
    return dt.time.fromisoformat(value)


def _command(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return value
    raise ValueError(f"no shell reads it: give a list such as [notify, --now], got {value!r}")


MailAddress = Annotated[str, AfterValidator(_mail_address)]
Command = Annotated[list[str], BeforeValidator(_command)]


class Part(Strict):
    """One notebook of a suite, the title of its page, and what it is told besides the usual.

    `tables` are those that it rests on; where none is named, all that the source has.
    """

    notebook: str
    title: str
    parameters: dict[str, object] = Field(default_factory=dict)
    tables: list[str] = Field(default_factory=list)

    @field_validator("tables")
    @classmethod
    def _are_tables(cls, names: list[str]) -> list[str]:
        checks.known("tables", "table", names, CONTRACTS)
        return names

    @property
    def name(self) -> str:
        """The notebook's name without its ending, which is also that of its page."""
        return Path(self.notebook).stem

    def is_called(self, name: str) -> bool:
        """Tell whether `name` is the notebook's, or the number that its name begins with."""
        wanted = name.removesuffix(".ipynb")
        return wanted in (self.name, self.name.split("_")[0])


class Suite(Strict):
    """What is run together.

    An empty `time_zone` means the source's own, an empty `where` all customers. `as_of` says how
    the day is chosen: the last `period` that is over today, or that the data are complete for.
    `wait_until` is how long to wait for late data on the day of the run. `metrics`, `annotations`,
    `playbook` and `thresholds` name the team's own files; where they are not said, those of
    `OWN_FILES` are used if they exist. `plan` is that of the test that the suite is about.
    `cell_minutes` is the longest that one cell may take, `minutes` a whole run. Groups below
    `smallest_cell` customers are not shown. `keep` is how many reports stay, the newest; None
    keeps all.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: str
    source: str
    owner: str
    owner_mail: MailAddress | None = None
    readers: list[MailAddress] = Field(default_factory=list)
    period: Period = "week"
    as_of: Literal["today", "data"] = "today"
    time_zone: str = ""
    wait_until: Annotated[dt.time | None, BeforeValidator(_clock_time)] = None
    where: str = ""
    matrix: Matrix | None = None
    metrics: str | None = None
    annotations: str | None = None
    playbook: str | None = None
    thresholds: str | None = None
    plan: str | None = None
    minutes: Annotated[int, Field(ge=1)] = 240
    cell_minutes: Annotated[int, Field(ge=1)] = 60
    smallest_cell: Annotated[int, Field(ge=2, le=100)] = 10
    keep: Annotated[int, Field(ge=1)] | None = None
    publish: str | None = None
    pdf: bool = False
    brand: str | None = None
    on_success: Command | None = None
    on_failure: Command | None = None
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
        varied = self.matrix.parameters if self.matrix else {}
        for part in self.notebooks:
            for name in varied.keys() & part.parameters.keys():
                raise ValueError(f"both matrix and {part.name} set the parameter {name!r}")
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

    def expanded(self) -> list[Suite]:
        """Return a suite for each combination of the matrix, or this one where it has none.

        Each has a name and a title of its own, `where` chooses the customers that have its values,
        and a notebook that declares one of its parameters is told of it.

        Raises
        ------
        BadParameter
            When no notebook declares a parameter of the matrix, or one cannot be read.
        """
        if self.matrix is None:
            return [self]
        taken = {part.notebook: self._taken(part) for part in self.notebooks}
        free = {name for schema in taken.values() for name in schema} - {*parameters.RESERVED}
        checks.known(f"matrix of {self.file}", "parameter", self.matrix.parameters, sorted(free))
        cells = self.matrix.cells
        names = matrix.names(self.name, cells)
        return [self._one(cell, name, taken) for cell, name in zip(cells, names, strict=True)]

    def _taken(self, part: Part) -> dict[str, parameters.Parameter]:
        path = self.notebook(part)
        return parameters.declared(parameters.read(path), name=path.name)

    def _one(self, cell: Cell, name: str, taken: Mapping[str, Collection[str]]) -> Suite:
        """The suite for one combination of the matrix; `taken` are the parameters by notebook."""
        told = [
            {each: value for each, value in cell.parameters.items() if each in taken[part.notebook]}
            for part in self.notebooks
        ]
        parts = [
            part.model_copy(update={"parameters": {**part.parameters, **more}})
            for part, more in zip(self.notebooks, told, strict=True)
        ]
        return self.model_copy(
            update={
                "name": name,
                "title": f"{self.title}, {cell.words}",
                "where": cell.within(self.where),
                "notebooks": parts,
                "matrix": None,
            }
        )

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

    def own_file(self, kind: str) -> str:
        """Return one of `OWN_FILES` as a notebook is told of it; empty where there is none.

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


def load(path: str | Path, **instead: object) -> Suite:
    """Read and validate a suite file; what is said here takes the place of what the file says.

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
    said = {name: value for name, value in instead.items() if value is not None}
    try:
        return Suite.model_validate({**read_yaml(text, file=file), **said, "file": file})
    except ValidationError as error:
        raise checks.BadParameter(f"{file}: {first_problem(error, model=Suite)}") from error
