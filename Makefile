# Every target works on a fresh clone with Go alone; `make test` installs the
# real clients it attacks the decoys with (needs root and apt, else it says so).
GO      ?= go
BIN     := bin/honeyguide
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# seconds of each fuzz target, and a pattern of "folder FuzzName" for some of them
FUZZTIME ?= 20s
FUZZ     ?= .
export CGO_ENABLED = 0

ROOT    ?=
DIFF    ?=
# folder of the alert corpus, which is no part of the repository
ALERTS  ?= ../shared/corpus/soc/ait-ads
.PHONY: trust trust-breaks reproduce release bench-ui screens sigma-gate sigma-bench run build generate test unit setup web check race fuzz bench fidelity triage-eval golden image docs clean unsupported

# Attacks from this very machine are planned against too, as a rehearsal: plans
# change nothing, and `honeyguide run` alone refuses them.
run: build ## build and start everything with safe defaults
	./$(BIN) run --set respond.never_block_loopback=false

build: web ## one static binary: bin/honeyguide
	$(GO) build -ldflags "-s -w -X honeyguide/internal/cli.version=$(VERSION)" -o $(BIN) ./cmd/honeyguide

WEB_SOURCES := $(shell find web/src web/public web/tools -type f -not -path '*/node_modules/*' 2>/dev/null) \
	$(wildcard web/*.html web/*.json web/*.ts)

web: web/dist/index.html ## the console, which the binary carries; only when its sources are newer

web/dist/index.html: $(WEB_SOURCES)
	@if command -v npm >/dev/null; then \
		cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build && touch dist/index.html; \
	else \
		echo "There is no npm here: the binary is built without the console. The API and the command line are whole."; \
		echo "With Node 20 or newer, 'make build' adds the console."; \
	fi

generate: ## the list of linked kinds
	cd tools && $(GO) run ./kinds ..

test: setup build ## everything that must hold: laws, unit, conformance, fuzz seeds, crash, end to end, browser
	$(GO) vet ./...
	@if command -v npm >/dev/null; then cd web && npm run --silent check; \
	elif [ -n "$$CI" ]; then echo "There is no npm here: the console cannot be checked. Install Node 20 or newer."; exit 1; \
	else echo "There is no npm here: the console is not checked."; fi
	cd tools && $(GO) vet ./... && $(GO) test ./...
	$(GO) test -timeout 20m $$($(GO) list ./... | grep -v /test/)
	@# These build the product themselves, which the test cache does not see.
	$(GO) test -count=1 -timeout 20m $$($(GO) list ./test/... | grep -v /test/crash)
	$(GO) test -count=1 -timeout 20m -v ./test/crash

unit: ## the quick half of test: no crash loops, no end to end
	$(GO) test -short ./...

SIGMA ?= $(HONEYGUIDE_SIGMA_DIR)
sigma-gate: ## the Sigma engine against the public rules and recordings; SIGMA=DIR or HONEYGUIDE_SIGMA_DIR names their checkout
	@test -d "$(SIGMA)/rules" || { echo "The public rules are no part of this repository. Get them, and say where they are:"; \
		echo "  git clone --depth 1 https://github.com/SigmaHQ/sigma /tmp/sigma && make sigma-gate SIGMA=/tmp/sigma"; exit 1; }
	HONEYGUIDE_SIGMA_DIR="$(abspath $(SIGMA))" $(GO) test -count=1 -timeout 30m -run '^TestGate' -v ./internal/sigma

sigma-bench: ## events per second of processor time, beside another Go engine in the same run (fetches it)
	@test -d "$(SIGMA)/rules" || { $(MAKE) --no-print-directory sigma-gate; exit 1; }
	cd test/sigmabench && HONEYGUIDE_SIGMA_DIR="$(abspath $(SIGMA))" $(GO) test -count=1 -timeout 30m -run '^TestBeside' -v .

unsupported: ## what recorded attackers typed and the host cannot do
	$(GO) test -count=1 ./internal/deception/fidelity -update -v

setup: ## the real clients the tests use
	@sh test/setup.sh

check: generate ## formatting, static analysis, laws, generated files up to date
	cd tools && $(GO) build -o ../bin/ mvdan.cc/gofumpt honnef.co/go/tools/cmd/staticcheck
	@test -z "$$(bin/gofumpt -l .)" || { bin/gofumpt -l .; echo "mend with: bin/gofumpt -w ."; exit 1; }
	$(GO) vet ./...
	bin/staticcheck ./...
	$(GO) test .
	git diff --exit-code -- internal/builtin
	@if command -v npm >/dev/null; then cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run check; \
	else echo "There is no npm here: the console is not checked."; fi

race: ## the race detector; cgo is needed for it, the sandbox tests start children without
	CGO_ENABLED=1 $(GO) test -race -short ./...

fuzz: ## every fuzz target for FUZZTIME; FUZZ=internal/ipc for some of them
	HONEYGUIDE_TRUST_FUZZ_CRASHERS=$(FUZZTIME:s=) HONEYGUIDE_TRUST_FUZZ_ONLY='$(FUZZ)' $(GO) test -count=1 -timeout 12h -run '^TestFuzz$$' -v ./test/fuzz

trust: ## the proof of every promise, and one table; LONG=1 for the sizes they name, ROWS=pattern for some of them
	$(GO) build -o bin/trust ./test/trust
	@./bin/trust $(if $(LONG),-long) $(if $(ROWS),-rows '$(ROWS)')

trust-breaks: ## break the product for every row of that table, and see that the row says so; ROWS=pattern for some of them
	$(GO) build -o bin/trust ./test/trust
	@./bin/trust -breaks $(if $(ROWS),-rows '$(ROWS)')

reproduce: ## build the last commit twice, in different folders with caches of their own, and compare every byte
	cd tools && HONEYGUIDE_TRUST_REPRODUCIBLE_BUILD=2 $(GO) test -count=1 -timeout 60m -run '^TestReproducible$$' -v ./repro

release: ## binaries, lists of what they are made of, signed sums in dist/; RELEASE_KEY names the key, which is kept elsewhere
	cd tools && $(GO) run ./release -key "$(RELEASE_KEY)"

bench: build ## every budget of the design, with the figure measured here
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/...
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./test/bench

bench-ui: build ## the console's budgets with 50,000 alerts and 200 events a second: a table of targets and figures
	HONEYGUIDE_BENCH_UI=1 $(GO) test -v -count=1 -timeout 20m -run '^TestBench$$' ./test/ui

screens: build ## the pictures of docs/guide, from the console itself
	HONEYGUIDE_SCREENS="$(abspath docs/guide/img)" $(GO) test -count=1 -timeout 10m -run '^TestScreens$$' ./test/ui

fidelity: ## how often the shell answers as a real one, byte for byte; DIFF=all or DIFF=recon/ shows where not
	@cd internal/deception/shell && $(GO) test -count=1 -run TestFidelityTable -args -fidelity -diff "$(DIFF)" | grep -v '^PASS\|^ok '

triage-eval: ## how good triage is, on the alert corpus (about two minutes); writes the table of docs/reference/triage.md
	@$(GO) test -count=1 -timeout 30m -v -run TestEvaluation ./internal/triage -args -evaluate -alerts "$(abspath $(ALERTS))" -page "$(abspath docs/reference/triage.md)" | grep -v '^=== \|^PASS\|^ok '

golden: ## record the answers of test/fidelity again (needs root; makes a Debian root, or takes ROOT=DIR)
	cd tools && $(GO) run ./golden $(if $(ROOT),-root $(ROOT)) ..

image: build ## the shipped indexes of file systems, from Debian's packages (needs root and debootstrap)
	@sh tools/image.sh

docs: build ## reference pages from the binary itself
	./$(BIN) config docs > docs/reference/configuration.md
	./$(BIN) config schema > docs/reference/honeyguide.schema.json

clean:
	rm -rf bin
