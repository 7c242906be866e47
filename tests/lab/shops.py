"""A small shop in memory, the same on every run: three hundred customers over eight months."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

import retention_lab

AS_OF = "2025-08-31"
COUNTRIES = ["UK", "Germany", "France", "Spain", "Italy", "Poland", "Malta", "Cyprus"]


def orders(customers=300):
    """Orders of customers who begin in the first six months and buy on as chance will have it."""
    rng = np.random.default_rng(20250101)
    rows = []
    for number in range(customers):
        day = int(rng.integers(0, 181))
        while day < 243:
            rows.append((number, pd.Timestamp("2025-01-01 09:30") + pd.Timedelta(days=day)))
            day += 1 + int(rng.exponential(80))
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at"])
    frame.insert(0, "order_id", np.arange(len(frame)) + 1_000)
    # One order on the last day, so that the records reach it.
    frame.loc[len(frame) - 1, "ordered_at"] = pd.Timestamp(AS_OF) + pd.Timedelta(hours=20)
    return frame.assign(amount=rng.integers(500, 9_000, len(frame)) / 100)


def customers(number=300):
    """One row a customer; the shares of countries fall, the last two are small."""
    rng = np.random.default_rng(7)
    shares = [0.4, 0.2, 0.12, 0.1, 0.08, 0.06, 0.025, 0.015]
    country = rng.choice(COUNTRIES, number, p=shares).astype(object)
    country[::6] = None  # of some it is not known
    signed = pd.Timestamp("2025-01-01") + pd.Timedelta(hours=1)
    return pd.DataFrame(
        {
            "customer_id": np.arange(number),
            "signed_up_at": signed,
            "country": country,
            "kind": np.where(np.arange(number) < 4, "staff", "guest"),
        }
    )


@functools.cache
def lab():
    """The lab of this shop, made once for all tests."""
    return retention_lab.from_frames(
        orders=orders(), customers=customers(), currency="GBP", name="Shop"
    )
