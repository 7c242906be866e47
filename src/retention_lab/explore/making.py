"""Making a report of a view: the suite that runs it, and the files that the suite names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from retention_lab import checks
from retention_lab.explore.opened import ROOT, Opened, root
from retention_lab.state import files
from retention_lab.tables import population


@dataclass(frozen=True, kw_only=True)
class Report:
    """What makes a report of a view.

    Parameters
    ----------
    name, title
        Of the suite; the title is that of its one page, too. The name is in lower case, with
        digits, ``-`` and ``_``; what tells this view from others is added to it.
    notebook
        Its path from the root of the project.
    where
        A condition over customers, besides the one that the shop was opened with.
    parameters
        Of the notebook, besides those that every suite gives.
    keys
        Further keys of the suite, such as ``plan``.
    files
        Text by path from the root: what the suite names and may not exist yet.
    """

    name: str
    title: str
    notebook: str
    where: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    keys: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Made:
    """The suite that was written, its text, and the command that runs it."""

    file: Path
    text: str
    command: str


def make(report: Report, opened: Opened, *, owner: str) -> Made:
    """Write the suite of a view; the same view gives the same file, another never takes its place.

    Raises
    ------
    BadParameter
        When this is no project, a file is there with another content, or the disk refuses.
    """
    if not (root() / ROOT).is_dir():
        raise checks.BadParameter(
            f"There is no folder {ROOT} here or above, so there is no place for a suite; open the "
            "notebook in the folder of the project."
        )
    suite = _suite(report, opened, owner=owner)
    text = yaml.safe_dump(suite, sort_keys=False, allow_unicode=True)
    place = ROOT / f"{suite['name']}.yml"
    for path, content in {**report.files, str(place): text}.items():
        write(root() / path, content)
    command = f"retention-lab run {place} --as-of {opened.shop.as_of}"
    return Made(file=root() / place, text=text, command=command)


def _suite(report: Report, opened: Opened, *, owner: str) -> dict[str, object]:
    where = population.both(opened.where, report.where)
    same = {"time_zone": opened.time_zone, "where": where}
    part = {"notebook": report.notebook, "title": report.title}
    about = {
        "title": report.title,
        "source": opened.source,
        "owner": owner,
        "period": "day",
        "as_of": "data",
        **{key: value for key, value in same.items() if value},
        **report.keys,
        "notebooks": [
            part | ({"parameters": dict(report.parameters)} if report.parameters else {})
        ],
    }
    told = json.dumps([about, dict(report.files)], sort_keys=True, default=str).encode()
    return {"name": f"{report.name}-{hashlib.sha256(told).hexdigest()[:6]}", **about}


def write(place: Path, content: str) -> None:
    """Write a file where there is none; what is there with the same content stays.

    Raises
    ------
    BadParameter
        When it is there with another content, or the disk refuses.
    """
    if place.exists():
        if place.read_text(encoding="utf-8") == content:
            return
        raise checks.BadParameter(
            f"{place} is there already and says something else; move it away, or give yours "
            "another name."
        )
    try:
        files.write(place, content.encode())
    except OSError as error:
        raise checks.BadParameter(
            f"{place} cannot be written ({error.strerror}); nothing was changed."
        ) from error
