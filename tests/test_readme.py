"""What the README tells people to do, done."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from retention_lab import cli
from retention_lab.experiments import plan as plans
from retention_lab.reports.suite import Suite
from retention_lab.tables import source as sources
from retention_lab.tables.simulator import simulate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def commands(program: str) -> list[str]:
    lines = [line for text in blocks("console") for line in text.splitlines()]
    return [line[2:].split(" #")[0].strip() for line in lines if line.startswith(f"$ {program} ")]


def test_readme_opens_with_the_two_commands():
    assert commands("make") == ["make report", "make test"]
    assert README.index("$ make report") < 500


@pytest.mark.parametrize(
    "target", sorted(set(re.findall(r"`?make ([a-z-]+)`?", README)) - {"sure"})
)
def test_readme_names_targets_that_the_makefile_has(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`retention-lab ([a-z-]+)", README))))
def test_readme_names_commands_that_exist(command, capsys):
    assert cli.main([command, "--help"]) == 0
    assert command in capsys.readouterr().out


def test_readme_explains_keys_that_a_suite_has():
    [table] = re.findall(r"^\| key \| means \|\n\|---\|---\|\n((?:\|.*\n)+)", README, re.MULTILINE)
    cells = [row.split("|")[1] for row in table.splitlines()]
    named = {key for cell in cells for key in re.findall(r"`([a-z_]+)", cell)}
    assert len(named) > 10
    assert named <= set(Suite.model_fields)


def test_readme_goes_from_zero_to_a_schedule_in_ten_lines_of_files_that_exist():
    lines = next(text for text in blocks("bash") if "systemctl" in text).splitlines()
    assert len(lines) == 10
    units = {path.name for path in (ROOT / "deploy/systemd").iterdir()}
    named = set(re.findall(r"retention-lab[\w@-]*\.(?:service|timer)", "\n".join(lines)))
    assert {re.sub(r"@\w+\.", "@.", name) for name in named} <= units
    files = re.findall(r"(?:deploy|data/sources|experiments)/[\w/.-]+", "\n".join(lines))
    assert [file for file in files if "shop" not in file and not (ROOT / file).exists()] == []


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_readme_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project as a new user has it, with two thousand customers in the README's own columns."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("experiments", "notebooks", "data/sources"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("snapshots"))
    shop = simulate(folder / "data" / "demo", customers=2_000)
    [header_and_rows] = blocks("csv")
    columns = header_and_rows.splitlines()[0].split(",")
    orders = pd.read_parquet(shop / "orders.parquet", columns=columns)
    orders.assign(amount=orders["amount"] / 100).to_csv(folder / "orders.csv", index=False)
    return folder


def follow(command, folder):
    """Do what the README says, in the project."""
    words = shlex.split(command)
    program = [sys.executable, "-m", "retention_lab"] if words[0] == "retention-lab" else words[:1]
    done = subprocess.run(
        [*program, *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def page(folder, name):
    [found] = folder.glob(f"reports/{name}")
    return found.read_text(encoding="utf-8")


def test_readme_takes_a_new_user_from_an_export_to_a_report(project):
    followed = commands("retention-lab")[:3]
    for command in followed:
        follow(command, project)
    assert [command.split()[1] for command in followed] == ["start", "check", "run"]
    assert "customers came back" in page(project, "overview/2*/10_retention_overview.html")

    shown = sources.parse(blocks("yaml")[0], file=project / "orders.yml")
    assert sources.load(project / "orders.yml") == shown


def test_readme_forecasts_who_will_leave_and_lists_whom_to_contact(project):
    page_of_churn, listing = commands("retention-lab")[3:5]
    follow(page_of_churn, project)
    assert "We expect to lose" in page(project, "churn/2*/20_churn_survival.html")
    follow(listing, project)
    [file] = project.glob("lists/*.csv")
    assert f"`lists/{file.name}`" in README
    assert file.read_text(encoding="utf-8").startswith('"customer_id","rank"')


def test_readme_reviews_cut_lines_and_lists_who_slipped(project):
    shutil.copy(ROOT / "data" / "demo_thresholds.yml", project / "data")
    followed = commands("retention-lab")[5:7]
    for command in followed:
        follow(command, project)
    assert [command.split()[1] for command in followed] == ["cuts", "list"]
    assert len([*project.glob("lists/*.csv")]) > 1


def test_readme_designs_a_test(project):
    shutil.copy(ROOT / "data" / "demo_plan.yml", project / "data")
    [design] = commands("retention-lab")[7:8]
    follow(design, project)
    assert "Customers needed" in page(project, "design/2*/40_experiment_design.html")
    template = (ROOT / "experiments/templates/check_in_48h.yml").read_text(encoding="utf-8")
    first, *others = re.split(" # or |, or ", blocks("yaml")[-1].strip())
    for milestone in (first, *(f"milestone: {other}" for other in others)):
        (project / "plan.yml").write_text(re.sub("(?m)^milestone:.*", milestone, template))
        assert plans.load(project / "plan.yml").milestone


def test_readme_reads_the_test_of_the_demo(project):
    [reading] = commands("retention-lab")[8:]
    follow(reading, project)
    shown = page(project, "readout/2*/41_experiment_readout.html")
    assert "May it be read?" in shown
    assert "Check-in within 48 hours of onboarding" in shown
    assert page(project, "readout/2*/42_campaign_test_readout.html")
    [decide] = [text for text in blocks("bash") if text.startswith("retention-lab decide")]
    follow(decide.strip(), project)
    draft = project / "experiments/demo_check_in/decision.md"
    assert draft.read_text(encoding="utf-8").startswith("# Decision: ")


def test_readme_makes_a_notebook_a_metric_and_an_annotation_of_ones_own(project):
    _, metrics, annotations, suite, _ = blocks("yaml")
    own = {"data/metrics.yml": metrics, "data/annotations.yml": annotations}
    for name, text in {**own, "experiments/suites/own.yml": suite}.items():
        (project / name).write_text(text, encoding="utf-8")
    [copy] = commands("cp")
    follow(copy, project)
    follow("retention-lab run experiments/suites/own.yml", project)
    assert "spent 150 or more" in page(project, "own/2*/big_spenders.html")

    follow("retention-lab run experiments/suites/overview.yml", project)
    shown = page(project, "overview/2026-11-29/10_retention_overview.html")
    assert "Orders with a discount" in shown
    assert "Summer sale" in shown


def test_readme_asks_the_lab_what_it_answers(project, monkeypatch):
    monkeypatch.chdir(project)
    [code] = blocks("python")
    *_, lab = code.splitlines()[:3]
    space = {}
    for line in code.splitlines():
        if line.startswith(("import ", "lab = ")):
            exec(line, space)
        elif line.startswith("lab."):
            assert eval(line, space).sentence
    assert lab.startswith("lab = retention_lab.open(")


def test_what_is_the_users_own_is_not_shipped():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    ours = set(listed.stdout.split())
    if not ours:
        pytest.skip("not a git checkout")
    assert not ours & {"data/metrics.yml", "data/annotations.yml"}
    folders = {"notebooks/custom": {"template.ipynb"}, "data/cohorts": {".gitignore"}}
    suites = ("weekly", "overview", "churn", "segments", "design", "readout", "countries")
    templates = {path.name for path in (ROOT / "experiments" / "templates").glob("*.yml")}
    folders["experiments"] = {f"suites/{name}.yml" for name in suites}
    folders["experiments"] |= {f"templates/{name}" for name in templates}
    tests = ("demo_check_in", "hillstrom", "cookie_cats", "rossi")
    folders["experiments"] |= {f"{name}/plan.yml" for name in tests}
    for folder, allowed in folders.items():
        inside = {each.removeprefix(f"{folder}/") for each in ours if each.startswith(f"{folder}/")}
        assert inside == allowed
