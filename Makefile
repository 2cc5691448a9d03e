# One verb per habit. PYTHON picks the interpreter of a new environment.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

# Idle OpenMP threads that spin slow a shared machine down many times over.
export OMP_WAIT_POLICY ?= PASSIVE
export GOMP_SPINCOUNT ?= 0

.PHONY: setup demo demo-activity demo-description reproduce-activity reproduce-description train test test-slow lint bench proto docs clean

setup: $(VENV)/installed

$(VENV)/installed: setup.py
	@command -v $(PYTHON) > /dev/null || { \
	    echo "error: there is no $(PYTHON) here. Install Python 3.10 or later, or name it:" \
	        "make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("error: $(PYTHON) is Python \
	%d.%d, caffe_lrcn needs 3.10 or later. Name another: make PYTHON=python3.12" % \
	tuple(sys.version_info[:2]))'
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { \
	    echo "error: $(PYTHON) lacks the modules venv and ensurepip, which some systems keep in a" \
	        "package of their own. Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[test]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/caffe-lrcn demo

$(VENV)/installed-video: $(VENV)/installed
	$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[video,flow]'
	touch $@

demo-activity: $(VENV)/installed-video
	$(BIN)/caffe-lrcn demo-activity

demo-description: $(VENV)/installed-video
	$(BIN)/caffe-lrcn demo-description

# The tables of section 4 on generated clips, three seeds: docs/reproduction.md. It goes on where it was.
reproduce-activity: $(VENV)/installed-video
	$(BIN)/caffe-lrcn reproduce activity

# Table 9 on generated clips, three seeds: docs/reproduction.md. It goes on where it was.
reproduce-description: $(VENV)/installed-video
	$(BIN)/caffe-lrcn reproduce description

# CAPTIONS: a COCO captions file; IMAGES: the folder of its pictures. All that is made of them goes
# to a folder of its own, WORK, whose data and snapshots belong together; the picture net of the
# demonstration is taken along if it is there. ITERATIONS: how long the captioner trains.
WORK       ?= runs/$(basename $(notdir $(CAPTIONS)))
ITERATIONS ?= 1200
train: $(VENV)/installed
	@test -n "$(CAPTIONS)" -a -n "$(IMAGES)" || { \
	    echo "usage: make train CAPTIONS=captions.json IMAGES=pictures" >&2; exit 2; }
	mkdir -p "$(WORK)/data"
	@test -e "$(WORK)/data/convnet.caffemodel" -o ! -e data/convnet.caffemodel || \
	    cp data/convnet.caffemodel "$(WORK)/data"
	cd "$(WORK)" && "$(CURDIR)/$(BIN)/caffe-lrcn" data captions --resume --format coco \
	    --captions "$(abspath $(CAPTIONS))" --images "$(abspath $(IMAGES))" \
	    --out data/captions --streams 32 --min-count 1 || { \
	    echo "For other captions or pictures name another folder: make train WORK=runs/other" \
	        "CAPTIONS=... IMAGES=..." >&2; exit 1; }
	cd "$(WORK)" && "$(CURDIR)/$(BIN)/caffe-lrcn" train --snapshot auto \
	    --solver prototxt/lrcn_solver.prototxt --set max_iter=$(ITERATIONS)
	cd "$(WORK)" && "$(CURDIR)/$(BIN)/caffe-lrcn" caption "$(abspath $(IMAGES))" \
	    --vocabulary data/captions/vocabulary.txt \
	    --weights "$$(ls -t out/lrcn_iter_*.caffemodel | head -n 1)"

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
	$(BIN)/python benchmarks/decoding.py
	$(BIN)/python benchmarks/describing.py
	$(BIN)/python benchmarks/tiny.py

proto: $(VENV)/installed-dev
	$(BIN)/python proto/generate.py

docs: $(VENV)/installed
	$(BIN)/python docs/generate_layers.py

clean:
	rm -rf $(VENV) out build dist *.egg-info
