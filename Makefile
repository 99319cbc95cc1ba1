# Each target makes what it needs: `make demo` and `make test` work on a machine with nothing but Python.
PYTHON ?= python3
VENV ?= .venv
# Processes that share the tests; 0 runs them in this one.
WORKERS ?= 0
# More for pytest: make test ARGS="tests/analysis -x".
ARGS ?=
# What `make attack` draws from, for how long, and on how many ranks.
SEED ?= 1
MINUTES ?= 3
RANKS ?= 1

ACTIVATE = . $(VENV)/bin/activate
# pip knows dependency groups since 25.1.
INSTALL = python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test coverage attack check clean help

help:
	@echo "make demo      train a small classifier until it overfits, and see what the monitor says"
	@echo "make test      run the whole suite"
	@echo "make coverage  run it and show what it did not reach"
	@echo "make attack    try drawn settings, kills, files and histories for minutes"
	@echo "make check     format, lint, types, layers, spelling, workflows"
	@echo "make clean     remove what the others made"

demo: $(VENV)/demo.stamp
	@$(VENV)/bin/gapmon demo

test: $(VENV)/dev.stamp
	@$(ACTIVATE) && python -m pytest --numprocesses $(WORKERS) $(ARGS)

coverage: $(VENV)/dev.stamp
	@$(ACTIVATE) && coverage erase && coverage run -m pytest --numprocesses $(WORKERS) $(ARGS) \
		&& coverage combine --quiet && coverage report

attack: $(VENV)/dev.stamp
	@$(ACTIVATE) && python -m tests.attack --seed $(SEED) --minutes $(MINUTES) --ranks $(RANKS) $(ARGS)

check: $(VENV)/dev.stamp
	@$(ACTIVATE) && scripts/check

# A stamp is older than what it was made from when that changes: then pip runs once more.
$(VENV)/%.stamp: pyproject.toml constraints.txt
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), a few minutes the first time ..."
	@$(ACTIVATE) && python -m pip install --quiet --upgrade "pip>=25.1" \
		&& $(INSTALL) --group $* --editable .
	@touch $@

clean:
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache
