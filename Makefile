# `make help` lists the targets; what it says of each stands behind ## beside the target.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
TEST := OMP_NUM_THREADS=1 $(RUN) -m pytest
LABS := --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg
RESULTS := build/test
SLOW := tests/tools/test_student.py tests/tools/test_handout.py tests/tools/test_assignment.py tests/tools/test_website.py tests/tools/test_slides.py tests/tools/test_browser.py
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Linux: keep freed memory for the next tensor instead of giving it back and asking for it again. Forward passes one after
# another run in half the time; other systems ignore both.
export MALLOC_MMAP_MAX_ := 0
export MALLOC_TRIM_THRESHOLD_ := 2147483647
# Threads that wait for one another spin; beside other programs they then wait for somebody who cannot run, and a pass takes
# a hundred times as long. After so many turns they sleep instead. It must be set before torch is imported: see
# benchmarks/company.py.
export GOMP_SPINCOUNT ?= 10000

.PHONY: lab test test-device test-threads lint docs notebooks student handout assignment slides pdf site sheets gallery fuzz bench weights clean help

lab: $(VENV)/lab.stamp ## install, look whether the machine is fit, write the students' copies, open JupyterLab on them
	@$(VENV)/bin/coursekit doctor || { \
	  echo "The doctor found a failure: do what it says above, then run 'make lab' again."; exit 1; }
	@$(RUN) tools/student.py
	cd build/student && ../../$(RUN) -m jupyterlab $$(test "$$(id -u)" -ne 0 || echo --allow-root)

test: $(VENV)/dev.stamp ## everything that continuous integration runs
	@rm -rf $(RESULTS) && mkdir -p $(RESULTS) && date +%s > $(RESULTS)/started
	$(MAKE) lint
	$(RUN) tools/notebooks.py --check
	$(TEST) -n 2 $(addprefix --ignore=,$(SLOW)) --junitxml=$(RESULTS)/unit.xml tests coursekit
	COURSEKIT_STRICT=1 $(TEST) $(LABS) --nbval-cell-timeout 300 -n 2 --dist loadfile --junitxml=$(RESULTS)/nbval.xml notebooks/
	$(TEST) -n 2 --junitxml=$(RESULTS)/handout.xml $(SLOW)
	@$(RUN) tools/report.py $(RESULTS)

test-device: $(VENV)/dev.stamp ## every lab, as students get it, on a stand-in for a GPU, which refuses to be mixed with the CPU
	$(TEST) -n 2 tests/tools/test_student.py

test-threads: $(VENV)/dev.stamp ## every lab with two and with four threads: what it prints must stay the same
	for threads in 2 4; do \
	  COURSEKIT_STRICT=1 OMP_NUM_THREADS=$$threads $(RUN) -m pytest $(LABS) --nbval-cell-timeout 900 notebooks/ || exit 1; \
	done

lint: $(VENV)/dev.stamp ## style, types, and whether docs/reference.md is up to date
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) tools/reference.py --check

docs: $(VENV)/dev.stamp ## write docs/reference.md from the docstrings
	$(RUN) tools/reference.py

notebooks: $(VENV)/dev.stamp ## run the labs whose code changed; bring lessons/ and notebooks/ together
	$(RUN) tools/notebooks.py

student: $(VENV)/lab.stamp ## the students' copies, in build/student/
	$(RUN) tools/student.py

handout: $(VENV)/lab.stamp ## what students get, without solutions: build/handout.zip
	$(RUN) tools/handout.py

assignment: $(VENV)/lab.stamp ## a course for nbgrader, in build/assignment/
	$(RUN) tools/assignment.py

slides: $(VENV)/dev.stamp ## one HTML deck a lab, in build/slides/
	$(RUN) tools/slides.py

pdf: $(VENV)/dev.stamp ## one PDF a lab, a page a slide, in build/slides/ (needs Chromium)
	$(RUN) tools/pdf.py

site: $(VENV)/dev.stamp ## the course as web pages that need no network, with the decks, in build/site/
	$(RUN) tools/slides.py
	$(RUN) tools/website.py

sheets: $(VENV)/dev.stamp ## all slides of each deck on one picture, in build/slides/sheets/ (needs Chromium)
	$(RUN) tools/contact_sheets.py

gallery: $(VENV)/dev.stamp ## pictures of the labs, in gallery/
	$(RUN) tools/gallery.py
	$(RUN) tools/paths.py
	$(RUN) tools/posters.py  # minutes
	$(RUN) tools/style_gallery.py  # minutes
	$(RUN) tools/feature_gallery.py  # minutes
	$(RUN) tools/dream_gallery.py  # minutes
	$(RUN) tools/inversion_gallery.py  # minutes

fuzz: $(VENV)/dev.stamp ## 100,000 broken files for every reader, and docs/reliability.md (an hour)
	PYTHONPATH=.:tools:tests/helpers OMP_NUM_THREADS=1 $(RUN) tests/helpers/fuzz.py all 100000 --keep
	$(RUN) tools/reliability.py

bench: $(VENV)/dev.stamp ## speed against peers, on a quiet machine; writes docs/performance.md (minutes)
	test -d build/peers || $(RUN) -m pip install -q --no-deps --target build/peers -r benchmarks/peers.txt || true
	$(RUN) benchmarks/speed.py

# Each script does what is missing, so that a run that was cut off goes on.
weights: $(VENV)/dev.stamp ## train again all of data/weights (hours without a GPU; Debian or Ubuntu)
	$(RUN) training/photographs.py
	$(RUN) training/cutouts.py
	$(RUN) training/crops.py
	$(RUN) training/coursenet.py
	$(RUN) training/twins.py
	$(RUN) training/decoders.py
	$(RUN) training/generator.py
	$(RUN) training/autoencoder.py
	$(RUN) training/patternnet.py
	$(RUN) training/trust.py
	$(RUN) training/captioned.py
	$(RUN) training/suspects.py
	$(RUN) training/suspects.py --table
	$(RUN) training/parted.py
	$(RUN) training/transformer.py
	$(RUN) training/texture.py
	$(RUN) training/superresolution.py
	$(RUN) training/robust.py
	$(RUN) training/robust.py --ship 1.00-end-blend
	$(RUN) training/scoreboard.py
	$(RUN) training/report.py

clean: ## remove what was built; the students' copies and .venv stay
	rm -rf build/slides $(RESULTS) .pytest_cache .ruff_cache .hypothesis .mypy_cache

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

# A stamp is as new as the last installation, so that a second `make` does not ask pip again.
$(VENV)/lab.stamp: pyproject.toml constraints.txt | $(RUN)
	@echo "The first installation downloads some 2 GB and takes minutes; pip says what it does."
	$(RUN) -m pip install -e . -c constraints.txt
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(RUN)
	$(RUN) -m pip install -e ".[dev]" -c constraints.txt
	touch $(VENV)/lab.stamp $@

$(RUN):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "The course needs Python 3.11 or newer, this is %d.%d: try make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
