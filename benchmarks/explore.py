"""Milliseconds from a control that is moved to the new picture, in each notebook to explore in.

    python benchmarks/explore.py 1000000
    python benchmarks/explore.py 1000000 --folder /some/folder --only cohort_explorer

A shop is simulated and its snapshot taken; then each notebook runs in a kernel of its own, and its
controls are moved by the messages that JupyterLab sends. The aims are 5 s from the first cell to
the board (the kernel starts when the notebook is opened), and a median of 150 ms from the message
that moves a control to the one with the picture. What is set for the first time may need the engine
and is told apart; `again` sets the same after another control has moved, so that the view is a new
one, and only its tables are kept. Computing is told, too, in the mean of the moves: others may use
the machine.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from retention_lab.tables import snapshot
from retention_lab.tables.simulator import simulate

ROOT = Path(__file__).parents[1]
FOLDER, SOURCE, AS_OF = "notebooks/explore", "data/sources/demo.yml", "2026-11-29"
NOTEBOOKS = ("cohort_explorer", "experiment_planner", "segment_explorer")
MOVES, PATIENCE = 20, 600
VIEW = "application/vnd.jupyter.widget-view+json"
TAKEN: list[float] = []  # seconds of the moves in a notebook
NUDGED: dict[str, int] = {}  # how often another control was moved before each


class Front:
    """A front end of a kernel, which knows its widgets as JupyterLab does."""

    def __init__(self, client: BlockingKernelClient, kernel: psutil.Process) -> None:
        self.client, self.kernel = client, kernel
        self.models: dict[str, dict[str, Any]] = {}
        self.shown = 0.0  # when the board came
        self.drawn = 0.0  # when the last picture came

    def follow(self, message: str) -> None:
        """Take what comes until the kernel has done what a message asked for."""
        while True:
            came = self.client.get_iopub_msg(timeout=PATIENCE)
            kind, content = came["msg_type"], came["content"]
            self._take(kind, content)
            asked = came["parent_header"].get("msg_id") == message
            if asked and kind == "status" and content["execution_state"] == "idle":
                return

    def _take(self, kind: str, content: dict[str, Any]) -> None:
        data = content.get("data", {})
        if kind == "comm_open":
            self.models[content["comm_id"]] = dict(data["state"])
        elif kind == "comm_msg" and data.get("method") == "update":
            model = self.models[content["comm_id"]]
            model.update(data["state"])
            if "spec" in data["state"]:
                self.drawn = time.perf_counter()
        elif kind in ("display_data", "execute_result") and VIEW in data:
            self.shown = self.shown or time.perf_counter()
        elif kind == "error":
            raise RuntimeError("\n".join(content["traceback"]))

    def run(self, code: str) -> None:
        """Run a cell."""
        self.follow(self.client.execute(code))

    def move(self, model: str, state: dict[str, Any]) -> float:
        """Move a control, and return the seconds until its picture, or words in its place, came."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        content = {"comm_id": model, "data": data}
        message = self.client.session.msg("comm_msg", content)
        began = time.perf_counter()
        self.client.shell_channel.send(message)
        self.follow(message["header"]["msg_id"])
        self.models[model].update(state)
        return (self.drawn if self.drawn > began else time.perf_counter()) - began

    @property
    def computed(self) -> float:
        """Seconds of computing that the kernel has taken."""
        times = self.kernel.cpu_times()
        return float(times.user + times.system)

    def controls(self) -> dict[str, str]:
        """Return the controls that are shown: the model of each by its words."""
        box = next(
            model
            for model in self.models.values()
            if "explore-controls" in model.get("_dom_classes", ())
        )
        return {
            f"{self.models[one].get('description') or words}{number or ''}": one
            for child in box["children"]
            for number, (words, one) in enumerate(self._within(child.removeprefix("IPY_MODEL_")))
        }

    def _within(self, model: str, words: str = "") -> Iterator[tuple[str, str]]:
        """Give what can be moved in a widget, with the heading above it."""
        state = self.models[model]
        if self._layout(state).get("display") == "none":
            return
        children = [child.removeprefix("IPY_MODEL_") for child in state.get("children", ())]
        heading = next((self.models[each].get("value") for each in children[:1]), words)
        for child in children:
            yield from self._within(child, str(heading))
        if "index" in state or ("value" in state and state["_model_name"] != "HTMLModel"):
            yield words, model

    def _layout(self, state: dict[str, Any]) -> dict[str, Any]:
        return self.models.get(str(state.get("layout", "")).removeprefix("IPY_MODEL_"), {})


def states(model: dict[str, Any]) -> list[dict[str, Any]]:
    """Give what a control can be set to, at most `MOVES` values and the one it has."""
    if "index" in model:
        return [{"index": place} for place in range(len(model["_options_labels"]))][:MOVES]
    if isinstance(model["value"], bool):
        return [{"value": True}, {"value": False}]
    if "max" not in model:
        return []  # a text: nobody drags it
    least, most, step = model["min"], model["max"], model["step"]
    steps = int((most - least) / step + 1e-9)
    chosen = sorted({round(steps * place / (MOVES - 1)) for place in range(MOVES)})
    whole = isinstance(step, int)
    return [{"value": least + step * n if whole else round(least + step * n, 6)} for n in chosen]


def measured(front: Front, name: str) -> None:
    """Move a control to each of its values, the first time and again, and print what it took."""
    model = front.controls()[name]
    values = states(front.models[model])
    if not values:
        return
    key = next(iter(values[0]))
    own = {key: front.models[model][key]}
    first = [front.move(model, state) for state in values if state != own]
    again: list[float] = []
    computing = 0.0
    while len(again) < MOVES:
        back, computed = nudge(front, name), front.computed
        again += [front.move(model, state) for state in values]
        computing += front.computed - computed
        back()
    front.move(model, own)
    mean = f"{1e3 * computing / len(again):4.0f} ms of computing"
    sys.stdout.write(f"  {name[:46]:46} {told(again)}, {mean};   first {told(first)}\n")
    sys.stdout.flush()
    TAKEN.extend(again)


def nudge(front: Front, but: str) -> Any:  # noqa: ANN401  a function
    """Move another control to where it was not, so that every view is new; give the way back."""
    others = {name: model for name, model in front.controls().items() if name != but}
    sliders = [model for model in others.values() if "max" in front.models[model]]
    choices = [model for model in others.values() if "index" in front.models[model]]
    model = (sliders or choices[::-1])[0]
    state, turn = front.models[model], NUDGED.get(but, 0) + 1
    NUDGED[but] = turn
    if "index" in state:
        key, there = "index", (state["index"] + turn) % len(state["_options_labels"])
    else:
        up = 1 if state["value"] + 9 * state["step"] <= state["max"] else -1
        key, there = "value", state["value"] + up * (turn % 10) * state["step"]
    before = {key: state[key]}
    front.move(model, {key: there})
    return lambda: front.move(model, before)


def told(seconds: list[float]) -> str:
    """Say the median, the 95th percentile and the longest in milliseconds."""
    if not seconds:
        return "-"
    rank = sorted(seconds)[min(len(seconds) - 1, int(0.95 * len(seconds)))]
    middle = statistics.median(seconds)
    return f"{1e3 * middle:5.0f} {1e3 * rank:5.0f} {1e3 * max(seconds):5.0f} ms"


def every(front: Front) -> None:
    """Measure all controls, also those that another one shows."""
    done: set[str] = set()

    def new() -> None:
        for name in front.controls():
            if name not in done:
                done.add(name)
                measured(front, name)

    new()
    for model in [*front.controls().values()]:
        state = front.models[model]
        if "index" not in state and not isinstance(state.get("value"), bool):
            continue
        key = "index" if "index" in state else "value"
        own = state[key]
        for other in states(state):
            front.move(model, other)
            new()
        front.move(model, {key: own})


def explored(name: str, project: Path) -> None:
    """Open a notebook, and move all that is in it."""
    cells = nbformat.read(project / FOLDER / f"{name}.ipynb", as_version=4).cells
    asked = time.perf_counter()
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(project / FOLDER))
    try:
        began = time.perf_counter()
        front = Front(client, psutil.Process(manager.provisioner.pid))
        for cell in cells:
            if cell.cell_type == "code":
                front.run(cell.source)
        load = front.shown - began
        sys.stdout.write(f"{name}: the board came after {load:.1f} s (at most 5 s), ")
        sys.stdout.write(f"and the kernel had taken {began - asked:.1f} s to start; ")
        sys.stdout.write(f"the notebook took {front.computed:.1f} s of computing\n")
        sys.stdout.write("  median, 95th percentile and longest of each control\n")
        TAKEN.clear()
        every(front)
        sys.stdout.write(f"  {'all of them (at most 150 ms)':46} {told(TAKEN)}\n")
        sys.stdout.flush()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def made(customers: int, project: Path) -> None:
    """Write a project with a shop of so many customers, or leave the one that is there."""
    if not (project / "data/demo").exists():
        simulate(project / "data/demo", customers=customers)
    for name in ("notebooks", "experiments", "data/sources"):
        ignored = shutil.ignore_patterns("snapshots")
        shutil.copytree(ROOT / name, project / name, dirs_exist_ok=True, ignore=ignored)
    for file in ("demo_plan.yml", "playbook.yml"):
        shutil.copy(ROOT / "data" / file, project / "data")
    # A view that was left would be shown in the place of the notebook's.
    shutil.rmtree(project / "data/sources/snapshots/views", ignore_errors=True)
    began = time.perf_counter()
    snapshot.take(str(project / SOURCE), as_of=AS_OF)
    sys.stdout.write(
        f"{customers:,} customers; the snapshot came after {time.perf_counter() - began:.1f} s\n"
    )
    sys.stdout.flush()


def main() -> None:
    """Make a shop, or take one made before, and explore it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("customers", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--only", choices=NOTEBOOKS, action="append")
    parser.add_argument("--folder", type=Path, help="where the shop is, or is to be kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        project = options.folder or Path(scratch)
        made(options.customers, project)
        for name in options.only or NOTEBOOKS:
            explored(name, project)


if __name__ == "__main__":
    main()
