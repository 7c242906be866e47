"""Which reports, and parts of them, a source has the tables for."""

from __future__ import annotations

from pathlib import Path

import pytest

from retention_lab.checks import BadData
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
    assert [intake.possible(shop, feed) for feed in intake.FEEDS[:2]] == possible


SUBSCRIBERS = """
name: Shop
time_zone: UTC
currency: GBP
tables:
  subscriptions: {rows: s.csv, columns: {customer_id: who, started_at: from, cancelled_at: to}}
"""
TICKETS = "  tickets: {rows: t.csv, columns: {ticket_id: id, customer_id: who, opened_at: at%s}}\n"
EVENTS = "  events: {rows: e.csv, columns: {customer_id: who, event: what, occurred_at: at}}\n"
COLUMNS = "{customer_id: who, channel: by, valid_from: at, granted: said}"
CONSENTS = "  consents: {rows: c.csv, columns: " + COLUMNS + "}"
SENT = "{message_id: id, customer_id: who, channel: by, sent_at: at, delivered_at: came}"
MESSAGES = "  messages: {rows: m.csv, columns: " + SENT + "}"


@pytest.mark.parametrize(
    ("more", "possible"),
    [
        ("", {"churn"}),
        (TICKETS % "", {"churn"}),
        (TICKETS % ", first_response_at: first", {"churn", "churn: support response"}),
        (EVENTS, {"churn", "churn: milestones", "design of a test"}),
        (CONSENTS, {"churn", "lists of whom to contact"}),
        (MESSAGES, {"churn", "segments: what messages bring, beside the bands of the trade"}),
    ],
)
def test_subscriptions_alone_feed_the_churn_report_and_other_tables_its_parts(more, possible):
    shop = source.parse(SUBSCRIBERS + more, file=Path("shop.yml"))
    assert {feed.name for feed in intake.FEEDS if intake.possible(shop, feed)} == possible


def test_shop_without_orders_is_inspected(tmp_path):
    (tmp_path / "shop.yml").write_text(SUBSCRIBERS, encoding="utf-8")
    rows = "who,from,to\nann,2025-01-05,2025-02-01\nbob,2025-01-20,\ncid,,\n"
    (tmp_path / "s.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(BadData, match="subscriptions: 1 rows have missing started_at"):
        intake.inspect(str(tmp_path / "shop.yml"))
    (tmp_path / "s.csv").write_text(rows.replace("cid,,\n", ""), encoding="utf-8")
    found = intake.inspect(str(tmp_path / "shop.yml"))
    assert str(found.as_of) == "2025-02-01"
    assert found.steps["subscriptions"]["rows"].tolist() == [2, 2]
    assert found.feeds == ("churn",)
