"""What is kept of the board of segments: its code, its report, and lines that are frozen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from retention_lab.checks import BadParameter
from retention_lab.customers import thresholds as frozen
from retention_lab.customers.thresholds import Thresholds
from retention_lab.explore.explorer import Settings
from retention_lab.explore.making import Report
from retention_lab.explore.opened import root
from retention_lab.tables import playbook as plays
from retention_lab.tables.settings import read_yaml

if TYPE_CHECKING:
    from retention_lab.explore.segments import SegmentExplorer

NOTEBOOK = "notebooks/30_rfm_segments.ipynb"
OWN = Path("data/thresholds.yml")
_PARTS = {
    ("cohort", "sizes"): "cohorts",
    ("segment", "sizes"): "named",
    ("activity", "sizes"): "activity",
    ("cohort", "moves"): "moves",
    ("segment", "moves"): "moves_named",
    ("activity", "moves"): "moves_activity",
}


def code(explorer: SegmentExplorer, settings: Settings) -> str:
    """Write the cell: the shop, the playbook with its rules, the lines, and what is shown."""
    asked = [f"days={settings['days']}"]
    imports, made = ["import retention_lab"], []
    changed = _changed(explorer, settings)
    if changed:
        imports.append("from retention_lab.customers.segments import with_rules")
        imports.append("from retention_lab.tables import playbook")
        given = ", ".join(f"{name}={value!r}" for name, value in changed.items())
        made.append(f"book = playbook.load({explorer.playbook!r})")
        made.append(f"rules = with_rules(book.segments, {explorer.top!r}, {given})")
        asked.append('playbook=book.model_copy(update={"segments": rules})')
    else:
        asked.append(f"playbook={explorer.playbook!r}")
    if _are_drawn(explorer, settings):
        asked += [f"thresholds={explorer.thresholds!r}"] if _in_use(explorer, settings) else []
    else:
        imports.append("from retention_lab.customers.thresholds import Thresholds")
        fields = explorer.lines(settings).model_dump(mode="json")
        made.append(f"lines = Thresholds.model_validate({fields!r})")
        asked.append("thresholds=lines")
    shop = f"lab = {explorer.opened.lab(str(settings['where']))}"
    part = _PARTS[str(settings["by"]), str(settings["picture"])]
    asking = f"lab.rfm({', '.join(asked)}).{part}"
    return "\n".join([*sorted(imports), "", shop, *made, asking])


def report(explorer: SegmentExplorer, settings: Settings) -> Report:
    """Say what suite makes a report of it; it names files with the lines and rules."""
    files: dict[str, str] = {}
    own = plays.place(explorer.playbook) != plays.SHIPPED
    keys = {"playbook": explorer.playbook if own else "", "thresholds": ""}
    if _changed(explorer, settings):
        keys["playbook"] = _file("playbook", _playbook(explorer, settings), files)
    if not _are_drawn(explorer, settings):
        text = _text(explorer.lines(settings).model_dump())
        keys["thresholds"] = _file("lines", text, files)
    elif _in_use(explorer, settings):
        keys["thresholds"] = explorer.thresholds
    return Report(
        name="segments",
        title="Who your customers are",
        notebook=NOTEBOOK,
        where=str(settings["where"]),
        parameters={"days": settings["days"]},
        keys=keys,
        files=files,
    )


def freeze(lines: Thresholds) -> str:
    """Write the lines where all reports look for them, if there are none yet.

    Raises
    ------
    BadParameter
        If others are there, or the disk refuses.
    """
    place = root() / OWN
    if place.exists():
        raise BadParameter(
            f"{OWN} is there already: review it by `retention-lab cuts --review`, or move it away "
            "to freeze these lines in its place."
        )
    frozen.save(lines, place)
    return f"Written to `{OWN}`: every report scores by these lines until {lines.review_by}."


def _changed(explorer: SegmentExplorer, settings: Settings) -> dict[str, object]:
    """The rules that are not those of the playbook, as `with_rules` takes them."""
    names = ("high_recency", "high_frequency", "high_monetary")
    found: dict[str, object] = {}
    if any(settings[name] != explorer.start[name] for name in names):
        found["least"] = [settings[name] for name in names]
    now = {"activity": settings["activity"], "within": settings["within"]}
    return found | {name: value for name, value in now.items() if value != explorer.start[name]}


def _are_drawn(explorer: SegmentExplorer, settings: Settings) -> bool:
    """Whether the lab finds the lines by itself: those in use, or quantiles if none are frozen."""
    return settings["lines"] == "in use" or (
        settings["lines"] == "quantile" and not explorer.thresholds
    )


def _in_use(explorer: SegmentExplorer, settings: Settings) -> bool:
    """Whether the frozen lines count, which are of the days that the playbook scores."""
    return bool(explorer.thresholds) and settings["within"] == explorer.start["within"]


def _playbook(explorer: SegmentExplorer, settings: Settings) -> str:
    """The playbook in use with other rules of segments."""
    file = plays.place(explorer.playbook)
    fields = read_yaml(file.read_text(encoding="utf-8"), file=file)
    return _text({**fields, "segments": explorer.rules(settings).model_dump(exclude_none=True)})


def _text(fields: dict[str, object]) -> str:
    return yaml.safe_dump(_listed(fields), sort_keys=False, allow_unicode=True)


def _listed(value: object) -> object:
    """Make lists of tuples, which YAML does not know."""
    if isinstance(value, dict):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _file(kind: str, text: str, files: dict[str, str]) -> str:
    """Add a file, which is named by what it says, and return its path."""
    path = f"data/explored/{kind}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.yml"
    files[path] = text
    return path
