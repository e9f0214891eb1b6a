SHELL         := bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Tools are built once for each version, and for each version of Go, in the
# user's cache folder; none of them is in go.mod.
GOLANGCI_LINT := v2.15.0
GORELEASER    := v2.15.1
GOVULNCHECK   := v1.9.0
VULNDB        := v0.0.0-20261105234957-e22db6528018
K9S           := v0.50.16

tools         := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/flightdeck/tools/$(shell go env GOVERSION)
golangci-lint := $(tools)/golangci-lint-$(GOLANGCI_LINT)/golangci-lint
goreleaser    := $(tools)/goreleaser-$(GORELEASER)/goreleaser
govulncheck   := $(tools)/govulncheck-$(GOVULNCHECK)/govulncheck
k9s           := $(tools)/k9s-$(K9S)/k9s
table          = awk -v version=$(K9S:v%=%) -f bench/table.awk bin/bench.txt

version   = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
link      = -trimpath -ldflags='-s -w -X main.version=$(version)'
with-env  = bin/testenv run --

##@ Use

.PHONY: help
help: ## Print this
	@awk -F ':.*## ' '/^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/flightdeck
	go build $(link) -o bin/flightdeck .

.PHONY: install
install: ## Install flightdeck where go install puts programs
	go install $(link) .

.PHONY: cockpit
cockpit: build servers ## Bring up real servers with ERPGo in them and open the cockpit on it
	$(with-env) bin/flightdeck

.PHONY: env
env: servers ## Bring up the same servers, print the settings, keep them until Ctrl-C
	bin/testenv up

##@ Change

.PHONY: test
test: check servers ## Check everything and run all tests against real servers
	bin/testenv install --browser
	$(with-env) go test -race -timeout 20m ./...

.PHONY: check
check: lint vuln release-check ## Run all checks but the tests

.PHONY: lint
lint: $(golangci-lint) ## Lint, and check that no room imports one above it
	$(golangci-lint) run ./...

.PHONY: fmt
fmt: $(golangci-lint) ## Format the source
	$(golangci-lint) fmt ./...

.PHONY: vuln
vuln: $(govulncheck) ## Look for known vulnerabilities that can be reached
	.ci/vulncheck $(govulncheck) $(VULNDB)

.PHONY: screens
golden = $(filter-out ./,$(sort $(dir $(shell grep -rlE --include='*_test.go' 'flag.Bool."update"|Golden.t, ' .))))
screens: ## Write the golden files of the tests anew; look at the difference before you commit
	go test $(golden) -update

.PHONY: screenshot
screenshot: servers ## Draw docs/cockpit.svg from the real screen, while a bad release burns
	mkdir -p docs
	$(with-env) go test -count=1 -run '^TestABadReleaseIsRolledBack$$' . -image docs/cockpit.svg

.PHONY: bench
bench: servers $(k9s) ## Run the benchmarks against real servers, and print what is held to bounds beside k9s
	K9S=$(k9s) $(with-env) go test -run '^$$' -bench . -benchmem ./... | tee bin/bench.txt
	@$(table)

.PHONY: figures
figures: bench ## Run the benchmarks, and write their figures into the README
	$(table) > bin/figures.md
	sed -i.orig -e '/^<!-- figures -->/,/^<!-- end of figures -->/{/^<!--/!d;}' -e '/^<!-- figures -->/r bin/figures.md' README.md
	rm README.md.orig

##@ Release

.PHONY: release-check
release-check: $(goreleaser) ## Check the release's configuration
	$(goreleaser) check

.PHONY: snapshot
snapshot: $(goreleaser) ## Build all archives and packages into dist/, publish nothing
	$(goreleaser) release --snapshot --clean

##@ House

.PHONY: servers
servers: ## Install and build whatever the tests' servers need
	go build -o bin/testenv ./testenv/cmd/testenv
	bin/testenv install

.PHONY: tools
tools: $(golangci-lint) $(goreleaser) $(govulncheck) ## Build the tools

.PHONY: clean
clean: ## Remove what was built here; caches stay
	rm -rf bin dist packaging/out

$(golangci-lint):
	GOBIN=$(@D) go install -ldflags='-s -w' github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT)

$(goreleaser):
	GOBIN=$(@D) go install -ldflags='-s -w' github.com/goreleaser/goreleaser/v2@$(GORELEASER)

$(govulncheck):
	GOBIN=$(@D) go install -ldflags='-s -w' golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)

$(k9s):
	GOBIN=$(@D) go install -trimpath -ldflags='-s -w' github.com/derailed/k9s@$(K9S)
