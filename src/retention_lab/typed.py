"""The types that a notebook's parameters may have: one rule for the runner and for JupyterLab.

A parameter reads `name: type = literal`. The types are int, float, str, bool and list[int]; in
quotes, as they are no Python, "date" for a day in ISO text, 'Literal["a", "b"]' for a choice, and
ranges with both ends included: "int from 1 to 730", "float from 0", "date to 2026-12-31". The range
of a list is that of each of its numbers.
"""

from __future__ import annotations

import ast
import contextlib
import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retention_lab import checks

_PLAIN = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "list[int]": "a list of whole numbers",
    "date": "a day such as 2026-11-29",
}
_RANGE = re.compile(r"(int|float|list\[int\]|date)(?: from (?P<low>\S+))?(?: to (?P<high>\S+))?")
BARE = tuple(name for name in _PLAIN if name != "date")  # those that Python knows by itself
FORMS = (
    f'of type {", ".join(BARE)}, or in quotes "date", \'Literal["a", "b"]\' or a range such as '
    '"int from 1 to 730"'
)


@dataclass(frozen=True, kw_only=True)
class Type:
    """One type: its kind, the values of a choice, and the ends of a range where it has any.

    The ends of dates are ISO text, as the dates themselves are.
    """

    kind: str
    choices: tuple[object, ...] = ()
    low: float | str | None = None
    high: float | str | None = None

    @property
    def rule(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            return "one of " + ", ".join(map(repr, self.choices))
        begins = "" if self.low is None else f" from {self.low}"
        ends = "" if self.high is None else f" to {self.high}"
        only = " up" if bool(begins) != bool(ends) else ""  # from 1 up, up to 730
        comma = "," if self.kind == "date" and begins + ends else ""
        return f"{_PLAIN[self.kind]}{comma}{begins}{only}{ends}"

    def accepts(self, value: object) -> bool:
        """Tell whether a value is of the type; true is no number, and 1.0 no whole one."""
        match self.kind:
            case "int":
                return type(value) is int and self._holds(value)
            case "float":
                return _is_number(value) and self._holds(value)
            case "list[int]":
                return isinstance(value, list) and all(
                    type(each) is int and self._holds(each) for each in value
                )
            case "date":
                return _is_day(value) and self._holds(value)
            case "str" | "bool":
                return type(value).__name__ == self.kind
        return any(type(value) is type(choice) and value == choice for choice in self.choices)

    def _holds(self, value: object) -> bool:
        low, high = self.low, self.high
        return (low is None or low <= value) and (high is None or value <= high)  # type: ignore[operator]


def parse(text: str, *, shown: str) -> Type:
    """Read a type from the text of its annotation; a refusal begins with `shown`.

    Raises
    ------
    BadParameter
        When it is none of `FORMS`, or the ends of a range are of another type or leave nothing.

    Examples
    --------
    >>> parse("int from 1 to 730", shown="days").rule
    'a whole number from 1 to 730'
    """
    if text in _PLAIN:
        return Type(kind=text)
    if (found := _RANGE.fullmatch(text)) is not None:
        return _ranged(found, shown=shown)
    if (found := re.fullmatch(r"Literal\[(.+)\]", text)) is not None:
        with contextlib.suppress(ValueError, SyntaxError):
            return Type(kind="Literal", choices=ast.literal_eval(f"({found[1]},)"))
    raise checks.BadParameter(f"{shown} must be {FORMS}.")


def refuse_misfit(name: str, value: object, kind: Type) -> None:
    """Refuse a value that is not of its type.

    Raises
    ------
    BadParameter
        Telling the name, the rule and the value.
    """
    if not kind.accepts(value):
        raise checks.BadParameter(f"{name} must be {kind.rule}, got {value!r}.")


def check(namespace: Mapping[str, Any]) -> None:
    """Refuse parameters that do not fit, in the cell after theirs: `typed.check(globals())`.

    In JupyterLab it is what the runner does before it starts a notebook. What else has a type in
    the notebook, such as a frame, is left alone.

    Raises
    ------
    BadParameter
        As the runner does.
    """
    for name, annotation in namespace.get("__annotations__", {}).items():
        text = annotation if isinstance(annotation, str) else _spelled(annotation)
        if name in namespace and (isinstance(annotation, str) or text in BARE):
            refuse_misfit(name, namespace[name], parse(text, shown=name))


def _spelled(annotation: object) -> str:
    return annotation.__name__ if type(annotation) is type else str(annotation)


def _ranged(found: re.Match[str], *, shown: str) -> Type:
    """Read the ends of a range as the values that they limit."""
    one = Type(kind="int" if found[1] == "list[int]" else found[1])
    low, high = (_end(found[each], of=one, shown=shown) for each in ("low", "high"))
    if low is not None and high is not None and low > high:  # type: ignore[operator]
        raise checks.BadParameter(f"{shown} has a range that ends, at {high}, before it begins.")
    return Type(kind=found[1], low=low, high=high)


def _end(text: str | None, *, of: Type, shown: str) -> float | str | None:
    if text is None:
        return None
    with contextlib.suppress(ValueError, SyntaxError):
        end: float | str = text if of.kind == "date" else ast.literal_eval(text)
        if of.accepts(end):
            return end
    raise checks.BadParameter(f"{shown} has a range with the end {text}, which is not {of.rule}.")


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_day(value: object) -> bool:
    try:
        return dt.date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        return False
