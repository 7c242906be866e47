from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main
import yaml

from retention_lab import cli

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
TIMERS = [unit for unit in UNITS if unit.suffix == ".timer"]
JOBS = [unit for unit in UNITS if unit.suffix == ".service" and "failed" not in unit.name]
TIMES = ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed"
)
needs_bash = pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")


def settings(unit, key):
    lines = unit.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def workflow():
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load((DEPLOY / "github" / "report.yml").read_text(encoding="utf-8"))


def steps():
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def crontab():
    lines = (DEPLOY / "cron" / "crontab").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def command_lines():
    """Return what follows `retention-lab` or `quietly` wherever they are called under deploy/."""
    called = re.compile(
        r"(?:^|[\s/`])(?:retention-lab|quietly)\"? "
        r"(?=(?:run|status|verify|upgrade-check|backup|restore|forget|demo|check|start|assign)\b)"
        r"([^`#\n]*)"
    )
    for file in sorted(each for each in DEPLOY.rglob("*") if each.is_file()):
        for line in file.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                for found in called.finditer(line):
                    yield pytest.param(found[1].strip(), id=f"{file.name}: {found[1].strip()}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Lay the units out as a person would, with the paths of this checkout."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("%h/retention-lab", str(ROOT))
        text = re.sub(r"(?<=^ExecStart=)\S+/retention-lab ", "/bin/true ", text, flags=re.MULTILINE)
        for name in {unit.name, unit.name.replace("@.", "@weekly.")}:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def verified(unit, folder):
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    return subprocess.run(
        ["systemd-analyze", "--user", "verify", f"./{unit}"],
        cwd=folder,
        env={**os.environ, "XDG_RUNTIME_DIR": str(run)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@needs_systemd
@pytest.mark.parametrize("unit", [unit.name for unit in UNITS])
def test_systemd_finds_no_fault_with_a_unit(unit, installed):
    found = verified(unit.replace("@.", "@weekly."), installed)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@needs_systemd
def test_systemd_would_find_a_misspelt_setting(installed):
    text = (installed / "retention-lab@weekly.service").read_text(encoding="utf-8")
    (installed / "wrong.service").write_text(text.replace("KillMode=", "KilMode="), "utf-8")
    assert "Unknown key" in verified("wrong.service", installed).stderr


@needs_systemd
@pytest.mark.parametrize("unit", TIMERS, ids=lambda unit: unit.name)
def test_timer_elapses_at_an_hour_of_a_named_zone_and_catches_up(unit):
    (calendar,) = settings(unit, "OnCalendar")
    assert re.search(r" [A-Z]\w+/[A-Z]\w+$", calendar)
    subprocess.run(["systemd-analyze", "calendar", calendar], check=True, capture_output=True)
    assert settings(unit, "Persistent") == ["true"]
    assert settings(unit, "WantedBy") == ["timers.target"]


@pytest.mark.parametrize(
    "unit",
    [unit for unit in UNITS if unit.suffix == ".service" and "fail" not in unit.name],
    ids=str,
)
def test_service_is_ended_whole_rings_an_alarm_and_writes_nowhere_else(unit):
    wanted = {
        "Type": "oneshot",
        "KillMode": "control-group",
        "NoNewPrivileges": "yes",
        "PrivateTmp": "yes",
        "PrivateUsers": "yes",  # without it, a user's own manager cannot do the two below
        "ProtectSystem": "strict",
        "ReadWritePaths": "%h/retention-lab",
        "SuccessExitStatus": "75 143",
        "WorkingDirectory": "%h/retention-lab",
    }
    assert {key: settings(unit, key) for key in wanted} == {key: [wanted[key]] for key in wanted}
    assert settings(unit, "TimeoutStartSec")
    assert settings(unit, "OnFailure")[0].startswith("retention-lab-failed@")


def test_units_name_only_units_and_files_that_are_there():
    names = {unit.name for unit in UNITS}
    for unit in UNITS:
        for name in settings(unit, "OnFailure") + settings(unit, "Unit"):
            assert re.sub(r"@[^.]+\.", "@.", name) in names
        for command in settings(unit, "ExecStart"):
            for suite in re.findall(r"experiments/suites/\S+", command):
                assert (ROOT / suite.replace("%i", "weekly")).is_file()


@pytest.mark.parametrize("line", crontab())
def test_line_of_the_crontab_is_one(line):
    if re.fullmatch(r"[A-Z]+=\S+", line):
        return
    times, command = re.fullmatch(r"(@reboot|(?:\S+ +){5}) *(.+)", line).groups()
    for (name, least, most), time in zip(TIMES, times.split(), strict=False):
        if time != "@reboot":
            assert time == "*" or least <= int(time) <= most, name
    assert not re.search(r"(?<!\\)%", command), "cron takes a bare % for the end of the line"
    subprocess.run(["sh", "-n", "-c", command.replace(r"\%", "%")], check=True)
    called = re.search(r"\$HOME/retention-lab/(\S+?)\"", command)[1]
    assert os.access(ROOT / called, os.X_OK)


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose retention-lab prints what it is told and ends as it is told."""
    folder = tmp_path / "retention lab"
    shutil.copytree(DEPLOY, folder / "deploy")
    (folder / ".venv" / "bin").mkdir(parents=True)
    stub = folder / ".venv" / "bin" / "retention-lab"
    stub.write_text(
        '#!/bin/sh\necho "ran $* with $SHOP_URL" | tee ran\nexit "${1#code}"\n', "utf-8"
    )
    stub.chmod(0o755)
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "retention-lab.env").write_text("SHOP_URL='a b $c'\n", "utf-8")
    return folder


@pytest.mark.parametrize(("code", "printed"), [(0, False), (75, False), (1, True), (143, True)])
def test_cron_hears_of_failures_only(checkout, code, printed):
    found = subprocess.run(
        [checkout / "deploy" / "cron" / "quietly", f"code{code}", "a b"],
        env={"HOME": str(checkout.parent), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    said = f"ran code{code} a b with a b $c\n"
    assert (checkout / "ran").read_text(encoding="utf-8") == said
    assert (found.stdout, found.stderr) == (said if printed else "", "")
    assert found.returncode == (code if printed else 0)


@needs_bash
def test_example_of_settings_is_read_alike_by_shell_and_by_systemd():
    file = DEPLOY / "retention-lab.env.example"
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+='[^']*'", line) for line in lines)
    subprocess.run(["sh", "-n", file], check=True)


def test_workflow_may_read_and_its_alarm_may_write_issues():
    content = workflow()
    assert content["permissions"] == {}
    assert content["jobs"]["report"]["permissions"] == {"contents": "read", "actions": "read"}
    assert content["jobs"]["alarm"]["permissions"] == {"issues": "write"}
    assert content["concurrency"]["cancel-in-progress"] is False
    assert content["jobs"]["alarm"]["needs"] == "report"
    assert content["jobs"]["alarm"]["if"] == "failure()"
    checkout = next(step for step in steps() if step.get("uses", "").startswith("actions/checkout"))
    assert checkout["with"]["persist-credentials"] is False


def test_workflow_runs_weekly_and_by_hand():
    when = workflow()[True]
    ((cron),) = [each["cron"] for each in when["schedule"]]
    assert re.fullmatch(r"\d+ \d+ \* \* 1", cron)
    assert when["workflow_dispatch"]["inputs"]["as_of"]["default"] == ""


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.get("name") or step.get("uses"))
def test_step_is_pinned_or_a_script_that_nobody_can_write_into(step):
    if "uses" in step:
        assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        return
    assert "${{" not in step["run"], "what is typed into a form must reach a script as a variable"
    subprocess.run(["bash", "-n", "-c", step["run"]], check=True)
    if "\n" in step["run"]:
        assert step["run"].startswith("set -euo pipefail\n")


@needs_bash
@pytest.mark.parametrize("as_of", ["", "2026-11-29", "$(touch x); `touch x` --force"])
def test_day_from_the_form_is_one_argument(checkout, as_of):
    script = next(step["run"] for step in steps() if step.get("name") == "Make the report")
    stub = '#!/bin/sh\nprintf "%s\\n" "$@" >ran\n'
    (checkout / ".venv/bin/retention-lab").write_text(stub, encoding="utf-8")
    subprocess.run(
        ["bash", "-c", script],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "AS_OF": as_of, "SUITE": "weekly.yml"},
        check=True,
    )
    told = ["--as-of", as_of] if as_of else []
    words = (checkout / "ran").read_text(encoding="utf-8").splitlines()
    assert words == ["run", "weekly.yml", "--publish", "site", *told]


@pytest.mark.parametrize("line", list(command_lines()))
def test_command_line_is_one_that_the_program_knows(line):
    known = {'"$SUITE"': "weekly.yml", '"${day[@]}"': "--as-of 2026-11-29", "%i": "weekly"}
    for variable, value in known.items():
        line = line.replace(variable, value)
    name, *words = shlex.split(line)
    command = typer.main.get_command(cli.app).commands[name]
    with command.make_context(name, words):
        pass


def test_every_file_is_shown_in_the_readme():
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for file in ("deploy/systemd/*", "deploy/cron/crontab", "deploy/cron/quietly", "env.example"):
        assert file in readme
    assert "deploy/github/report.yml" in readme
