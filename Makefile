# `make lab` runs the whole series, `make test` all tests; both set everything up on first use.
PYTHON ?= python3.11
BIN = .venv/bin
# Holds ctrl-C back until the lab can answer it in a sentence; without it (macOS) Python may show a traceback instead.
HOLD := $(shell env --block-signal=INT true 2>/dev/null && echo env --block-signal=INT)
READY = .venv/.ready
DEV = .venv/.ready-dev
.DEFAULT_GOAL := help
.PHONY: help setup lab test test-fast release jupyter down clean lock lint bench fuzz bench-env bench-quick

help: ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY) ## install what the lab needs into .venv and make the connector jar

INSTALL = $(BIN)/uv pip sync --compile-bytecode --python $(BIN)/python
PROJECT = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .

# With PYTHON=uv a uv that is on the PATH finds a Python 3.11 or gets one; any other value is the Python itself.
$(BIN)/python:
ifeq ($(PYTHON),uv)
	@command -v uv >/dev/null || { echo "PYTHON=uv needs uv, which is not on the PATH: install it (with 'pipx install uv', or as your system does), then run this again."; exit 1; }
	@uv python find --system 3.11 >/dev/null 2>&1 || uv python install 3.11 || { echo "uv could not get Python 3.11, as it says above: install Python 3.11 yourself, then run 'make setup'."; exit 1; }
	@uv venv --quiet --seed --python 3.11 .venv
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { echo "The lab needs Python 3.11 (Flink 1.20 runs on no later one), and $(PYTHON) is not that: install it (with uv: 'uv python install 3.11', which 'make setup PYTHON=uv' does for you), or name it with 'make setup PYTHON=/path/to/python3.11'."; exit 1; }
	@$(PYTHON) -m venv .venv
endif

$(READY): requirements.txt pyproject.toml flink_app/connector.lock flink_app/connector.toml | $(BIN)/python
	@echo "[1/4] Install the installer (20 MB) into the environment .venv"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -nE 's/^(uv==[0-9.]+).*/\1/p' requirements.txt)"
	@echo "[2/4] Install $$(grep -c == requirements.txt) packages: 600 MB to download where they are not in the cache, 1.1 GB on disk"
	@$(INSTALL) requirements.txt
	@echo "[3/4] Install the project itself"
	@$(PROJECT)
	@$(BIN)/python -m compileall -q lab grader reviewgen localaws
	@echo "[4/4] Make the connector jar: 70 MB to download where it is not in .cache"
	@$(BIN)/python -m lab.deploy.connector
	@touch $(READY)

$(DEV): requirements-dev.txt $(READY)
	@echo "Install what tests and lint need besides: $$(grep -c == requirements-dev.txt) packages in all"
	@$(INSTALL) requirements-dev.txt
	@$(PROJECT)
	@touch $(DEV)

lab: $(READY) ## the whole series, unattended: verdict, report, dashboard
	@$(HOLD) $(BIN)/python -m lab run $(ARGS)

test: $(DEV) ## all tests, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(DEV) ## the tests that need no Flink cluster
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

release: $(READY) ## the student edition and the teacher's, one zip each, into build/release
	@$(BIN)/python -m lab release $(ARGS)

jupyter: $(READY) ## JupyterLab, on the first notebook
	@$(BIN)/python -m lab.runner.jupyterlab $(ARGS)

BOOK = .venv/.ready-book
$(BOOK): requirements-book.txt $(READY)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirements requirements-book.txt
	@touch $(BOOK)

# All five notebooks in an account of their own, which 05 empties and `down` ends.
BOOK_RUN = rm -rf build/book/run; export LOCALAWS_HOME=$(CURDIR)/build/book/account LOCALAWS_PORT=4599; \
  { $(BIN)/python -m lab run --out build/book/run && $(BIN)/papermill --no-progress-bar --log-level ERROR notebooks/05_cleanup.ipynb \
  build/book/run/latest/05_cleanup.ipynb -p target local; }; code=$$?; $(BIN)/python -m localaws down; exit $$code

.PHONY: book
book: $(BOOK) ## the lab as a static site, in build/book/site, from a run of its own (RUN=folder: from that run)
	@$(if $(RUN),true,$(BOOK_RUN))
	@$(BIN)/python -m book $(or $(RUN),build/book/run/latest)

.PHONY: outputs
outputs: $(DEV) ## take the few committed outputs of the notebooks over from runs/latest
	$(BIN)/python -m tests.notebooks.kept_outputs $(ARGS)

.PHONY: doctor
doctor: $(READY) ## why is my output empty? (TARGET=aws: in your own account)
	@$(BIN)/python -m lab doctor --target $(or $(TARGET),local) $(ARGS) || test $$? -eq 1 # 1: it found something, and said so

.PHONY: clean-aws
clean-aws: $(READY) ## delete everything the lab made in your AWS account; asks first (ARGS=--yes: does not)
	@$(BIN)/python -m lab clean --target aws $(ARGS)

.PHONY: grade
grade: $(READY) ## grade what students handed in: make grade SUBMISSIONS=folder OUT=results (ARGS="--jobs 2")
	@$(BIN)/python -m lab grade $(or $(SUBMISSIONS),$(error name the folder: make grade SUBMISSIONS=folder)) --out $(or $(OUT),results) $(ARGS)

down: ## stop the embedded account and everything it started
	@if test -x $(BIN)/python; then $(BIN)/python -m localaws down; else echo "Nothing is set up."; fi

clean: down ## also remove what was made: environment, caches, runs
	rm -rf .venv .cache build runs .localaws

bench: $(DEV) .venv-bench/.ready ## everything measured side by side, 25 minutes (ARGS="--only detection": a part)
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(DEV) ## 100,000 mutated inputs through the producer's reading side
	$(BIN)/python -m benchmarks.fuzz_producer $(ARGS)

bench-env: .venv-bench/.ready ## bytewax and quixstreams in an environment of their own, .venv-bench

.venv-bench/.ready: requirements-bench.txt $(DEV)
	test -x .venv-bench/bin/python || $(BIN)/python -m venv .venv-bench
	$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python requirements-bench.txt
	@touch $@

bench-quick: $(DEV) .venv-bench/.ready ## the same in under 3 minutes, smaller, into build/bench
	$(BIN)/python -m benchmarks --quick --out build/bench $(ARGS)

lint: $(DEV) ## style (ruff), types (mypy), and which room may import which (import-linter)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy && $(BIN)/mypy producer/*.py && $(BIN)/mypy flink_app/SlidingWindows/*.py
	$(BIN)/lint-imports --no-cache

.PHONY: coverage
coverage: $(DEV) ## which lines the tests without a Flink cluster reach
	$(BIN)/coverage run -m pytest -q -m "not slow" $(ARGS)
	$(BIN)/coverage report

LOCK = $(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header -q

lock: $(DEV) ## requirements*.txt from pyproject.toml, and connector.lock, anew
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) -c requirements.txt pyproject.toml --group dev --group book -o requirements-dev.txt
	$(LOCK) -c requirements-dev.txt --group book -o requirements-book.txt
	$(LOCK) --group bench -o requirements-bench.txt
	$(BIN)/python -m lab.deploy.connector lock
