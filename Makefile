# The commands of laptop and CI. `make` lists the targets; the text behind ## describes each.
#
#   ARGS   further arguments of the command behind a target:   make test ARGS='-k propagation --lab-keep'
#   CELL   a cell of the matrix:             make cell CELL=embedded-by_binary-1.18.2-1.35.4-smoke
#   PYTHON the Python that makes the virtual environment: make setup PYTHON=python3.12

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
ARGS   ?=
export CELL ?=
SHAPE  ?= small

.PHONY: help setup setup-docker setup-libvirt lock lab-up lab-down lab-status lab-doctor check lint format unit test test-pods test-vms installer scenarios upstream bench bench-kind bench-machines bench-failover matrix cell durations report lint-repository setup-lint docs clean

help: ## print this
	@echo "karmada-lab: create Kubernetes clusters with Karmada, test them, and remove them"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "  ARGS='…' adds arguments to the command behind a target: make test ARGS='-k propagation'"

setup: $(STAMP) ## make .venv with the locked requirements and the command lab

# Runs again only when the requirements change. The project itself is installed editable, so edits need no setup: as a path (compat) and not
# by setuptools' import hook, which costs every start of `lab` 40 ms.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "$(PYTHON) is older than Python 3.11; name another: make setup PYTHON=python3.12" >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv   then run this again" >&2; exit 3; }
	@echo "installing requirements.lock into $(VENV) (a minute the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	    --config-settings editable_mode=compat --editable .
	@touch $@

setup-docker: ## install and start a Docker engine (Debian), for --provider kind
	@sh lab/docker/setup.sh

setup-libvirt: $(STAMP) ## install and start libvirt and QEMU (Debian), for machines of kind vm
	@sh lab/factories/vm/setup.sh
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .github/libvirt.lock

lock: ## rewrite requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header --extra dev --extra perf --extra s3 \
	    --output-file requirements.lock pyproject.toml

lab-up: $(STAMP) ## bring up the default lab: host, two members, Karmada
	@$(BIN)/lab up $(ARGS)

lab-down: $(STAMP) ## take the lab down and remove everything of it
	@$(BIN)/lab down $(ARGS)

lab-status: $(STAMP) ## show the programs and members of the lab
	@$(BIN)/lab status $(ARGS)

lab-doctor: $(STAMP) ## list what this computer can run, and what it lacks
	@$(BIN)/lab doctor $(ARGS)

check: lint unit ## ruff, mypy, layers of imports, unit tests; a minute or two, needs no lab

lint: $(STAMP) ## ruff, mypy, the layers of imports, and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n0 scenarios/tests/ci/test_names.py scenarios/tests/ci/test_voice.py scenarios/tests/ci/test_structure.py scenarios/tests/ci/test_assertions.py scenarios/tests/ci/test_mirror.py
	$(BIN)/lab lint --workflows

format: $(STAMP) ## format the code and fix what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(STAMP) ## the unit tests only
	$(BIN)/pytest $(wildcard */tests) $(ARGS)

test: $(STAMP) ## unit tests, then the scenarios against a real lab
	$(BIN)/pytest $(wildcard */tests) scenarios $(ARGS)

scenarios: $(STAMP) ## all scenarios, also the thorough ones (upgrades, moves, twenty killed harnesses): about half an hour
	$(BIN)/pytest scenarios -m "thorough or not thorough" $(ARGS)

test-pods: $(STAMP) ## the scenarios of a small lab with real pods, on kind (Docker: make setup-docker)
	$(BIN)/pytest scenarios/test_pods.py scenarios/test_propagation.py scenarios/test_conformance.py --lab-provider kind \
	    --lab-spec scenarios/plain.toml $(ARGS)
	$(BIN)/pytest scenarios/test_bookinfo.py --lab-provider kind --lab-spec scenarios/bookinfo.toml $(ARGS)

# The lab stays up when a check fails, with its evidence: lab down --lab installer
installer: $(STAMP) ## test an installer of yours (docs/guides/your-installer.md): make installer SPEC=path/to/lab.toml
	@test -f "$(SPEC)" || { echo "name the lab file of the installer: make installer SPEC=path/to/lab.toml" >&2; exit 2; }
	@cd "$(dir $(SPEC))" && KARMADA_LAB_RUNS="$(CURDIR)/_runs" "$(CURDIR)/$(BIN)/lab" up --spec "$(notdir $(SPEC))" --lab installer
	@$(BIN)/lab conformance --lab installer
	@$(BIN)/pytest -n0 scenarios/test_conformance.py scenarios/test_propagation.py --lab installer $(ARGS)
	@cd "$(dir $(SPEC))" && KARMADA_LAB_RUNS="$(CURDIR)/_runs" "$(CURDIR)/$(BIN)/lab" up --spec "$(notdir $(SPEC))" --lab installer
	@$(BIN)/lab down --lab installer

test-vms: $(STAMP) ## the scenarios of virtual machines (libvirt: make setup-libvirt); minutes the first time, while the image is made
	$(BIN)/pytest scenarios/test_virtual_machines.py scenarios/test_machines.py scenarios/test_machine_kills.py -k "virtual or vm" \
	    -m "thorough or not thorough" $(ARGS)

upstream: $(STAMP) ## Karmada's own end-to-end suite, compiled from its module, on a lab (half an hour): ARGS='--focus search', ARGS=--list
	@$(BIN)/lab upstream $(ARGS)

bench: $(STAMP) ## measure what a lab costs, against a bare API server in the same run
	$(BIN)/lab bench $(ARGS)

matrix: $(STAMP) ## list the possible cells of scenarios/matrix.toml, and why others are not possible
	@$(BIN)/lab matrix $(ARGS)

cell: $(STAMP) ## run one cell: bring its lab up, test, collect results, take it down: make cell CELL=…
	@$(BIN)/lab cell "$$CELL" $(ARGS)

bench-kind: $(STAMP) ## measure labs of real pods and every way to install Karmada, against one kind cluster in the same run
	$(BIN)/lab bench kind $(ARGS)

bench-machines: $(STAMP) ## measure hosts, virtual machines and Karmada on three hosts, against one host and this computer in the same run
	$(BIN)/lab bench machines $(ARGS)

bench-failover: $(STAMP) ## measure how long pods take to move from a lost member: SHAPE=small (minutes) or vivo-40k (40,000 pods, half an hour at most)
	@$(BIN)/lab bench failover --shape $(SHAPE) $(ARGS)

durations: $(STAMP) ## update the durations of cells from their results: ARGS=_cells
	@$(BIN)/lab durations $(ARGS)

report: $(STAMP) ## render results of cells as pages, _site/index.html; other reports: ARGS='summary _cells', 'junit …', 'judge …'
	@$(BIN)/lab report $(or $(ARGS),build _cells --out _site)

lint-repository: $(STAMP) ## check YAML, workflows, scripts, playbooks, charts and manifests of a repository: ARGS=path/to/it
	@$(BIN)/lab lint $(ARGS)

docs: $(STAMP) ## build docs/ into docs/_build, with every warning an error; the reference pages are written first
	@$(BIN)/python -c 'import furo, myst_parser' 2>/dev/null || \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement docs/requirements.txt
	@$(BIN)/lab docs reference
	@$(BIN)/lab docs pictures
	$(BIN)/python -m sphinx -W --keep-going -q docs docs/_build

setup-lint: $(STAMP) ## add ansible-lint, which only lint-repository needs
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .github/lint.lock

clean: ## take all labs of this folder down, and remove .venv, runs and tool caches (not the cache of programs)
	@for run in _runs/*/run.json; do \
	    [ -e "$$run" ] && [ -x $(BIN)/lab ] && { $(BIN)/lab down --lab "$$(basename "$$(dirname "$$run")")" || exit; }; true; done
	rm -rf $(VENV) _runs _artifacts _plan _cells _site allure-results .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
