"""The gate: a page holds aggregates only, and nothing by which one person could be found.

The rooms below hide small groups; here stands what no room can know, that somebody's own notebook
shows a list of customers. What is kept of a failed run is scrubbed instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from retention_lab import checks
from retention_lab.reports import page, prose
from retention_lab.reports.personal import names_people, reads_like
from retention_lab.reports.scrubbing import scrub, scrub_notebook, secrets

__all__ = ["MOST_ROWS", "refuse_personal", "scrub", "scrub_notebook", "secrets"]

MOST_ROWS = 500  # as many rows of a chart as a page lists
_REMEDY = "A page shows aggregates only: count, or leave it out."


def refuse_personal(executed: NotebookNode, *, name: str) -> None:
    """Refuse a notebook whose page would tell of single persons, or list too much.

    Looked at is what a page shows of an executed notebook: printed text, Markdown, tables, the data
    and the words of charts, and recorded results, also those of cells that are hidden.

    Raises
    ------
    Refusal
        With the cell, the column where there is one, and what to do; what was found is not quoted.
    """
    for number, cell in enumerate(executed.cells, start=1):
        hidden = bool(page.HIDDEN & set(cell.metadata.get("tags", [])))
        for output in cell.get("outputs", []):
            problem = next(_problems(output, hidden=hidden), None)
            if problem:
                first = next(iter(cell.source.strip().splitlines()), "")
                raise checks.Refusal(f"{name}, cell {number} ({first[:60]!r}) {problem}. {_REMEDY}")


def _problems(output: NotebookNode, *, hidden: bool) -> Iterator[str]:
    """Yield what is wrong with the one form of an output that a page takes."""
    if output.output_type == "stream":
        shown = "" if hidden or output.name != "stdout" else output.text
        yield from _of_print(shown)
        return
    data: Mapping[str, Any] = output.get("data", {})
    if page.RESULTS in data:
        yield from _of_texts(_strings(data[page.RESULTS]), "records a result with")
    elif hidden:
        return
    elif page.CHART in data:
        yield from _of_chart(data[page.CHART])
    elif "text/markdown" in data:
        yield from _of_html(prose.from_markdown(data["text/markdown"]))
    elif "text/html" in data:
        yield from _of_html(prose.from_html(data["text/html"]))
    else:
        yield from _of_print(data.get("text/plain", ""))


def _of_chart(spec: Mapping[str, Any]) -> Iterator[str]:
    meta: Mapping[str, Any] = spec.get("usermeta") or {}
    headings = {field: str(heading) for field, heading in dict(meta.get("labels") or {}).items()}
    for rows in _tables(spec):
        yield from _of_length(len(rows), "draws")
        for field in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(field) for row in rows]
            for called in dict.fromkeys((str(field), headings.get(field, str(field)))):
                yield from _of_column(called, values, "draws")
    yield from _of_texts(_strings(spec), "draws a chart with")


def _of_html(soup: BeautifulSoup) -> Iterator[str]:
    for table in soup.find_all("table"):
        head, body = _split(table)
        yield from _of_length(len(body), "shows")
        # Counted from the right, since row headers that span several rows shift what stands left.
        for place in range(max(map(len, [*head, *body]), default=0)):
            values = [row[place] for row in body if place < len(row)]
            for heading in filter(None, (row[place] for row in head if place < len(row))):
                yield from _of_column(heading, values, "shows")
    attributes = (str(value) for tag in soup.find_all() for value in tag.attrs.values())
    yield from _of_texts((*soup.stripped_strings, *attributes), "shows")


def _split(table: Tag) -> tuple[list[list[str]], list[list[str]]]:
    """Return the cells of the head and of the body, each row from the right."""
    head: list[list[str]] = []
    body: list[list[str]] = []
    for row in table.find_all("tr"):
        cells = row.find_all(["td", "th"])
        headed = row.find_parent("thead") or not row.find("td")
        (head if headed else body).append([cell.get_text(" ", strip=True) for cell in cells][::-1])
    return head, body


def _of_print(text: str) -> Iterator[str]:
    lines = text.splitlines()
    yield from _of_length(len(lines), "prints")
    names, rows = lines[:1] and lines[0].split(), [line.split() for line in lines[1:]]
    if names and rows and all(len(row) in (len(names), len(names) + 1) for row in rows):
        for place, name in enumerate(names[::-1], start=1):
            yield from _of_column(name, [row[-place] for row in rows], "prints")
    yield from _of_texts(lines, "prints")


def _of_length(rows: int, verb: str) -> Iterator[str]:
    if rows > MOST_ROWS:
        yield f"{verb} {rows:,} rows, and a page lists at most {MOST_ROWS}"


def _of_column(name: str, values: Sequence[object], verb: str) -> Iterator[str]:
    why = names_people(name, values)
    if why:
        yield f"{verb} the column {name!r}, which {why}"


def _of_texts(texts: Iterator[str] | Sequence[str], verb: str) -> Iterator[str]:
    for text in texts:
        found = reads_like(text)
        if found:
            yield f"{verb} {found}"


def _tables(node: object) -> Iterator[Sequence[Mapping[str, object]]]:
    """Yield each table within a chart: `datasets` by name, and inline `values`."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "datasets" and isinstance(value, Mapping):
                yield from (rows for rows in value.values() if _is_table(rows))
            elif key == "values" and _is_table(value):
                yield value
            else:
                yield from _tables(value)
    elif isinstance(node, list):
        for each in node:
            yield from _tables(each)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, Mapping) for row in value)


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield str(key)
            # Twelve digits of our own: now and then they read like a telephone number.
            yield from () if key == "definition_hash" else _strings(value)
    elif isinstance(node, list):
        for each in node:
            yield from _strings(each)
