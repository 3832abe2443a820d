# fercore: `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# From the command line only: a variable of the environment is no parameter.
PRESET := $(if $(filter command line,$(origin PRESET)),$(PRESET),quick)

# Where the packages live: the active virtual or conda environment (but never conda's base);
# otherwise .venv in this folder. What conda installed is not replaced by pins.
CONDA := $(and $(CONDA_PREFIX),$(filter-out base,$(CONDA_DEFAULT_ENV)))
ENV := $(or $(VIRTUAL_ENV),$(if $(CONDA),$(CONDA_PREFIX)),.venv)
PINS := $(if $(VIRTUAL_ENV),-c constraints.txt,$(if $(CONDA),,-c constraints.txt))
ifneq ($(words $(ENV)),1)
  $(error the environment's path has a space, which make cannot handle: $(ENV))
endif
BIN := $(ENV)/bin
# What a report needs, and what tests and checks need beyond it, are installed when first asked for.
READY := $(ENV)/.fercore-ready
WORKSHOP := $(ENV)/.fercore-workshop
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PINS)
PYTHON ?= python3

# Every variable given on the command line, PRESET and tools apart, is a notebook parameter.
quote = '$(subst ','\'',$(1))'
TOOLS := PRESET PYTHON
GIVEN := $(foreach v,$(.VARIABLES),$(if $(filter command line,$(origin $(v))),$(v)))
PARAMETERS := $(foreach v,$(filter-out $(TOOLS),$(GIVEN)),--set $(call quote,$(v)=$(value $(v))))
# LANG=zh-TW is the report's language, and no locale for the programs that make calls.
ifeq ($(origin LANG),command line)
  unexport LANG
endif
REPORT = $(BIN)/fercore report --preset $(call quote,$(PRESET)) $(PARAMETERS)

# Whatever else is asked for says so before anything is installed.
REPORTS := report q1 q2 q3 q4 q5 q6
OTHERS := $(filter-out $(REPORTS),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL)))
REFUSED := $(if $(OTHERS),$(sort $(filter-out PYTHON,$(GIVEN))))
ifneq ($(REFUSED),)
  $(error make $(OTHERS) takes no $(REFUSED); allowed there: PYTHON. Parameters and PRESET are for make $(REPORTS))
endif

.PHONY: help setup report q1 q2 q3 q4 q5 q6 lab test test-all docs torture lint fuzz bench data clean

help:  ## this list
	@echo "make TARGET [NAME=VALUE ...]"; echo
	@grep -hE '^[a-z0-9 -]+:.*## ' $(firstword $(MAKEFILE_LIST)) \
	  | sed -E 's/^([a-z0-9 -]+):.*## /\1\t/' | awk -F '\t' '{printf "  %-17s %s\n", $$1, $$2}'
	@echo; echo "Presets (PRESET=...): $(basename $(notdir $(wildcard notebooks/presets/*.yaml)))"
	@echo "Parameters, for example:  make q2 BUDGETS=20000,80000,320000 EPOCHS=5"
	@echo "                          make report PRESET=fer2013 DATA=path/to/fer2013.csv"

setup: $(WORKSHOP)  ## create the environment with all tools (report, test and the others do it themselves)
	@echo "Ready in $(ENV)"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  sys.exit(0 if v >= (3, 11) else f"fercore needs Python 3.11 or newer; $(PYTHON) is {v[0]}.{v[1]}. Try: make PYTHON=python3.12 ...")'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Creating $(ENV)"; $(PYTHON) -m venv $(ENV); }
	@echo "Installing the packages that constraints.txt pins into $(ENV) (some minutes the first time)"
	@$(PIP) -e '.[download]'
	@touch $@

$(WORKSHOP): $(READY)
	@echo "Installing the tools of development into $(ENV)"
	@$(PIP) -e '.[dev,docs]'
	@touch $@

report: $(READY)  ## train what is missing; write reports/PRESET/report.html and report.pdf
	@$(REPORT)

q1 q2 q3 q4 q5 q6: $(READY)  ## one question alone: its executed notebook and an HTML page
	@$(REPORT) --only $@

lab: $(READY)  ## JupyterLab: explore networks, runs and faces
	@$(BIN)/jupyter lab --ServerApp.root_dir=. \
	  --LabApp.default_url=/lab/tree/notebooks/explore.ipynb

test: $(WORKSHOP)  ## the tests; every notebook runs on a tiny preset
	@$(BIN)/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder

docs: $(WORKSHOP)  ## these pages as a site, in build/site; a broken link is an error
	@$(BIN)/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet \
	  -d build/doctrees docs build/site
	@echo build/site/index.html

test-all: $(WORKSHOP)  ## the long tests as well: two of the documentation's examples, command by command
	@$(BIN)/python -m pytest -m ""

torture: $(WORKSHOP)  ## do faults to real studies: kills, cut files, full disks (minutes)
	@$(BIN)/python -m tests.torture

lint: $(WORKSHOP)  ## style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/nbstripout --verify notebooks/*.ipynb

fuzz: $(WORKSHOP)  ## 10,000 spoilt files of each form through the readers; an hour
	@$(BIN)/python -m tests.fuzz_readers

bench: $(READY)  ## measure speed on this machine
	@for script in $(filter-out benchmarks/ablation.py benchmarks/rank_correlation.py benchmarks/teachers.py benchmarks/textbook.py benchmarks/time_to_accuracy.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

data: $(READY)  ## fetch FER2013 from Kaggle into data/
	@$(BIN)/fercore data fetch

clean:  ## remove reports and caches of tools; keep runs/, data/ and the environment
	@rm -rf reports/*/{report.*,notebooks,tables,figures,failed,q*,.running-*} build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
