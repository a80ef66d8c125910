# `make demo` and `make test` set themselves up; a fresh machine needs Python 3.11 to 3.13 and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DATA ?=

.PHONY: demo test check setup clean

setup: $(VENV)/ready

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[demo,heif,evaluation]" --group test
	touch $@

demo: setup
	$(BIN)/knownface demo $(if $(DATA),--data "$(DATA)",) --out demo-output

test: setup
	$(BIN)/python -m pytest -n auto

check: setup
	$(BIN)/pip install --quiet --constraint constraints.txt --group checks --group reference
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) demo-output build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
