.DEFAULT_GOAL := help
.PHONY: help practice test mutants build demo bench-loop bench-cold bench-grade bench-katas sums golden compiled lint race tools modules verify stress hostile
# What a shell may have set changes what go builds, or breaks it. Stamping fails in a clone that belongs to someone else. Everything is built as the
# tests of a kata are, without debug data, so that the standard library is compiled once for all.
export GOFLAGS := -buildvcs=false -trimpath -gcflags=all=-dwarf=false
export GOWORK := off
export GO111MODULE := on
export CGO_ENABLED := 0
CC := $(shell command -v $$(go env CC 2>/dev/null) 2>/dev/null)
RACE_ENV := $(if $(CC),CGO_ENABLED=1)
RACE := $(RACE_ENV) go
# What a learner's packages may import: three modules and what these need.
MODULES := whyhow github.com/stretchr/testify github.com/google/go-cmp gonum.org/v1/gonum go.yaml.in/yaml/v3
FIRST := $(wildcard katas/q01-*)
SOURCES := $(shell find scripts katas/kit -name '*.go' -o -name 'go.*') go.mod go.sum

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# The whole command takes a minute to compile, a first verdict does not need it: bin/firstrun makes it meanwhile.
practice: $(if $(wildcard bin/kata .kata/journal.db),bin/kata,bin/firstrun) ## test your code on every save, from the next unsolved kata on
	@$(if $(wildcard bin/kata .kata/journal.db),bin/kata practice,bin/firstrun)

test: ## prove the workbook: lint, tests of the tools, and every kata
	@$(MAKE) --no-print-directory -j3 --output-sync=target race lint tools modules verify

mutants: bin/kata ## change the references in small ways and count what the tests notice
	@bin/kata mutants

build: bin/kata ## build bin/kata

demo: bin/kata ## run one kata on its reference solution and draw its figures
	@bin/kata test q05 --reference
	@bin/kata figure q05 --reference
	@bin/kata answer q05 2>/dev/null | head -12

bench-loop: bin/kata ## measure the time from a save to the verdict
	@go -C scripts run ./benchloop

bench-cold: ## measure the time from make practice to the first verdict where nothing has been built
	@go -C scripts run ./benchcold

bench-grade: bin/kata ## measure kata grade against plain go test on the same submissions
	@go -C scripts run ./benchgrade

bench-katas: bin/kata ## run the katas' benchmarks on the reference solutions
	@mkdir -p .kata && bin/kata overlay >.kata/overlay.json
	@go test -overlay=.kata/overlay.json -run '^$$' -bench . -benchmem ./katas/q...

sums: bin/kata ## write katas/SHA256SUMS, by which a run tells changed tests, and an export what may leave
	@bin/kata verify --write-sums

golden: ## make the golden cases afresh with PyTorch
	@cd scripts/golden && for f in q*.py; do echo $$f; /usr/bin/python3 $$f || exit 1; done

# What compiles and reads code and runs none of it: with more memory the compiler takes a quarter less time. Tests keep Go's own limit.
ROOMY = GOGC=400

# The parts of make test, each with the time that it took beside the others.
TIMED = s=$$(date +%s); trap 'echo "$@: $$(( $$(date +%s) - s )) s"' EXIT; set -e;

# What the parts share, but for race, which shares nothing with them. Side by side, where nothing has been built, each would compile it for itself.
compiled:
	@$(TIMED) $(ROOMY) go -C scripts build ./... tool

lint: compiled ## gofumpt, vet and staticcheck, of both modules
	@$(MAKE) --no-print-directory bin/staticcheck
	@$(TIMED) unformatted=$$(bin/gofumpt -l .); test -z "$$unformatted" || { echo "gofumpt -l:"; echo "$$unformatted"; exit 1; }; \
		export $(ROOMY); go vet ./...; bin/staticcheck ./...; cd scripts; go vet ./...; ../bin/staticcheck ./...

# What runs goroutines of its own, and what is given in a kata in a package of its own. Not the journal and its users: SQLite under -race is a minute of compiling. `kata verify` runs it on the katas with goroutines.
race:
	@$(if $(CC),,$(if $(CI),echo "no C compiler, and CI skips nothing" >&2; exit 1,echo "no C compiler: -race is skipped"))
	@$(TIMED) $(ROOMY) $(RACE_ENV) go -C scripts build $(if $(CC),-race) ./internal/gotest ./internal/session ./internal/practice ./internal/workbook whyhow/katas/kit/...; \
		$(RACE) test $(if $(CC),-race) $$(go list ./katas/... | grep -v '/q[0-9]*-[^/]*$$'); \
		$(RACE) -C scripts test $(if $(CC),-race) ./internal/gotest ./internal/session ./internal/practice ./internal/workbook

tools: compiled
	@$(TIMED) go -C scripts test $$(go -C scripts list ./... | grep -vE '/internal/(gotest|session|practice|workbook)$$')

verify: compiled
	@$(MAKE) --no-print-directory bin/kata
	@$(TIMED) bin/kata verify

stress: ## run the tests of the tools beside twelve busy loops, three times over
	@loops=; trap 'kill $$loops' EXIT; trap 'exit 130' INT TERM; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sh -c 'while :; do :; done' & loops="$$loops $$!"; done; \
		go -C scripts test -count=$(TIMES) -timeout=4h ./...
TIMES ?= 3

hostile: ## judge submissions that try to cheat: with all walls, and without the gate
	@HOSTILE=1 go -C scripts test -count=1 -run Hostile ./internal/grade

modules: compiled
	@$(TIMED) go build ./solutions/...; \
		others=$$(go list -deps -test -f '{{with .Module}}{{.Path}}{{end}}' ./katas/... | sort -u | grep -vxF $(MODULES:%=-e %) || true); \
		test -z "$$others" || { echo "katas import other modules:"; echo "$$others"; exit 1; }

bin/kata bin/firstrun: bin/%: $(SOURCES)
	@command -v go >/dev/null || { echo "make: there is no go command; get Go 1.26 at https://go.dev/dl" >&2; exit 1; }
	@case "$$(go env GOMODCACHE):$$(go env GOCACHE)" in :*|*:|*:off) echo "make: the go command has no place for its files; set HOME, or GOPATH and GOCACHE" >&2; exit 1;; esac
	@test -e $@ || echo "building bin/$*: the first time that takes a minute"
	@test $* = kata || { sed -n 's/^question: /meanwhile, the first question: /p' $(FIRST)/README.md; \
		echo "  edit  $(filter-out %_test.go %/given.go,$(wildcard $(FIRST)/*.go))"; echo "  read  $(FIRST)/README.md"; }
	@if [ -t 1 ]; then while sleep 5; do printf .; done & dots=$$!; trap 'kill $$dots; echo' EXIT; fi; \
		go -C scripts build -ldflags='-s -w' -o ../bin/ ./$*

bin/staticcheck bin/gofumpt &: scripts/go.mod
	@go -C scripts build -o ../bin/ tool
