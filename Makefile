# `make demo` and `make test` are the usual commands. The first run creates .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# Folder of photos for `make demo`; empty: the sample gallery, which is generated.
PHOTOS ?=
OUT ?= demo/out

.DEFAULT_GOAL := help
.PHONY: help venv demo test check docs format bench clean

help:
	@echo 'make demo                      index a sample gallery, query it, write result pages'
	@echo 'make demo PHOTOS=~/Pictures    the same with your own photos'
	@echo 'make test                      make check, then pytest'
	@echo 'make check                     ruff, mypy --strict, import-linter'
	@echo 'make docs                      generate the tables of the docs, build a site in build/site'
	@echo 'make bench                     indexing and query speed compared with a baseline'
	@echo 'make format                    format the code with ruff'
	@echo 'make clean                     remove caches and the output of the demo, but not .venv'

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,demo]'
	@touch $@

demo: $(INSTALLED)
	$(BIN)/python -m demo.run --out '$(OUT)' $(if $(PHOTOS),--photos '$(PHOTOS)')

test: check
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m docs.generate
	$(BIN)/mkdocs build --quiet

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

clean:
	rm -rf demo/out build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
