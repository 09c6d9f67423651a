# `make run` starts the playground, `make test` runs every test, `make test PACKAGE=network` those of one package.
# `make test-all` repeats what is random as often as it takes to find what is rare. All set up .venv the first time.

PYTHON ?= python3
PORT ?= 8501
WORKERS ?= 3
PACKAGE ?=
BIN := .venv/bin
NPM := $(shell command -v npm)

.PHONY: run test test-all check bench messages declarations lock clean

run: .venv/app.stamp
	$(BIN)/streamlit run --server.port $(PORT)

test test-all: .venv/dev.stamp
	HYPOTHESIS_PROFILE=$(if $(filter test-all,$@),full,quick) $(BIN)/python -m pytest $(if $(PACKAGE),tests/$(PACKAGE)) --numprocesses=$(WORKERS) --dist=loadgroup --no-loadscope-reorder

check: .venv/dev.stamp $(if $(NPM),node_modules/.stamp)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_documents.py
	$(if $(NPM),npm run --silent lint && npm run --silent types,@echo "Node.js is not installed: the scripts of the components were not checked.")

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

# Collects the texts to translate, and compiles the translations: after every change of a text.
messages: .venv/dev.stamp
	$(BIN)/python -m playground.locales.update

# Declares the JSON that Python makes for the components' scripts: after every change of such a TypedDict.
declarations: .venv/dev.stamp
	$(BIN)/python -m playground.ui.components.declarations

# Needs uv (https://docs.astral.sh/uv/), the only tool that locks for every platform at once.
lock:
	{ head -n 2 requirements.lock; uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraints constraints.txt pyproject.toml; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf .venv node_modules

node_modules/.stamp: package.json package-lock.json
	npm ci --loglevel=error
	touch $@

.venv/app.stamp: requirements.txt constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed')"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt -c constraints.txt
	touch $@
