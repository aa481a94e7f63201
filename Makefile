# Everything goes under .venv/ and .cache/; a stamp file tells what is up to date.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Much quicker with many packages. It does not read pip's configuration: where that says how to
# reach a registry, pip has to do.
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
STAMPS := .cache/stamps
JS := tests/interop/js
# Workers of the test run, each with servers of its own: for two cores one more, as many a test
# waits for something.
WORKERS ?= 3
# Of the benchmark: how often (5; 2 if quick), QUICK=1 for a smoke test, ONLY=put,get for some.
REPEATS ?= 0
QUICK ?=
ONLY ?=

VENV_STAMP := $(VENV)/.stamp-venv
RUNTIME_STAMP := $(VENV)/.stamp-runtime
DEV_STAMP := $(VENV)/.stamp-dev
BENCH_STAMP := $(VENV)/.stamp-bench
FUZZ_STAMP := $(VENV)/.stamp-fuzz
SERVERS_STAMP := $(STAMPS)/servers
PEERS_STAMP := $(STAMPS)/peers

.PHONY: help
help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: demo
demo: $(RUNTIME_STAMP) ## the object store at work, on a server of its own
	@$(BIN)/jetstow demo

.PHONY: test
test: lint types parts ## everything: lint, types, and every test on every server version
	@JETSTOW_TEST_SERVERS=all $(BIN)/python -m pytest -n $(WORKERS)

.PHONY: unit
unit: $(DEV_STAMP) ## the tests that need no network
	@$(BIN)/python -m pytest tests/unit

.PHONY: live
live: $(DEV_STAMP) ## the tests on the latest server
	@$(BIN)/python -m pytest tests/live

.PHONY: docs
docs: $(DEV_STAMP) ## the documentation, in .cache/docs/html; a broken link fails it
	@$(BIN)/sphinx-build -W -n -q --keep-going -b html docs .cache/docs/html
	@echo ".cache/docs/html/index.html"

.PHONY: bench
bench: $(BENCH_STAMP) $(PEERS_STAMP) ## jetstow beside other clients and a bare socket, measured
	@$(BIN)/python -m benchmarks --repeats $(REPEATS) --only "$(ONLY)" $(if $(QUICK),--quick)

# How long all parsers together are fuzzed; ONLY=frames,names for some.
MINUTES ?=

.PHONY: fuzz
fuzz: $(FUZZ_STAMP) ## everything that parses, fed with bytes that nobody would send
	@$(BIN)/python -m fuzz --minutes $(or $(MINUTES),10) --only "$(ONLY)"

.PHONY: soak
soak: $(DEV_STAMP) $(SERVERS_STAMP) ## the model test for MINUTES (30), on SERVER (the latest)
	@$(BIN)/python -m tests.model.soak --minutes $(or $(MINUTES),30) $(if $(SERVER),--server $(SERVER))

.PHONY: lint
lint: $(DEV_STAMP) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(DEV_STAMP) ## mypy, strict
	@$(BIN)/mypy

.PHONY: format
format: $(DEV_STAMP) ## let ruff fix and format
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

.PHONY: wheel
wheel: $(DEV_STAMP) ## dist/*.whl and dist/*.tar.gz
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .

.PHONY: lock
lock: $(DEV_STAMP) ## newest versions that pyproject.toml allows, written down
	@$(BIN)/python scripts/lock.py

.PHONY: clean
clean: ## leave what was cloned
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build $(JS)/node_modules
	@find . -name __pycache__ -prune -exec rm -rf {} +

# -- the parts ---------------------------------------------------------------------------

.PHONY: venv servers peers parts
venv: $(DEV_STAMP) ## the virtual environment, for development
servers: $(SERVERS_STAMP) ## nats-server in every version the tests name
peers: $(PEERS_STAMP) ## the JavaScript client, for the interop tests
parts: $(DEV_STAMP) $(SERVERS_STAMP) $(PEERS_STAMP)

$(STAMPS):
	@mkdir -p $@

$(VENV_STAMP): scripts/make-venv
	@scripts/make-venv "$(PYTHON)" $(VENV)
	@touch $@

$(RUNTIME_STAMP): requirements/runtime.lock pyproject.toml $(VENV_STAMP)
	@echo "installing jetstow into $(VENV)"
	@$(PIP) install --requirement requirements/runtime.lock
	@$(PIP) install --no-deps --editable .
	@touch $@

$(DEV_STAMP): requirements/dev.lock $(RUNTIME_STAMP)
	@echo "installing what development needs into $(VENV)"
	@$(PIP) install "$$(grep -oE '^uv==[0-9.]+' requirements/dev.lock)"
	@$(UV) --requirement requirements/dev.lock \
		|| $(PIP) install --no-compile --requirement requirements/dev.lock
	@touch $@

$(BENCH_STAMP): requirements/bench.lock $(DEV_STAMP)
	@echo "installing what the benchmark needs into $(VENV)"
	@$(PIP) install --requirement requirements/bench.lock
	@touch $@

$(FUZZ_STAMP): requirements/fuzz.lock $(DEV_STAMP)
	@echo "installing what fuzzing needs into $(VENV)"
	@$(PIP) install --requirement requirements/fuzz.lock
	@touch $@

$(SERVERS_STAMP): tests/support/versions.py $(VENV_STAMP) | $(STAMPS)
	@$(BIN)/python tests/support/versions.py
	@touch $@

$(PEERS_STAMP): $(JS)/package.json $(JS)/package-lock.json | $(STAMPS)
	@scripts/ensure-command node nodejs
	@scripts/ensure-command npm nodejs npm
	@echo "installing the JavaScript client into $(JS)/node_modules"
	@cd $(JS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null
	@touch $@
