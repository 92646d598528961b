# Thin: every target is a command you could type yourself, run inside .venv.

VENV := .venv
INSTALLED := $(VENV)/.installed
EXTRAS := $(VENV)/.extras
# the first Python found that the project runs on; or name one: make repro PYTHON=/path/to/python
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help install extras repro search weights

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):.*  ## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

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
	@echo "Adding the optional packages of pyproject.toml: 0.7 GB more"
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-extras.lock
	@touch $@

extras: $(EXTRAS)  ## add to .venv the optional packages of pyproject.toml: for export, demo and more

repro: $(INSTALLED)  ## run the pipeline, just what changed; RECIPE=dots_mlp runs one recipe, DATASET=dots all of a dataset
	image-recipes repro $(strip $(DATASET) $(RECIPE) $(if $(VERBOSE),--verbose))

search: $(INSTALLED)  ## find better params by a search of params.yaml: NAME=dots_pool; JOBS=2 trainings side by side
	image-recipes search $(NAME) $(if $(JOBS),--jobs $(JOBS))

weights: $(INSTALLED)  ## fetch the ImageNet weights that `image-recipes add` lets recipes start from (20 MB)
	image-recipes weights EfficientNetLite0

# for who works on the project itself: tests, benchmarks, lock files
-include develop.mk
