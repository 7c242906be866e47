from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.reports import manifest, prepared
from retention_lab.reports import suite as suites
from retention_lab.tables import snapshot

from .test_unchanged import RESULTS, SHOP, SUITE

DAY = dt.date(2026, 11, 2)
ORDERS = "id,who,at,paid\n1,ann,2026-11-02 10:00:00,10.00\n"


@pytest.fixture(params=["one", "two/deep"])
def clone(request, tmp_path, monkeypatch):
    """The same project, in two places."""
    top = tmp_path / request.param
    for folder in ("experiments", "data", "notebooks"):
        (top / folder).mkdir(parents=True)
    (top / "requirements.lock").write_text("numpy==1\n", encoding="utf-8")
    (top / "data/shop.yml").write_text(SHOP, encoding="utf-8")
    (top / "data/orders.csv").write_text(ORDERS, encoding="utf-8")
    suite = SUITE.replace("shop.yml", "data/shop.yml").replace("metrics: metrics.yml\nbrand: ", "#")
    (top / "experiments/weekly.yml").write_text(suite, encoding="utf-8")
    tagged = new_code_cell('source: str = ""\nas_of: str = ""\nwhere: str = ""', id="one")
    tagged.metadata["tags"] = ["parameters"]
    cells = [tagged, new_code_cell("print(1)\nprint(2)", id="two")]
    nbformat.write(new_notebook(cells=cells), top / "notebooks/10_page.ipynb")
    monkeypatch.chdir(top)
    return top


def parts(clone, *, before=None, **rest):
    suite = suites.load("experiments/weekly.yml")
    [chapter] = prepared.prepare(suite)
    taken = snapshot.take("data/shop.yml", as_of=DAY, where=suite.where)
    files = {} if before is None else {"previous": clone / before}
    told = {"where": suite.where, "previous": f"{before}#10_page" if before else ""}
    told |= rest.pop("parameters", {})
    return manifest.key_parts(
        chapter.notebook,
        parameters=told,
        snapshot=taken,
        path=chapter.path,
        files=files,
        **rest,
    )


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_key_is_the_same_wherever_the_project_and_its_reports_lie(clone):
    put(clone / "reports/weekly/2026-11-22/results.json", RESULTS)
    put(clone / "state/results/weekly/2026-11-22.json", {**RESULTS, "status": "published"})
    found = [parts(clone, before="reports/weekly/2026-11-22/results.json")]
    found += [parts(clone, before="state/results/weekly/2026-11-22.json")]
    assert found[0] == found[1]
    assert str(clone) not in json.dumps(found)
    # SHA-256 by sha256sum of the bytes "numpy==1\n".
    assert found[0]["lock"] == "b8a122d596af27fd3b6e2386e5c39db9e980b18a74e1e70faf4a8e1eb5817674"


def test_key_changes_with_each_of_its_parts(clone):
    put(clone / "before.json", RESULTS)
    first = parts(clone)
    found = [first, parts(clone, before="before.json"), parts(clone, parameters={"n": 2})]
    found += [parts(clone, environment={"RETENTION_LAB_SMALLEST_CELL": "20"})]
    (clone / "requirements.lock").write_text("numpy==2\n", encoding="utf-8")
    found.append(parts(clone))
    text = (clone / "notebooks/10_page.ipynb").read_text(encoding="utf-8")
    (clone / "notebooks/10_page.ipynb").write_text(text.replace("print(2)", "print(3)"))
    found.append(parts(clone))
    (clone / "data/orders.csv").write_text(ORDERS.replace("10.00", "11.00"), encoding="utf-8")
    found.append(parts(clone))
    assert len({manifest.key(each) for each in found}) == len(found)


def test_key_tells_whether_the_data_of_the_report_before_are_still_there(clone):
    taken = snapshot.take("data/shop.yml", as_of=DAY)
    put(clone / "before.json", {**RESULTS, "snapshot": {"name": taken.folder.name}})
    assert parts(clone, before="before.json")["earlier"] == taken.folder.name
    put(clone / "before.json", RESULTS)
    assert parts(clone, before="before.json")["earlier"] == ""


def test_notebook_has_one_hash_however_it_was_read(clone):
    path = clone / "notebooks/10_page.ipynb"
    read = nbformat.read(path, as_version=4)
    bare = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(bare["cells"][1]["source"], list)
    assert manifest.of_notebook(read) == manifest.of_notebook(bare)
    bare["cells"][1]["outputs"] = [1]  # what an earlier run left in it
    assert manifest.of_notebook(read) == manifest.of_notebook(bare)


def test_manifest_names_files_from_the_top_of_the_project(clone, tmp_path, monkeypatch):
    monkeypatch.chdir(clone / "experiments")
    suite = suites.load("weekly.yml")
    taken = snapshot.take("data/shop.yml", as_of=DAY)
    put(clone / "before.json", RESULTS)
    about = manifest.of_run(
        suite,
        taken,
        shown="Corner shop",
        source=suite.place(suite.source),
        before=clone / "before.json",
    )
    assert about["suite_file"] == "experiments/weekly.yml"
    assert about["source"]["file"] == "data/shop.yml"
    assert about["before"]["as_of"] == "2026-11-22"
    assert str(tmp_path) not in json.dumps(about)
    assert manifest.from_project(tmp_path / "elsewhere/shop.yml", suite=suite) == "shop.yml"


def test_results_have_one_hash_for_what_notebooks_read_of_them(tmp_path):
    put(tmp_path / "a.json", RESULTS)
    first = manifest.of_results(tmp_path / "a.json")
    put(tmp_path / "a.json", {**RESULTS, "code": "other", "warnings": ["late"]})
    assert first == manifest.of_results(tmp_path / "a.json")
    put(tmp_path / "a.json", {**RESULTS, "as_of": "2026-11-15"})
    assert first != manifest.of_results(tmp_path / "a.json")


def test_page_names_the_report_before_by_its_day_wherever_its_results_lie(clone):
    suite = suites.load("experiments/weekly.yml")
    shown = set()
    for place in ("reports/weekly/2026-11-22/results.json", "state/results/weekly/2026-11-22.json"):
        put(clone / place, RESULTS)
        for path in (Path(place), clone / place):
            code = f'as_of = "2026-11-29"\nprevious = "{path}#10_page"'
            told = {"previous": str(path), "ledgers": ""}
            shown.add(manifest.placeless(code, **told, suite=suite))
    assert shown == {'as_of = "2026-11-29"\nprevious = "weekly/2026-11-22/results.json#10_page"'}


def test_page_names_the_state_wherever_it_lies(clone):
    suite = suites.load("experiments/weekly.yml")
    place = str(clone / "kept" / "state")
    shown = manifest.placeless(f'ledgers = "{place}"', previous="", ledgers=place, suite=suite)
    assert shown == 'ledgers = "state"'
