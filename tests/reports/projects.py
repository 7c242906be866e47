"""A project with a suite, and a runner of suites that starts no kernel."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.reports import manifest, prepared, unchanged
from retention_lab.reports.ran import Ran
from retention_lab.tables import engine, snapshot

from .corner_shop import ORDERS, SHOP

SUITE = """
name: weekly
title: Weekly
source: data/shop.yml
owner: O
notebooks:
  - {notebook: notebooks/10_page.ipynb, title: Page, parameters: {n: 1}}
"""
PARAMETERS = 'source: str = ""\nas_of: str = ""\nwhere: str = ""\nprevious: str = ""\nn: int = 1'
FOLDERS = ("experiments", "data", "notebooks")


def write(folder):
    """Write a project."""
    for each in FOLDERS:
        (folder / each).mkdir(parents=True)
    (folder / "requirements.lock").write_text("numpy==1\n", encoding="utf-8")
    (folder / "data/shop.yml").write_text(SHOP, encoding="utf-8")
    (folder / "data/orders.csv").write_text(ORDERS, encoding="utf-8")
    (folder / "experiments/weekly.yml").write_text(SUITE, encoding="utf-8")
    tagged = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
    cells = [tagged, new_code_cell("print(n)")]
    nbformat.write(new_notebook(cells=cells), folder / "notebooks/10_page.ipynb")


class Runner:
    """Makes a page of the sum of all orders, times n, and of the key; `word` is of no key."""

    def __init__(self, *, word="", factor=1):
        self.word, self.factor = word, factor

    def __call__(self, suite, *, as_of, out, before, now):
        source = unchanged.source_of(suite)
        taken = snapshot.take(source, as_of=as_of, where=suite.where)
        place = suite.place(suite.source)
        about = manifest.of_run(suite, taken, shown="Shop", source=place, before=before)
        about |= {"started": "2026-11-30T06:00:00+00:00" if now is None else now.isoformat()}
        told, results = {}, {}
        folder = out / suite.name / str(taken.as_of)
        folder.mkdir(parents=True)
        for chapter in prepared.prepare(suite):
            name = chapter.part.name
            parts = key_parts(chapter, taken, before)
            total = engine.collect(taken.orders.aggregate(total=taken.orders.amount.sum()))
            value = self.factor * chapter.values["n"] * int(total["total"].iloc[0])
            html = f"<p>{manifest.key(parts)}</p>\n<p>{value}</p>\n<p>{self.word}</p>\n"
            (folder / f"{name}.html").write_text(html, encoding="utf-8")
            told[name] = {"parts": parts, "sha256": manifest.of_page(html)}
            result = {"name": "total", "value": value, "text": str(value), "label": "All orders"}
            results[name] = {"title": "Page", "headline": "", "results": [result]}
        head = {name: about[name] for name in ("suite", "as_of", "source", "snapshot")}
        for name, content in (
            ("manifest.json", {**about, "notebooks": told}),
            ("results.json", {**head, "notebooks": results}),
        ):
            (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
        return ran(suite, folder, as_of=str(taken.as_of))


def key_parts(chapter, taken, before):
    return manifest.key_parts(
        chapter.notebook,
        parameters=chapter.values,
        snapshot=taken,
        path=chapter.path,
        files={} if before is None else {"previous": before},
    )


def ran(suite, folder=Path(), **rest):
    """Say what became of a run."""
    fields = {"suite": suite.name, "title": suite.title, "owner": suite.owner, "exit_code": 0}
    clock = {"started": "2026-11-30", "finished": "2026-11-30", "seconds": 0.0}
    return Ran(**{**fields, "status": "published", "folder": str(folder), **clock, **rest})


def edit(path, old, new):
    """Replace a text that stands in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
