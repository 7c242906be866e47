"""Which numbers of the ladder of loyalty may be shown, so that none tells of a few customers."""

from __future__ import annotations

import pandas as pd

from retention_lab.record.small import covered


def hidden_in(frame: pd.DataFrame) -> pd.DataFrame:
    """Say of each tier of `customers.loyalty.tiers` what of it to hide: `customers`, `one_away`.

    With its customers go its shares. Whoever is one purchase away is one of those below, and what
    that leaves of them must be no few, either.
    """
    size, away = frame["customers"].tolist(), frame["one_away"].tolist()
    everybody, below = sum(size), [sum(size[place + 1 :]) for place in range(len(size))]
    # The others are shown nowhere, but all customers are.
    parts, wholes = [*away, everybody - sum(away)], [*below, everybody]
    unknown = [*([False] * len(size)), True]
    hidden = covered(parts, wholes=wholes, unknown=unknown)[: len(size)]
    return pd.DataFrame({"customers": covered(size), "one_away": hidden}, index=frame.index)
