# Two commands do all: `make run` and `make test`. The others are for those who change the code.

SETUP := scripts/setup.sh
BIN := .venv/bin

.PHONY: help run test check bench lock reference clean

help:
	@echo "make run     set up what is missing, then serve the map (Ctrl-C stops it)"
	@echo "make test    set up what is missing, then check and test everything"
	@echo "make check   format, lint, types, import contracts"
	@echo "make bench   benchmarks, as ratios within one run"
	@echo "make lock    lock Python and npm packages anew"

run:
	@$(SETUP) run
	@exec $(BIN)/mapservice serve

test:
	@$(SETUP) test
	@$(MAKE) --no-print-directory checks
	$(BIN)/python -m pytest --numprocesses=auto

check:
	@$(SETUP) test
	@$(MAKE) --no-print-directory checks

.PHONY: checks
checks:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SETUP) with-node npm run --silent check

bench:
	@$(SETUP) test
	$(BIN)/python -m tests.benchmarks

lock:
	@scripts/lock.sh

# Distils ../shared/data into postgis/reference (see scripts/distil_reference.py).
reference:
	$(BIN)/python scripts/distil_reference.py

clean:
	rm -rf .venv node_modules web/static/vendor build bench-results
