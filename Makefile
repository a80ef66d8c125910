# `make demo` and `make test` set themselves up; a fresh machine needs Python 3.11 to 3.14 and make.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DATA ?=

.PHONY: demo test test-fast check docs package setup setup-test setup-reference clean

setup: $(VENV)/ready
setup-test: $(VENV)/ready-to-test
setup-reference: $(VENV)/ready-for-reference

$(VENV)/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[demo,heif,evaluation]"
	touch $@

# Every extra, since every part is tested: the engines for many machines alone are 300 MB, so the demo goes without.
$(VENV)/ready-to-test: $(VENV)/ready
	$(BIN)/pip install --quiet --constraint constraints.txt \
	  --editable ".[demo,heif,evaluation,milvus,mqtt,postgres,quantize,server,xlsx]" --group test
# It asks for an older requests-toolbelt than the rest does, and runs with this one.
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps compreface-sdk
	touch $@

# What the tests of the CLIP path are held against. torch alone is 1 GB, so only these tests' own target installs it.
$(VENV)/ready-for-reference: $(VENV)/ready-to-test
	$(BIN)/pip install --quiet --constraint constraints.txt --group reference
	touch $@

demo: setup
	$(BIN)/knownface demo $(if $(DATA),--data "$(DATA)",) --out demo-output --overwrite

# One thread a process: several processes whose libraries each take all processors wait for each other.
PYTEST = OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal

test: setup-test
	$(PYTEST)

# Without the tests that are marked slow: what to run after every change.
test-fast: setup-test
	$(PYTEST) -m "not slow"

check: setup-test
	$(BIN)/pip install --quiet --constraint constraints.txt --group checks
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
# Circles once more, module by module: import-linter sees neither a package's own __init__ nor the benchmarks.
	$(BIN)/ruff analyze graph --preview --config "src = ['src', 'benchmarks']" src benchmarks | $(BIN)/python -c \
	  "import graphlib, json, sys; graphlib.TopologicalSorter(json.load(sys.stdin)).prepare()"

# Neither the documentation nor the package needs knownface installed.
$(VENV)/ready-to-publish: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --constraint constraints.txt --group docs --group package
	touch $@

docs: $(VENV)/ready-to-publish
	$(BIN)/zensical build --clean --strict

package: $(VENV)/ready-to-publish
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

clean:
	rm -rf $(VENV) demo-output build dist site .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
