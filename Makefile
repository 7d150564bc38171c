.DEFAULT_GOAL := help
.PHONY: help practice test mutants build demo bench-loop bench-katas sums golden lint race modules
# What a shell may have set changes what go builds, or breaks it. Stamping fails in a clone that belongs to someone else.
export GOFLAGS := -buildvcs=false
export GOWORK := off
export GO111MODULE := on
# As the tests of a kata are built, so that the standard library is compiled once for both.
BUILD := CGO_ENABLED=0 go -C scripts build -gcflags=all=-dwarf=false -ldflags='-s -w' -o ../bin/
# Go turns cgo off where there is no C compiler, and -race needs one.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED 2>/dev/null)),-race)
# What a learner's packages may import: three modules and what these need.
MODULES := whyhow github.com/stretchr/testify github.com/google/go-cmp gonum.org/v1/gonum go.yaml.in/yaml/v3
FIRST := $(wildcard katas/q01-*)
SOURCES := $(shell find scripts katas/kit -name '*.go' -o -name 'go.*') go.mod go.sum

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

# The whole command takes a minute to compile, a first verdict does not need it: bin/firstrun makes it meanwhile.
practice: $(if $(wildcard bin/kata .kata/journal.db),bin/kata,bin/firstrun) ## test your code on every save, from the next unsolved kata on
	@$(if $(wildcard bin/kata .kata/journal.db),bin/kata practice,bin/firstrun)

test: bin/kata ## prove the workbook: lint, tests of the tools, and every kata
	@$(MAKE) --no-print-directory -j2 --output-sync=target lint race modules
	@bin/kata verify

mutants: bin/kata ## change the references in small ways and count what the tests notice
	@bin/kata mutants

build: bin/kata ## build bin/kata

demo: bin/kata ## run one kata on its reference solution and draw its figures
	@bin/kata test q05 --reference
	@bin/kata figure q05 --reference
	@bin/kata answer q05 2>/dev/null | head -12

bench-loop: bin/kata ## measure the time from a save to the verdict
	@go -C scripts run ./benchloop

bench-katas: bin/kata ## run the katas' benchmarks on the reference solutions
	@mkdir -p .kata && bin/kata overlay >.kata/overlay.json
	@go test -overlay=.kata/overlay.json -run '^$$' -bench . -benchmem ./katas/q...

sums: bin/kata ## write katas/SHA256SUMS, by which a learner's run tells changed tests
	@bin/kata verify --write-sums

golden: ## make the golden cases afresh with PyTorch
	@cd scripts/golden && for f in q*.py; do echo $$f; /usr/bin/python3 $$f || exit 1; done

lint: bin/staticcheck bin/gofumpt ## gofumpt, vet and staticcheck, of both modules
	@unformatted=$$(bin/gofumpt -l .); test -z "$$unformatted" || { echo "gofumpt -l:"; echo "$$unformatted"; exit 1; }
	@go vet ./... && bin/staticcheck ./...
	@cd scripts && go vet ./... && ../bin/staticcheck ./...

race:
	@$(if $(RACE),,$(if $(CI),echo "no C compiler, and CI skips nothing" >&2; exit 1,echo "no C compiler: -race is skipped"))
	@go test $(RACE) $$(go list ./katas/... | grep -v '/q[0-9]*-[^/]*$$') # kit, and what is given in a package of its own
	@go -C scripts test $(RACE) $$(go -C scripts list ./... | grep -v /figures)
	@go -C scripts test ./internal/figures # one goroutine; under -race its pixels take a minute

modules:
	@go build ./solutions/...
	@others=$$(go list -deps -test -f '{{with .Module}}{{.Path}}{{end}}' ./katas/... | sort -u | grep -vxF $(MODULES:%=-e %)); \
		test -z "$$others" || { echo "katas import other modules:"; echo "$$others"; exit 1; }

bin/kata bin/firstrun: bin/%: $(SOURCES)
	@command -v go >/dev/null || { echo "make: there is no go command; get Go 1.26 at https://go.dev/dl" >&2; exit 1; }
	@test -e $@ || echo "building bin/$*, which takes up to a minute the first time"
	@test $* = kata || { sed -n 's/^question: /meanwhile, the first question: /p' $(FIRST)/README.md; \
		echo "  read   $(FIRST)/README.md"; echo "  write  $(filter-out %_test.go %/given.go,$(wildcard $(FIRST)/*.go))"; }
	@$(BUILD) ./$*

bin/staticcheck bin/gofumpt &: scripts/go.mod
	@go -C scripts build -o ../bin/ tool
