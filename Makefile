# make run    everything from nothing: environment, sample leads, training, MLflow, LLM, service
# make test   the tests
# make check  what CI runs: format, lint, types, import contracts, tests
# make tuning the extra `tune` (torch and what stands on it), for `tiebreak tune` and its tests

.PHONY: run test check format lint types imports tuning lock clean
.DEFAULT_GOAL := run

# The first Python here that the locked packages support.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV_VERSION := 0.13.9
READY := .venv/.ready
TUNING := .venv/.tuning
TORCH_VERSION := 2.13.0

run: $(READY)
	@$(BIN)/tiebreak up

test: $(READY)
	$(BIN)/pytest -n 3 --dist loadgroup --no-loadscope-reorder

check: format lint types imports test

format: $(READY)
	$(BIN)/ruff format --check

lint: $(READY)
	$(BIN)/ruff check

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	$(BIN)/lint-imports

# uv installs in seconds what takes pip minutes; where it cannot be had, pip does it.
$(READY): requirements.lock pyproject.toml
	@echo "Making the environment in .venv (once, about a minute)"
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
		{ echo "Tiebreak needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) && \
		$(BIN)/uv pip install --python $(BIN)/python --no-deps -r requirements.lock -e . || \
		$(BIN)/python -m pip install --disable-pip-version-check --no-deps -r requirements.lock -e .
	@touch $(READY)

# torch is not in the lock: pip takes whichever build is at hand, for a CPU or for a GPU.
tuning: $(TUNING)

$(TUNING): requirements-tune.lock $(READY)
	@echo "Adding what tuning needs to .venv (a CPU build of torch: a minute, 1.2 GB)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-tune.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==$(TORCH_VERSION)
	@touch $(TUNING)

# NCCL is for training on several GPUs: 300 MB that nothing here uses. The second lock holds what the
# extra `tune` adds to the first, without torch and what a GPU build of it brings along.
lock: $(READY)
	$(BIN)/uv pip compile --universal --no-annotate --no-header \
		--extra local-llm --extra postgres --extra ladder --extra bench --extra dev \
		--no-emit-package nvidia-nccl-cu12 --no-emit-package nvidia-nccl-cu13 \
		pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --no-annotate --no-header --quiet --extra tune \
		-c requirements.lock pyproject.toml -o .venv/tune.lock
	grep -vxFf requirements.lock .venv/tune.lock | grep -vE '^(torch|nvidia-|cuda-|triton)' \
		> requirements-tune.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
