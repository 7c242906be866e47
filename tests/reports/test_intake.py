"""Which reports, and parts of them, a source has the tables for."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab.reports import intake
from retention_lab.tables import source

SHOP = """
name: Shop
time_zone: UTC
currency: GBP
tables:
  orders:
    rows: orders.csv
    columns: {{order_id: id, customer_id: who, ordered_at: at, amount: paid{column}}}
{attributes}
"""


@pytest.mark.parametrize(
    ("column", "attributes", "possible"),
    [
        ("", "", [True, False]),
        (", coupon: code", "", [True, True]),
        ("", "    attributes: {country: land}", [True, True]),
    ],
)
def test_parts_that_split_customers_need_something_to_split_them_by(column, attributes, possible):
    text = SHOP.format(column=column, attributes=attributes)
    shop = source.parse(text, file=Path("shop.yml"))
    assert [intake.possible(shop, feed) for feed in intake.FEEDS] == possible
