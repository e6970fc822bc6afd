# `make lab` runs the whole series, `make test` all tests; both set everything up on first use.
PYTHON ?= python3.11
BIN = .venv/bin
READY = .venv/.ready
.DEFAULT_GOAL := help
.PHONY: help setup lab test test-fast release jupyter down clean lock lint bench fuzz bench-env bench-quick

help: ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(READY) ## install everything into .venv and make the connector jar

$(READY): requirements.txt pyproject.toml flink_app/connector.lock flink_app/connector.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { echo "The lab needs Python 3.11 (Flink 1.20 runs on no later one): install it, or name it with 'make PYTHON=/path/to/python3.11 ...'."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "$$(sed -nE 's/^(uv==[0-9.]+).*/\1/p' requirements.txt)"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q lab localaws grader reviewgen
	$(BIN)/python -m lab.deploy.connector
	-@$(BIN)/python -m lab.deploy.producer_zip
	@touch $(READY)

lab: $(READY) ## the whole series, unattended: verdict, report, dashboard
	@$(BIN)/python -m lab run $(ARGS)

test: $(READY) ## all tests, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-fast: $(READY) ## the tests that need no Flink cluster
	$(BIN)/python -m pytest -m "not slow" $(ARGS)

release: $(READY) ## the student edition into release/: the same files with blanks
	@$(BIN)/python -m lab release $(ARGS)

jupyter: $(READY) ## JupyterLab, on the first notebook
	@$(BIN)/python -m lab.runner.jupyterlab $(ARGS)

.PHONY: outputs
outputs: $(READY) ## take the few committed outputs of the notebooks over from runs/latest
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

bench: $(READY) .venv-bench/.ready ## everything measured side by side, 25 minutes (ARGS="--only detection": a part)
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(READY) ## 100,000 mutated inputs through the producer's reading side
	$(BIN)/python -m benchmarks.fuzz_producer $(ARGS)

bench-env: .venv-bench/.ready ## bytewax and quixstreams in an environment of their own, .venv-bench

.venv-bench/.ready: requirements-bench.txt $(READY)
	test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	$(BIN)/uv pip sync --quiet --python .venv-bench/bin/python requirements-bench.txt
	@touch $@

bench-quick: $(READY) .venv-bench/.ready ## the same in under 3 minutes, smaller, into build/bench
	$(BIN)/python -m benchmarks --quick --out build/bench $(ARGS)

lint: $(READY) ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

lock: $(READY) ## requirements.txt and connector.lock anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header -q requirements.in -o requirements.txt
	$(BIN)/python -m lab.deploy.connector lock
