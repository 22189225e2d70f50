.POSIX:

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check
REQUIREMENTS = pyproject.toml constraints.txt
SECONDS = 600
SEED = 1
VALIDATOR = build/focus-validator
PROGRAMS = nginx=nginx-light redis-server=redis-server pgbouncer=pgbouncer postgres=postgresql promtool=prometheus \
  amtool=prometheus-alertmanager node=nodejs groff=groff-base chromium=chromium soffice=libreoffice-calc-nogui

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

plan: $(VENV)/.installed ## Install into .venv, print the plan for 10,000 users, write report.md
	@$(BIN)/cascade-plan size --peak 10000 --avg 3000
	@$(BIN)/cascade-plan report -o report.md
	@echo "report.md has the cost, assumptions, alternatives and rollout."

test: system validators lint ## Run every check and every test, as CI does
	$(BIN)/pytest -n auto --dist loadgroup

check: lint ## Run the checks and the tests without installing system packages; what needs a missing one is skipped
	$(BIN)/pytest -n auto --dist loadgroup

fuzz: $(VENV)/.installed-tools ## Change scenarios by chance for SECONDS=600 from SEED=1, and show the smallest that break something
	$(BIN)/python tests/fuzzing.py --seconds $(SECONDS) --seed $(SEED)

system: ## Install the real programs that tests hand our files to (Debian; elsewhere install them yourself)
	@missing=; for each in $(PROGRAMS); do \
	  PATH="$$PATH:/usr/sbin:$$(echo /usr/lib/postgresql/*/bin)" command -v "$${each%%=*}" >/dev/null || missing="$$missing $${each#*=}"; \
	done; \
	test -z "$$missing" || { command -v apt-get >/dev/null && test "$$(id -u)" = 0 && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } || \
	echo "not installed:$$missing; tests that need them are skipped, and fail in CI" >&2

validators: $(VALIDATOR) ## Install the official validator of FOCUS into build/, with the Python and the pins that it wants

lint: $(VENV)/.installed-tools ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-tools ## Format the sources and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-tools ## Measure against peers and floors (the accuracy benchmark takes many minutes)
	$(INSTALL) -c constraints.txt -e '.[bench]'
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/optimize.py
	$(BIN)/python benchmarks/purchases.py
	$(BIN)/python benchmarks/simulation_speed.py
	$(BIN)/python benchmarks/autoscaler.py
	$(BIN)/python benchmarks/offers.py
	$(BIN)/python benchmarks/n_plus_one.py
	$(BIN)/python benchmarks/real_stack.py

docs: $(VENV)/.installed ## Rebuild what is generated in docs/: the scenario's reference and the manual page
	$(BIN)/cascade-plan schema --format markdown -o docs/scenario.md
	$(BIN)/cascade-plan help --format man -o docs/cascade-plan.1

dist: ## Build the distributions into dist/, check them, and plan with what is installed from the wheel
	rm -rf dist build/dist
	$(PYTHON) -m venv build/dist
	build/dist/bin/pip install --quiet --disable-pip-version-check build twine
	build/dist/bin/python -m build
	build/dist/bin/twine check --strict dist/*
	build/dist/bin/pip install --quiet --disable-pip-version-check -c constraints.txt dist/*.whl
	cd build && dist/bin/cascade-plan size

prices: $(VENV)/.installed ## Rebuild the price books from DIR=<collected CSV files> TYPES=<DescribeInstanceTypes>
	@test -n "$(DIR)" -a -n "$(TYPES)" || { echo "make prices DIR=<directory> TYPES=<JSON file>" >&2; exit 2; }
	$(BIN)/cascade-plan prices import "$(DIR)" --instance-types "$(TYPES)"

constraints: ## Rebuild constraints.txt from the newest releases that pyproject.toml allows
	rm -rf build/constraints
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/pip install --quiet --disable-pip-version-check '.[test,aws,explore,bench]'
	{ sed -n '/^#/p' constraints.txt; build/constraints/bin/pip freeze --exclude cascade-plan; } >build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints

clean: ## Remove .venv and everything else that is built here
	rm -rf $(VENV) build dist report.md .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find cascade_plan tests benchmarks -name __pycache__ -exec rm -rf {} +

$(VENV)/.installed: $(REQUIREMENTS)
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-tools: $(VENV)/.installed
	$(INSTALL) -c constraints.txt -e '.[test,aws]'
	@touch $@

$(VALIDATOR): tests/real/focus_validator.txt $(VENV)/.installed-tools
	$(BIN)/python tests/real/focus_validator.py $@
	@touch $@

.PHONY: help plan test check fuzz system validators lint format bench docs prices constraints dist clean
