# `make` lists the targets. Each sets up .venv first, once: it is made anew only when requirements.lock changes.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first interpreter that pyproject.toml allows and that really runs: a pyenv shim may exist and still not run.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
SUITE ?= experiments/suites/weekly.yml

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED := $(PIP) install --require-hashes --no-build-isolation --no-compile -r

# A file of tests stays with one process, as its tests share what they set up.
SPREAD := --numprocesses auto --maxprocesses 4 --dist loadfile
# Each of these processes has a core to itself: threads of numpy's would only get in their way.
ALONE := OPENBLAS_NUM_THREADS=1

.PHONY: help report lab demo test test-all check screenshots spark lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' Makefile

report: .venv/.ready  ## make the demo data if absent, run the suite, say where the report is
	@[ -e data/demo/assignments.parquet ] || $(BIN)/retention-lab demo
	@$(BIN)/retention-lab run $(SUITE)

lab: .venv/.ready  ## open the notebooks in JupyterLab (as root: LAB_OPTIONS=--allow-root)
	@[ -e data/demo/assignments.parquet ] || $(BIN)/retention-lab demo
	@$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks $(LAB_OPTIONS)

demo: .venv/.ready  ## make the demo data
	@$(BIN)/retention-lab demo

test: .venv/.ready  ## run the tests, without the slow, browser and Spark ones
	@$(ALONE) $(BIN)/python -m pytest -q $(SPREAD)

test-all: .venv/.ready  ## run all tests; those on Spark only after `make spark`
	@$(ALONE) $(BIN)/python -m pytest -q $(SPREAD) -m "$$(test -e .venv/.spark || echo 'not spark')"

check: .venv/.ready  ## lint, formatting, types, room borders, spelling, notebook contract
	@export PATH="$(CURDIR)/$(BIN):$$PATH" && ruff check && ruff format --check && mypy \
		&& lint-imports && codespell && python -m pytest -q tests/test_notebooks.py

screenshots: .venv/.ready  ## make the pictures of the README anew, in Chromium
	@$(BIN)/python -m docs.screenshots

spark: .venv/.spark  ## add PySpark (over 400 MB; it needs Java 17 or newer)

lock: .venv/.ready  ## bring requirements.lock in line with pyproject.toml (UPGRADE=--upgrade: newest of all)
	@$(PIP) install 'uv>=0.11'
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(UPGRADE) \
		--quiet --output-file requirements.lock
	@sed -E -i.old 's/^((pyspark|py4j)==[^ ]+) .$$/\1 ; extra == "spark" \\/' requirements.lock
	@rm requirements.lock.old

clean:  ## remove the environment and the caches; data and reports stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist

# A stamp comes last, so an interrupted set-up starts again.
# pip and setuptools first: the locked pip is twice as fast as a bundled one, and setuptools builds what has no wheel.
# Compiled afterwards, on all cores: pip would use one, and without it each start of a report compiles for ten seconds where
# Python may not write bytecode.
.venv/.locked: requirements.lock
	@$(if $(PYTHON),,echo 'No Python from 3.11 to 3.13 was found; install one, or name it: make PYTHON=/path/to/python3.13' >&2; exit 1)
	@$(PYTHON) -c '$(SUPPORTED)' || { echo '$(PYTHON) is not a Python from 3.11 to 3.13.' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo '$(PYTHON) cannot make environments;' \
		'on Debian or Ubuntu run: sudo apt-get install python3-venv' >&2; exit 1; }
	@echo 'Setting up .venv: one to two minutes, once.' >&2
	@$(PYTHON) -m venv --clear .venv
	@$(LOCKED) <(sed -nE '/^(pip|setuptools)==/,/# via/p' $<)
	@$(LOCKED) $<
	@$(BIN)/python -m compileall -q -j 0 .venv/lib >/dev/null || true  # tests of some packages do not compile
	@touch $@

.venv/.ready: .venv/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# In the lock these two carry a marker that pip passes over; here they are installed from the same lines without it.
.venv/.spark: .venv/.ready
	@$(LOCKED) <(sed -nE '/; extra == "spark"/,/# via/{s/ ; extra == "spark"//;p;}' $(CURDIR)/requirements.lock)
	@touch $@
