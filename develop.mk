# What the Makefile adds for who works on the project itself; `image-recipes new` leaves it out.

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: test test-all torture bench bench-defaults bench-growth bench-peers lint check-lock lock licences audit

test: $(INSTALLED)  ## run the tests (2 to 4 minutes)
	pytest --numprocesses 2 -m "not slow"

test-all: test $(EXTRAS)  ## run the slow tests too, with the extras and in a browser
	pytest --numprocesses 2 -m slow

torture: $(INSTALLED) $(EXTRAS)  ## kill the program 200 times, and damage what it reads, to see whether anything is lost (an hour; KILLS=50: less)
	python tests/torture.py $(if $(KILLS),--kills $(KILLS))
	pytest --numprocesses 2 -m hypothesis --hypothesis-profile torture

bench: $(INSTALLED)  ## compare our speed with Keras, PyTorch and JAX (an hour; QUICK=1: 12 minutes; RECIPE=dots_mlp: one recipe)
	python -m benchmarks.speed $(if $(QUICK),--quick) $(RECIPE)

bench-defaults: $(INSTALLED)  ## try what add writes on ten small tasks (26 minutes; SEEDS=3: longer; TASK=dots: one of them)
	python -m benchmarks.defaults $(if $(SEEDS),--seeds $(SEEDS)) $(TASK)

bench-growth: $(INSTALLED)  ## measure each stage with 1,000 to 100,000 pictures (QUICK=1: few)
	python -m benchmarks.stages $(if $(QUICK),--quick)

bench-peers: $(INSTALLED)  ## install PyTorch and JAX beside it, for make bench
	python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt

lint: $(INSTALLED)  ## check style, types, which folder imports which, and that no dependency is missing or unused
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo --no-cache
	deptry .

check-lock: $(INSTALLED)  ## fail if dvc.lock does not belong to this code and these params
	@dvc repro --allow-missing --dry > $(VENV)/dry.log 2>&1 || { cat $(VENV)/dry.log; exit 1; }
	@! grep "^Running stage" $(VENV)/dry.log || { echo "error: dvc.lock is out of date: run make repro and commit" >&2; exit 1; }

lock: $(INSTALLED)  ## pin the newest versions that pyproject.toml allows
	$(COMPILE) --upgrade --all-extras pyproject.toml --output-file requirements-extras.lock
	$(COMPILE) --extra dev --constraint requirements-extras.lock pyproject.toml --output-file requirements.lock

licences: $(EXTRAS)  ## list the licences of the locked packages in docs/licences.md
	python -m packages.licences

audit: $(EXTRAS)  ## look for known weaknesses of the locked packages (needs the internet)
	python -m packages.audit
