"""A state of its own for each test, and processes that write to one at the same time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from retention_lab import state

KEY = ["customer_id", "sent_on"]


def sends(first, last):
    """Return rows of a ledger: a message a customer."""
    return [{"customer_id": f"c{i}", "sent_on": "2026-11-29"} for i in range(first, last)]


@pytest.fixture
def kept(tmp_path):
    return state.opened(tmp_path / "state")


@pytest.fixture
def python():
    """Start Python on a few lines, and have it ended with the test."""
    started = []

    def start(lines, *words):
        command = [sys.executable, "-c", lines, *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
