"""Settings in YAML: reading them strictly, and wording what is wrong in them.

What stands in a settings file may be secret, such as a connection string. So a refusal here never
carries the parser's own error, which quotes the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from retention_lab import checks


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once; a second one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    problem=f"{key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_timestamp(self, node: yaml.ScalarNode) -> dt.date | dt.datetime:
        try:
            return super().construct_yaml_timestamp(node)
        except ValueError as error:  # 2026-02-30 looks like a date and is read as one
            raise ValueError(f"{node.value} on line {node.start_mark.line + 1}") from error


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_yaml_timestamp)


def read_yaml(text: str, *, file: Path) -> dict[str, Any]:
    """Return the mapping at the top of a YAML file.

    Raises
    ------
    BadParameter
        With the line on which the file breaks, or when it holds something else than a mapping.
    """
    try:
        fields = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        broken = _broken(error)
    except ValueError as error:
        broken = f"holds a date that does not exist ({error}): mend it."
    else:
        if isinstance(fields, dict):
            return fields
        broken = "must be a mapping such as `name: My shop`, but is empty or something else."
    raise checks.BadParameter(f"{file} {broken}")


def _broken(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f" near line {mark.line + 1}" if mark else ""
    why = f" ({problem})" if problem else ""
    return f"is not valid YAML{where}{why}: check its indentation and quotes."


def first_problem(error: ValidationError, *, model: type[BaseModel] | None = None) -> str:
    """Word what pydantic found first, misspelt names before all else.

    With the `model` that was validated, an unknown name comes with the nearest known one.
    """
    problems = error.errors(include_url=False, include_context=False)
    problem = min(problems, key=lambda one: one["type"] != "extra_forbidden")
    parts = [str(part) for part in problem["loc"]]
    place = ".".join(parts)
    match problem["type"]:
        case "extra_forbidden":
            known = _model_at(parts[:-1], model).model_fields if model else {}
            return f"{place} is not a setting.{checks.did_you_mean(parts[-1], known)}"
        case "missing":
            return f"{place} is missing."
        case kind if kind.startswith("date_"):
            return f"{place}: must be a day such as 2026-11-29, got {str(problem['input'])!r}."
    message = problem["msg"].removeprefix("Value error, ").rstrip(".")
    own = problem["type"] == "value_error"  # our words already tell the value, and often the place
    if own or not isinstance(problem["input"], str | int | float | dt.date):
        return f"{message}." if message.startswith(place) else f"{place}: {message}."
    return f"{place}: {message}, got {problem['input']!r}."


def _model_at(parts: list[str], model: type[BaseModel]) -> type[BaseModel]:
    """Follow a place in the file down the models; parts that are keys or positions lead nowhere."""
    for part in parts:
        field = model.model_fields.get(part)
        model = next(_models(field.annotation), model) if field else model
    return model


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
