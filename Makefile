# One verb per habit. PYTHON picks the interpreter of a new environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

# Idle OpenMP threads that spin slow a shared machine down many times over.
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 0

.PHONY: setup train test test-slow lint bench proto docs clean

setup: $(VENV)/installed

$(VENV)/installed: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

test: $(VENV)/installed
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

test-slow: $(VENV)/installed
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

# Compares with PyTorch, which has to be installed beside the package: .venv/bin/pip install torch
bench: $(VENV)/installed
	$(BIN)/python benchmarks/convnet.py
	$(BIN)/python benchmarks/captioner.py

proto: $(VENV)/installed-dev
	$(BIN)/python tools/generate_proto.py

clean:
	rm -rf $(VENV) out build dist *.egg-info
