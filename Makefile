# Two commands: `make run` starts the playground, `make test` runs every test. Both set up .venv the first time.

PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: run test check bench clean

run: .venv/app.stamp
	$(BIN)/streamlit run --server.port $(PORT)

test: .venv/dev.stamp
	@status=0; \
	$(BIN)/python -m pytest --ignore=tests/browser --numprocesses=2 --dist=worksteal || status=1; \
	$(BIN)/python -m pytest tests/browser || status=1; \
	exit $$status

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv

.venv/app.stamp: requirements.txt constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed')"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt -c constraints.txt
	touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt -c constraints.txt
	touch $@
