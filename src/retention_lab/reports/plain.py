"""HTML as plain text that reads well: what a mail says to those who see no HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from bs4 import Tag
from bs4.element import NavigableString

WIDTH = 76
RULES = {"h1": "=", "h2": "-"}
SENTENCES = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "figcaption", "summary", "dt", "caption"}
BLOCKS = SENTENCES | {
    *("article", "blockquote", "body", "dd", "details", "div", "dl", "figure", "footer"),
    *("header", "hr", "img", "li", "main", "ol", "pre", "section", "table", "ul"),
}


def text(root: Tag) -> str:
    """Return what `root` says, in paragraphs of at most 76 signs a line.

    Pictures become their alternative text, links keep their address, tables that are too wide
    become a short list for each row.
    """
    return "\n\n".join(block for block in _blocks(root) if block.strip()) + "\n"


def _blocks(root: Tag) -> Iterator[str]:
    words: list[str] = []
    for child in root.children:
        if isinstance(child, Tag) and (child.name in BLOCKS or child.find(BLOCKS)):
            yield _wrapped(" ".join(words))
            words = []
            yield from _block(child)
        elif isinstance(child, Tag) or type(child) is NavigableString:
            words.append(_words(child))
    yield _wrapped(" ".join(words))


def _block(tag: Tag) -> Iterator[str]:
    match tag.name:
        case "img":
            yield _wrapped(_words(tag))
        case "hr":
            yield "-" * 20
        case "pre":
            yield tag.get_text().strip("\n")
        case "table":
            yield _table(tag)
        case "ul" | "ol":
            yield "\n".join(_item(item) for item in tag.find_all("li", recursive=False))
        case "dl":
            yield "\n".join(_pair(term) for term in tag.find_all("dt"))
        case name if name in SENTENCES and not tag.find(BLOCKS):
            said = _wrapped(_words(tag))
            rule = RULES.get(tag.name, "") * max(map(len, said.splitlines()), default=0)
            yield f"{said}\n{rule}".rstrip("\n")
        case _:
            yield from _blocks(tag)


def _words(node: Tag | NavigableString) -> str:
    """Return inline text on one line."""
    if isinstance(node, NavigableString):
        return str(node) if type(node) is NavigableString else ""
    if node.name == "img":
        return f"[Picture: {node.get('alt')}]" if node.get("alt") else ""
    said = " ".join("".join(_words(child) for child in node.children).split())  # type: ignore[arg-type]
    address = str(node.get("href", ""))
    if address.startswith(("http://", "https://")) and address != said:
        said = f"{said} <{address}>"
    before, after = (_edge(node, place) for place in (0, -1))
    return f"{before}{said}{after}"


def _edge(node: Tag, place: int) -> str:
    """Return the blank that inline text begins or ends with: `<b>a </b>b` is two words."""
    raw = node.get_text()
    return " " if node.name == "br" or (raw and raw[place].isspace()) else ""


def _wrapped(words: str, *, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        " ".join(words.split()),
        width=WIDTH,
        initial_indent=first,
        subsequent_indent=rest or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _item(item: Tag) -> str:
    inner = "\n".join(block for block in _blocks(item) if block.strip())
    return "- " + inner.replace("\n", "\n  ")


def _pair(term: Tag) -> str:
    said = term.find_next_sibling("dd")
    value = _words(said) if said else ""
    return _wrapped(f"{_words(term).strip()}: {value.strip()}", rest="  ")


def _table(table: Tag) -> str:
    rows = [
        [" ".join(_words(cell).split()) for cell in row.find_all(["td", "th"])]
        for row in table.find_all("tr")
    ]
    rows = [row for row in rows if row]
    if not rows:
        return ""
    head = rows.pop(0) if table.find("thead") else []
    widths = [max(map(len, column)) for column in zip(*_squared([head, *rows]), strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > WIDTH:
        return "\n\n".join(_record(row, head) for row in rows)
    right = [_is_number(table, place) for place in range(len(widths))]
    lines = [_aligned(row, widths, right) for row in _squared([head, *rows] if head else rows)]
    rule = ["  ".join("-" * width for width in widths)] if head else []
    return "\n".join(lines[:1] + rule + lines[1:] if head else lines)


def _squared(rows: list[list[str]]) -> list[list[str]]:
    most = max(map(len, rows))
    return [row + [""] * (most - len(row)) for row in rows]


def _is_number(table: Tag, place: int) -> bool:
    cells = [row.find_all(["td", "th"])[place : place + 1] for row in table.find_all("tr")]
    return any("num" in (cell.get("class") or []) for row in cells for cell in row)


def _aligned(row: list[str], widths: list[int], right: list[bool]) -> str:
    cells = (
        cell.rjust(width) if is_right else cell.ljust(width)
        for cell, width, is_right in zip(row, widths, right, strict=True)
    )
    return "  ".join(cells).rstrip()


def _record(row: list[str], head: list[str]) -> str:
    named = zip(row, head + [""] * (len(row) - len(head)), strict=False)
    told = [f"{name}: {value}" if name else value for value, name in named if value]
    return "\n".join(
        [_wrapped(told[0]), *(_wrapped(one, first="  ", rest="    ") for one in told[1:])]
    )
