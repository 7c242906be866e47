"""The triangle beside its curves, for a board: drawn anew at each move of a control."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from retention_lab.charts.cohort_curves import called, described, layers, lined, nothing
from retention_lab.charts.cohorts import triangle_columns, triangle_layers, with_mean
from retention_lab.charts.frame import DARK, ORANGE, PALE
from retention_lab.wording import Instead

PICK = "pick"  # the selection of a cell
# Together as wide as JupyterLab leaves room for beside its files on a laptop.
_TRIANGLE, _CURVES, _HEIGHT = 350, 280, 360


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """A chart without rows and names: its parameters, which tell of clicks, and its text."""

    params: list[alt.TopLevelParameter]
    text: str

    def named(self, **names: Sequence[str]) -> dict[str, Any]:
        """Return the specification with names in the places that wait for them."""
        text = self.text
        for place, every in names.items():
            text = text.replace(json.dumps(_waiting(place)), json.dumps(list(every)))
        return dict(json.loads(text))


def _waiting(place: str) -> list[str]:
    return [f"names of {place}"]


class Beside(alt.HConcatChart):
    """The triangle to the left of its curves.

    Altair checks a chart each time that it is drawn, which takes longer than all else when a
    control is moved. Here each shape is checked once (`_shape`), and then holds other rows.
    """

    width = alt.Undefined  # what asks a chart for it knows none of two halves

    def __init__(self, params: list[alt.TopLevelParameter], spec: dict[str, Any]) -> None:
        super().__init__(hconcat=[], params=params)
        self.spec = spec

    def to_dict(self, *_: object, **__: object) -> dict[str, Any]:
        """Return the specification, its rows included."""
        return dict(self.spec)


def beside(
    shown: tuple[pd.DataFrame, pd.DataFrame],
    points: pd.DataFrame,
    *,
    others: pd.DataFrame,
    unit: str,
    later: bool,
    picked: tuple[pd.Timestamp | None, int],
) -> Beside | Instead:
    """Set the triangle beside its `curves`; a click on a cell picks it.

    `shown` is what `hidden_in` gave, `picked` a cohort and a period, which are framed.
    """
    cells, mean = shown
    if points.empty and cells.empty:
        return nothing(unit)
    data, (cohort, at) = with_mean(cells, mean, minor_per_unit=1), picked
    names, sides = (list(dict.fromkeys(each)) for each in (data["cohort"], points["side"]))
    shape = _shape(len(sides), unit=unit, later=later)
    parts = {
        "description": described(points, unit=unit, later=later, at=at),
        "datasets": {
            "cells": _rows(data),
            "points": _rows(lined(points, others).assign(cohort=lambda rows: rows["side"])),
            "picked": [{"cohort": called(cohort, cells), "period": at}],
        },
    }
    return Beside(shape.params, shape.named(cohorts=names, sides=sides) | parts)


def _rows(data: pd.DataFrame) -> list[dict[Any, Any]]:
    """Write rows as JSON knows them, which has no NaN."""
    plain = data.astype("object")
    return [dict(row) for row in plain.where(plain.notna(), None).to_dict("records")]


@functools.cache
def _shape(sides: int, *, unit: str, later: bool) -> _Shape:
    """Draw both halves without their rows, for so many sides."""
    cohorts = _waiting("cohorts")
    every = triangle_columns(unit, "")
    shares = ["active", "share", "low", "high"]
    shares = [f"later_{name}" for name in shares[1:]] if later else shares
    columns = {name: every[name] for name in ("cohort", "size", "period", *shares)}
    cells = triangle_layers(alt.NamedData("cells"), columns, unit=unit, cohorts=cohorts)
    row = alt.Y("cohort:O", sort=cohorts)
    frame = alt.Chart(alt.NamedData("picked")).encode(x="period:O", y=row)
    frame = frame.mark_rect(filled=False, stroke=ORANGE, strokeWidth=3)
    hover = alt.selection_point(name="hover", fields=["cohort"], on="pointerover", empty=False)
    pick = alt.selection_point(name=PICK, fields=["cohort", "period"], toggle=False)
    measure = alt.param(name="measure", value="later_share" if later else "share")
    left = alt.layer(cells, frame).add_params(measure, pick, hover)
    left = left.properties(width=_TRIANGLE, height=_HEIGHT)
    names = _waiting("sides")
    right = layers(alt.NamedData("points"), names, many=sides, unit=unit, later=later)
    right.layer[0] = right.layer[0].encode(
        color=alt.condition(hover, alt.value(DARK), alt.value(PALE)),
        strokeWidth=alt.condition(hover, alt.value(3), alt.value(1)),
    )
    whole = alt.hconcat(left, right.properties(width=_CURVES, height=_HEIGHT))
    whole = whole.resolve_scale(color="independent", strokeDash="independent")
    told = [each for each in whole.params if each.name != hover.name]  # only in the picture
    return _Shape(params=told, text=json.dumps(whole.to_dict()))
