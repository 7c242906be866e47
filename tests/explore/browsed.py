"""JupyterLab in a browser, as somebody has it who explores: started, looked at and stopped.

For the tests in a browser, and for the pictures of the README.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

from playwright import sync_api

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
FAILED = ".jp-OutputArea-output:is([data-mime-type$='.stderr'], [data-mime-type$='.error'])"
PATIENCE = 180  # seconds that a busy machine may take for what a quiet one does in two
# JupyterLab would ask whether it may fetch news, and whether there is a newer one.
QUIET = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}
# All of a board that tells one view from another: what is drawn, said and listed.
SEEN = """() => [...document.querySelectorAll(
    '.explore-says, .explore-trouble, .explore-words, .explore-table, .explore-picture svg')]
    .filter(each => each.getClientRects().length).map(each => each.innerHTML).join('\\n')
    .replaceAll(/(gradient_|clip)\\d+/g, '')"""

# The kernel answers in turn: what a control told it before has come back when it does. Asked twice,
# as controls wait for each other: what changes while they do is sent afterwards.
HEARD = """async () => {
    const session = window.jupyterapp.shell.currentWidget.sessionContext.session;
    for (const _ of [1, 2]) await session.kernel.requestKernelInfo();
}"""


@contextmanager
def jupyter(project, home):
    """Start JupyterLab in a project, and give its address; what it keeps goes to `home`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    for name, settings in QUIET.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    places += ("JUPYTERLAB_WORKSPACES_DIR", "XDG_CACHE_HOME")
    # A report is not being made here, even where the tests run in one.
    ours = {name: value for name, value in os.environ.items() if name != "RETENTION_LAB_STATIC"}
    ours |= {place: str(home / place.lower()) for place in places}
    ours |= {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTER_TOKEN": token}
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.root_dir={project}", "--ServerApp.terminals_enabled=False"),
        *("--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        "--LabApp.expose_app_in_browser=True",  # so that a tab can ask its kernel; see HEARD
    ]
    with (home / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=project, env=ours, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _wait(f"http://127.0.0.1:{port}/api", server)
        yield f"http://127.0.0.1:{port}", token
    finally:
        server.terminate()  # it ends its kernels first
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(address, server):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended with {server.returncode}; see jupyter.log.")
        with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(address, timeout=5).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"JupyterLab did not answer within {PATIENCE} s.")


@contextmanager
def chromium(*, width=1280, height=1000):
    """Open Debian's Chromium, and give a context for tabs."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(PATIENCE * 1000)
        yield context
        browser.close()


class Notebook:
    """A notebook in a tab, which keeps what it asked for and what it complained about."""

    def __init__(self, context, lab, path):
        address, token = lab
        self.tab = context.new_page()
        self.asked, self.complaints = [], []
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("websocket", lambda socket: self.asked.append(socket.url))
        self.tab.on("console", self._heard)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(f"{address}/lab/tree/{path}?token={token}&reset")
        self.tab.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        self.idle()

    def _heard(self, line):
        if line.type == "error":
            self.complaints.append(f"{line.text} ({line.location.get('url', '')})")

    @property
    def outside(self):
        """What was asked for elsewhere than on this machine."""
        here = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
        return [url for url in self.asked if not url.startswith(here)]

    def idle(self):
        """Wait until the kernel has nothing to do."""
        self.tab.wait_for_selector("#jp-bottom-panel :text('(ipykernel) | Idle')")

    def menu(self, menu, item):
        """Choose from a menu of JupyterLab's."""
        self.tab.locator(".lm-MenuBar-item", has_text=menu).first.click()
        self.tab.locator(".lm-Menu-item", has_text=item).first.click()

    def run_all(self):
        """Run all cells, and wait for the board."""
        self.menu("Run", "Run All Cells")
        self.board()

    def restart(self):
        """Restart the kernel, run all cells, and wait for the board."""
        self.tab.evaluate("document.querySelector('.explore-says').classList.add('old')")
        self.menu("Kernel", "Restart Kernel and Run All Cells")
        self.tab.locator(".jp-Dialog button.jp-mod-accept").click()
        self.tab.wait_for_selector(".explore-says.old", state="detached")
        self.board()

    def board(self):
        """Wait until the board stands still."""
        self.tab.wait_for_selector(f".explore-says, {FAILED}")
        if self.tab.locator(FAILED).count():
            raise AssertionError(self.tab.locator(FAILED).first.inner_text()[-2000:])
        self.tab.locator(".explore-says").scroll_into_view_if_needed()
        self.settled()

    def seen(self):
        """What the board shows."""
        return self.tab.evaluate(SEEN)

    def settled(self):
        """Wait until the board has shown the same for a while, and give that."""
        self.idle()
        self.tab.evaluate(HEARD)
        self.tab.wait_for_function(
            f"""() => {{
                const seen = ({SEEN})(), now = performance.now();
                if (window.seen !== seen) [window.seen, window.since] = [seen, now];
                return seen && now - window.since > 400;
            }}"""
        )
        return self.seen()

    def changed(self, before):
        """Wait until the board shows something else, and give that."""
        self.tab.wait_for_function(f"before => ({SEEN})() !== before", arg=before)
        return self.settled()

    def changes(self, before):
        """Tell whether the board shows something else, now that it stands still."""
        return self.settled() != before

    def shows(self, before):
        """Wait until the board shows what it did before."""
        self.tab.wait_for_function(f"before => ({SEEN})() === before", arg=before)
        self.settled()

    def part(self, name):
        """The text of a part of the board: says, trouble, words, table or told."""
        return self.tab.locator(f".explore-{name}").first.inner_text()
