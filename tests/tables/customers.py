"""A shop of forty customers with attributes, for the tests of conditions and saved cohorts."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from .shops import orders_map, shop

AS_OF = dt.date(2025, 6, 30)
COUNTRIES = ["UK"] * 20 + ["France"] * 12 + ["Malta"] * 3 + [None] * 5


def people():
    """Customers c00 to c39: every third has no order, and c39 has none either."""
    ids = [f"c{i:02}" for i in range(40)]
    channel = ["search", "mail"] * 20
    frame = {"customer_id": ids, "signed_up_at": "2025-01-01 09:00:00", "country": COUNTRIES}
    return pd.DataFrame(frame | {"channel": channel})


def orders():
    """Customer i first buys i days after 1 February, and again 30 days later if i is even."""
    rows = []
    for i in range(40):
        if i % 3 == 0 or i == 39:
            continue
        for again in range(1 + (i % 2 == 0)):
            day = pd.Timestamp("2025-02-01 10:00") + pd.Timedelta(days=i + 30 * again)
            rows.append((f"c{i:02}", f"{day}", 10.0))
            rows.append((f"c{i:02}", f"{day + pd.Timedelta(hours=2)}", 5.0))  # the same day
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(order_id=[f"o{i}" for i in range(len(frame))])


def people_shop(folder, **settings):
    """Write the shop and load its source file."""
    columns = {name: name for name in ("customer_id", "signed_up_at")}
    attributes = {"country": "country", "channel": "channel"}
    customers = {"rows": "people.csv", "columns": columns, "attributes": attributes}
    files = {
        "people.csv": people().to_csv(index=False),
        "orders.csv": orders().to_csv(index=False),
    }
    tables = {"orders": orders_map(), "customers": customers}
    return shop(folder, tables, files, **({"complete_to": AS_OF} | settings))
