# All targets write below .venv/ and .cache/. A stamp file marks an installed environment.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= $(firstword $(shell command -v python3.11 python3))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Faster than pip with many packages. uv does not read pip's configuration: pip is used if uv
# cannot reach the registry.
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
STAMPS := .cache/stamps
COVERAGE := .cache/coverage
JS := tests/interop/js
CONSOLE_JS := tests/console/js
GO := tests/interop/go
# Debian's library packages for Go.
GO_PATH := /usr/share/gocode
NATS_GO := $(GO_PATH)/src/github.com/nats-io/nats.go
# Processes of the test run, each with its own servers. For two cores one more, as many tests wait.
WORKERS ?= 3
# Of the benchmark: repetitions (5; 2 if quick), QUICK=1 for a smoke test, ONLY=put,get selects some.
# BASE is the git revision of jetstow to compare with, as the client "previous"; empty: none.
REPEATS ?= 0
QUICK ?=
ONLY ?=
BASE ?= 9b02481

VENV_STAMP := $(VENV)/.stamp-venv
RUNTIME_STAMP := $(VENV)/.stamp-runtime
DEV_STAMP := $(VENV)/.stamp-dev
BENCH_STAMP := $(VENV)/.stamp-bench
FUZZ_STAMP := $(VENV)/.stamp-fuzz
# The clients of the S3 gateway that are commands or need an environment of their own.
S3_CLIENTS := .cache/s3-clients
S3_CLIENTS_STAMP := $(STAMPS)/s3-clients
SERVERS_STAMP := $(STAMPS)/servers
JS_STAMP := $(STAMPS)/js
CONSOLE_JS_STAMP := $(STAMPS)/console-js
GO_PEER := .cache/peers/nats-go

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: demo
demo: $(RUNTIME_STAMP) ## run `jetstow demo` on a temporary server
	@home=$$(mktemp -d); trap 'rm -rf "$$home"' EXIT; \
		env -u NATS_URL -u NATS_CONTEXT XDG_CONFIG_HOME="$$home" JETSTOW_HOME="$$home" \
		$(BIN)/jetstow demo

.PHONY: test
test: lint types parts ## lint, types, and all tests but the slow ones, on every server version
	@JETSTOW_TEST_SERVERS=all $(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

.PHONY: test-full
test-full: lint types parts docs ## all tests with coverage, docs, and two minutes each of soak and fuzz
	@rm -rf $(COVERAGE) && mkdir -p $(COVERAGE)
	@JETSTOW_TEST_SERVERS=all $(BIN)/coverage run -m pytest -n $(WORKERS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report >$(COVERAGE)/report.txt || { tail -n 60 $(COVERAGE)/report.txt; exit 1; }
	@$(MAKE) --no-print-directory soak MINUTES=2
	@$(MAKE) --no-print-directory soak-s3
	@$(MAKE) --no-print-directory fuzz MINUTES=2

.PHONY: unit
unit: $(DEV_STAMP) ## the unit tests, without network
	@$(BIN)/python -m pytest tests/unit

.PHONY: live
live: $(DEV_STAMP) ## the tests of all verbs, on the latest server
	@$(BIN)/python -m pytest tests/live

.PHONY: docs
docs: $(DEV_STAMP) ## build the documentation in .cache/docs/html; fails on warnings
	@$(BIN)/sphinx-build -W -n -q --keep-going -b html docs .cache/docs/html
	@echo ".cache/docs/html/index.html"

.PHONY: bench
bench: $(BENCH_STAMP) $(JS_STAMP) ## benchmark jetstow, other clients and a plain socket
	@$(BIN)/python -m benchmarks --repeats $(REPEATS) --only "$(ONLY)" --base "$(BASE)" \
		$(if $(QUICK),--quick)

# Of fuzz and soak: the duration. ONLY=parser,subjects fuzzes a selection.
MINUTES ?=

.PHONY: fuzz
fuzz: $(FUZZ_STAMP) ## fuzz all parsers for MINUTES (10)
	@$(BIN)/python -m fuzz --minutes $(or $(MINUTES),10) --only "$(ONLY)"

.PHONY: soak
soak: $(DEV_STAMP) $(SERVERS_STAMP) ## run scenarios with faults in rotation for MINUTES (30) on SERVER (latest)
	@$(BIN)/python -m tests.model.soak --minutes $(or $(MINUTES),30) $(if $(SERVER),--server $(SERVER))

.PHONY: soak-s3
soak-s3: $(DEV_STAMP) $(SERVERS_STAMP) ## load the S3 gateway with 32 clients for MINUTES (2); it is killed once
	@$(BIN)/python -m tests.model.s3_load --minutes $(or $(MINUTES),2)

.PHONY: s3-conformance
s3-conformance: parts ## write docs/tools/s3-conformance.md from a run of the tests of the S3 gateway
	@$(BIN)/python scripts/s3_conformance.py

.PHONY: screenshots
screenshots: $(BENCH_STAMP) $(SERVERS_STAMP) browser ## take the pictures of the console in docs/_static/console
	@$(BIN)/python -m tests.console.browser.screenshots

.PHONY: lint
lint: $(DEV_STAMP) ## check rules and format (ruff), spelling and word choice
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python scripts/generate_sync.py --check
	@$(BIN)/codespell
	@$(BIN)/python scripts/check_words.py

.PHONY: types
types: $(DEV_STAMP) ## mypy, strict
	@$(BIN)/mypy

.PHONY: format
format: $(DEV_STAMP) ## fix and format with ruff
	@$(BIN)/ruff check --fix --exit-zero .
	@$(BIN)/ruff format .

.PHONY: wheel
wheel: $(DEV_STAMP) ## build dist/*.whl and dist/*.tar.gz
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist .

.PHONY: lock
lock: $(DEV_STAMP) ## update requirements/*.lock to the newest allowed versions
	@$(BIN)/python scripts/lock.py

.PHONY: clean
clean: ## remove everything that is not in the repository
	@rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist build $(JS)/node_modules \
		$(CONSOLE_JS)/node_modules
	@find . -name __pycache__ -prune -exec rm -rf {} +

# -- environments ------------------------------------------------------------------------

.PHONY: venv servers peers browser tools parts
venv: $(DEV_STAMP) ## install the virtual environment for development
servers: $(SERVERS_STAMP) ## fetch nats-server in every version of the tests
peers: $(JS_STAMP) $(GO_PEER) $(S3_CLIENTS_STAMP) ## install the other clients, of NATS and of S3, for the tests
browser: $(CONSOLE_JS_STAMP) ## install what the tests of the console need: Chromium, axe-core
	@scripts/ensure-command chromium chromium
tools: ## install the programs that the tests need
	@scripts/ensure-command faketime faketime
parts: $(DEV_STAMP) $(SERVERS_STAMP) peers browser tools

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
	@echo "installing the development packages into $(VENV)"
	@$(PIP) install "$$(grep -oE '^uv==[0-9.]+' requirements/dev.lock)"
	@$(UV) --requirement requirements/dev.lock \
		|| $(PIP) install --no-compile --requirement requirements/dev.lock
	@touch $@

$(BENCH_STAMP): requirements/bench.lock $(DEV_STAMP)
	@echo "installing the benchmark packages into $(VENV)"
	@$(PIP) install --requirement requirements/bench.lock
	@touch $@

$(FUZZ_STAMP): requirements/fuzz.lock $(DEV_STAMP)
	@echo "installing the fuzzing packages into $(VENV)"
	@$(PIP) install --requirement requirements/fuzz.lock
	@touch $@

$(SERVERS_STAMP): tests/support/versions.py $(VENV_STAMP) | $(STAMPS)
	@$(BIN)/python tests/support/versions.py
	@touch $@

$(JS_STAMP): $(JS)/package.json $(JS)/package-lock.json | $(STAMPS)
	@scripts/ensure-command node nodejs
	@scripts/ensure-command npm nodejs npm
	@echo "installing the JavaScript client into $(JS)/node_modules"
	@cd $(JS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null
	@touch $@

$(CONSOLE_JS_STAMP): $(CONSOLE_JS)/package.json $(CONSOLE_JS)/package-lock.json | $(STAMPS)
	@scripts/ensure-command npm nodejs npm
	@echo "installing axe-core into $(CONSOLE_JS)/node_modules"
	@cd $(CONSOLE_JS) && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error </dev/null
	@touch $@

# Go builds without modules: a package of Debian has the client, so the build needs no other network.
$(GO_PEER): $(GO)/peer.go
	@scripts/ensure-command $(NATS_GO)/object.go golang-go golang-github-nats-io-go-nats-dev
	@scripts/ensure-command go golang-go
	@echo "building the Go client in $@"
	@GO111MODULE=off GOPATH=$(GO_PATH) GOCACHE=$(CURDIR)/.cache/go-build CGO_ENABLED=0 \
		go build -o $@ ./$(GO)

$(S3_CLIENTS_STAMP): requirements/s3-clients.lock $(DEV_STAMP) | $(STAMPS)
	@scripts/ensure-command rclone rclone
	@scripts/ensure-command s3cmd s3cmd
	@scripts/ensure-command restic restic
	@scripts/ensure-command curl curl
	@echo "installing the S3 clients into $(S3_CLIENTS)"
	@scripts/make-venv "$(PYTHON)" $(S3_CLIENTS)
	@$(BIN)/uv pip install --quiet --python $(S3_CLIENTS)/bin/python --requirement $< \
		|| $(S3_CLIENTS)/bin/python -m pip install --quiet --no-input --no-compile --requirement $<
	@touch $@
