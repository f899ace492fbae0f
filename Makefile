# make run   the environment, then the console on a practice session (no network, no keys)
# make test  the environment, then the whole test suite
# make explore  the property tests with new examples each time
# make fuzz  a minute of search in every reader of foreign bytes, led by what was run
# The others: venv, dev, docs, lint, bench, lock, clean.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install

.PHONY: run test explore fuzz venv dev docs lint bench lock clean

run: venv
	$(BIN)/lobdeck demo

# pyproject.toml asks for quiet; -v brings the ordinary report, with its closing line, back.
test: dev
	$(BIN)/python -m pytest -v --ignore=tests/benchmarks tests

explore: dev
	$(BIN)/python -m pytest --hypothesis-profile=default tests/property

fuzz: dev
	$(BIN)/python -m tests.fuzz.guided --seconds 60

venv: .venv/.run-time
dev: .venv/.development

docs: venv
	$(BIN)/python -m app.reference docs/reference

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: venv
	$(BIN)/lobdeck bench

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "lobdeck needs Python 3.11, 3.12 or 3.13; name one, as in: make PYTHON=python3.12 run" >&2; exit 2; }
	$(PYTHON) -m venv .venv

# The two steps are apart because pip does not take hashes together with an editable install; the build
# backend is in the lock, so that nothing unlocked is fetched.
.venv/.run-time: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/.development: requirements-dev.lock .venv/.run-time
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

# Universal for every Python and platform of pyproject.toml. The build backend is read from there as well.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url

lock: dev
	$(BIN)/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	| $(LOCK) pyproject.toml - --output-file requirements.lock
	$(LOCK) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock
