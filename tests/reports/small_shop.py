"""What the lab shows of a shop in which some counts are small: printed, as Jupyter gets it.

Run as a script, so that `RETENTION_LAB_SMALLEST_CELL` holds for it. The counts of `SMALL` occur as
nothing else: not as a day, an amount, a share or what is left of a whole.
"""

from __future__ import annotations

import json
import sys

import pandas as pd

import retention_lab
from retention_lab.charts import as_mime
from retention_lab.lab.answer import Answer
from retention_lab.wording import Instead

# By month: the customers who begin on its first day, and how many of them buy a month later.
MONTHS = {"2025-01-01": (83, 0), "2025-02-01": (451, 87), "2025-03-01": (612, 233)}
MALTA = 79  # customers of the last month, whose others are of the UK
SMALL = (83, 87, MALTA)


def lab():
    """The shop, told apart by country."""
    orders, customers, number = [], [], 0
    for day, (size, again) in MONTHS.items():
        first = pd.Timestamp(day)
        for place in range(size):
            number += 1
            malta = day == max(MONTHS) and place < MALTA
            customers.append((number, first, "Malta" if malta else "UK"))
            orders.append((number, first, 3.0))
            if place >= size - again:
                orders.append((number, first + pd.DateOffset(months=1), 3.0))
    told = pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"])
    told.insert(0, "order_id", range(10_000, 10_000 + len(told)))
    people = pd.DataFrame(customers, columns=["customer_id", "signed_up_at", "country"])
    settings = {"complete_to": "2025-04-30"}
    return retention_lab.from_frames(
        orders=told, customers=people, as_of="2025-04-30", settings=settings
    )


def outputs(answer: Answer):
    """What Jupyter is handed of an answer, but for the types that a page does not take."""
    for part in (answer.chart, answer.table):
        if isinstance(part, Instead):
            yield {"text/markdown": part.why}
        elif isinstance(part, pd.DataFrame):
            yield {"text/html": part._repr_html_()}
        elif part is not None:
            yield as_mime(part.to_dict())[0]
    yield {"text/markdown": answer.sentence}


def main():
    """Ask what a small count could be read off."""
    shop = lab()
    answers = (
        shop.revenue(),
        shop.returned(days=31),
        shop.returned(days=31, by="country"),
        shop.triangle(),
        shop.triangle(by="country"),
        shop.activity(edges=[35, 65]),
        shop.repurchase(days=31),
        shop.gaps(),
        shop.kpis(days=31),
        shop.repeat_rate(),
        shop.overview(days=31),
        shop.concentration(top_shares=[0.01]),
    )
    json.dump([data for answer in answers for data in outputs(answer)], sys.stdout)


if __name__ == "__main__":
    main()
