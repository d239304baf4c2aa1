# Needs Python 3.11+, pip and make; everything else is installed into $(VENV) and .tox.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet -c constraints.txt
# Handed on to the command: `make test ARGS="tests/stats -x"`, `make demo ARGS="--store runs"`.
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench dashboard clean distclean

help:
	@echo "make demo       install, then fine-tune, evaluate, compare and gate the embedded example"
	@echo "make test       install what the tests need and run them through tox"
	@echo "make lint       ruff and mypy"
	@echo "make bench      speed and memory, as JSON"
	@echo "make dashboard  open the dashboard over ./runs (loopback only)"
	@echo "make clean      remove build outputs and caches; make distclean also .venv and .tox"

demo: $(VENV)/.installed
	$(BIN)/harness demo $(ARGS)

# Installing and testing are two steps, so that a failing installation is shown in full
# and the last line of a test run is pytest's own.
test: $(VENV)/.tox-installed
	$(BIN)/tox run -e base --notest
	$(BIN)/tox run -qq -e base --skip-pkg-install $(if $(ARGS),-- $(ARGS))

lint: $(VENV)/.tox-installed
	$(BIN)/tox run -e lint,types

bench: $(VENV)/.tox-installed
	$(BIN)/tox run -e bench $(if $(ARGS),-- $(ARGS))

dashboard: $(VENV)/.installed
	$(BIN)/harness dashboard $(ARGS)

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find harness dashboards benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean
	rm -rf .tox $(VENV)

# The stamps lie inside the environment: removing it removes them.
$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "make: no '$(PYTHON)' on the PATH; install Python 3.11 or newer, or say which: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: Python 3.11 or newer is needed, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1); say which: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time downloads torch, which takes a few minutes ..."
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.tox-installed: $(VENV)/pyvenv.cfg constraints.txt
	$(PIP_INSTALL) "tox>=4.21"
	@touch $@
