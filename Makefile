# The commands of this project, for people and for CI. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LINT := tests/schema_lint
GRAPHIQL := web/pages/graphiql
EXPLORE := examples/frontends/grid-compare

# What Python has compiled is kept, whatever the environment says: the tests start hundreds of programs, and each of them
# would compile the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run mcp tracing files graphiql explore test quick agree bench bench-growth check lint-schema format docs lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run ## Serve on http://127.0.0.1:8000/graphql; UPSTREAM=https://djangopackages.org/api/v4/ for the real site
	$(BIN)/python server.py serve $(if $(UPSTREAM),--upstream $(UPSTREAM))

graphiql: $(GRAPHIQL)/dist/page.js.gz ## Build a GraphiQL that needs no other server; needs npm

$(GRAPHIQL)/dist/page.js.gz: $(GRAPHIQL)/build.js $(GRAPHIQL)/package.json $(wildcard $(GRAPHIQL)/src/*) | $(GRAPHIQL)/node_modules
	npm run build --prefix $(GRAPHIQL) --silent

explore: $(EXPLORE)/dist/index.html ## Build the app that the gateway serves at /explore; needs npm

$(EXPLORE)/dist/index.html: schema.graphql $(wildcard web/pages/styles/*.css) $(shell find $(EXPLORE) \( -name node_modules -o -name dist -o -name gql \) -prune -o -type f -print) | $(EXPLORE)/node_modules
	npm run --silent build --prefix $(EXPLORE)

# Two workers for each processor, because many tests wait for what they have started. What shares a browser or a server stays
# in one of them (tests/support/scheduled_tests.py).
test: $(VENV)/dev ## Run all tests, on all processors at once
	$(BIN)/python -m pytest -n $(shell expr 2 \* $(PROCESSORS)) --dist loadscope --no-loadscope-reorder

# All tests of tests/browser leave the process, and to import what drives the browser takes half a second.
quick: $(VENV)/dev ## Run the tests that start neither programs nor servers
	AGREEMENT_OPERATIONS=200 DEAREST_OPERATIONS=10 $(BIN)/python -m pytest -n $(PROCESSORS) --dist worksteal --hypothesis-profile quick --ignore=tests/browser -m "not leaves_the_process"

PROCESSORS := $(shell getconf _NPROCESSORS_ONLN)

agree: $(VENV)/dev ## Compare the engine with Strawberry's execution on 50,000 random operations
	AGREEMENT_OPERATIONS=50000 $(BIN)/python -m pytest tests/engine/test_agreement.py tests/engine/test_everything_schema.py tests/gateway/test_shapes_agree.py

.PHONY: dearest
dearest: $(VENV)/dev ## Search 5,000 random operations for the dearest within the limits, and keep it as a case of the tests
	$(BIN)/python -m tests.support.dearest_operations 5000

.PHONY: supergraph
supergraph: $(VENV)/run examples/supergraph/node_modules ## Join this graph with two others behind three gateways, and ask them; needs npm
	node examples/supergraph/start.js $(abspath $(BIN)/python)

bench: $(VENV)/run ## Measure the gateway beside its peers, in about 25 minutes; ARGS=--quick in 4. Needs npm, wrk, nginx
	$(BIN)/python -m benchmarks.bench $(ARGS)

bench-growth: $(VENV)/run ## Measure it as catalog, answers and connections grow; ARGS="--sizes 5400". Needs wrk
	$(BIN)/python -m benchmarks.growth $(ARGS)

attack: $(VENV)/run ## Attack a gateway on this machine as strangers would, in five minutes at most; ARGS="--url http://127.0.0.1:8000"
	$(BIN)/python -m benchmarks.attack $(ARGS)

.PHONY: overload
overload: $(VENV)/run ## Send a gateway twice as many operations as it can answer, and measure who waits, in two minutes
	$(BIN)/python -m benchmarks.overload $(ARGS)

SCHEMATHESIS := .cache/schemathesis/bin

# It has an environment of its own, because its dependencies may contradict those of the gateway.
.PHONY: schemathesis
schemathesis: $(VENV)/run $(SCHEMATHESIS)/st ## Let schemathesis send generated operations to a gateway; ARGS="--max-examples 200"
	$(BIN)/python -m tests.schemathesis $(SCHEMATHESIS)/st --max-examples 20 $(ARGS)

$(SCHEMATHESIS)/st: requirements/schemathesis.txt
	$(PYTHON) -m venv .cache/schemathesis
	$(SCHEMATHESIS)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/schemathesis.txt
	@touch $@

AUDIT := .cache/audit/bin

# No test and no check needs it: a new advisory must not make an unchanged version fail.
.PHONY: audit
audit: $(AUDIT)/pip-audit ## Look the dependencies up among known vulnerabilities; needs the network, and npm
	$(AUDIT)/pip-audit --strict --disable-pip $(addprefix -r ,$(wildcard requirements/*.txt)) $(ARGS)
	found=0; for each in $$(git ls-files '*package.json'); do echo "$$each"; folder=$$(mktemp -d); cp $$each $$folder; \
	  (cd $$folder && npm install --package-lock-only --ignore-scripts --no-audit --no-fund --loglevel=error && npm audit) \
	  || found=1; rm -r $$folder; done; exit $$found

$(AUDIT)/pip-audit:
	$(PYTHON) -m venv .cache/audit
	$(AUDIT)/pip install --quiet --disable-pip-version-check pip-audit==2.10.1

.PHONY: soak
soak: $(VENV)/run ## Let good, bad, slow and leaving clients come for 15 minutes, over faults; ARGS="--seconds 180"
	$(BIN)/python -m benchmarks.soak $(ARGS)

check: $(VENV)/dev ## Lint, check types, the directions of imports, and that generated text is up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/python -m pytest tests/test_import_directions.py tests/test_generated.py
	$(if $(shell command -v npm),$(MAKE) --no-print-directory lint-schema,@echo "Without npm the schema is not linted.")

lint-schema: $(LINT)/node_modules ## Lint schema.graphql by the field's rules; needs npm
	$(LINT)/node_modules/.bin/eslint --config $(LINT)/eslint.config.js schema.graphql

%/node_modules: %/package.json
	npm install --prefix $* --prefer-offline --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

format: $(VENV)/dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev ## Write the schema, the answers of the examples and parts of the documents anew
	$(BIN)/python -m tests.generated_text $(if $(BREAKING),--breaking)

lock: $(VENV)/dev ## Write the locked versions anew from pyproject.toml
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group mcp -o requirements/mcp.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group files -o requirements/files.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group valkey -o requirements/valkey.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group tracing -o requirements/tracing.txt
	$(BIN)/uv pip compile $(LOCK) --group schemathesis -o requirements/schemathesis.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --generate-hashes --no-emit-index-url --no-header

PEERS := benchmarks/peers/python/.venv benchmarks/peers/tailcall/libc

clean: ## Remove what these commands made
	rm -rf $(VENV) */*/node_modules */*/*/node_modules $(PEERS) $(GRAPHIQL)/dist .ci/output
	rm -rf $(addprefix examples/frontends/*/,.venv dist build gateway_client src/gql src/__generated__)
	rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r

$(VENV)/run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; PYTHON=... names another.")'
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(INSTALL) requirements/run.txt
	@touch $@

mcp: $(VENV)/mcp ## Install what tools for assistants need

$(VENV)/mcp: $(VENV)/run requirements/mcp.txt
	$(INSTALL) requirements/mcp.txt
	@touch $@

files: $(VENV)/files ## Install what writes the catalog as Parquet files

$(VENV)/files: $(VENV)/run requirements/files.txt
	$(INSTALL) requirements/files.txt
	@touch $@

.PHONY: valkey
valkey: $(VENV)/valkey ## Install what gateways need that share a Valkey or Redis server

$(VENV)/valkey: $(VENV)/run requirements/valkey.txt
	$(INSTALL) requirements/valkey.txt
	@touch $@

tracing: $(VENV)/tracing ## Install what traces by OpenTelemetry need

$(VENV)/tracing: $(VENV)/run requirements/tracing.txt
	$(INSTALL) requirements/tracing.txt
	@touch $@

$(VENV)/dev: $(VENV)/run requirements/dev.txt
	$(INSTALL) requirements/dev.txt
	@touch $@
