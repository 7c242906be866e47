"""Which column of an export means what: told by its name, confirmed by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from retention_lab.tables.contracts import CONTRACTS, TableName
from retention_lab.tables.drafts.sniffing import Layout
from retention_lab.tables.names import ATTRIBUTES, NAMES, plain, ranked

_PERSONAL = re.compile(
    r"name|mail|phone|address|street|zip|postal|postcode|city|birth|gender|vorname|strasse|plz|ort$"
    r"|telefon|adresse|geburt|prenom|nom$|rue$|ville|telefono|calle|direccion|ciudad|indirizzo|citta"
    r"|company|notes?$"
)
_THINGS = re.compile("product|lineitem|item|event|campaign")
_CUSTOMERS = re.compile(
    r"\b(customers?|clients?|buyers?|accounts?|shopper|cust|\w*kunden?|klant|clientes?|acheteur"
    r"|comprador|(sold|bill|ship) to)\b"
)
_ASIDE = re.compile(
    r"\b(type|group|segment|class|category|name|e?mail|since|date|status|state|country|region|city"
    r"|phone|address|street|zip|manager|agent|service|rating|age|gender|balance|value|new|first"
    r"|is|has|notes?|comments?|language|tax|vat|total|count|orders?)\b"
)
# Of the columns that canonical tables have.
KINDS = {column.name: column.kind for one in CONTRACTS.values() for column in one.columns}
_FEW = 60  # values: more of them describe nobody


def named(layout: Layout, role: str) -> list[str]:
    """List the columns whose name and content fit a role, the surest first."""
    words = NAMES[role].split()
    if role == "order_id" and _is_shopify(layout):
        words = ["name"]
    elif role == "order_id" and _is_of_sales(layout):
        words = [*words, "id"]
    return ranked([name for name in layout.columns if _confirms(layout, name, role)], words)


def _is_of_sales(layout: Layout) -> bool:
    found = {plain(name) for name in layout.columns}
    return any(found & set(NAMES[role].split()) for role in ("amount", "unit_price"))


def _is_shopify(layout: Layout) -> bool:
    return {"name", "createdat", "financialstatus"} <= {plain(name) for name in layout.columns}


def _confirms(layout: Layout, name: str, role: str) -> bool:
    """Tell whether what stands in a column can be what its name says; an empty one cannot."""
    if not layout.cells[name]:
        return False
    kind, wanted = layout.kinds[name], KINDS.get(role, "text")
    if wanted == "text":
        return not (role == "customer_id" and kind == "time")
    return kind == ("time" if wanted == "time" else "number")


def speaks_of_customers(layout: Layout, name: str) -> bool:
    """Tell whether a column's name holds a word for customers, and its cells may tell them apart.

    `bill_to_customer` and `Sold-To` do; `customer_type` and `account_manager` do not.
    """
    words = re.sub(r"[\W_]+", " ", name.lower())
    if not _CUSTOMERS.search(words) or _ASIDE.search(words):
        return False
    cells = layout.cells[name]
    are_whole = all(re.fullmatch(r"\d+(\.0)?", cell) for cell in cells)
    return bool(cells) and (layout.kinds[name] == "text" or are_whole)


def table(layout: Layout) -> TableName:
    """Tell which canonical table a file is, by the columns it has."""

    def has(role: str) -> bool:
        return bool(named(layout, role))

    buys = has("order_id") or has("amount") or has("unit_price")
    if has("event") and not buys:
        return "events"
    if has("return_id") or (has("returned_at") and not has("ordered_at")):
        return "returns"
    if has("signed_up_at") and not buys:
        return "customers"
    if has("quantity") and has("unit_price"):
        return "order_lines"
    return "orders"


def attributes(layout: Layout, *, taken: Sequence[str]) -> dict[str, str]:
    """Find at most four columns of few values that describe customers, by their canonical name."""
    found: dict[str, str] = {}
    for attribute, words in ATTRIBUTES.items():
        for name in layout.columns:
            few = 1 <= len(set(layout.cells[name])) <= _FEW and layout.kinds[name] == "text"
            if plain(name) in words.split() and few and name not in taken:
                found.setdefault(attribute, name)
    return dict(list(found.items())[:4])


def personal(layout: Layout, *, taken: Sequence[str]) -> list[str]:
    """List the columns that look like personal data and are not used."""
    rest = {name: plain(name) for name in layout.columns if name not in taken}
    people = {name: word for name, word in rest.items() if not _THINGS.match(word)}
    return [name for name, word in people.items() if _PERSONAL.search(word)]
