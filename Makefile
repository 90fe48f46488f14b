# What a person types. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell command -v python3.11 || command -v python3.13 || command -v python3.12 || command -v python3)
RECORDING := lab/recordings/2024-08-12-memory-leak
OUT := out/2024-08-12-memory-leak
PYTEST := $(BIN)/pytest
# Three on two cores, since many tests wait for real parts.
POOL := -n 3 --dist worksteal

.PHONY: help demo test test-quick check format bench serve lab lab-smoke parts requirements clean

help:  ## Show what can be typed
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

# --- setting up -----------------------------------------------------------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python is not installed. Unrepeat needs Python 3.11 or newer: install it and type this again."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old. Unrepeat needs Python 3.11 or newer: type make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); echo "python -m venv failed. On Debian and Ubuntu: apt install python3-venv, then type this again."; exit 1; }

$(VENV)/run.stamp: requirements/build.txt requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing the packages that Unrepeat needs (pinned and hashed) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt probe/pyproject.toml $(VENV)/run.stamp
	@echo "Installing what tests, checks, lab and benchmarks need ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e probe
	@touch $@

parts:  ## Install the real parts that tests and lab use (nginx, PostgreSQL, Prometheus, Alertmanager, chromium), where missing
	@tools/install-parts

requirements:  ## Pin the requirements anew (needs uv)
	@for in in requirements/build.in "pyproject.toml" "pyproject.toml --group dev"; do \
	  case "$$in" in *build.in) out=build;; *dev) out=dev;; *) out=run;; esac; \
	  uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header $$in -o requirements/$$out.txt; done

# --- the two commands -----------------------------------------------------------------------------------------------

demo: $(VENV)/run.stamp  ## Replay the outage of 12 August 2024 and hold its report
	@$(BIN)/unrepeat replay $(RECORDING) --fresh out/demo.db --out $(OUT)

test: $(VENV)/dev.stamp parts  ## Run all tests: SQLite and PostgreSQL, real parts, a real browser
	$(PYTEST) tests/journeys tests/faults tests/rooms tests/unit tests/contracts tests/lab $(POOL)
	UNREPEAT_TEST_DATABASE=postgresql $(PYTEST) tests/rooms $(POOL)
	$(PYTEST) tests/browser -n 2 --dist worksteal

test-quick: $(VENV)/dev.stamp  ## Run the tests that need no real parts (SQLite)
	$(PYTEST) tests/unit tests/contracts tests/rooms $(POOL)

# --- care -----------------------------------------------------------------------------------------------------------

check: $(VENV)/dev.stamp  ## Formatting, lint, types, layers, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/mypy

format: $(VENV)/dev.stamp  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp  ## List the benchmarks; run one with: .venv/bin/python -m bench NAME
	@$(BIN)/python -m bench

# --- running --------------------------------------------------------------------------------------------------------

serve: $(VENV)/run.stamp  ## Serve Unrepeat on http://127.0.0.1:8000 (SQLite in data/)
	@$(BIN)/unrepeat serve

lab: $(VENV)/dev.stamp parts  ## Build the shop from real parts, break it twice, see its postmortem come out and its guards hold (about 8 minutes); STORY=memory-leak: another story
	@$(BIN)/python -m lab run $(if $(STORY),--story $(STORY))

lab-smoke: $(VENV)/dev.stamp parts  ## The short form of the lab that CI runs
	@$(BIN)/python -m lab smoke

clean:  ## Remove what was made: virtual environment, output, caches
	rm -rf $(VENV) out data .mypy_cache .ruff_cache .hypothesis .import_linter_cache
