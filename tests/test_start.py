"""`start` as a new user meets it: one small shop, exported in many ways, always the same orders."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import cli
from retention_lab.tables import engine, snapshot, source

# Order, customer, when, (product, quantity, unit price in pence) of each line.
SHOP = [
    ("1001", "C1", "2025-01-13 09:05:00", [("mug", 2, 450), ("tea", 1, 1250)]),
    ("1002", "C2", "2025-01-25 17:30:00", [("pot", 1, 123450)]),
    ("1003", "C1", "2025-02-03 08:00:00", [("tea", 3, 1250)]),
    ("1004", "C3", "2025-02-28 23:10:00", [("mug", 1, 450), ("pot", 1, 2000), ("tea", 2, 1250)]),
    ("1005", "C2", "2025-03-17 12:00:00", [("mug", 10, 450)]),
]
MAIL = {"C1": "ann@example.com", "C2": "bob@example.com", "C3": "cid@example.com"}
# Worked by hand from the lines: 2 x 4.50 + 12.50 and so on, in pence.
EXPECTED = [("1001", "C1", 2150), ("1002", "C2", 123450), ("1003", "C1", 3750),
            ("1004", "C3", 4950), ("1005", "C2", 4500)]  # fmt: skip


def orders():
    rows = [(o, c, pd.Timestamp(t), sum(q * p for _, q, p in ls) / 100) for o, c, t, ls in SHOP]
    return pd.DataFrame(rows, columns=["order", "customer", "when", "amount"])


def lines():
    rows = [
        (o, c, pd.Timestamp(t), product, q, p / 100) for o, c, t, ls in SHOP for product, q, p in ls
    ]
    return pd.DataFrame(rows, columns=["order", "customer", "when", "product", "quantity", "price"])


def german(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def semicolon():
    rows = orders()
    rows["when"] = rows["when"].dt.strftime("%d.%m.%Y")
    rows["amount"] = rows["amount"].map(german) + " \u20ac"
    rows.columns = ["Bestellnummer", "Kundennummer", "Bestelldatum", "Gesamtbetrag"]
    return rows.to_csv(index=False, sep=";")


def american():
    rows = lines()
    rows["when"] = rows["when"].dt.strftime("%-m/%-d/%Y %-I:%M %p")
    rows["price"] = rows["price"].map("${:,.2f}".format)
    rows.columns = ["Order ID", "Customer ID", "Order Date", "SKU", "Qty", "Unit Price"]
    return rows.to_csv(index=False)


def tabbed():
    rows = lines()
    rows["total"] = rows.groupby("order")["price"].transform("size") * 0.0 + rows["order"].map(
        orders().set_index("order")["amount"]
    )
    rows["when"] = rows["when"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = rows[["order", "customer", "when", "product", "total"]]
    rows.columns = ["order_id", "customer_id", "created_at", "sku", "order_total"]
    return rows.to_csv(index=False, sep="\t")


def plain_orders(**changes):
    rows = orders()
    rows.columns = ["order_id", "customer_id", "ordered_at", "amount"]
    return rows.assign(**changes).to_csv(index=False)


def parts():
    rows = lines()
    rows["worth"] = (rows["quantity"] * rows["price"]).round(2)
    rows = rows[["order", "customer", "when", "worth"]]
    rows.columns = ["Invoice", "Client No", "Date", "Amount (GBP)"]
    return rows.to_csv(index=False)


def shopify():
    rows = lines()
    first = ~rows.duplicated("order")
    total = rows["order"].map(orders().set_index("order")["amount"])
    found = pd.DataFrame(
        {
            "Name": "#" + rows["order"],
            "Email": rows["customer"].map(MAIL),
            "Financial Status": pd.Series("paid", rows.index).where(first),
            "Currency": pd.Series("USD", rows.index).where(first),
            "Total": total.map("{:.2f}".format).where(first),
            "Created at": rows["when"].dt.strftime("%Y-%m-%d %H:%M:%S +0000"),
            "Lineitem quantity": rows["quantity"],
            "Lineitem name": rows["product"],
            "Lineitem price": rows["price"].map("{:.2f}".format),
            "Billing Name": "Somebody",
            "Shipping Country": "UK",
        }
    )
    return found.to_csv(index=False)


@pytest.fixture
def begin(tmp_path, monkeypatch, capsys):
    """Write files, start with them; return exit code, all that was told, and the source file."""
    monkeypatch.chdir(tmp_path)

    def run(files, *options, answers=None):
        files = files if isinstance(files, dict) else {"shop.csv": files}
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            Path(name).write_bytes(data)
        monkeypatch.setattr("sys.stdin", io.StringIO(answers or ""))
        code = cli.main(["start", *files, "--no-run", *options])
        out, err = capsys.readouterr()
        target = Path(next(iter(files))).with_suffix(".yml")
        return code, out + err, target

    return run


def read(target):
    """Map a source file as a report would; return its orders as the shop is written above."""
    loaded = source.load(target)
    day = snapshot.complete_to(loaded, con=engine.connect())
    tables, _ = snapshot.cut(loaded, as_of=day, con=engine.connect())
    found = engine.collect(tables["orders"].order_by("order_id"))
    back = {mail: customer for customer, mail in MAIL.items()}
    who = found["customer_id"].replace(back)
    return list(zip(found["order_id"].str.lstrip("#"), who, found["amount"], strict=True)), found


@pytest.mark.parametrize(
    ("export", "options"),
    [
        (semicolon, []),
        (american, ["--currency", "USD"]),
        (tabbed, ["--amounts", "total"]),
        (plain_orders, []),
        (parts, ["--amounts", "parts"]),
        (shopify, []),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_every_export_of_one_shop_leads_to_the_same_orders(begin, export, options):
    code, told, target = begin(export(), "--yes", *options)
    assert code == 0, told
    found, orders_found = read(target)
    assert found == EXPECTED
    days = [f"{when[:10]}" for _, _, when, _ in SHOP]
    assert list(orders_found["ordered_on"].dt.strftime("%Y-%m-%d")) == days
