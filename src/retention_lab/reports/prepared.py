"""What can be refused before anything heavy is loaded: a suite's notebooks and their parameters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention_lab import checks
from retention_lab.reports import parameters
from retention_lab.reports.parameters import Parameter
from retention_lab.reports.suite import OWN_FILES, Part, Suite


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A notebook that has passed the checks, with the values that the suite gives it.

    `notebook` is the bare JSON of its file, `schema` what it declares, by name.
    """

    part: Part
    path: Path
    notebook: Mapping[str, Any]
    schema: Mapping[str, Parameter]
    values: Mapping[str, object]


def prepare(suite: Suite, *, only: str | None = None) -> list[Chapter]:
    """Return the notebooks of a suite, or `only` one by name or number, once all of them fit.

    Raises
    ------
    BadParameter
        When a notebook, a parameter or a file of the team's does not fit.
    """
    return [_chapter(suite, part) for part in suite.chosen(only)]


def told(suite: Suite) -> dict[str, str]:
    """Say what a notebook is told before the day and the report before it are known.

    Raises
    ------
    BadParameter
        When the suite names a file that is missing.
    """
    return {
        "source": suite.source_for_notebooks,
        "as_of": "",
        "where": suite.where,
        "time_zone": suite.time_zone,
        "owner": suite.owner,
        **{kind: suite.own_file(kind) for kind in OWN_FILES},
        "previous": "",
        "ledgers": "",
    }


def refuse_own_files(suite: Suite) -> None:
    """Refuse a team's own files and a brand that cannot be used, before a kernel starts.

    Formulas are read by the query engine, so this is not part of `prepare`.

    Raises
    ------
    BadParameter
        Naming the file and what does not fit in it.
    """
    from retention_lab.experiments import plan  # noqa: PLC0415
    from retention_lab.reports import brand  # noqa: PLC0415
    from retention_lab.tables import annotations, metrics, playbook  # noqa: PLC0415

    files = told(suite)
    metrics.load(files["metrics"])
    annotations.load(files["annotations"], as_of=dt.date.max)
    playbook.load(files["playbook"])
    if files["plan"]:
        plan.load(suite.place(files["plan"]))
    if suite.brand:
        brand.load(suite.place(suite.brand))


def _chapter(suite: Suite, part: Part) -> Chapter:
    path = suite.notebook(part)
    notebook = parameters.read(path)
    _refuse_other_cells(notebook, path=path)
    schema = parameters.declared(notebook, name=path.name)
    values = parameters.checked(part.parameters, schema=schema, name=path.name)
    filled = told(suite)
    parameters.filled_in(filled, schema=schema, name=path.name)
    if "plan" in schema and not filled["plan"]:
        raise checks.BadParameter(
            f"{path.name} is about one test, and {suite.file} names none: say "
            "`plan: experiments/<your test>/plan.yml` there."
        )
    return Chapter(part=part, path=path, notebook=notebook, schema=schema, values=values)


def _refuse_other_cells(notebook: Mapping[str, Any], *, path: Path) -> None:
    """Refuse what JupyterLab would not open as a notebook of the present format."""
    if notebook.get("nbformat") != 4:
        raise checks.BadParameter(
            f"{path} is no notebook of format 4. Open it in JupyterLab and save it."
        )
    for number, cell in enumerate(notebook["cells"], start=1):
        if not isinstance(cell, dict) or not {"cell_type", "source", "metadata"} <= cell.keys():
            raise checks.BadParameter(
                f"{path}: cell {number} lacks its type, source or metadata. Open the notebook in "
                "JupyterLab and save it."
            )
