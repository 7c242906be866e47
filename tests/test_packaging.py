"""The lists of dependencies agree, the lock locks everything, and what is locked works together."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import ibis
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import retention_lab

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = [
    Requirement(line) for group in PROJECT["optional-dependencies"].values() for line in group
]
BACKEND = [Requirement(line) for line in PYPROJECT["build-system"]["requires"]]
LOCK = (ROOT / "requirements.lock").read_text()
# One entry is a requirement and the hashes on the lines that it continues on.
ENTRIES = re.findall(r"^\w(?:.*\\\n)*.*", LOCK, re.MULTILINE)
PINS = [Requirement(entry.partition("\\")[0]) for entry in ENTRIES]
# Where conda-forge has another name than PyPI.
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "ibis-framework": "ibis-duckdb",
    "jupyter-server": "jupyter_server",
    "tzdata": "python-tzdata",
}


def conda_dependencies():
    """Return the bounds of environment.yml by name, and what it leaves to pip."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    *names, by_pip = listed
    parted = [re.fullmatch(r"([\w-]+)(.*)", name).groups() for name in names]
    return {name: SpecifierSet(bounds) for name, bounds in parted}, by_pip["pip"]


@pytest.mark.parametrize("needed", [*RUNTIME, *EXTRAS, *BACKEND], ids=str)
def test_lock_holds_each_dependency_within_its_bounds(needed):
    pins = [pin for pin in PINS if canonicalize_name(pin.name) == canonicalize_name(needed.name)]
    assert pins
    for pin in pins:
        version = str(pin.specifier).removeprefix("==")
        assert version in needed.specifier


def test_lock_pins_one_version_with_hashes_in_each_entry():
    assert len(ENTRIES) > len(RUNTIME)
    for entry in ENTRIES:
        assert re.match(r"[\w.-]+==[\w.]+ ", entry)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)


def test_lock_names_no_index_and_no_place_on_a_machine():
    assert not re.search(r"--(index|extra-index|find-links|trusted)|://|file:|@ ", LOCK)
    assert not re.search(r"(^|\s)[~.]*/\w", LOCK)


def test_only_spark_is_locked_without_being_installed():
    left_out = {pin.name for pin in PINS if pin.marker and "extra" in str(pin.marker)}
    assert left_out == {"pyspark", "py4j"}


def test_environment_yml_lists_the_runtime_dependencies_with_the_same_bounds():
    listed, by_pip = conda_dependencies()
    expected = {CONDA_NAMES.get(need.name, need.name.lower()): need.specifier for need in RUNTIME}
    python = SpecifierSet(PROJECT["requires-python"])
    assert listed == expected | {"python": python, "pip": SpecifierSet()}
    assert by_pip == ["-e ."]


def test_version_is_the_same_in_the_project_and_in_the_package():
    assert PROJECT["version"] == retention_lab.__version__


def test_ibis_works_on_the_locked_duckdb(tmp_path):
    # The four calls that broke on DuckDB 2.0.
    rows = ibis.memtable({"order_id": ["a", "b"], "amount": [250, 1_000]})
    elsewhere = ibis.duckdb.connect(tmp_path / "shop.duckdb")
    elsewhere.create_table("orders", rows)
    elsewhere.disconnect()
    con = ibis.duckdb.connect()
    con.attach(tmp_path / "shop.duckdb", name="shop")
    orders = con.table("orders", database="shop.main")
    assert con.list_tables(database="shop.main") == ["orders"]
    assert con.sql("select max(amount) as most from shop.orders").execute()["most"].item() == 1_000
    assert sum(batch.num_rows for batch in orders.to_pyarrow_batches()) == 2


def files(folder):
    """Return what a folder holds, without what Python or a build leaves in it."""
    left_over = {"__pycache__", "retention_lab.egg-info"}
    paths = (path.relative_to(folder) for path in folder.rglob("*"))
    return {path for path in paths if left_over.isdisjoint(path.parts)}


@pytest.mark.slow
def test_plain_installation_is_complete_and_its_command_starts(tmp_path):
    # The dependencies are borrowed from the running environment: to download them again would take
    # minutes and tell nothing about this package. A copy is built: no `build/` is left here.
    source, target = tmp_path / "source", tmp_path / "venv"
    shutil.copytree(ROOT / "src", source / "src")
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source)
    venv.create(target, symlinks=True)
    installed = Path(sysconfig.get_path("purelib", "venv", {"base": str(target)}))
    (installed / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", target / "bin" / "python"]
    options = ["--no-deps", "--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, "install", *options, source], env=outside, check=True)
    assert files(installed / "retention_lab") == files(source / "src" / "retention_lab")
    command = [target / "bin" / "retention-lab", "--help"]
    subprocess.run(command, env=outside, cwd=tmp_path, check=True)
