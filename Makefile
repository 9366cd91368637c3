PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# The environment that benchmarks run in: beside the project, never in it.
BENCH ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/conch_insults-bench

.PHONY: run test lint format lowest picture bench clean

# Start the server in front, after printing the ssh command that gets in.
run: $(STAMP)
	@$(BIN)/conch-insults init
	@exec $(BIN)/twistd -no --pidfile= -y insult_ssh.tac

# The tests start many a program of ours, which none of them should compile anew.
test lowest: export PYTHONDONTWRITEBYTECODE =

# Everything that must be true before a change is done.
test: lint
	$(BIN)/python -m pytest --cov --cov-report=term -n 2 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The suite on the lowest versions that pyproject.toml allows, in an environment of its own.
lowest: pyproject.toml
	$(PYTHON) -m venv $(VENV)-lowest
	$(VENV)-lowest/bin/python -m pip install --quiet --upgrade uv
	$(VENV)-lowest/bin/uv pip install --quiet --python $(VENV)-lowest/bin/python \
		--resolution lowest-direct --editable . --group dev
	$(VENV)-lowest/bin/python -m pytest -n 2 --dist worksteal

# Play a session again for the README's transcript and docs/session.svg.
picture: $(STAMP)
	$(BIN)/python -m docs.session_picture

# Measure the server and its peers on this machine: prints a table, and keeps it in
# benchmarks/results and docs/performance.md. ARGS=--quick is a smoke run that changes no page.
bench: $(BENCH)/.installed
	$(BENCH)/bin/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-lowest .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find . -name __pycache__ -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	$(call install,$(VENV),dev)

$(BENCH)/.installed: pyproject.toml
	$(call install,$(BENCH),bench)

define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	|| { echo "conch_insults needs Python 3.11 or newer; say which with PYTHON=..." >&2; exit 1; }
$(PYTHON) -m venv $(1)
$(1)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
$(1)/bin/python -m pip install --quiet --editable . --group $(2)
touch $@
endef
