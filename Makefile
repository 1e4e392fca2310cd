SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup check test embedded faults browser bench-cold bench-lists bench-release bench-fanout simulate run demo deploy down clean

# The first that runs and fits: some names only say that they are not installed.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do $$name -c '$(FITS)' 2>/dev/null && echo $$name && break; done)
VENV := build/venv
BIN := $(VENV)/bin
MADE := $(VENV)/made-from-$(shell cat requirements.txt infra/requirements.txt | cksum | cut -d' ' -f1)
export PYTHONDONTWRITEBYTECODE := 1

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

$(MADE):
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || { echo "Python 3.11, 3.12 or 3.13 is needed. Say which: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@echo "Installing what the project needs into $(VENV) (once)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r infra/requirements.txt
	@touch $@

setup: $(MADE) ## Install everything into build/venv

check: setup ## Lint, types, template
	@$(BIN)/ruff check app.py chalicelib infra tests
	@$(BIN)/ruff format --check --quiet app.py chalicelib infra tests || { echo "not formatted: run $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/cfn-lint infra/resources.yaml

test: check ## Everything that is quick: checks, units, properties, the whole path on moto, the package
	@$(BIN)/pytest

embedded: setup ## Deploy onto the embedded AWS, three times and with the state lost; probe the roles
	@$(BIN)/pytest -m embedded tests/deploy

faults: setup ## Every cut of a worker x every fault of a network, over the real code (over an hour)
	@FAULTS_PART=1 HYPOTHESIS_PROFILE=ci $(BIN)/pytest tests/faults

browser: setup ## Journeys through the whole system in real Chromium; pictures in build/browser
	@$(BIN)/pytest -m browser tests/browser

bench-cold: setup ## How long functions take from a cold start to their first answer
	@$(BIN)/python -m tests.bench.cold

bench-lists: setup ## Calls, capacity units and times of lists, search and votes, at 100 to 10,000 ideas
	@$(BIN)/python -m tests.bench.lists

bench-release: setup ## How close to the moment posts arrive, beside three other ways; 15 minutes, on a quiet machine
	@$(BIN)/python -m tests.bench.release

bench-fanout: setup ## Messages, calls and time of a launch's fan-out, at 1,000 to 1,000,000 pledges
	@$(BIN)/python -m tests.bench.fanout

simulate: setup ## What AWS would make of 10,000 to 1,000,000 posts, by its documentation and bench-release
	@$(BIN)/python -m tests.bench.simulate

run: setup ## The whole system on this machine, with a launch to watch; Ctrl-C stops it
	@$(BIN)/python -m infra run

demo: setup ## The same without a person: 500 pledges on each network, a killed worker, a verdict
	@$(BIN)/python -m infra demo

deploy: setup ## Deploy a stage: make deploy STAGE=dev
	@test -n "$(STAGE)" || { echo "Say which stage: make deploy STAGE=dev"; exit 1; }
	@$(BIN)/python -m infra deploy --stage $(STAGE)

down: setup ## Delete a stage and its data: make down STAGE=dev
	@test -n "$(STAGE)" || { echo "Say which stage: make down STAGE=dev"; exit 1; }
	@$(BIN)/python -m infra down --stage $(STAGE)

clean: ## Remove what was built, installed and written by local runs
	@rm -rf build vendor .pytest_cache .mypy_cache .ruff_cache .hypothesis
