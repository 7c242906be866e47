"""Made-up outlooks: forecasts and backtests of which every number is known."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from retention_lab.churn.backtest import Backtest
from retention_lab.churn.endpoints import Endpoint
from retention_lab.churn.forecast import Forecast
from retention_lab.churn.outlook import Outlook
from retention_lab.inference.interval import Interval

AS_OF = dt.date(2026, 11, 29)
HORIZON = 90
WHY = "No forecast of an earlier day can be compared with what came."


def between(value, arm):
    return Interval(value=value, low=value - arm, high=value + arm)


def forecast(kind="cancelled", *, customers=1_000, expected=None, checked=True, left_out=()):
    """Half of the customers leave with 0.3, half with 0.1; as many return with 0.7 and 0.9."""
    likely = customers // 2
    people = pd.DataFrame({"weight": [likely, customers - likely], "probability": [0.7, 0.9]})
    people = people.assign(low=people["probability"] - 0.05, high=people["probability"] + 0.05)
    value = 0.2 * customers if expected is None else expected
    return Forecast(
        endpoint=Endpoint(kind=kind),
        as_of=AS_OF,
        horizon=HORIZON,
        customers=customers,
        expected=between(value, min(value, 20.4)),
        people=people,
        checked=checked,
        left_out=left_out,
    )


def backtest(*, came=(190, 205, 198, 204), customers=1_000, brier=0.12, null=0.16, sizes=100):
    """A forecast of 200 (180 to 220) on each of some days, and what came of it."""
    days = [AS_OF - dt.timedelta(days=HORIZON * place) for place in range(len(came), 0, -1)]
    origins = pd.DataFrame({"origin": pd.to_datetime(days), "observed": came})
    origins = origins.assign(customers=customers, expected=200.0, low=180.0, high=220.0)
    origins["held"] = origins["observed"].between(180, 220)
    tenths = pd.DataFrame({"group": range(1, 11), "n": sizes})
    tenths["predicted"] = [0.5 + each / 25 for each in range(10)]
    tenths["observed"] = tenths["predicted"] + 0.02
    tenths = tenths.assign(low=tenths["observed"] - 0.05, high=tenths["observed"] + 0.05)
    return Backtest(
        origins=origins,
        calibration=tenths,
        brier=between(brier, 0.01),
        brier_null=between(null, 0.01),
        concordance=between(0.7, 0.02),
        auc=between(0.72, 0.02),
    )


def outlook(kind="cancelled", *, ahead=None, tested=None, **fields):
    """An outlook with a forecast; without a backtest it says why."""
    return Outlook(
        endpoint=Endpoint(kind=kind),
        horizon=HORIZON,
        factors=(),
        unused=fields.pop("unused", ()),
        forecast=ahead,
        backtest=tested,
        why="" if tested else WHY,
        **fields,
    )
