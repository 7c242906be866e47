"""What can be said of the days ahead: a forecast that was tested on earlier ones, or why not."""

from __future__ import annotations

from dataclasses import dataclass, replace

from retention_lab.checks import BadData
from retention_lab.churn import backtest as backtests
from retention_lab.churn import endpoints, episodes, factors, landmarks
from retention_lab.churn import forecast as forecasts
from retention_lab.churn import model as models
from retention_lab.churn.backtest import Backtest
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.forecast import Forecast
from retention_lab.churn.model import LEAST_EVENTS, Model
from retention_lab.tables.playbook import Factor, Playbook
from retention_lab.tables.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """A forecast with what it rests on.

    `factors` are those of the playbook that the data can tell, `unused` the labels of the others.
    Without a `backtest` the forecast is that of `forecast.own_clock`, and has no `model`; of
    `not_told` customers of today it says nothing. `why` says in a sentence why there is no
    backtest, or no forecast either; it is for everybody to read, so it counts no few.
    """

    endpoint: Endpoint
    horizon: int
    factors: tuple[Factor, ...]
    unused: tuple[str, ...]
    model: Model | None = None
    forecast: Forecast | None = None
    backtest: Backtest | None = None
    not_told: int = 0
    why: str = ""


def outlook(shop: Snapshot, playbook: Playbook, *, horizon: int) -> Outlook:
    """Forecast the `horizon` days after the shop's day, and test the same on earlier days.

    Raises
    ------
    BadData
        If the shop has neither subscriptions nor orders.
    """
    endpoint, every = endpoints.chosen(shop), playbook.churn.factors
    known = factors.usable(shop, every, timed=False)
    found = Outlook(
        endpoint=endpoint,
        horizon=horizon,
        factors=known,
        unused=tuple(factor.label for factor in every if factor not in known),
    )
    try:
        return _tested(shop, found)
    except BadData:  # which counts the few there are
        return _untested(shop, replace(found, why=_why(found)))


def _why(found: Outlook) -> str:
    did = "bought again" if found.endpoint.kind == "returned" else "left"
    return (
        f"No forecast of an earlier day can be compared with what came: that takes {LEAST_EVENTS} "
        f"customers who {did} in one period of {found.horizon} days, others who did not, and one "
        "more such period. Where there are all of these, try a playbook of fewer factors."
    )


def _tested(shop: Snapshot, found: Outlook) -> Outlook:
    known, horizon, endpoint = found.factors, found.horizon, found.endpoint
    days = landmarks.dates(shop, horizon=horizon)
    if not days:
        raise BadData(f"{shop.name} has no {horizon} days of history yet to learn from.")
    past = landmarks.landmarks(shop, endpoint, known, days=days, horizon=horizon)
    tested = backtests.backtest(past, known, horizon=horizon, as_of=shop.as_of, endpoint=endpoint)
    model = models.fit(past, known, horizon=horizon)
    people = landmarks.people_collapsed(shop, endpoint, known)
    ahead = forecasts.forecast(model, people, endpoint=endpoint, as_of=shop.as_of)
    return replace(found, model=model, forecast=ahead, backtest=tested)


def _untested(shop: Snapshot, found: Outlook) -> Outlook:
    """Forecast on each customer's own clock, where there is a contract and that much is known."""
    if found.endpoint.kind != "cancelled":
        return found
    timed = factors.usable(shop, found.factors, timed=True)
    rows = episodes.episodes(shop, found.endpoint, timed)
    people = forecasts.ages(shop, found.endpoint, timed)
    try:
        ahead = forecasts.own_clock(
            episodes.collapsed(rows, timed),
            people,
            timed,
            horizon=found.horizon,
            endpoint=found.endpoint,
            as_of=shop.as_of,
        )
    except BadData:
        return found
    not_told = int(people["weight"].sum()) - ahead.customers
    return replace(found, forecast=ahead, not_told=not_told)
