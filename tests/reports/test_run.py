from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from retention_lab.checks import BadData, BadParameter
from retention_lab.reports import kernel, publish
from retention_lab.reports import run as runner
from retention_lab.reports import suite as suites
from retention_lab.reports.run import Call

from .corner_shop import ORDERS, SHOP

PARAMETERS = """source: str = ""
as_of: str = ""
where: str = ""
n: int = 1  # how often"""
GOOD = """import os
from IPython.display import display
result = {"name": "n", "value": n, "text": str(n), "label": "How often", "key": True}
content = {"headline": "It works.", "results": [result]}
display({"application/vnd.retention-lab.results+json": content, "text/plain": ""}, raw=True)
print(source, as_of, n, os.environ["TZ"], os.environ["PYTHONHASHSEED"])"""


def write(path, *cells, parameters=PARAMETERS):
    """Write a notebook of a title, its parameters and some cells."""
    tagged = new_code_cell(parameters, metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[new_markdown_cell("# Title"), tagged])
    notebook.cells += [new_code_cell(cell) for cell in cells]
    nbformat.write(notebook, path)


def suite(*notebooks, **settings):
    """Write and load a suite of notebooks: names, with parameters where they have some."""
    parts = [
        {"notebook": f"notebooks/{name}.ipynb", "title": f"Page {name}", "parameters": values}
        for name, values in notebooks
    ]
    fields = {"name": "weekly", "title": "Weekly", "source": "shop.yml", "owner": "O", **settings}
    Path("suite.yml").write_text(yaml.safe_dump({**fields, "notebooks": parts}), encoding="utf-8")
    return suites.load("suite.yml")


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("shop.yml", SHOP), ("orders.csv", ORDERS)):
        Path(name).write_text(text, encoding="utf-8")
    Path("notebooks").mkdir()
    write("notebooks/10_good.ipynb", GOOD)
    return tmp_path


@pytest.fixture
def no_kernel(monkeypatch):
    def started(*_, **__):
        raise AssertionError("a kernel was started")

    monkeypatch.setattr(papermill, "execute_notebook", started)


NOW = dt.datetime(2026, 12, 4, 9, tzinfo=dt.UTC)  # a Friday: the week to 29 November is over


def run(loaded, *, as_of=None, force=True, **rest):
    call = Call(out=Path("reports"), state=Path("state"), now=NOW, force=force, **rest)
    return runner.run(loaded, call, as_of=as_of)


def pages(ran):
    return [Path(page) for page in ran.pages]


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


@pytest.mark.usefixtures("shop")
def test_good_run_publishes_page_results_and_manifest_and_repeats_byte_by_byte():
    before, cells = dict(os.environ), []
    loaded = suite(("10_good", {"n": 3}))
    outcome = run(loaded, watch=lambda *each: cells.append(each))
    page = Path("reports/weekly/2026-11-29/10_good.html")
    assert (outcome.exit_code, outcome.status, pages(outcome)) == (0, "published", [page])
    assert outcome.headlines == {"Page 10_good": "It works."}
    html = page.read_text(encoding="utf-8")
    assert "shop.yml 2026-11-29 3 UTC 0" in html
    assert os.environ == before
    assert cells == [("10_good.ipynb", each, 4) for each in (1, 2, 3, 4)]

    results = read(page.with_name("results.json"))
    assert (results["suite"], results["as_of"]) == ("weekly", "2026-11-29")
    assert results["snapshot"]["name"].startswith("2026-11-29-")
    assert results["notebooks"]["10_good"]["headline"] == "It works."
    assert results["notebooks"]["10_good"]["results"][0]["value"] == 3

    manifest = read(page.with_name("manifest.json"))
    told = manifest["notebooks"]["10_good"]
    assert told["sha256"] == hashlib.sha256(html.encode()).hexdigest()
    assert told["run_key"][:12] in html
    assert told["parts"]["parameters"]["n"] == 3
    assert manifest["snapshot"]["rows"]["orders"] == 3
    assert manifest["snapshot"]["sha256"][:12] in html
    assert manifest["source"]["file"] == "shop.yml"
    assert manifest["source"]["sha256"] == hashlib.sha256(SHOP.encode()).hexdigest()
    assert manifest["started"] not in html
    assert manifest["host"] not in html.split("</style>")[1]
    assert str(Path.cwd()) not in html

    again = run(loaded)
    assert pages(again)[0].read_bytes() == html.encode()
    assert (
        read(page.with_name("manifest.json"))["notebooks"]["10_good"]["run_key"] == told["run_key"]
    )


@pytest.mark.usefixtures("shop")
def test_failing_notebooks_are_all_told_and_publish_nothing():
    run(suite(("10_good", {})))
    good = Path("reports/weekly/latest/10_good.html")
    before = good.read_bytes()
    write("notebooks/20_bad.ipynb", "x = 1", "# divide\n1 / 0")
    write(
        "notebooks/30_thin.ipynb",
        "class BadData(ValueError): ...  # as of retention_lab.checks",
        "raise BadData('Too few orders.')",
    )
    write("notebooks/40_nan.ipynb", GOOD.replace('"value": n', '"value": float("nan")'))
    names = ("20_bad", "30_thin", "40_nan")
    outcome = run(suite(*((name, {}) for name in names)))
    assert [each.sentence for each in outcome.failures] == [
        "20_bad.ipynb, cell 4 ('# divide') failed with ZeroDivisionError: division by zero.",
        "30_thin.ipynb, cell 4 (\"raise BadData('Too few orders.')\") stopped: Too few orders.",
        "40_nan.ipynb: the result 'n' holds nan or infinity. "
        "What cannot be computed must not be recorded.",
    ]
    assert [each.exit_code for each in outcome.failures] == [1, 3, 1]
    assert outcome.exit_code == 3
    assert good.read_bytes() == before
    assert sorted(each.name for each in good.parent.iterdir()) == [
        "10_good.html",
        "manifest.json",
        "results.json",
    ]
    assert outcome.kept == "reports/weekly/failed/2026-11-29"
    assert Path(outcome.kept, "20_bad.ipynb").is_file()


@pytest.mark.usefixtures("shop")
def test_kernel_that_dies_is_told_by_its_cell():
    write("notebooks/50_dead.ipynb", "import os\nos.kill(os.getpid(), 9)")
    outcome = run(suite(("50_dead", {})))
    assert outcome.exit_code == 4
    assert "50_dead.ipynb, cell 3 ('import os'): the kernel died." in outcome.failures[0].sentence
    assert not Path("reports/weekly/latest").exists()


@pytest.mark.usefixtures("shop")
def test_only_one_notebook_leaves_the_other_pages(monkeypatch):
    write("notebooks/20_more.ipynb", "")
    loaded, ran = suite(("10_good", {}), ("20_more", {})), []

    def execute(path, **_):
        ran.append(path.name)
        return nbformat.read(path, as_version=4)

    monkeypatch.setattr(kernel, "execute", execute)
    run(loaded)
    outcome = run(loaded, only="20")
    assert ran == ["10_good.ipynb", "20_more.ipynb", "20_more.ipynb"]
    assert [each.name for each in pages(outcome)] == ["20_more.html"]
    assert Path("reports/weekly/latest/10_good.html").is_file()
    with pytest.raises(BadParameter, match="no notebook '30'"):
        run(loaded, only="30")


@pytest.mark.usefixtures("shop", "no_kernel")
@pytest.mark.parametrize(
    ("values", "settings", "words"),
    [
        ({"n": "abc"}, {}, "n (how often) must be a whole number, got 'abc'"),
        ({"m": 1}, {}, "has no parameter 'm'"),
        ({"as_of": "2026-11-29"}, {}, "as_of is filled in by the runner"),
        ({}, {"time_zone": "America/New_York"}, "does not take time_zone"),
        ({}, {"source": "shp.yml"}, "shp.yml cannot be read: there is no such file"),
        ({}, {"where": "countri = 'UK'"}, "countri"),
    ],
)
def test_setting_that_does_not_fit_starts_no_kernel(values, settings, words):
    with pytest.raises(BadParameter) as refusal:
        run(suite(("10_good", values), **settings))
    assert words in str(refusal.value)
    assert not Path("reports/index.html").exists()


@pytest.mark.usefixtures("shop", "no_kernel")
def test_file_that_is_missing_or_no_notebook_starts_no_kernel():
    with pytest.raises(BadParameter, match=r"20_gone.ipynb cannot be read: there is no such file"):
        run(suite(("20_gone", {})))
    Path("notebooks/30_text.ipynb").write_text("# not a notebook", encoding="utf-8")
    with pytest.raises(BadParameter, match=r"30_text.ipynb is no notebook"):
        run(suite(("30_text", {})))


@pytest.mark.usefixtures("shop", "no_kernel")
def test_data_that_cannot_answer_start_no_kernel():
    with pytest.raises(BadData, match="2026-12-02"):
        run(suite(("10_good", {})), as_of=dt.date(2027, 1, 3))
    Path("orders.csv").write_text(ORDERS + "5,zoe,2026-11-20 10:00:00,-1\n", encoding="utf-8")
    with pytest.raises(BadData, match="negative amount"):
        run(suite(("10_good", {})))


@pytest.mark.usefixtures("shop", "no_kernel")
def test_suite_that_is_being_run_is_refused():
    loaded = suite(("10_good", {}))
    with publish.locked(Path("reports/weekly")), pytest.raises(publish.Locked):
        run(loaded)


@pytest.mark.usefixtures("shop")
def test_notebook_is_told_of_the_chosen_customers_and_day(monkeypatch):
    told = {}

    def execute(path, *, parameters, **_):
        told.update(parameters)
        return nbformat.read(path, as_version=4)

    monkeypatch.setattr(kernel, "execute", execute)
    loaded = suite(("10_good", {}), where="customer_id = 'ann'")
    [page] = pages(run(loaded, as_of=dt.date(2026, 11, 18)))
    assert told == {"source": "shop.yml", "as_of": "2026-11-18", "where": "customer_id = 'ann'"}
    assert "only customers with customer_id = &#39;ann&#39;" in page.read_text(encoding="utf-8")


OWN = f'{PARAMETERS}\nmetrics: str = ""\nannotations: str = ""\nprevious: str = ""'


@pytest.fixture
def told(monkeypatch):
    """Return what the last notebook was told; none is executed."""
    words = {}

    def execute(path, *, parameters, **_):
        words.update(parameters)
        return nbformat.read(path, as_version=4)

    monkeypatch.setattr(kernel, "execute", execute)
    return words


def key(page):
    return read(page.with_name("manifest.json"))["notebooks"]["20_own"]["run_key"]


@pytest.mark.usefixtures("shop")
def test_notebook_is_told_of_the_report_before_of_the_same_shop_and_customers(told):
    write("notebooks/20_own.ipynb", parameters=OWN)
    loaded, days = suite(("20_own", {})), [dt.date(2026, 11, day) for day in (8, 15, 22, 29)]
    run(loaded, as_of=days[0])
    assert told["previous"] == ""
    run(suite(("20_own", {}), where="customer_id = 'ann'"), as_of=days[1])
    assert told["previous"] == ""
    run(loaded, as_of=days[3])
    assert told["previous"] == "state/results/weekly/2026-11-08.json#20_own"
    # One that is made later, of a day between, does not become the one before itself.
    [page] = pages(run(loaded, as_of=days[2]))
    assert told["previous"] == "state/results/weekly/2026-11-08.json#20_own"
    other = Path("reports/weekly/2026-11-08/results.json")
    first, text = key(page), other.read_text(encoding="utf-8")
    other.write_text(text + " ", encoding="utf-8")  # it says the same
    assert first == key(pages(run(loaded, as_of=days[2]))[0])
    other.write_text(text.replace('"results": []', '"results": [{"n": 1}]'), encoding="utf-8")
    assert first != key(pages(run(loaded, as_of=days[2]))[0])


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("kind", ["metrics", "annotations"])
def test_notebook_is_told_of_the_own_files_of_the_team(told, kind):
    write("notebooks/20_own.ipynb", parameters=OWN)
    [page] = pages(run(suite(("20_own", {}))))
    without = key(page)
    assert told[kind] == ""
    Path("data").mkdir()
    Path(f"data/{kind}.yml").write_text(f"{kind}: []", encoding="utf-8")
    [page] = pages(run(suite(("20_own", {}))))
    assert told[kind] == f"data/{kind}.yml"
    assert key(page) != without
    run(suite(("20_own", {}), **{kind: ""}))
    assert told[kind] == ""


@pytest.mark.usefixtures("shop", "no_kernel")
@pytest.mark.parametrize("kind", ["metrics", "annotations"])
def test_own_file_that_is_missing_starts_no_kernel(kind):
    with pytest.raises(BadParameter, match=f"{kind} names gone.yml, but there is no such file"):
        run(suite(("10_good", {}), **{kind: "gone.yml"}))


@pytest.mark.usefixtures("shop", "no_kernel")
@pytest.mark.parametrize("kind", ["metrics", "annotations"])
def test_own_file_that_does_not_fit_starts_no_kernel(kind):
    Path("data").mkdir()
    Path(f"data/{kind}.yml").write_text(f"{kind}: [{{lable: Sale}}]", encoding="utf-8")
    with pytest.raises(BadParameter, match=rf"data/{kind}.yml.*lable.*Did you mean 'label'"):
        run(suite(("10_good", {})))


@pytest.mark.usefixtures("shop", "no_kernel")
def test_brand_that_does_not_fit_starts_no_kernel():
    Path("brand.yml").write_text('name: Shop\naccent: "#ffff00"', encoding="utf-8")
    with pytest.raises(BadParameter, match=r"brand\.yml"):
        run(suite(("10_good", {}), brand="brand.yml"))
    assert not Path("state").exists()  # it is refused before any data are read or waited for


@pytest.mark.usefixtures("shop")
def test_output_that_a_page_cannot_hold_is_told_by_the_cell_of_its_author(monkeypatch):
    def execute(path, **_):
        notebook = nbformat.read(path, as_version=4)
        picture = new_output("display_data", data={"image/png": ""})
        notebook.cells[-1].outputs = [picture]
        injected = new_code_cell("n = 3", metadata={"tags": ["injected-parameters"]})
        notebook.cells.insert(2, injected)
        return notebook

    monkeypatch.setattr(kernel, "execute", execute)
    outcome = run(suite(("10_good", {})))
    assert (outcome.exit_code, outcome.pages) == (1, ())
    assert "10_good.ipynb: Cell 3 ('import os') shows image/png" in outcome.failures[0].sentence


@pytest.mark.usefixtures("shop")
def test_manifest_holds_no_expanded_variable(monkeypatch):
    monkeypatch.setenv("SHOP_FOLDER", str(Path.cwd()))
    Path("shop.yml").write_text(SHOP.replace("orders.csv", "${SHOP_FOLDER}/orders.csv"))
    monkeypatch.setattr(kernel, "execute", lambda path, **_: nbformat.read(path, as_version=4))
    [page] = pages(run(suite(("10_good", {}))))
    assert str(Path.cwd()) not in page.with_name("manifest.json").read_text(encoding="utf-8")
