# mailflume: everything a contributor runs. `make` prints the list.
# Tools are pinned here and installed into bin/tools on demand; they are no part of go.mod.

SHELL       := /bin/bash -o pipefail
GO          ?= go
PKGS        := ./... ./testdata
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOLS       := $(CURDIR)/bin/tools
GOLANGCI    := v2.15.0
GOVULNCHECK := v1.1.4
FUZZTIME    ?= 60s
TIMEOUT     ?= 10m
CHECKS      ?= fmt vet lint house vuln test interop
ARGS        ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-15s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##- Build and try

.PHONY: build
build: ## the static binary bin/mailflume
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/mailflume ./cmd/mailflume

.PHONY: demo
demo: build ## the whole product on loopback, a line per event (ARGS=--json: the events; ARGS=--once: ends after the last)
	bin/mailflume demo $(ARGS)

.PHONY: image
image: ## the container image mailflume:VERSION, with podman or docker
	"$$(command -v podman || command -v docker || echo podman)" build -f deploy/Containerfile --build-arg VERSION=$(VERSION) -t mailflume:$(VERSION) .

##- Test

.PHONY: test
test: ## all tests with the race detector, in random order; no root, no service, no network needed
	$(GO) test -race -shuffle=on -count=1 -p 4 -parallel 8 -timeout $(TIMEOUT) $(PKGS)
	$(GO) test -shuffle=on -count=1 -timeout $(TIMEOUT) ./parse # its largest messages, see underRace

.PHONY: race
race: ## all tests ten times with the race detector: finds what one run does not
	$(GO) test -race -shuffle=on -count=10 -timeout 60m $(PKGS)

.PHONY: interop
interop: ## tests against a real Dovecot (skipped if it is missing, unless MAILFLUME_CI=1)
	@if ! PATH="$$PATH:/usr/sbin" command -v dovecot >/dev/null; then \
		echo "interop: Dovecot is not installed: apt-get install dovecot-core dovecot-imapd dovecot-pop3d"; \
		if [ "$$MAILFLUME_CI" = 1 ]; then exit 1; fi; \
		echo "interop: SKIPPED"; exit 0; \
	fi; \
	found=$$($(GO) test -tags interop -list Interop $(PKGS)) || { echo "$$found"; exit 1; }; \
	if ! grep -q '^TestInterop' <<<"$$found"; then \
		echo "interop: there is no test named TestInterop…: nothing would be proven"; exit 1; \
	fi; \
	MAILFLUME_INTEROP=1 $(GO) test -tags interop -count=1 -timeout 20m -run Interop $(PKGS)

.PHONY: chaos
chaos: ## two workers, a real Dovecot and a real nats-server under random cuts, kills and freezes (CHAOS=100s)
	CHAOS=$(or $(CHAOS),60s) $(GO) test -tags interop -count=1 -v -timeout 30m -run Chaos ./cmd/internal/interop

.PHONY: soak
soak: ## rounds of SIGKILL and SIGSTOP on three workers and NATS while mail comes; goes on if interrupted (DURATION=10m ROUNDS= DIR=)
	$(GO) run ./cmd/internal/soak -duration $(or $(DURATION),10m) -dir $(or $(DIR),bin/soak) $(if $(ROUNDS),-rounds $(ROUNDS)) $(ARGS)

.PHONY: faults
faults: ## every fault of the matrix (processes, NATS, disks), each in the middle of work: what happened, lost, doubled, recovery
	@$(GO) run ./cmd/internal/faults $$(git grep -l '^func TestFault_' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,')

.PHONY: catalogue
catalogue: ## every failure of the catalogue at an issuer and a mail server: what is told, the class, the advice (one of them: mailflume demo --fault N)
	$(GO) test -count=1 -v -run TestEveryRowOfTheCatalogueIsRecognised ./cmd/internal/catalogue

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (60s)
	@set -e; $(GO) test -list '^Fuzz' $(PKGS) >bin/.fuzz.list || { cat bin/.fuzz.list; exit 1; }; \
	awk '/^Fuzz/ {name[++n] = $$1} /^(ok|\?)/ {for (i = 1; i <= n; i++) print $$2, name[i]; n = 0}' bin/.fuzz.list >bin/.fuzz; \
	[ -s bin/.fuzz ] || { echo "fuzz: no target found"; exit 1; }; \
	while read -r pkg name; do \
		echo "== $$name $$pkg"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$pkg" </dev/null; \
	done <bin/.fuzz
fuzz: | bin

.PHONY: golden
golden: ## rewrite all golden files from what the code does now; read the diff before you commit it
	$(GO) test -count=1 $$(git grep -l 'flag.Bool("update"' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's,^,./,') -update

.PHONY: codes
codes: ## write deploy/codes.md, the page of every error code
	$(GO) test -count=1 -run TestThePageOfCodesIsCurrent ./cmd/mailflume -update

.PHONY: corpus
corpus: | bin ## read your own mail, count failures and repairs, compare with DIR/expected.jsonl if there is one: CORPUS=DIR
	@[ -d "$(CORPUS)" ] || { echo 'corpus: say where the messages are: make corpus CORPUS=DIR'; exit 2; }
	$(GO) run ./cmd/internal/corpus -o bin/corpus.jsonl "$(CORPUS)"

.PHONY: hostile
hostile: build ## attack the parser with messages made to exhaust it: CPU, memory, growth
	$(GO) run ./cmd/internal/hostile -bin bin/mailflume $(ARGS)

.PHONY: hostile-servers
hostile-servers: build ## five of fifty mailboxes on hostile servers: latency of the others, memory (ARGS="-run I3,I20 -rounds 5")
	$(GO) run ./cmd/internal/hostility -bin bin/mailflume $(ARGS)

.PHONY: peers
peers: build ## mailflume, a go-imap loop, getmail6 and fetchmail through the same faults (the last two if installed; ARGS="-run kill,cut")
	$(GO) run ./cmd/internal/peers -bin bin/mailflume $(ARGS)

##- Measure

.PHONY: bench
bench: ## drain 5,000 messages from a real Dovecot, beside the bare limit (BENCHARGS="-rounds 3")
	$(GO) run ./cmd/internal/bench $(BENCHARGS)

.PHONY: bench-go
bench-go: ## all Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m $(PKGS)

.PHONY: bench-parse
bench-parse: | bin ## parse beside go-message and enmime, per CPU second, against its targets (CORPUS=DIR, BENCHARGS="-rounds 15")
	cd cmd/internal/parsebench && $(GO) build -mod=mod -o $(CURDIR)/bin/parsebench .
	bin/parsebench $(if $(CORPUS),-corpus "$(CORPUS)") $(BENCHARGS)

.PHONY: sim
sim: ## 1 to 100 workers share 10 to 100,000 mailboxes: balance, moves, KV traffic, CPU
	$(GO) test -count=1 -v -run TestTheSharesOfManyWorkers ./ingest -sim

##- Check

.PHONY: check
check: ## everything that has to be green before a change lands
	@for step in $(CHECKS); do \
		start=$$SECONDS; echo "== $$step"; \
		$(MAKE) --no-print-directory "$$step" || { echo "== $$step FAILED"; exit 1; }; \
		echo "== $$step ok ($$((SECONDS-start)) s)"; \
	done

.PHONY: fmt
fmt: ## gofmt, without changing anything
	@bad=$$(git ls-files --cached --others --exclude-standard -- '*.go' | xargs -r gofmt -l); \
	if [ -n "$$bad" ]; then echo "not gofmt'ed:"; echo "$$bad"; exit 1; fi

.PHONY: vet
vet: ## go vet, with the build tags too
	$(GO) vet $(PKGS)
	$(GO) vet -tags interop,crashpoints $(PKGS)

.PHONY: house
house: ## budgets, imports, top level: cmd/internal/house
	$(GO) test -count=1 ./cmd/internal/house

.PHONY: lint
lint: $(TOOLS)/golangci-lint-$(GOLANGCI) ## golangci-lint with .golangci.yml
	$< run --timeout 15m --allow-parallel-runners $(PKGS)

.PHONY: vuln
vuln: $(TOOLS)/govulncheck-$(GOVULNCHECK) ## known vulnerabilities in what we call (VULNDB=osv.tgz for an offline database)
	.ci/vuln $<

$(TOOLS)/golangci-lint-$(GOLANGCI):
	GOBIN=$(TOOLS) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI)
	mv $(TOOLS)/golangci-lint $@

$(TOOLS)/govulncheck-$(GOVULNCHECK):
	GOBIN=$(TOOLS) $(GO) install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK)
	mv $(TOOLS)/govulncheck $@

bin:
	@mkdir -p bin

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
