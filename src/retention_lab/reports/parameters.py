"""Typed parameters: a notebook's cell tagged `parameters` is the schema that every run must fit.

Each statement of that cell is `name: type = literal  # help`; `typed` tells the types.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retention_lab import checks, typed
from retention_lab.typed import Type

RESERVED = {  # what the runner fills in, and from where
    "source": "source of the suite or --source",
    "as_of": "--as-of",
    "where": "where of the suite or --where",
    "time_zone": "time_zone of the suite",
    "owner": "owner of the suite",
    "metrics": "metrics of the suite",
    "annotations": "annotations of the suite",
    "playbook": "playbook of the suite",
    "thresholds": "thresholds of the suite",
    "plan": "plan of the suite",
    "previous": "the results of the suite's report before",
    "ledgers": "--state",
}
NEEDED = ("source", "as_of")  # a notebook that is not told of them would show something else


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter as its notebook declares it."""

    name: str
    type: Type
    default: object
    help: str = ""


def read(path: Path) -> dict[str, Any]:
    """Read the file of a notebook as it is, which is enough for `declared`.

    Raises
    ------
    BadParameter
        When it is missing or is no notebook.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise checks.BadParameter(
            f"The notebook {path} cannot be read: there is no such file."
        ) from error
    except (OSError, ValueError) as error:
        raise checks.BadParameter(f"{path} is no notebook.") from error
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise checks.BadParameter(f"{path} is no notebook.")
    return found


def declared(notebook: Mapping[str, Any], *, name: str) -> dict[str, Parameter]:
    """Read what a notebook takes, by name; it may be the bare JSON of its file.

    Raises
    ------
    BadParameter
        When not exactly one cell is tagged, a statement has another form, a default does not fit
        its own type, or one of `NEEDED` is not declared.
    """
    source = _tagged(notebook, name=name)
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise checks.BadParameter(
            f"{name}: line {error.lineno} of its parameters is no Python."
        ) from error
    lines = source.splitlines()
    found = [_parameter(each, line=lines[each.end_lineno - 1], name=name) for each in statements]  # type: ignore[operator]
    for parameter in found:
        if parameter.name not in RESERVED:
            _refuse_misfit(parameter, parameter.default, name=name)
        elif parameter.type.kind not in ("str", "date" if parameter.name == "as_of" else "str"):
            raise checks.BadParameter(
                f"{name}: {parameter.name} is filled in by the runner and must be of type str."
            )
    schema = {parameter.name: parameter for parameter in found}
    lacking = next((each for each in NEEDED if each not in schema), None)
    if lacking is not None:
        raise checks.BadParameter(
            f"{name} does not declare {lacking} in its cell tagged `parameters`, so it would show "
            f'something else than it is asked for. Add the line `{lacking}: str = ""`.'
        )
    return schema


def _tagged(notebook: Mapping[str, Any], *, name: str) -> str:
    cells = [cell for cell in notebook.get("cells", []) if "parameters" in _tags(cell)]
    if len(cells) > 1:
        raise checks.BadParameter(f"{name} has {len(cells)} cells tagged `parameters`; keep one.")
    if not cells:
        raise checks.BadParameter(
            f"{name} has no cell tagged `parameters`, so it cannot be told of the source and the "
            "day. Begin with a copy of notebooks/custom/template.ipynb, which has one."
        )
    return "".join(cells[0].get("source", ""))  # a file holds it as a list of lines


def _tags(cell: object) -> Sequence[str]:
    metadata = cell.get("metadata") if isinstance(cell, dict) else None
    return metadata.get("tags") or () if isinstance(metadata, dict) else ()


def checked(
    given: Mapping[str, object], *, schema: Mapping[str, Parameter], name: str
) -> dict[str, object]:
    """Return the values that a suite gives to a notebook, dates as ISO text, once all of them fit.

    Raises
    ------
    BadParameter
        Naming the notebook, the parameter, the value and the rule that it breaks.
    """
    refuse_reserved(given, name=name)
    checks.known(name, "parameter", given, schema)
    values = {each: _iso(value) for each, value in given.items()}
    for each, value in values.items():
        _refuse_misfit(schema[each], value, name=name)
    return values


def refuse_reserved(given: Iterable[str], *, name: str) -> None:
    """Refuse to be given what the runner fills in.

    Raises
    ------
    BadParameter
        Naming the setting that says it.
    """
    reserved = next((each for each in given if each in RESERVED), None)
    if reserved is not None:
        raise checks.BadParameter(
            f"{name}: {reserved} is filled in by the runner, from {RESERVED[reserved]}. "
            "Remove it from parameters."
        )


def filled_in(
    told: Mapping[str, str], *, schema: Mapping[str, Parameter], name: str
) -> dict[str, object]:
    """Return what the runner tells a notebook: those of `RESERVED` that it declares.

    Raises
    ------
    BadParameter
        When customers or a zone are chosen and the notebook does not listen: its page would claim
        a choice that nobody made.
    """
    deaf = next(
        (each for each in ("where", "time_zone") if told[each] and each not in schema), None
    )
    if deaf is not None:
        raise checks.BadParameter(
            f"{name} does not take {deaf}, so it cannot be run with {deaf} {told[deaf]!r}."
        )
    return {each: value for each, value in told.items() if each in schema}


def _parameter(statement: ast.stmt, *, line: str, name: str) -> Parameter:
    shown = ast.unparse(statement)
    match statement:
        case ast.AnnAssign(
            target=ast.Name(id=called), annotation=annotation, value=ast.expr() as value
        ):
            try:
                default = ast.literal_eval(value)
            except ValueError as error:
                raise checks.BadParameter(
                    f"{name}: the default in `{shown}` must be a literal, such as 30 or 'all'."
                ) from error
            words = line[statement.end_col_offset or 0 :].partition("#")[2].strip()
            kind = _type(annotation, shown=f"{name}: `{shown}`")
            return Parameter(name=called, type=kind, default=default, help=words)
    raise checks.BadParameter(
        f"{name}: `{shown}` among its parameters must read `name: type = literal`."
    )


def _type(annotation: ast.expr, *, shown: str) -> Type:
    """Read an annotation; without quotes, Python itself must know it."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return typed.parse(annotation.value, shown=shown)
    bare = ast.unparse(annotation)
    if bare not in typed.BARE:
        raise checks.BadParameter(f"{shown} must be {typed.FORMS}.")
    return typed.parse(bare, shown=shown)


def _refuse_misfit(parameter: Parameter, value: object, *, name: str) -> None:
    told = f" ({parameter.help})" if parameter.help else ""
    typed.refuse_misfit(f"{name}: {parameter.name}{told}", value, parameter.type)


def _iso(value: object) -> object:
    """YAML reads an unquoted day as a date, which papermill cannot pass on."""
    return value.isoformat() if isinstance(value, dt.date) else value
