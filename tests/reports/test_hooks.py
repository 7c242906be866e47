from __future__ import annotations

import json
import os
import sys
import time

import pytest

from retention_lab import checks
from retention_lab.reports import hooks
from retention_lab.reports.delivery import Undelivered
from retention_lab.reports.ran import Ran

FAILED = Ran(
    suite="weekly",
    title="Weekly retention",
    owner="Lifecycle team",
    as_of="2026-11-29",
    status="failed",
    exit_code=4,
    kept="reports/weekly/failed/2026-11-29",
    started="2026-11-30T06:00:00+00:00",
    finished="2026-11-30T06:01:00+00:00",
    seconds=60,
)
TELL = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ)], open({!r}, 'w'))"


def tell(tmp_path, *words, **given):
    """Call a command that writes down what it was given."""
    told, run_json = tmp_path / "told.json", tmp_path / "a $(touch x) `b`" / "run.json"
    hooks.call(
        [sys.executable, "-c", TELL.format(str(told)), *words],
        run_json=run_json,
        ran=FAILED,
        **given,
    )
    arguments, environment = json.loads(told.read_text(encoding="utf-8"))
    assert arguments.pop() == str(run_json)
    return arguments, environment


def test_command_is_a_list_of_arguments_and_no_shell(tmp_path):
    words = ["$HOME", "`id`", "a b", "; touch x", ">y", "*"]
    assert tell(tmp_path, *words)[0] == words


def test_command_is_told_what_became_of_the_run(tmp_path):
    told = tell(tmp_path)[1]
    assert {name: told[f"RETENTION_LAB_{name}"] for name in ("STATUS", "EXIT_CODE", "SUITE")} == {
        "STATUS": "failed",
        "EXIT_CODE": "4",
        "SUITE": "weekly",
    }
    assert told["RETENTION_LAB_AS_OF"] == "2026-11-29"
    assert told["RETENTION_LAB_FOLDER"] == "reports/weekly/failed/2026-11-29"


def test_secrets_are_not_passed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("RETENTION_LAB_SMTP_PASSWORD", "canary-1")
    monkeypatch.setenv("SHOP_URL", "postgres://reader:canary-2@db/shop")
    monkeypatch.setenv("CHAT_TOKEN", "its-own")
    told = tell(tmp_path, secrets={"canary-2", ""})[1]
    assert "canary" not in json.dumps(told)
    assert told["CHAT_TOKEN"] == "its-own"
    assert told["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([sys.executable, "-c", "raise SystemExit(3)"], "ended with exit code 3"),
        (["no-such-command-here"], "cannot be started: No such file or directory"),
        (["/"], "cannot be started: Permission denied"),
        (["a\0b"], "cannot be started: embedded null byte"),
    ],
)
def test_command_that_fails_or_is_missing_is_one_sentence(argv, words, tmp_path):
    with pytest.raises(Undelivered, match=words) as refused:
        hooks.call(argv, run_json=tmp_path / "run.json", ran=FAILED)
    assert str(refused.value).count("\n") == 0
    assert refused.value.exit_code == 1


def test_command_that_hangs_is_ended_with_what_it_started(tmp_path, monkeypatch):
    monkeypatch.setattr(hooks, "SECONDS", 0.5)
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; wait"
    began = time.monotonic()
    with pytest.raises(Undelivered, match="took longer than"):
        hooks.call(["sh", "-c", script], run_json=tmp_path / "run.json", ran=FAILED)
    assert time.monotonic() - began < 5
    pid = int(child.read_text(encoding="ascii"))
    for _ in range(50):
        if _is_gone(pid):
            break
        time.sleep(0.05)
    assert _is_gone(pid)


def _is_gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_option_is_split_into_words_only():
    assert hooks.parsed("--on-failure", "notify --to 'the team' $HOME|x") == (
        "notify",
        "--to",
        "the team",
        "$HOME|x",
    )


@pytest.mark.parametrize("text", ["", "  ", "notify 'the team"])
def test_option_without_a_command_is_refused(text):
    with pytest.raises(checks.BadParameter, match="--on-failure"):
        hooks.parsed("--on-failure", text)
