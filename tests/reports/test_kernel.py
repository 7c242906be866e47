from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from retention_lab.reports import kernel, rooms
from retention_lab.reports.kernel import Ended, Stopped
from retention_lab.reports.stopping import Group


def write(path, *cells):
    """Write a notebook with one parameter and some cells."""
    tagged = new_code_cell("n: int = 1", metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[tagged, *map(new_code_cell, cells)]), path)
    return path


def execute(path, *, seconds=60.0, **rest):
    settings = {"parameters": {"n": 2}, "cell_seconds": 60, "watch": lambda *_: None, **rest}
    return kernel.execute(path, deadline=time.monotonic() + seconds, **settings)


def printed(notebook):
    outputs = [each for cell in notebook.cells for each in cell.get("outputs", [])]
    return "".join(each["text"] for each in outputs).split()


def soon(true, *, seconds=10):
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def alive(pid):
    """Tell whether a process runs; a dead one that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(*pids):
    return soon(lambda: not any(map(alive, pids)))


@pytest.fixture
def temporary(tmp_path, monkeypatch):  # noqa: ARG001  # which must not be made in the other
    """Give temporary files a folder of this test, where nothing of ours must be left."""
    # Not below `tmp_path`, which is too long for sockets.
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        assert list(Path(folder).glob("retention-lab-*")) == []


@pytest.fixture(autouse=True)
def _surroundings(temporary):  # noqa: ARG001
    with kernel.surroundings({"RETENTION_LAB_EXTRA": "told"}):
        yield


# A cell that starts a child and notes both processes in the file `pids`.
CHILD = """import os, pathlib, subprocess, time
child = subprocess.Popen(["sleep", "600"])
pathlib.Path({pids!r}).write_text(f"{{os.getpid()}} {{child.pid}}")"""


@pytest.fixture
def pids(tmp_path):
    """Return a way to ask which processes the notebook noted."""
    file = tmp_path / "pids"

    def noted():
        assert soon(lambda: file.is_file() and file.read_text(encoding="utf-8"))
        return [int(each) for each in file.read_text(encoding="utf-8").split()]

    noted.cell = CHILD.format(pids=str(file))
    return noted


def test_notebooks_run_at_once_each_in_a_kernel_and_a_room_of_its_own(tmp_path, temporary):
    # Each waits for the other's file: one after the other they would wait for ever.
    cell = """import os, pathlib, tempfile, time
pathlib.Path({folder!r}, f"{{n}}").touch()
while len(list(pathlib.Path({folder!r}).iterdir())) < 2:
    time.sleep(0.02)
tempfile.mkstemp()
print(n, os.getpid(), os.environ["TZ"], os.environ["RETENTION_LAB_EXTRA"], tempfile.gettempdir())"""
    (tmp_path / "met").mkdir()
    path = write(tmp_path / "a {b}.ipynb", cell.format(folder=str(tmp_path / "met")))
    loops = threading.active_count()
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda n: printed(execute(path, parameters={"n": n})), (1, 2)))
    (one, pid, *first), (two, other, *second) = both
    assert (one, two) == ("1", "2")
    assert pid != other
    assert first[:2] == second[:2] == ["UTC", "told"]
    assert Path(first[2]).parent == Path(second[2]).parent == temporary
    assert first[2] != second[2]
    assert threading.active_count() == loops


def test_child_of_a_cell_ends_with_its_kernel(tmp_path, pids):
    execute(write(tmp_path / "a.ipynb", pids.cell))
    assert gone(*pids())


def test_deadline_ends_the_kernel_and_what_it_started(tmp_path, pids):
    path = write(tmp_path / "a.ipynb", pids.cell, "time.sleep(600)")
    began = time.monotonic()
    with pytest.raises(Stopped) as stopped:
        execute(path, seconds=3)
    assert time.monotonic() - began < 6
    assert str(stopped.value) == (
        "a.ipynb, cell 3 ('time.sleep(600)') was stopped: "
        "the time of the whole run was over (minutes in the suite)."
    )
    assert stopped.value.exit_code == 4
    assert gone(*pids())


def test_deadline_ends_a_kernel_that_is_only_being_started(tmp_path):
    with pytest.raises(Stopped, match=r"^a\.ipynb was not begun: the time of the whole run"):
        execute(write(tmp_path / "a.ipynb", "1"), seconds=0.1)


def test_no_kernel_is_started_after_the_deadline(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel.papermill, "execute_notebook", lambda *_, **__: 1 / 0)
    with pytest.raises(Stopped, match=r"^a\.ipynb was not begun"):
        execute(write(tmp_path / "a.ipynb", "1"), seconds=0)


def test_kernel_that_dies_once_is_begun_anew_from_the_first_cell(tmp_path, pids):
    once = """if not pathlib.Path({file!r}).exists():
    pathlib.Path({file!r}).touch()
    os.kill(os.getpid(), 9)
print(x)"""
    path = write(tmp_path / "a.ipynb", pids.cell + "\nx = n", once.format(file=str(tmp_path / "x")))
    cells = []
    done = execute(path, watch=lambda *each: cells.append(each[1]))
    assert printed(done) == ["2"]
    assert cells == [1, 2, 3, 4, 1, 2, 3, 4]
    assert gone(*pids())


def test_kernel_that_dies_twice_is_told_by_its_cell_and_leaves_no_child(tmp_path, pids):
    path, begun = write(tmp_path / "a.ipynb", f"{pids.cell}\nos.kill(os.getpid(), 9)"), []
    with pytest.raises(Stopped, match=r"cell 2 \('import os.*'\): the kernel died\.") as stopped:
        execute(path, watch=lambda *each: begun.append(each[1]))
    assert (stopped.value.exit_code, begun.count(1)) == (4, 2)
    assert gone(*pids())


@pytest.mark.parametrize(
    ("cell", "code", "words"),
    [
        ("1 / 0", 1, "failed with ZeroDivisionError"),
        ("class BadData(ValueError): ...\nraise BadData('Too few.')", 3, "stopped: Too few."),
        ("import time; time.sleep(60)", 4, r"took longer than 1 seconds \(cell_minutes\)"),
        ("import sys; sys.exit()", 1, "failed with SystemExit"),
    ],
)
def test_notebook_that_does_not_come_to_its_end_is_not_tried_again(tmp_path, cell, code, words):
    begun = []
    with pytest.raises(Stopped, match=words) as stopped:
        execute(
            write(tmp_path / "a.ipynb", cell),
            cell_seconds=1,
            watch=lambda *each: begun.append(each[1]),
        )
    assert (stopped.value.exit_code, begun.count(1)) == (code, 1)


def test_sigterm_ends_the_kernels_of_all_threads_and_what_they_started(tmp_path, pids):
    path = write(tmp_path / "a.ipynb", pids.cell, "time.sleep(600)")
    other = write(tmp_path / "b.ipynb", "import time; time.sleep(600)")
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Ended) as ended, kernel.stoppable(), ThreadPoolExecutor(2) as pool:  # noqa: PT012
        waiting = [pool.submit(execute, each) for each in (path, other, other)]
        pids()
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
    assert time.monotonic() - began < 5
    assert ended.value.exit_code == 143
    assert str(ended.value) == "The run was stopped by SIGTERM. Nothing was published."
    assert [type(each.exception()) for each in waiting] == [Ended] * 3
    assert signal.getsignal(signal.SIGTERM) == handler
    assert gone(*pids())


def test_control_c_ends_the_kernel_that_the_main_thread_waits_for(tmp_path, pids):
    path = write(tmp_path / "a.ipynb", pids.cell, "time.sleep(600)")
    user = threading.Thread(target=lambda: (pids(), os.kill(os.getpid(), signal.SIGINT)))
    user.start()
    with pytest.raises(Ended, match="stopped by SIGINT") as ended, kernel.stoppable():
        execute(path)
    assert ended.value.exit_code == 130
    assert gone(*pids())
    user.join()


def test_stop_is_told_even_where_something_swallows_it():
    def swallowing():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except BaseException:
            return "went on"

    with pytest.raises(Ended), kernel.stoppable():
        assert swallowing() == "went on"
    with kernel.stoppable():  # and the next run is not stopped
        pass


RUNNER = """import sys, time
from pathlib import Path
from retention_lab.reports import kernel
with kernel.surroundings({{}}):
    kernel.execute(Path({path!r}), parameters={{}}, cell_seconds=600,
                   deadline=time.monotonic() + 600, watch=lambda *_: None)
"""


def test_killed_runner_leaves_no_kernel_and_its_room_to_the_next_run(tmp_path, pids, temporary):
    path = write(tmp_path / "a.ipynb", pids.cell, "time.sleep(600)")
    runner = subprocess.Popen(
        [sys.executable, "-c", RUNNER.format(path=str(path))],
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    leader, child = pids()
    runner.kill()
    runner.wait()
    assert gone(leader)
    os.kill(child, signal.SIGKILL)
    assert len(list(temporary.glob("retention-lab-*"))) == 1
    with rooms.lent() as room:
        rooms.sweep()
        assert list(temporary.glob("retention-lab-*")) == [room]


def test_a_kernel_that_was_killed_is_waited_for():
    with Group(deadline=time.monotonic() + 60) as group:
        group.started = subprocess.Popen(["sleep", "600"], start_new_session=True)
        group.led_by(group.started.pid)
    assert group.started.returncode == -signal.SIGKILL
