# Thin: every target is a command you could type yourself, run inside .venv.

VENV := .venv
INSTALLED := $(VENV)/.installed
EXTRAS := $(VENV)/.extras
# the first Python found that the project runs on; or name one: make repro PYTHON=/path/to/python
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help install extras repro test test-all bench bench-peers lint check-lock lock

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/make \1\t\2/p' Makefile | expand -t 20

install: $(INSTALLED)  ## make .venv from requirements.lock and install the package into it

$(INSTALLED): requirements.lock pyproject.toml
	@"$(or $(PYTHON),false)" -c '$(SUITABLE)' || { \
		echo "error: Python 3.11, 3.12 or 3.13 is needed, but $(or $(PYTHON),python3) is" \
			"$$("$(or $(PYTHON),python3)" --version 2>&1 | head -n 1):" \
			"install one, or name it: make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) by $(PYTHON): about 2.6 GB, a few minutes the first time"
	@"$(PYTHON)" -m venv $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(EXTRAS): requirements-extras.lock $(INSTALLED)
	@echo "Adding what export, demo, lesson and the tests in a browser need: 0.7 GB more"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extras.lock
	@touch $@

extras: $(EXTRAS)  ## add to .venv what export, demo, lesson and the tests in a browser need

repro: $(INSTALLED)  ## run the pipeline, just what changed; RECIPE=dots_mlp runs one recipe
	image-recipes check $(RECIPE)
	dvc repro $(if $(RECIPE),plot@$(RECIPE))

test: $(INSTALLED)  ## run the tests (2 to 4 minutes)
	pytest --numprocesses 2 -m "not slow"

test-all: test $(EXTRAS)  ## run the slow tests too, with the extras and in a browser
	pytest --numprocesses 2 -m slow

bench: $(INSTALLED)  ## compare our speed with Keras, PyTorch and JAX (45 minutes; QUICK=1: 7)
	python -m benchmarks.speed $(if $(QUICK),--quick) $(RECIPE)

bench-peers: $(INSTALLED)  ## install PyTorch and JAX beside it, for make bench
	python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt

lint: $(INSTALLED)  ## check style, types and which folder imports which
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo --no-cache

check-lock: $(INSTALLED)  ## fail if dvc.lock does not belong to this code and these params
	@dvc repro --allow-missing --dry > $(VENV)/dry.log 2>&1 || { cat $(VENV)/dry.log; exit 1; }
	@! grep "^Running stage" $(VENV)/dry.log || { echo "error: dvc.lock is out of date: run make repro and commit" >&2; exit 1; }

lock: $(INSTALLED)  ## pin the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --all-extras pyproject.toml --output-file requirements-extras.lock
	$(COMPILE) --extra dev --constraint requirements-extras.lock pyproject.toml --output-file requirements.lock
