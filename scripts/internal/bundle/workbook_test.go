package bundle_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"whyhow/scripts/internal/bundle"
	"whyhow/scripts/internal/workbook"
)

// The whole workbook, as a class gets it: it holds nothing of the solutions, speaks of nothing that it does not hold, and every step of it waits to be written, offline.
func TestWholeWorkbook(t *testing.T) {
	t.Parallel()
	w, err := workbook.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := bundle.Student(t.Context(), w, bundle.Plan{Katas: w.Katas, Vendor: true, Workflow: true})
	if err != nil {
		t.Fatalf("Student = %v (hint: %s)", err, workbook.HintOf(err))
	}
	ours := bundle.Bundle{} // without the libraries
	for _, f := range b.Files() {
		if !strings.HasPrefix(f.Name, "vendor/") {
			if err := ours.Add(f.Name, f.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("nothing of the solutions", func(t *testing.T) { nothingOfSolutions(t, w, ours.Files()) })
	t.Run("names", func(t *testing.T) {
		allowed := regexp.MustCompile(`^(LICENSE|README\.md|go\.(mod|sum)|\.git(ignore|attributes)|\.github/(points\.go|workflows/points\.yml)` +
			`|katas/kit/[a-z]+/(README\.md|[a-z]+\.go|digits\.csv\.gz)` +
			`|katas/q\d\d-[a-z0-9-]+/(README\.md|[a-z0-9]+\.go|[a-z]+_test\.go|testdata/(README\.md|torch\.json|phones\.csv)|graph/(graph|eval)\.go))$`)
		for _, f := range ours.Files() {
			if !allowed.MatchString(f.Name) {
				t.Errorf("%s leaves the workbook", f.Name)
			}
		}
	})
	t.Run("texts", func(t *testing.T) {
		// What there is in the workbook and not in an export. Words of a sentence, "hidden test" among them, are no names.
		gone := regexp.MustCompile(`scripts/|solutions/|\bhints/|bin/kata|\bkata (list|next|practice|test|hint|figure|answer|verify|mutants|overlay|export|grade)\b|\bmake (help|practice|test|build|demo|sums|golden|verify)\b` +
			`|ANSWER|CONTRIBUTING|ARCHITECTURE|SHA256SUMS|Makefile|mistakes\.yaml|hidden_test`)
		for _, f := range ours.Files() {
			for i, line := range strings.Split(string(f.Data), "\n") {
				if found := gone.FindString(line); found != "" && path.Ext(f.Name) != ".gz" {
					t.Errorf("%s:%d speaks of %s: %s", f.Name, i+1, found, line)
				}
			}
		}
	})
	t.Run("links", func(t *testing.T) {
		link := regexp.MustCompile(`\]\(([^)#]+)`)
		files := ours.Files()
		for _, f := range files {
			if path.Ext(f.Name) != ".md" {
				continue
			}
			for _, m := range link.FindAllStringSubmatch(string(f.Data), -1) {
				to := path.Join(path.Dir(f.Name), m[1])
				if !strings.Contains(m[1], "://") && !slices.ContainsFunc(files, func(f bundle.File) bool { return f.Name == to }) {
					t.Errorf("%s links to %s, which is not there", f.Name, m[1])
				}
			}
		}
	})
	t.Run("go", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "class")
		if err := b.WriteDir(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		everyStepWaits(t, dir, w.Katas)
	})
}

// everyStepWaits checks that a student's workbook builds offline, that vet is silent, and that plain go test reaches a TODO in every step.
func everyStepWaits(t *testing.T, dir string, katas []*workbook.Kata) {
	t.Helper()
	run := func(args ...string) (stdout []byte, err error) {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		// What the tests of the katas are built with, so that little is built anew. There is no library but in vendor, and no way to get one.
		cmd.Env = append(os.Environ(), "PWD="+dir, "GOFLAGS=-mod=vendor -buildvcs=false -trimpath -gcflags=all=-dwarf=false", "GOPROXY=off", "GOMODCACHE="+filepath.Join(t.TempDir(), "empty"),
			"GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if stderr.Len() > 0 {
			t.Errorf("go %s says\n%s", args[0], stderr.Bytes())
		}
		return out, err
	}
	if out, err := run("vet", "./..."); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
	out, err := run("test", "-vet=off", "-json", "./...")
	if err == nil {
		t.Error("go test passes on stubs")
	}
	type test struct{ pkg, name string }
	status, says := map[test]string{}, map[test]string{}
	for line := range bytes.Lines(out) {
		var e struct{ Action, Package, Test, Key, Value, Output string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		name, _, _ := strings.Cut(e.Test, "/")
		at := test{strings.TrimPrefix(e.Package, workbook.Module+"/katas/"), name}
		switch e.Action {
		case "pass", "fail":
			if e.Test == name {
				status[at] = e.Action
			}
		case "attr":
			if e.Key == "kata" && e.Value != "todo" {
				t.Errorf("%s %s is %s, not todo", at.pkg, e.Test, e.Value)
			}
		case "output":
			says[at] += e.Output
		}
	}
	for _, k := range katas {
		for _, s := range k.Steps {
			at := test{k.Name, s.Test}
			if status[at] != "fail" || !strings.Contains(says[at], " is not implemented yet\n") {
				t.Errorf("%s %s: %q, want a failure that says what is not implemented yet:\n%s", k.Name, s.Test, status[at], says[at])
			}
		}
	}
}

// What solutions/ and the rest share by nature, a line each; everything else that looks like a solution is one.
var shared = []string{
	"mask.Apply(func(_, _ int, v float64) float64 {",                                          // q17: any mask begins so
	"below.Apply(func(i, j int, d float64) float64 {",                                         // q10: the wrong slopes that a test knows
	"return -y*math.Log(a) - (1-y)*math.Log(1-a)",                                             // q01: the formula is given; the test knows it without clipping
	"return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))",                  // random matrices of tests
	"m.Apply(func(_, _ int, _ float64) float64 { return std * rng.NormFloat64() }, m)",        // q05's own weights
	"z.Apply(func(_, k int, v float64) float64 { return v + b[k] }, &z)",                      // q10: x·W + b is given
	"l.Stride, l.Dilation, l.Groups = max(l.Stride, 1), max(l.Dilation, 1), max(l.Groups, 1)", // q11: zero means one, as the stub says
	"out := mat.NewDense(rows, columns, nil)",                                                 // a matrix for an answer
	"last.Data[i] = x.Data[i%(x.H*x.W)*x.C+i/(x.H*x.W)]",                                      // q02: channels last is a mistake that the test knows
}

// nothingOfSolutions checks that no file holds a distinctive piece of solutions/, or is one of its files.
func nothingOfSolutions(t *testing.T, w *workbook.Workbook, files []bundle.File) {
	t.Helper()
	for _, l := range leaks(t, w, files) {
		t.Errorf("%s holds what %s has:\n%s", l.file, l.from, l.piece)
	}
}

type leak struct{ file, from, piece string }

// leaks are the distinctive pieces of solutions/ in files: of every text below it, the lines with 35 characters or more, spaces left out, and every three lines in a row with 40
// together; but what the kata's own stub has, and loops, declarations and the sources of an answer, which are not thoughts of the solution.
func leaks(t *testing.T, w *workbook.Workbook, files []bundle.File) (all []leak) {
	t.Helper()
	have := map[string]string{}
	stubs := map[string]map[string]bool{}
	for _, f := range files {
		for _, p := range pieces(f.Name, string(f.Data)) {
			have[p] = f.Name
		}
	}
	for _, k := range w.Katas {
		text, err := workbook.ReadText(k.File)
		if err != nil {
			t.Fatal(err)
		}
		stubs[k.Name] = map[string]bool{}
		for _, p := range pieces(k.File, string(text)) {
			stubs[k.Name][p] = true
		}
	}
	count := 0
	root := filepath.Join(w.Root, "solutions")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := workbook.ReadText(file)
		if err != nil {
			return err
		}
		from := workbook.Display(root, file)
		kata, _, _ := strings.Cut(from, "/")
		for _, p := range pieces(file, string(text)) {
			if stubs[kata][p] || slices.Contains(shared, p) {
				continue
			}
			count++
			if in := have[p]; in != "" {
				all = append(all, leak{in, from, p})
			}
		}
		for _, f := range files {
			if bytes.Equal(f.Data, text) {
				all = append(all, leak{f.Name, from, "all of it"})
			}
		}
		return nil
	})
	if err != nil || count < 10000 {
		t.Fatalf("%d distinctive pieces in solutions, %v", count, err)
	}
	return all
}

// ordinary begins a line that is nobody's thought.
var ordinary = regexp.MustCompile(`^((for|func|type|import|package)\b|")`)

// pieces are the distinctive pieces of a text.
func pieces(name, text string) (all []string) {
	var run []string // lines in a row
	sources := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if path.Ext(name) == ".md" && strings.HasPrefix(line, "## ") {
			sources = line == "## Sources"
		}
		if path.Ext(name) == ".go" {
			line, _, _ = strings.Cut(line, " // ")
		}
		switch {
		case sources || dense(line) < 4 || strings.HasPrefix(line, "//"):
			continue
		case ordinary.MatchString(line):
			run = nil
			continue
		}
		if dense(line) >= 35 {
			all = append(all, line)
		}
		run = append(run, line)
		if n := len(run); n >= 3 {
			if three := strings.Join(run[n-3:], "\n"); dense(three) >= 40 {
				all = append(all, three)
			}
		}
	}
	return all
}

// dense is how many characters a line has, spaces left out.
func dense(line string) (n int) {
	for _, r := range line {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// The proof above sees every file of solutions/ wherever it is put.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	w, err := workbook.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	var planted []bundle.File
	root := filepath.Join(w.Root, "solutions")
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := workbook.ReadText(file)
		// Inside a text of another name, indented, behind a comment that is not there.
		planted = append(planted, bundle.File{Name: fmt.Sprintf("%d_test.go", len(planted)), Data: []byte("package x\n\n\t" + strings.ReplaceAll(string(text), "\n", "\n\t"))})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, l := range leaks(t, w, planted) {
		seen[l.file] = true
	}
	for _, f := range planted {
		if !seen[f.Name] {
			t.Errorf("not seen:\n%s", f.Data)
		}
	}
	for _, line := range shared {
		if !slices.ContainsFunc(planted, func(f bundle.File) bool { return strings.Contains(string(f.Data), line) }) {
			t.Errorf("no solution has %q any longer", line)
		}
	}
}
