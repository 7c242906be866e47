"""The matrix of a suite: a run for each combination of customers' attributes and parameters."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from retention_lab.reports import parameters

LONGEST = 80  # characters of the name of a run: it is the name of a folder


class Strict(BaseModel):
    """A part of a suite file: nothing unknown in it, and nothing turned into another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _texts(values: object) -> object:
    """YAML reads some texts as something else, such as NO for Norway as false."""
    for one in values if isinstance(values, list) else ():
        if not isinstance(one, str) or not one.strip() or not one.isprintable():
            raise ValueError(f"write each value as text in quotes, got {one!r}")
    return values


def _differing(values: list[object]) -> list[object]:
    shown = Counter(map(repr, values))
    twice = next((value for value, times in shown.items() if times > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} stands twice")
    return values


_Values = Annotated[list[object], Field(min_length=1), AfterValidator(_differing)]
_Texts = Annotated[
    list[str], Field(min_length=1), BeforeValidator(_texts), AfterValidator(_differing)
]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One combination: a value of each attribute and of each parameter of a matrix."""

    attributes: Mapping[str, str]
    parameters: Mapping[str, object]

    def within(self, where: str) -> str:
        """Add to a condition, which may be empty, that customers have these attributes."""
        quoted = {name: text.replace("'", "''") for name, text in self.attributes.items()}
        own = [f"{name} = '{text}'" for name, text in quoted.items()]
        return " and ".join([f"({where})", *own] if own and where.strip() else own or [where])

    @property
    def words(self) -> str:
        """What a title says of it: `UK, days 30`."""
        named = [f"{name} {_text(value)}" for name, value in self.parameters.items()]
        return ", ".join([*self.attributes.values(), *named])

    @property
    def slug(self) -> str:
        """What a folder's name says of it: `uk-30`; other values may have the same."""
        texts = [*self.attributes.values(), *map(_text, self.parameters.values())]
        return "-".join(_slug(text) or _hash(text) for text in texts)


class Matrix(Strict):
    """Values of customers' attributes and of notebooks' parameters."""

    attributes: dict[str, _Texts] = Field(default_factory=dict)
    parameters: dict[str, _Values] = Field(default_factory=dict)

    @field_validator("attributes")
    @classmethod
    def _are_columns(cls, attributes: dict[str, list[str]]) -> dict[str, list[str]]:
        for name in attributes:
            if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):  # it becomes part of a condition
                raise ValueError(f"{name!r} is no name of an attribute, such as country")
        return attributes

    @field_validator("parameters")
    @classmethod
    def _are_free(cls, values: dict[str, list[object]]) -> dict[str, list[object]]:
        parameters.refuse_reserved(values, name="matrix")
        return values

    @model_validator(mode="after")
    def _says_something(self) -> Matrix:
        if not self.attributes and not self.parameters:
            raise ValueError("a matrix names attributes, parameters or both")
        return self

    @property
    def cells(self) -> list[Cell]:
        """All combinations, the last name varying fastest."""
        axes: list[Sequence[object]] = [*self.attributes.values(), *self.parameters.values()]
        cut = len(self.attributes)
        return [
            Cell(
                attributes=dict(zip(self.attributes, map(str, values[:cut]), strict=True)),
                parameters=dict(zip(self.parameters, values[cut:], strict=True)),
            )
            for values in itertools.product(*axes)
        ]


def names(of: str, cells: Sequence[Cell]) -> list[str]:
    """Name the runs of a suite by their values: all differ, and each fits a folder.

    Where values look alike without their accents and signs, or are too long, a hash tells them
    apart; it depends on the values alone, so that a run keeps its name when others are added.
    """
    plain = [f"{of}-{cell.slug}" for cell in cells]
    alike = Counter(plain)
    return [
        f"{name[:LONGEST].rstrip('-')}-{_hash(cell.attributes, cell.parameters)}"
        if alike[name] > 1 or len(name) > LONGEST
        else name
        for name, cell in zip(plain, cells, strict=True)
    ]


def _slug(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", bare).strip("-")


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _hash(*of: object) -> str:
    return hashlib.sha256(repr(of).encode()).hexdigest()[:8]
