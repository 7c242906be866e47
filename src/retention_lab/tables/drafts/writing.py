"""The text of a source file, in the order of the guide, with a word on what needs one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from retention_lab.tables.drafts.deciding import Settings

_REMARKS = {
    ("currency", "XXX"): "no currency was stated; put three letters here, such as EUR",
    ("duplicates", "add_up"): "several rows are parts of one",
    ("duplicates", "keep_first"): "several rows repeat the same total",
}


def text(settings: Settings, *, notes: Sequence[str]) -> str:
    """Write settings as YAML that a person can read and change; `notes` stand above them."""
    lines = [f"# {note}" for note in notes]
    for name, value in settings.items():
        if name == "tables" and isinstance(value, dict):
            lines += ["", "tables:"]
            for table, said in value.items():
                lines += [f"  {table}:", *_table(said), ""]
        else:
            lines.append(_line(name, value))
    return "\n".join(lines).rstrip() + "\n"


def _line(name: str, value: object) -> str:
    remark = _REMARKS.get((name, str(value)), "")
    if name == "time_zone":
        remark = "of times without an offset; days in reports follow it, too"
    return f"{name}: {_flow(value)}" + (f" # {remark}" if remark else "")


def _table(said: Mapping[str, object]) -> Iterator[str]:
    for name, value in said.items():
        if name in ("columns", "attributes") and isinstance(value, dict):
            yield f"    {name}:"
            yield from (f"      {key}: {_flow(one)}" for key, one in value.items())
        elif isinstance(value, list):
            yield f"    {name}:"
            for one in value:
                yield from _item(one)
        else:
            yield f"    {_line(name, value)}"


def _item(one: object) -> Iterator[str]:
    """Write an item of a list; a rule gets a line for its condition."""
    if isinstance(one, dict) and "where" in one:
        yield f"      - reason: {_flow(one['reason'])}"
        yield f"        where: {_flow(one['where'])}"
    else:
        yield f"      - {_flow(one)}"


def _flow(value: object) -> str:
    """Write a value on one line."""
    said = yaml.safe_dump(
        value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return said.removesuffix("\n").removesuffix("\n...")


def write(path: Path, content: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(content, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
