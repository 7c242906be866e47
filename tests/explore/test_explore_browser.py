"""The notebooks to explore in, in JupyterLab as people have it: everything that can be moved is.

Pictures of what was seen stay in `build/screenshots`, which `make clean` removes.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from retention_lab.tables.simulator import simulate

pytest.importorskip("playwright.sync_api")

from .browsed import Notebook, chromium, jupyter

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a chromium on the path"),
]
ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "screenshots"
FOLDER = "notebooks/explore"
NOTEBOOKS = ["cohort_explorer", "experiment_planner", "segment_explorer"]
# Of anywidget, where a busy machine takes more than two seconds to load the scripts of a picture,
# or a kernel is restarted meanwhile. The picture is waited for here, so it came.
TOLERATED = "[anywidget] Failed to initialize model."
UNSEEN = ("Name of the plan", "Owner of the plan")  # they change what is frozen, not what is shown
# Each thing of a board that can be moved, in the order in which it stands, hidden or not.
CONTROLS = """[...document.querySelectorAll(
    '.explore-controls :is(select, input, button, .noUi-handle)')]"""
VALUES = f"""() => {CONTROLS}.map(each => each.type === 'checkbox' ? each.checked
    : each.matches('.noUi-handle') ? Number(each.ariaValueNow) : each.value)"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project as a new user has it: its notebooks, a demo shop, and no suite."""
    folder = tmp_path_factory.mktemp("explored")
    for name in ("experiments", "notebooks", "data/sources"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("snapshots"))
    shutil.copy(ROOT / "data" / "demo_plan.yml", folder / "data")
    for suite in folder.glob("experiments/suites/*"):
        suite.unlink()
    simulate(folder / "data" / "demo", customers=8_000)
    return folder


@pytest.fixture(scope="module")
def lab(project, tmp_path_factory):
    with jupyter(project, tmp_path_factory.mktemp("home")) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium(height=1400) as context:
        yield context


@pytest.fixture(params=NOTEBOOKS)
def notebook(request, browser, lab):
    """A notebook whose cells have run; what a tab complained about fails the test at its end."""
    opened = Notebook(browser, lab, f"{FOLDER}/{request.param}.ipynb")
    opened.name = request.param
    try:
        opened.run_all()
        yield opened
        pictured(opened, "left")
    finally:
        opened.tab.close()
    assert [each for each in opened.complaints if TOLERATED not in each] == []
    assert opened.outside == []


def pictured(notebook, what):
    PICTURES.mkdir(parents=True, exist_ok=True)
    notebook.tab.screenshot(path=PICTURES / f"{notebook.name}-{what}.png")


def open_controls(notebook):
    """The places of the controls that can be moved now."""
    return notebook.tab.evaluate(
        f"() => {CONTROLS}.flatMap((each, place) => each.getClientRects().length ? [place] : [])"
    )


def control(notebook, place):
    return notebook.tab.evaluate_handle(f"() => {CONTROLS}[{place}]").as_element()


def about(notebook, place):
    """What kind a control is, what stands beside it, and what it can be set to."""
    return notebook.tab.evaluate(
        f"""() => {{
            const each = {CONTROLS}[{place}], box = each.closest('.jupyter-widgets');
            const words = box.querySelector('label') ?? box.parentElement.querySelector('b');
            return {{
                kind: each.matches('.noUi-handle') ? 'slider' : each.type,
                label: (words?.innerText.replace('\\u200b', '').trim() || box.innerText).trim(),
                options: [...(each.options ?? [])].map(option => option.value),
                value: each.value,
                end: each.ariaValueNow === each.ariaValueMax,
            }};
        }}"""
    )


def moved(notebook, place):
    """Move a control there, see the change, and back; tell what it is called."""
    which, it = about(notebook, place), control(notebook, place)
    before = notebook.settled()
    MOVERS[which["kind"]](notebook, it, which, before)
    if which["kind"] == "slider":  # it may have stood between two of its steps
        notebook.settled()
    else:
        notebook.shows(before)
    return which["label"]


def choose(notebook, it, which, before):
    for option in which["options"]:
        if option != which["value"]:
            it.select_option(option)
            if notebook.changes(before):
                break
    else:
        raise AssertionError(f"{which['label']}: no option changes anything")
    it.select_option(which["value"])


def slide(notebook, it, which, before):
    there, back = ("ArrowLeft", "ArrowRight") if which["end"] else ("ArrowRight", "ArrowLeft")
    presses = 1
    it.press(there)
    while not notebook.changes(before):
        assert presses < 10, f"{which['label']}: ten steps change nothing"
        it.press(there)
        presses += 1
    for _ in range(presses):
        it.press(back)


def tick(notebook, it, _which, before):
    it.click()
    notebook.changed(before)
    it.click()


def write(notebook, it, which, before):
    it.fill(f"{which['value']}x")
    it.press("Enter")
    if which["label"] not in UNSEEN:
        notebook.changed(before)
    it.fill(which["value"])
    it.press("Enter")


MOVERS = {"select-one": choose, "slider": slide, "checkbox": tick, "text": write}


def values(notebook):
    return notebook.tab.evaluate(VALUES)


def every_control(notebook):
    """Move all controls, also those that another one shows; give their names."""
    done = {place: moved(notebook, place) for place in open_controls(notebook)}
    for place in [*done]:
        for there, back in settings(notebook, place):
            if len(done) == len(values(notebook)):
                break
            there()
            notebook.settled()
            shown = [each for each in open_controls(notebook) if each not in done]
            done |= {each: moved(notebook, each) for each in shown}
            back()
            notebook.settled()
    assert sorted(done) == [*range(len(values(notebook)))]
    return [*done.values()]


def settings(notebook, place):
    """How to set a control that may show others to what it is not, and back."""
    which, it = about(notebook, place), control(notebook, place)
    if which["kind"] == "checkbox":
        return [(it.click, it.click)]
    back = partial(it.select_option, which["value"])
    others = [each for each in which["options"] if each != which["value"]]
    return [(partial(it.select_option, each), back) for each in others]


def button(notebook, name):
    """Press a button, and give what it tells."""
    notebook.tab.evaluate("document.querySelector('.explore-told').innerText")
    before = notebook.part("told")
    notebook.tab.get_by_role("button", name=name).click()
    notebook.tab.wait_for_function(
        "before => document.querySelector('.explore-told').innerText !== before", arg=before
    )
    return notebook.part("told")


def run(words, project):
    """Do what a button says, in the project, while the browser goes on."""
    ours = {name: value for name, value in os.environ.items() if name != "RETENTION_LAB_STATIC"}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=project,
        env=ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said_of(notebook):
    """What is told of a view; in the picture, marks also show where the mouse is."""
    return [notebook.part(part) for part in ("says", "trouble", "words", "table")]


def codes(notebook):
    return notebook.tab.locator(".explore-told pre code").all_inner_texts()


def test_notebook_answers_to_everything_that_can_be_moved(notebook, project):
    pictured(notebook, "opened")
    opened_with = values(notebook)
    assert notebook.tab.locator(".explore-picture svg").count() == 1
    assert notebook.part("trouble") == ""

    names = every_control(notebook)
    assert all(names), names
    notebook.tab.get_by_role("button", name="Start over").click()
    notebook.settled()
    assert values(notebook) == opened_with

    change_of_view(notebook)
    left, said = values(notebook), said_of(notebook)
    assert left != opened_with
    button(notebook, "Give me the code")
    [code] = codes(notebook)
    button(notebook, "Make this a report")
    command, suite = codes(notebook)
    assert re.search(r"^name: [a-z-]+-[0-9a-f]{6}$", suite, re.MULTILINE)
    running = [
        run(["IPython", "--colors=NoColor", "-c", code], project),
        run(["retention_lab", *shlex.split(command)[1:]], project),
    ]
    try:
        notebook.restart()
        assert values(notebook) == left
        assert said_of(notebook) == said
        others(notebook)
        before = notebook.seen()
        notebook.tab.get_by_role("button", name="Start over").click()
        notebook.changed(before)
        assert values(notebook) == opened_with
        for process in running:
            told, _ = process.communicate(timeout=300)
            assert process.returncode == 0, told
    finally:
        for process in running:
            process.kill()
            process.communicate()


def change_of_view(notebook):
    """Leave another view than the one that the notebook opens with."""
    before = notebook.settled()
    if notebook.name == "cohort_explorer":
        notebook.tab.locator(".explore-picture svg .mark-rect path").nth(3).click()
        notebook.changed(before)
    else:
        place = next(
            place
            for place in open_controls(notebook)
            if about(notebook, place)["kind"] in ("slider", "select-one")
        )
        it, which = control(notebook, place), about(notebook, place)
        if which["kind"] == "slider":
            it.press("ArrowRight")
        else:
            it.select_option(which["options"][1])
        notebook.changed(before)
    pictured(notebook, "moved")


def others(notebook):
    """Press the buttons that only some boards have."""
    buttons = notebook.tab.locator(".jupyter-button").all_inner_texts()
    for name in buttons:
        if name not in ("Give me the code", "Make this a report", "Start over"):
            assert button(notebook, name)
