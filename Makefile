# Holdfast. "make deps test" installs what the tests need and runs them all; "make help" lists the rest.
GO ?= go
PKGS ?= ./...

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## the one binary, bin/holdfast
	$(GO) build -o bin/holdfast ./cmd/holdfast

.PHONY: deps
deps: ## install what the tests need (Go modules; PostgreSQL, Node and Chromium from Debian's packages; the front end's packages)
	@echo "deps: Go modules"
	@$(GO) mod download
	@if [ -x /usr/lib/postgresql/15/bin/postgres ] || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then \
	  echo "deps: PostgreSQL is there"; \
	else \
	  echo "deps: installing PostgreSQL from Debian's packages (postgresql)"; \
	  $(if $(filter 0,$(shell id -u)),,sudo )env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get update -q && apt-get install -q -y --no-install-recommends postgresql'; \
	fi
	@missing=""; command -v node >/dev/null && command -v npm >/dev/null || missing="nodejs npm"; [ -x /usr/bin/chromium ] || missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then echo "deps: Node and Chromium are there"; else \
	  echo "deps: installing from Debian's packages: $$missing"; \
	  $(if $(filter 0,$(shell id -u)),,sudo )env DEBIAN_FRONTEND=noninteractive sh -c "apt-get update -q && apt-get install -q -y --no-install-recommends $$missing"; \
	fi
	@node -e 'const [a,b]=process.versions.node.split(".").map(Number);if(a<20||a===20&&b<19){console.error("deps: Node "+process.version+" is too old for the front end; it needs 20.19 or newer");process.exit(1)}'
	@echo "deps: the front end's packages, as web/package-lock.json pins them (npm ci)"
	@cd web && npm ci --no-audit --no-fund --loglevel=error

.PHONY: test
test: vet ## all tests that CI runs
	$(GO) test -timeout 25m $(PKGS)
	$(MAKE) rclone-test
	$(MAKE) web-check
	$(MAKE) web-e2e

.PHONY: vet
vet: ## formatting, vet
	@bad=$$(gofmt -l $$(git ls-files '*.go' | grep -v testdata)); [ -z "$$bad" ] || { echo "not gofmt-clean: $$bad"; exit 1; }
	$(GO) vet $(PKGS)

.PHONY: race
race: ## the tests of the packages with goroutines, under the race detector
	$(GO) test -race -timeout 30m ./internal/engine/... ./internal/vault/... ./internal/m365/... ./internal/service/... ./internal/store/... ./internal/proxy/... ./internal/explorer/... ./internal/workload/...

.PHONY: faults
faults: ## rebuilds of a larger organization while the service fails in every way, which CI does with a small one
	$(GO) test -timeout 25m -count 1 -tags everyfault -run WhileEverythingFails ./test/e2e

.PHONY: gen
gen: ## regenerate what is generated; leaves no diff
	$(GO) generate ./...
	@git diff --stat --exit-code

.PHONY: web
web: web-types ## build the front end into web/dist, which is committed
	cd web && npx vite build --logLevel warn
	cd web && node tools/budget.mjs dist

.PHONY: web-types
web-types: ## the front end's types, from api/openapi.yaml and by the compiler
	cd web && npm run --silent gen >/dev/null && npm run --silent types

.PHONY: web-check
web-check: web-types ## the committed build is what its source builds, and small enough
	@t=$$(mktemp -d) && trap 'rm -rf "$$t"' EXIT && cd web && npx vite build --logLevel warn --outDir "$$t/dist" --emptyOutDir && node tools/same.mjs dist "$$t/dist" && node tools/budget.mjs "$$t/dist"

.PHONY: web-e2e
web-e2e: build ## the front end in Debian's Chromium against server and simulator
	cd web && HOLDFAST="$(CURDIR)/bin/holdfast" npm run --silent e2e

.PHONY: bench
bench: ## the figures of the first release, on the simulator (long; -only and -scale in BENCH)
	$(GO) run ./test/bench $(BENCH)

.PHONY: long
long: ## what takes longer than CI may: 200 kills at random times, every changed byte, scale of the vault (hours)
	$(GO) test -tags long -timeout 6h -count 1 -v -run Long ./test/e2e
	HOLDFAST_LONG=1 $(GO) test -tags long -timeout 6h -count 1 ./internal/engine/... ./internal/vault/...

.PHONY: rclone-test
rclone-test: ## rclone's OneDrive backend against the simulator (its own module; builds rclone)
	cd test/rclone && $(GO) test ./...

.PHONY: demo
demo: ## the five-minute tour
	$(GO) run ./cmd/holdfast demo
