# The verbs of this project. `make` alone explains them.

PYTHON ?= python3
BIN := .venv/bin
SETTLEMENT := $(BIN)/python -m settlement
SOURCES := $(wildcard plugins dags deploy tests benchmarks)
TESTS := $(wildcard $(addprefix tests/,unit faults conformance integration))

# The package is found where it lies; nothing has to be installed for it.
export PYTHONPATH := $(CURDIR)/plugins:$(PYTHONPATH)
export SETTLEMENT_HOME := $(CURDIR)
# Downloads stay in the checkout too.
export UV_CACHE_DIR := $(CURDIR)/.local/cache/uv
export PIP_NO_CACHE_DIR := 1

.DEFAULT_GOAL := help
.PHONY: help setup up down info demo test test-e2e lint format bench bench-large lock advisories sbom clean

help:  ## Show this (显示帮助)
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  Needs Python 3.11 to 3.13 and 3 GB of disk. Settings: see the end of .env.example."

setup: .venv/.done  ## Create .venv from requirements-dev.lock (创建环境)

# Every package is compared with the hash that the lock holds; pip only brings uv, and is gone afterwards.
.venv/.done: requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "no $(PYTHON): install Python 3.11 to 3.13, or: make setup PYTHON=/path/to/python (找不到 Python)"; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit(f"{sys.executable} is Python {v[0]}.{v[1]}; 3.11 to 3.13 is needed: make setup PYTHON=python3.12 (Python 版本不符)")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install python3-venv (缺少 venv)"; exit 1; }
	@test -x $(BIN)/uv || { $(PYTHON) -m venv --clear .venv && deploy/install_uv.sh $(BIN)/python requirements-dev.lock; }
	@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/uv pip uninstall --quiet --python $(BIN)/python pip setuptools 2>/dev/null || true
	@touch $@

up: setup  ## Start PostgreSQL and Airflow; prints address and account (启动)
	@$(SETTLEMENT) up

down:  ## Stop what `up` started; data stays (停止)
	@test ! -x $(BIN)/python || $(SETTLEMENT) down

info: setup  ## Addresses and accounts of what runs (地址与账号)
	@$(SETTLEMENT) info

demo: setup  ## A sample area from delivered batches to money received, then stop (演示)
	@$(SETTLEMENT) demo

test: setup  ## Rules, parts and faults on a real PostgreSQL, a file of tests on every core (测试)
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile $(TESTS)

test-e2e: setup  ## The whole platform through a real Airflow; takes long (端到端测试)
	@$(BIN)/python -m pytest tests/end_to_end

lint: setup  ## What pre-commit checks: style, types, SQL, YAML (检查)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/yamllint --strict .
	@$(BIN)/sqlfluff lint --processes 2 --disable-progress-bar dbt_project/models dbt_project/tests

format: setup  ## Put code and SQL into the house's layout (格式化)
	@$(BIN)/ruff check --fix-only $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/sqlfluff fix --disable-progress-bar dbt_project/models dbt_project/tests

bench: setup  ## Speed and memory, each beside its limit (性能)
	@$(BIN)/python -m benchmarks

bench-large: setup  ## The same at the size of a province; takes long (大规模性能)
	@$(BIN)/python -m benchmarks --large

lock: setup  ## Resolve the dependencies of pyproject.toml again (更新依赖锁)
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes pyproject.toml --output-file requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --group dev --constraints requirements.lock pyproject.toml --output-file requirements-dev.lock

advisories: setup  ## Compare locks and environment with known advisories, without network (依赖漏洞检查)
	@$(BIN)/python deploy/check_advisories.py requirements.lock requirements-dev.lock

sbom: setup  ## Write the bill of materials of what a server runs (物料清单)
	@rm -rf .local/sbom && $(PYTHON) -m venv --without-pip .local/sbom/venv
	@$(BIN)/uv pip sync --quiet --require-hashes --python .local/sbom/venv/bin/python requirements.lock
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file .local/sbom/sbom.cdx.json .local/sbom/venv/bin/python
	@echo .local/sbom/sbom.cdx.json

clean: down  ## Stop, and delete the local installation with its data (清除数据)
	@rm -rf "$${SETTLEMENT_LOCAL:-.local}" dbt_project/target dbt_project/logs .mypy_cache .ruff_cache .pytest_cache
