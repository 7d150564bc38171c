package gotest

import (
	"cmp"
	"debug/buildinfo"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"whyhow/katas/kit/check"
	"whyhow/scripts/internal/workbook"
)

// describe says in the report what is tested, and with what.
func (b *build) describe(r *Report) error {
	r.File, r.Hash = b.shown, workbook.SumOf(b.source)
	seed := cmp.Or(b.options.Seed, os.Getenv(check.SeedVariable), strconv.Itoa(check.DefaultSeed))
	var err error
	if r.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
		return workbook.Errorf("unset it, or set it to a whole number", "%s=%q is not a whole number ≥ 0", check.SeedVariable, seed)
	}
	r.Workbook, r.Notes = b.judges.Revision, append(differences(b.judges.Changed), b.notes...)
	return nil
}

// differences says which tests are not the workbook's.
func differences(changed []string) []string {
	switch n := len(changed); {
	case n == 0:
		return nil
	case n == 1:
		return []string{changed[0] + " differs from the workbook's: what passes here may fail there; git diff shows how"}
	default:
		return []string{fmt.Sprintf("%s and %d more differ from the workbook's: what passes here may fail there; git diff shows how", changed[0], n-1)}
	}
}

// linked notes the version of the go command that linked the tests.
func (b *build) linked() error {
	info, err := buildinfo.ReadFile(b.binary)
	if err != nil {
		return fmt.Errorf("the tests' binary: %w", err)
	}
	b.goVersion = info.GoVersion
	return nil
}

// renamed looks for the learner's file under another name.
func (b *build) renamed() {
	for _, file := range workbook.Files(b.kata.Dir, "*.go") {
		if base := filepath.Base(file); strings.HasSuffix(base, "_test.go") || base == "given.go" {
			continue
		}
		b.notes = append(b.notes, fmt.Sprintf("%s is gone; %s is tested in its place: give it its name back", b.shown, b.display(file)))
		b.file, b.shown = file, b.display(file)
		return
	}
}

// look reads the tests' folder: which fuzz targets and examples belong to which step, which tests belong to none; and what the file under
// test imports.
func (b *build) look() error {
	steps := map[string]bool{}
	for _, s := range b.kata.Steps {
		steps[s.Test] = true
	}
	b.companionOf = map[string]string{}
	var err error
	if b.judges, err = b.kata.Judges(); err != nil {
		return err
	}
	for _, file := range workbook.Files(b.kata.Dir, "*_test.go") {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // the compiler says so
		}
		var own []string
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			switch {
			case !ok || fn.Recv != nil:
			case IsTest(fn):
				if !steps[fn.Name.Name] {
					own = append(own, fn.Name.Name)
				}
			default:
				if test := stepOf(fn.Name.Name, steps); test != "" {
					b.companionOf[fn.Name.Name] = test
				}
			}
		}
		if name := b.display(file); len(own) > 0 && !slices.Contains(b.judges.Files, name) {
			b.notes = append(b.notes, fmt.Sprintf("the tests of %s are yours and no steps; this runs them: go test -run '%s' ./%s", name, strings.Join(own, "|"), b.display(b.kata.Dir)))
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), b.file, b.source, parser.ImportsOnly)
	if err != nil {
		return nil // the compiler says so
	}
	for _, spec := range f.Imports {
		if path, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(path, workbook.Module+"/solutions") && cmp.Or(b.subject.Name, Learner) == Learner {
			b.notes = append(b.notes, fmt.Sprintf("%s imports %s: what passes is the workbook's own solution", b.shown, path))
		}
	}
	return nil
}

// stepOf is the test to whose step a fuzz target or an example belongs: FuzzParse and ExampleParse to TestParse, ExampleParse_twice too; "" if to none.
func stepOf(function string, steps map[string]bool) string {
	for _, kind := range []string{"Fuzz", "Example"} {
		if name, ok := strings.CutPrefix(function, kind); ok {
			for ; name != ""; name = name[:max(0, strings.LastIndexByte(name, '_'))] {
				if steps["Test"+name] {
					return "Test" + name
				}
			}
		}
	}
	return ""
}
