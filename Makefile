# Everything a fresh clone needs is python3 (3.10 or newer) and make.

PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo

bin := $(VENV)/bin

.PHONY: help setup demo video-demo docs check test format clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## make .venv with everything for training and development

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(bin)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,dev]'
	touch $@

demo:  ## install animatte as its users do, and cut out a photo
	$(PYTHON) -m venv $(DEMO_VENV)
	$(DEMO_VENV)/bin/python -m pip install --quiet --disable-pip-version-check .
	$(DEMO_VENV)/bin/animatte cut examples/chelsea.png

video-demo: setup  ## film chelsea.png, and cut the film out: examples/chelsea.demo.mp4
	$(bin)/python benchmarks/moving_picture.py examples/chelsea.png examples/chelsea.film.mp4
	$(bin)/animatte video examples/chelsea.film.mp4 -o examples/chelsea.demo.mp4 --side-by-side

docs: setup  ## the guides as a site: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(bin)/python -m mkdocs build --strict --clean

check: setup  ## format, lint, types, layers and tests: what CI runs
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports
	$(bin)/python -m pytest -n auto --dist loadfile

test: setup  ## the tests alone
	$(bin)/python -m pytest -n auto --dist loadfile

format: setup  ## format, and mend what the linter can
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

clean:  ## remove the environments and caches
	rm -rf $(VENV) $(DEMO_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
