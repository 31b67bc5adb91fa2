# `make` lists what there is. Everything runs in .venv, which each target makes when it is missing or out of date.

PYTHON ?= python3
RUN := .venv/bin/python
# Settings as in production, for the checks that look at them; nothing is contacted.
PRODUCTION := ENV_FILE= DEBUG=false SECRET_KEY=checked-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJ \
	DATABASE_URL=postgresql://holdfast@127.0.0.1:1/holdfast STRIPE_API_KEY=sk_test_checked \
	STRIPE_WEBHOOK_SECRETS=whsec_checked MAIL_BACKEND=smtp MAIL_HOST=127.0.0.1 MAIL_FROM=checked@example.com
# Tests that have a long form.
SIZED := $(addprefix tests/,reconciliation/test_settlements.py reconciliation/test_missed_events.py \
	reconciliation/test_outage.py backoffice/test_odd_input.py)
DEVELOPMENT := ENV_FILE= DEBUG=true DATABASE_URL=postgresql://holdfast@127.0.0.1:1/holdfast

.PHONY: help demo up down fresh test long simulate mutants bench fuzz check fmt
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

demo: .venv/.ready ## Bring everything up, play the demo, and keep serving (ONCE=1: stop after it)
	@$(RUN) -m tools.demo demo

up: .venv/.ready ## Bring everything up: database, sandbox, web and worker
	@$(RUN) -m tools.demo up

down: .venv/.ready ## Stop everything of this checkout
	@$(RUN) -m tools.demo down

fresh: .venv/.ready ## Put the database of this checkout aside, so that the next start makes a new one
	@$(RUN) -m tools.demo fresh

test: .venv/.ready-dev ## Run the tests, on all cores
	@$(RUN) -m pytest -q -n auto --dist worksteal --durations=20 $(ARGS)

long: .venv/.ready-dev ## Run what takes hours: long storm and fuzz, all mutants, tests through PgBouncer
	@$(RUN) -m tests.support.through_pooler
	@LONG=1 $(RUN) -m pytest -q -n auto --timeout 1800 $(SIZED)
	@$(RUN) -m tests.simulation --seeds 2000 --first $(or $(FIRST_SEED),0)
	@$(RUN) -m tests.simulation.mutants
	@$(MAKE) --no-print-directory fuzz

simulate: .venv/.ready-dev ## Storm the whole system, seed after seed (SEEDS=1000 FIRST_SEED=0, or SEED=7 for one)
	@$(RUN) -m tests.simulation --seeds $(or $(and $(SEED),1),$(SEEDS),200) --first $(or $(SEED),$(FIRST_SEED),0)

mutants: .venv/.ready-dev ## Take one safety away after the other, and see what notices
	@$(RUN) -m tests.simulation.mutants

bench: .venv/.ready-bench ## Measure, beside a floor and a limit (WHAT=rival, WHAT=rows, WHAT=clients)
	@$(RUN) -m tools.benchmarks $(or $(WHAT),selling) $(ARGS)

fuzz: .venv/.ready-dev ## Try every operation of the API with some thousands of requests
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-150} $(RUN) -m pytest -q -n auto tests/contract/test_fuzz.py --timeout 900

check: .venv/.ready-dev ## Check style, types, layers, migrations and production settings
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(DEVELOPMENT) $(RUN) -m mypy .
	$(RUN) -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-cache
	$(DEVELOPMENT) $(RUN) -W ignore manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING
	$(DEVELOPMENT) $(RUN) manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(RUN) -m pip check

fmt: .venv/.ready-dev ## Format, and mend what can be mended
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

.venv/.ready: requirements.txt
	@echo "Installing into .venv …"
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch .venv/.ready

.venv/.ready-bench: tools/benchmarks/requirements.txt .venv/.ready
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r tools/benchmarks/requirements.txt
	@touch .venv/.ready-bench

.venv/.ready-dev: requirements-dev.txt .venv/.ready
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/.ready-dev
