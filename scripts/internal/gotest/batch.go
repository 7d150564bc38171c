package gotest

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"whyhow/scripts/internal/workbook"
)

// Submission is somebody's code for one kata.
type Submission struct {
	Kata    *workbook.Kata
	Subject Subject

	HiddenSeed string // goes before that of the options
}

func (s Submission) options(o Options) Options {
	o.HiddenSeed = cmp.Or(s.HiddenSeed, o.HiddenSeed)
	return o
}

// Batch runs the katas of one person and returns a Report for each. It links all of them into one program, and runs that once a kata. What does not build
// is built apart, so that its Report says why and the others count; so is everything if the program dies before its first test. The options hold for every kata.
func (r *Runner) Batch(ctx context.Context, all []Submission, o Options) ([]*Report, error) {
	reports := make([]*Report, len(all))
	together, err := r.newBatch(all, o)
	if err != nil {
		return nil, err
	}
	defer together.remove()
	if err := together.link(ctx); err != nil {
		return nil, err
	}
	for i, s := range all {
		b := together.builds[i]
		if b != nil {
			b.binary, b.goVersion = together.binary, together.goVersion
			if reports[i], err = b.report(b.steps); err == nil {
				err = b.executeAll(ctx, reports[i], func(*Report) {})
			}
			if err != nil {
				return nil, err
			}
		}
		if b == nil || b.unstarted != nil && len(all) > 1 {
			if reports[i], err = r.Run(ctx, s.Kata, s.Subject, s.options(o), nil); err != nil {
				return nil, err
			}
		}
	}
	return reports, nil
}

// batch is one program with the tests of several katas.
type batch struct {
	*build          // of the first kata: its folder and its options are those of all
	builds []*build // nil for those that are built apart
}

func (r *Runner) newBatch(all []Submission, o Options) (*batch, error) {
	t := &batch{builds: make([]*build, len(all))}
	for i, s := range all {
		steps, err := stepsOf(s.Kata, o)
		if err == nil {
			t.builds[i], err = r.newBuild(s.Kata, steps, s.Subject, s.options(o))
		}
		if err != nil {
			t.remove()
			return nil, err
		}
		if t.build == nil {
			t.build = t.builds[i]
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", t.builds[i].source, parser.SkipObjectResolution); err != nil {
			t.apart(i)
		}
	}
	return t, nil
}

// apart takes a kata out of the program. Its folder stays until the batch is removed: it may be the first's.
func (t *batch) apart(i int) {
	if t.builds[i] != t.build {
		t.builds[i].remove()
	}
	t.builds[i] = nil
}

func (t *batch) remove() {
	for _, b := range t.builds {
		if b != nil {
			b.remove()
		}
	}
	if t.build != nil {
		t.build.remove()
	}
}

// batchDir is the folder of the program's main, which exists in the overlay alone.
func (t *batch) batchDir() string { return filepath.Join(t.Root, "katas", "kit", "batch") }

// link builds the program, without the katas that do not compile.
func (t *batch) link(ctx context.Context) error {
	for {
		if !slices.ContainsFunc(t.builds, func(b *build) bool { return b != nil }) {
			return nil
		}
		if err := t.lay(); err != nil {
			return err
		}
		said, built, err := t.compile(ctx, t.batchDir(), nil, t.sources()...)
		if built || err != nil {
			return err
		}
		blamed := func(b *build) bool { return b != nil && blames(said, b) }
		someone := slices.ContainsFunc(t.builds, blamed)
		for i, b := range t.builds {
			if blamed(b) || b != nil && !someone { // whose fault it is shows when each is built alone
				t.apart(i)
			}
		}
	}
}

// sources are the subjects' files in the folders of the others than the first.
func (t *batch) sources() (files []string) {
	for _, b := range t.builds {
		if b != nil && b != t.build {
			files = append(files, b.readable()...)
		}
	}
	return files
}

// blames says whether the compiler's words are about the kata: its package, or the package of its tests.
func blames(said string, b *build) bool {
	path := workbook.Module + "/katas/" + b.kata.Name
	return slices.ContainsFunc([]string{"# " + path + "\n", "# " + path + "/steps\n", b.file + ":", b.display(b.kata.File) + ":"}, func(of string) bool { return strings.Contains(said, of) })
}

// lay writes the overlay: the subjects' files, each kata's test files as a package of their own, and the program's main.
func (t *batch) lay() error {
	replace := map[string]string{}
	var imports, cases strings.Builder
	functions := map[string][]int{} // from the name of a function to the katas that have one
	for i, b := range t.builds {
		if b == nil {
			continue
		}
		fmt.Fprintf(&imports, "\tk%d %q\n", i, workbook.Module+"/katas/"+b.kata.Name+"/steps")
		replace[b.kata.File] = b.file
		tests, err := filepath.Glob(filepath.Join(b.kata.Dir, "*_test.go"))
		if err != nil {
			return err
		}
		if b.options.Hidden {
			tests = append(tests, b.kata.HiddenTest())
		}
		for _, file := range tests {
			found, err := t.layTest(i, file, replace)
			if err != nil {
				return err
			}
			for _, f := range found {
				functions[f] = append(functions[f], i)
			}
		}
	}
	for _, f := range slices.Sorted(maps.Keys(functions)) {
		kind := "T"
		if strings.HasPrefix(f, "Fuzz") {
			kind = "F"
		}
		fmt.Fprintf(&cases, "\nfunc %s(t *testing.%s) {\n\tswitch channel.Kata() {\n", f, kind)
		for _, i := range functions[f] {
			fmt.Fprintf(&cases, "\tcase %q:\n\t\tk%d.%s(t)\n", t.builds[i].kata.Name, i, f)
		}
		cases.WriteString("\t}\n}\n")
	}
	if err := placeHarness(t.dir, t.Root, t.batchDir(), "batch", replace); err != nil {
		return noSpace(err)
	}
	main := filepath.Join(t.dir, "batch_test.go")
	text := fmt.Sprintf("package batch_test\n\nimport (\n\t\"testing\"\n\n\t\"whyhow/katas/kit/channel\"\n%s)\n%s", imports.String(), cases.String())
	if err := os.WriteFile(main, []byte(text), 0o600); err != nil {
		return noSpace(err)
	}
	replace[filepath.Join(t.batchDir(), "batch_test.go")] = main
	return t.writeOverlay(replace)
}

// layTest shows a test file as one of an ordinary package, and returns the functions that package testing would run. The lines keep their places.
func (t *batch) layTest(i int, file string, replace map[string]string) (functions []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range f.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && (IsTest(f) || f.Recv == nil && strings.HasPrefix(f.Name.Name, "Fuzz")) {
			functions = append(functions, f.Name.Name)
		}
	}
	base := filepath.Base(file)
	own := filepath.Join(t.dir, fmt.Sprintf("k%d_%s", i, base))
	if err := os.WriteFile(own, fmt.Appendf(nil, "//line %s:1\n%s", base, text), 0o600); err != nil {
		return nil, noSpace(err)
	}
	replace[filepath.Join(t.builds[i].kata.Dir, "steps", strings.TrimSuffix(base, "_test.go")+".go")] = own
	return functions, nil
}
