from __future__ import annotations

import http.server
import os
import re
import shutil
import tempfile
import threading
from pathlib import Path

import pytest

from retention_lab.reports import pdf
from retention_lab.reports.delivery import Undelivered

# Writes what it was called with where a browser would write a PDF.
BROWSER = """#!/bin/sh
for word in "$@"; do
    case "$word" in --print-to-pdf=*) made="${word#--print-to-pdf=}" ;; esac
    case "$word" in --user-data-dir=*) mkdir -p "${word#--user-data-dir=}" ;; esac
done
{ printf '%s\\n' "$@"; env; } > "$made"
"""


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """Put a browser of our own in the place of the real one."""

    def put(script=BROWSER):
        file = tmp_path / "browser"
        file.write_text(script, encoding="utf-8")
        file.chmod(0o755)
        monkeypatch.setenv(pdf.OWN, str(file))
        return file

    return put


@pytest.fixture
def page(tmp_path):
    file = tmp_path / "reports" / "10 overview.html"
    file.parent.mkdir()
    file.write_text("<!doctype html><title>Overview</title><p>It fell.</p>", encoding="utf-8")
    return file


def test_pdf_lies_beside_its_page_and_nothing_else_stays(browser, page, tmp_path, monkeypatch):
    browser()
    (tmp_path / "rooms").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "rooms"))
    made = pdf.print_pages([page])
    assert made == [page.with_suffix(".pdf")]
    assert sorted(each.name for each in page.parent.iterdir()) == [
        "10 overview.html",
        "10 overview.pdf",
    ]
    assert list((tmp_path / "rooms").iterdir()) == []
    assert page.as_uri() in made[0].read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("user", [0, 1000])
def test_browser_keeps_its_sandbox_unless_root_starts_it(browser, page, monkeypatch, user):
    browser()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    words = pdf.print_pages([page])[0].read_text(encoding="utf-8").splitlines()
    assert ("--no-sandbox" in words) == (user == 0)


def test_browser_is_told_no_secret(browser, page, monkeypatch):
    browser()
    monkeypatch.setenv("RETENTION_LAB_SMTP_PASSWORD", "canary")
    assert "canary" not in pdf.print_pages([page])[0].read_text(encoding="utf-8")


def test_missing_browser_is_one_sentence(page, monkeypatch, tmp_path):
    monkeypatch.delenv(pdf.OWN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Undelivered, match=r"none of chromium, .* is on this machine\. Install"):
        pdf.print_pages([page])
    monkeypatch.setenv(pdf.OWN, "/no/such/browser")
    with pytest.raises(Undelivered, match="names /no/such/browser, which is not on this"):
        pdf.print_pages([page])


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\nexit 7", "did not print .*exit code is 7"),
        ("#!/bin/sh\nexit 0", "did not print .*exit code is 0"),
        ("#!/bin/sh\nsleep 60", "took longer than"),
    ],
)
def test_browser_that_fails_leaves_the_old_pdf(browser, page, monkeypatch, script, words):
    browser(script)
    monkeypatch.setattr(pdf, "SECONDS", 0.5)
    page.with_suffix(".pdf").write_bytes(b"old")
    with pytest.raises(Undelivered, match=words):
        pdf.print_pages([page])
    assert page.with_suffix(".pdf").read_bytes() == b"old"


def test_full_disk_leaves_no_part_of_a_pdf(browser, page, monkeypatch):
    browser()

    def full(_, target):
        Path(target).write_bytes(b"%P")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(Undelivered, match="cannot be written: No space left on device"):
        pdf.print_pages([page])
    assert [each.suffix for each in page.parent.iterdir()] == [".html"]


@pytest.mark.browser
def test_chromium_prints_a_page_and_asks_the_network_for_nothing(page):
    asked = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}/x.png"
        page.write_text(f"<title>Overview</title><h1>It fell</h1><img src='{address}'>", "utf-8")
        (made,) = pdf.print_pages([page])
        server.shutdown()
        thread.join()
    content = made.read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert asked == []
