"""Customers who buy and spend at rates of their own until they stop, for tests of their worth."""

from __future__ import annotations

import datetime as dt

import numpy as np

START = dt.date(2023, 1, 1)
TRUTH = {"r": 0.8, "alpha": 45.0, "a": 0.9, "b": 3.0}  # days
SPEND = {"p": 6.0, "q": 5.0, "v": 20.0}  # whole units


def bought(rng, *, customers=2_000, span=730, after=0):
    """Draw purchases of MBG/NBD customers with Gamma-Gamma spending: arrays of who, day, amount.

    They come evenly over the `span` days; purchases go on for `after` days more. Amounts are in
    minor units.
    """
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], customers)
    stops = rng.geometric(rng.beta(TRUTH["a"], TRUTH["b"], customers))
    mean = SPEND["p"] / rng.gamma(SPEND["q"], 1 / SPEND["v"], customers)
    joined = rng.integers(0, span, customers)
    who, day, amount = [], [], []
    for one in range(customers):
        later = np.cumsum(rng.exponential(1 / rate[one], min(int(stops[one]), 500) - 1))
        days = np.unique(np.append(joined[one], joined[one] + np.ceil(later)))
        days = days[days < span + after]
        who += [one] * len(days)
        day += days.tolist()
        amount += rng.gamma(SPEND["p"], mean[one] / SPEND["p"], len(days)).tolist()
    money = np.maximum(100 * np.array(amount), 1).round().astype("int64")
    return np.array(who), np.array(day, "int64"), money


def rows(who, day, amount):
    """Rows of orders: customer, ISO day, amount in minor units."""
    dates = [(START + dt.timedelta(days=int(each))).isoformat() for each in day]
    return list(zip([f"c{one}" for one in who], dates, amount.tolist(), strict=True))
