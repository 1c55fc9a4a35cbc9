# `make check` is what CI runs. It uses the environment that the README's test command sets up.
PYTHON ?= .venv/bin/python
BIN := $(dir $(PYTHON))

.PHONY: check lint types imports test docs

check: lint types imports test

lint:
	$(BIN)ruff check .
	$(BIN)ruff format --check .

types:
	$(BIN)mypy

imports:
	$(BIN)lint-imports

test:
	$(PYTHON) -m pytest

# The site in site/, from docs/; the pages that are generated first.
docs:
	$(PYTHON) scripts/make_docs.py
	$(BIN)zensical build --strict --clean
