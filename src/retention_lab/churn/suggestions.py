"""What a list says of a customer: how likely, what goes with it, and which play to try."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from retention_lab.churn import forecast as forecasts
from retention_lab.churn import model as models
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.model import Model
from retention_lab.tables.playbook import Factor, Play

SHARES = ("probability", "low", "high")  # of the good thing: to stay; to return
DIGITS = 4  # of a share; customers of the same probability to so many are at the same risk
MOST = 3  # states named for a customer
NOTHING = "nothing that stands out"

_Record = Mapping[Hashable, Any]


def suggested(
    people: pd.DataFrame, *, model: Model, endpoint: Endpoint, plays: Sequence[Play], as_of: dt.date
) -> pd.DataFrame:
    """Say of each combination of states what the list says of its customers.

    Parameters
    ----------
    people
        A text column per factor and `weight`, as `churn.landmarks.people_collapsed` makes them.

    Returns
    -------
    DataFrame
        The rows of `people` with `probability`, `low`, `high` (to `DIGITS` digits), `goes_with`
        (words), and the `play` (words) and `play_name` of the first that fits, empty without one.
    """
    made = forecasts.forecast(model, people, endpoint=endpoint, as_of=as_of).people
    found = [_first_play(row, plays) for row in people.to_dict("records")]
    return people.assign(
        **{name: made[name].to_numpy().round(DIGITS) for name in SHARES},
        goes_with=_goes_with(people, model, endpoint),
        play=[play.play if play else "" for play in found],
        play_name=[play.name if play else "" for play in found],
    )


def _first_play(states: _Record, plays: Sequence[Play]) -> Play | None:
    fits = (
        play
        for play in plays
        if all(states.get(name) in allowed for name, allowed in play.when.items())
    )
    return next(fits, None)


def _goes_with(people: pd.DataFrame, model: Model, endpoint: Endpoint) -> list[str]:
    """Name the states of each row that go with more risk than customers have on average.

    Against the average: against the reference a state that is the reference itself, such as "not
    yet", would never be named. Of a factor all of whose intervals hold 1 nothing is said.
    """
    found = models.coefficients(model)
    clear = {*found.loc[(found["low"] > 1) | (found["high"] < 1), "factor"]}
    told = [factor for factor in model.factors if factor.name in clear]
    effects = model.design(people) * np.asarray(model.fit.coefficients)
    names = [str(column).partition(": ")[0] for column in effects]
    by_factor = effects.T.groupby(names).sum().T * (-1 if endpoint.kind == "returned" else 1)
    more = by_factor - np.average(by_factor, axis=0, weights=people["weight"])
    rows = zip(people.to_dict("records"), more.to_dict("records"), strict=True)
    return [_worded(told, states, rises) for states, rises in rows]


def _worded(told: Sequence[Factor], states: _Record, rises: _Record) -> str:
    up = [factor for factor in told if rises[factor.name] > 0]
    first = sorted(up, key=lambda factor: -float(rises[factor.name]))[:MOST]
    return "; ".join(f"{one.label}: {states[one.name]}" for one in first) or NOTHING
