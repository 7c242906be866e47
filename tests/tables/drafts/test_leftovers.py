"""Rows that are no orders: worded as they were found, so that a person can read the rule."""

from __future__ import annotations

import pandas as pd
import pytest

from retention_lab.tables import engine
from retention_lab.tables.drafts import leftovers, sniffing
from retention_lab.tables.drafts.questions import Group, Talk

CON = engine.connect()
TALK = Talk(
    columns={}, dates=None, number=None, currency=None, time_zone=None, amounts=None,
    ask=lambda question: pytest.fail(question.text), tell=lambda _: None,
)  # fmt: skip
NAMES = {"order_id": "Order #", "customer_id": "Client", "ordered_at": "Date"}
HEAD = "Order #,Client,Date,Worth,State\n1,a,2025-01-02,10,paid\n2,b,2025-01-03,12.5,paid\n"


def rules(path):
    group = Group(layouts=[sniffing.look(path, con=CON)])
    found = leftovers.rules(group, NAMES, talk=TALK).get("leave_out", [])
    return {rule["reason"]: rule["where"] for rule in found}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("Grand Total,,,22.5,\n", {"total row": "trim(\"Order #\") = 'Grand Total'"}),
        (
            "Total,,,22.5,\nSum:,,,22.5,\n",
            {"total row": "trim(\"Order #\") in ('Sum:', 'Total')"},
        ),
        (
            ",,,22.5,\n",
            {
                "total row": "coalesce(trim(\"Order #\"), '') = '' "
                "and coalesce(trim(\"Date\"), '') = ''"
            },
        ),
        (",,Total,22.5,\n", {"total row": "trim(\"Date\") = 'Total'"}),
        ("3,Total,2025-01-04,1,paid\n", {}),  # a customer of that name
        (",c,2025-01-04,1,paid\n", {}),  # an order that lacks its number is no total
        ("", {}),
    ],
)
def test_rule_of_total_rows_words_what_was_found_and_no_more(tmp_path, last, expected):
    path = tmp_path / "shop.csv"
    path.write_text(HEAD + last, encoding="utf-8")
    assert rules(path) == expected


def test_cells_that_are_no_text_are_empty_where_they_are_missing(tmp_path):
    rows = {"Order #": [1, None], "Client": ["a", None], "Date": ["2025-01-02", None]}
    frame = pd.DataFrame(rows).astype({"Date": "datetime64[ns]"}).assign(Worth=[1.5, 1.5])
    frame.to_parquet(tmp_path / "shop.parquet")
    found = rules(tmp_path / "shop.parquet")
    assert found == {"total row": '"Order #" is null and "Date" is null'}


def test_cancelled_rows_are_those_whose_status_says_so(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text(HEAD.replace("State", "Status") + "3,a,2025-01-02,1,Cancelled\n", "utf-8")
    assert rules(path) == {"cancelled": "trim(\"Status\") = 'Cancelled'"}
