# Freehold needs Go, git and make, and nothing else: everything that it runs is
# built from sources that go.mod and tools/go.mod pin.

# One set of flags for every go command, here and in tools/build, so that a
# package that the tools and the main module share is compiled once. Without cgo
# no C compiler is needed. Stamping asks git, which refuses the checkout of
# another user, as in a container.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false $(GOFLAGS)

PROGRAMS := ./cmd/freehold,./cmd/namespace-controller
MODULES := . tools tools/lint tools/proto tools/image tools/monitoring

# Everything here uses all cores by itself; two at once only mix their output.
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## Onboard, break and prove two customers in the sandbox: no cloud account needed
	@./tools/demo.sh

.PHONY: build
build: ## Build freehold, and the Pulumi CLI and Kubernetes that it runs, into bin/
	@command -v go >/dev/null || { echo "Freehold is built with Go 1.26 or newer, and there is no go on the PATH: https://go.dev/dl" >&2; exit 1; }
	@go run -C tools ./build -out bin -programs $(PROGRAMS)

.PHONY: test
test: build ## Run every test, against the tools in bin/
	@go run -C tools ./build -want postgres -out bin
	go -C tools test -p 2 ./...
	go -C tools/image test ./...
	go -C tools/monitoring test ./...
	@# Last, as it is the longest: what followed it would run alone. One package takes
	@# as long as all others together, which run beside it one after the other. Each runs
	@# several tests at a time; with more at once they only wait for each other. Most of
	@# what they link and start ends within seconds, where memory is cheaper than
	@# collecting garbage. Its limit is that of a machine with nothing compiled, which
	@# links the conformance lane beside it.
	GOGC=400 FREEHOLD_TOOLS=$(CURDIR)/bin go test -p 2 -timeout 75m ./...

.PHONY: lint
lint: ## Check style, generated files, and dependencies for known vulnerabilities
	@# All three, whatever the first one says: one run lists all there is to do.
	@$(MAKE) --no-print-directory --keep-going verify style vuln

.PHONY: style
style: ## Run gofmt and golangci-lint
	@tools/lint.sh $(MODULES)

.PHONY: vuln
vuln: ## Look dependencies up in Go's vulnerability database, where it can be reached
	@tools/vuln.sh

.PHONY: bench
bench: build ## Measure: each benchmark of a command, of the controller and of the control plane once, the rules and the registry by themselves
	FREEHOLD_TOOLS=$(CURDIR)/bin go test -run '^$$' -bench . -benchtime 1x -timeout 40m ./cmd/freehold ./internal/controller
	go test -run '^$$' -bench . ./policies
	go test -run '^$$' -bench . -benchtime 2000x -timeout 20m ./internal/registry/postgres
	go test -run '^$$' -bench . ./internal/orgcontext/delegation ./internal/server/authz
	go test -run '^$$' -bench . -benchtime 1x -timeout 10m ./internal/server

.PHONY: torture
torture: build ## Kill, stop and disturb four machines at work on ten orgs for about an hour, on both registries
	FREEHOLD_TOOLS=$(CURDIR)/bin FREEHOLD_TORTURE_ORGS=10 FREEHOLD_TORTURE_REQUESTS=12 \
		go test -count=1 -v -timeout 3h -run TestWhateverHappensToItsProcesses ./cmd/freehold

.PHONY: image
image: ## Make the namespace controller's image, an OCI layout in bin/, and print its digest
	@go run -C tools/image . build -out $(CURDIR)/bin/controller-image $(IMAGEFLAGS)

.PHONY: image-server
image-server: image build ## Make the image of freehold itself, with the Pulumi CLI, for this machine's processor
	@go run -C tools/image . build -image server -controller $(CURDIR)/bin/controller-image -platforms linux/$$(go env GOARCH) -out $(CURDIR)/bin/server-image $(SERVERFLAGS)

.PHONY: release
release: image ## Build freehold with the digest of that image in it
	go build -ldflags "-s -w -X freehold.dev/freehold/internal/plan.DefaultControllerDigest=$$(go run -C tools/image . digest -layout $(CURDIR)/bin/controller-image)" -o bin/freehold ./cmd/freehold

.PHONY: generate
generate: ## Write the generated files: schemas, CRDs, deep copies
	go generate ./...

.PHONY: verify
verify: ## Fail if generated files or a go.mod are out of date
	@tools/verify.sh $(MODULES)

.PHONY: conformance
conformance: build ## Run the programs on genuine AWS provider code and an AWS emulator
	@tools/conformance.sh

.PHONY: clean
clean: ## Remove bin/; the tools stay in their cache, as they take minutes to build
	rm -rf bin
