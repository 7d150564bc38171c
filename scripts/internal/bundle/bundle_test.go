package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/bundle"
	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/workbook"
)

// small is the small workbook with its files listed, and the one of its katas that has a stub.
func small(t *testing.T) (*workbook.Workbook, []*workbook.Kata) {
	t.Helper()
	w := fixture.Workbook(t)
	relist(t, w)
	return w, w.Katas[:1]
}

func relist(t *testing.T, w *workbook.Workbook) {
	t.Helper()
	if err := w.WriteSums(); err != nil {
		t.Fatal(err)
	}
}

func names(b *bundle.Bundle) (all []string) {
	for _, f := range b.Files() {
		all = append(all, f.Name)
	}
	return all
}

func TestOf(t *testing.T) {
	w, katas := small(t)
	b, left, err := bundle.Of(w, katas, true)
	if err != nil || left != nil {
		t.Fatalf("Of = %v, left %v", err, left)
	}
	want := []string{
		"go.mod", "hints/q01-double.md", "katas/q01-double/README.md", "katas/q01-double/double.go", "katas/q01-double/how_test.go", "katas/q01-double/why_test.go",
	}
	if diff := cmp.Diff(want, names(b)); diff != "" {
		t.Errorf("files mismatch (-want +got):\n%s", diff)
	}
	for _, f := range b.Files() {
		have, err := os.ReadFile(filepath.Join(w.Root, f.Name))
		if err != nil || !bytes.Equal(have, f.Data) {
			t.Errorf("%s is not the workbook's: %v", f.Name, err)
		}
	}
	if b, _, err := bundle.Of(w, katas, false); err != nil || slices.Contains(names(b), "hints/q01-double.md") {
		t.Errorf("without hints: %v, %v", names(b), err)
	}
}

// Whatever else lies in a workbook stays there, and nothing that should leave leaves other than it is listed.
func TestWhatMayNotLeave(t *testing.T) {
	const stub = "katas/q01-double/double.go"
	link := func(to string) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			if err := errors.Join(os.Remove(file), os.Symlink(to, file)); err != nil {
				t.Skip(err)
			}
		}
	}
	write := func(text string) func(*testing.T, string) {
		return func(t *testing.T, file string) { fixture.Write(t, file, text) }
	}
	edit := func(old, now string) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), old) {
				t.Fatalf("%s has no %q: %v", file, old, err)
			}
			fixture.Write(t, file, strings.Replace(string(text), old, now, 1))
		}
	}
	remove := func(t *testing.T, file string) {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, file string
		do         func(t *testing.T, file string)
		listed     bool   // after that, all is listed as it is
		says       string // "": it is no error, and the file stays
		hint       string
	}{
		{"a function is written", stub, edit(`panic("TODO: Halve")`, "return x / 2"), false, "\n  " + stub + ": it has code in Halve", "fresh clone"},
		{"and listed", stub, edit(`panic("TODO: Halve")`, "return x / 2"), true, "it has code in Halve", "fresh clone"},
		{"a function of the learner's own, listed", stub, edit("// Halve", "func twice(x float64) float64 { return 2 * x }\n\n// Halve"), true, "it has code in twice", ""},
		{"a method, listed", stub, edit("// Halve", "type t int\n\nfunc (t) F() int { return 2 }\n\n// Halve"), true, "it has code in t.F", ""},
		{"a line above the TODO, listed", stub, edit(`panic("TODO: Halve")`, "_ = 2 * x\n\tpanic(\"TODO: Halve\")"), true, "it has code in Halve", ""},
		{"another TODO, listed", stub, edit(`panic("TODO: Halve")`, `panic("TODO: half of x")`), true, "it has code in Halve", ""},
		{"a function in a variable, listed", stub, edit("// Halve", "var twice = func(x float64) float64 { return 2 * x }\n\n// Halve"), true, "it has code outside its functions", ""},
		{"a comment", stub, edit("// Halve", "// It is x+x.\n\n// Halve"), false, "\n  " + stub + ": it is changed", "make sums"},
		{"half a stub", stub, write("package double\n\nfunc Double("), false, stub + ": it does not parse", "fresh clone"},
		{"the stub is gone", stub, remove, false, stub + ": it is gone", "git checkout"},
		{"the stub is a link", stub, link("../../solutions/q01-double/double.go"), false, stub + " is a link, or no file", ""},
		{"a test is a link", "katas/q01-double/how_test.go", link("../../solutions/q01-double/double.go"), false, "katas/q01-double/how_test.go is a link, or no file", ""},
		{"a folder is a link", "katas/q01-double", func(t *testing.T, dir string) {
			if err := errors.Join(os.Rename(dir, dir+"-mine"), os.Symlink(dir+"-mine", dir)); err != nil {
				t.Skip(err)
			}
		}, false, "katas/q01-double is a link, or no file", ""},
		{"a test is changed", "katas/q01-double/how_test.go", edit("want", "wants"), false, "katas/q01-double/how_test.go: it is changed", "make sums"},
		{"a README with notes", "katas/q01-double/README.md", edit("# Doubling", "# Doubling\n\nx+x"), false, "katas/q01-double/README.md: it is changed", "make sums"},
		{"go.mod is changed", "go.mod", edit("go 1.26", "go 1.26\n\nreplace a => ../b"), false, "go.mod: it is changed", ""},
		{"hints are gone", "hints/q01-double.md", remove, false, "hints/q01-double.md: it is gone", "git checkout"},
		{"hints were never there", "hints", remove, true, "hints/q01-double.md: it is not listed", ""},
		{"the list is gone", workbook.SumsFile, remove, false, "nobody knows what may leave", "make sums"},
		{"the hidden test, listed", "katas/q01-double/hidden_test.go", write("//go:build hidden\n\npackage double_test\n"), true, "katas/q01-double/hidden_test.go: it is of no kind that may leave", ""},
		{"a hidden test under another name, listed", "katas/q01-double/more_test.go", write("//go:build hidden\n\npackage double_test\n"), true, "more_test.go: it has a build constraint", ""},
		{"a test that needs the solution, listed", "katas/q01-double/more_test.go", write("package double_test\n\nimport _ \"whyhow/solutions/q01-double\"\n"), true, "it imports whyhow/solutions/q01-double, which stays", ""},
		{"a test that needs another kata, listed", "katas/q01-double/more_test.go", write("package double_test\n\nimport _ \"whyhow/katas/q02-square\"\n"), true, "it imports whyhow/katas/q02-square, which stays", ""},
		{"a second file of code, listed", "katas/q01-double/solution.go", write("package double\n"), true, "katas/q01-double/solution.go: it is of no kind that may leave", ""},
		{"notes, listed", "katas/q01-double/notes.md", write("x+x\n"), true, "katas/q01-double/notes.md: it is of no kind that may leave", ""},

		{"notes", "katas/q01-double/notes.md", write("x+x\n"), false, "", ""},
		{"a test of the learner's", "katas/q01-double/mine_test.go", write("package double_test\n"), false, "", ""},
		{"an editor's backup", "katas/q01-double/double.go~", write("x+x\n"), false, "", ""},
		{"an editor's backup, and the list anew", "katas/q01-double/double.go~", write("x+x\n"), true, "", ""},
		{"an editor's swap file", "katas/q01-double/.double.go.swp", write("x+x\n"), true, "", ""},
		{"data", "katas/q01-double/testdata/mine.json", write("{}\n"), false, "", ""},
		{"a package", "katas/q01-double/mine/mine.go", write("package mine\n"), false, "", ""},
		{"a package that nothing imports, listed", "katas/q01-double/mine/mine.go", write("package mine\n"), true, "", ""},
		{"a package of kit that nothing imports, listed", "katas/kit/mine/mine.go", write("package mine\n"), true, "", ""},
		{"the journal", ".kata/journal.db", write("x"), true, "", ""},
		{"a mistake", "solutions/q01-double/mistakes.yaml", write("- name: x\n"), true, "", ""},
		{"an alternative", "solutions/q01-double/alternatives/sum/double.go", write("package double\n"), true, "", ""},
		{"another kata's hints", "hints/q02-square.md", write("# Hints\n"), true, "", ""},
		{"a tool", "scripts/x.go", write("package x\n"), true, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, katas := small(t)
			before, _, err := bundle.Of(w, katas, true)
			if err != nil {
				t.Fatal(err)
			}
			c.do(t, filepath.Join(w.Root, c.file))
			if c.listed {
				relist(t, w)
			}
			b, left, err := bundle.Of(w, katas, true)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(workbook.HintOf(err), c.hint) || workbook.HintOf(err) == "" {
					t.Errorf("Of = %v (hint: %s), want %q and the hint %q", err, workbook.HintOf(err), c.says, c.hint)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before.Files(), b.Files()); diff != "" {
				t.Errorf("it leaves (-before +now):\n%s", diff)
			}
			if told := slices.Contains(left, c.file); told != (strings.HasPrefix(c.file, "katas/q01-double/") && !strings.HasSuffix(c.file, "mine.go") || !c.listed && strings.HasSuffix(c.file, "mine.go")) {
				t.Errorf("left = %v with %s", left, c.file)
			}
		})
	}
}

// What is needed leaves: packages that tests import and what these import, what they embed, golden cases, given code; not their tests.
func TestWhatIsNeeded(t *testing.T) {
	w, katas := small(t)
	for name, text := range map[string]string{
		"katas/q01-double/given.go":           "package double\n",
		"katas/q01-double/more_test.go":       "package double_test\n\nimport (\n\t_ \"whyhow/katas/kit/a\"\n\t_ \"whyhow/katas/q01-double/given\"\n)\n",
		"katas/q01-double/testdata/a.json":    "{}\n",
		"katas/q01-double/testdata/README.md": "# Data\n",
		"katas/q01-double/given/g.go":         "package given\n",
		"katas/q01-double/given/g_test.go":    "package given\n",
		"katas/kit/a/a.go":                    "package a\n\nimport _ \"whyhow/katas/kit/b\"\n",
		"katas/kit/a/a_test.go":               "package a\n",
		"katas/kit/a/testdata/a.json":         "{}\n",
		"katas/kit/a/README.md":               "# A\n",
		"katas/kit/b/b.go":                    "package b\n",
		"katas/kit/b/data.csv.gz":             "\x00\r\n",
		"katas/kit/c/c.go":                    "package c\n",
		"katas/kit/tensor/tensor.go":          "package tensor\n", // what a solution may import
		"go.sum":                              "",
		"LICENSE":                             "Yours.\r\n",
	} {
		fixture.Write(t, filepath.Join(w.Root, name), text)
	}
	relist(t, w)
	b, left, err := bundle.Of(w, katas, false)
	if err != nil || left != nil {
		t.Fatalf("Of = %v, left %v", err, left)
	}
	want := []string{
		"LICENSE", "go.mod", "go.sum", "katas/kit/a/README.md", "katas/kit/a/a.go", "katas/kit/b/b.go", "katas/kit/b/data.csv.gz", "katas/kit/tensor/tensor.go",
		"katas/q01-double/README.md", "katas/q01-double/double.go", "katas/q01-double/given.go", "katas/q01-double/given/g.go", "katas/q01-double/how_test.go",
		"katas/q01-double/more_test.go", "katas/q01-double/testdata/README.md", "katas/q01-double/testdata/a.json", "katas/q01-double/why_test.go",
	}
	if diff := cmp.Diff(want, names(b)); diff != "" {
		t.Errorf("files mismatch (-want +got):\n%s", diff)
	}
	for _, f := range b.Files() { // the ends of lines of a text are those that git keeps, and no other byte is touched
		if f.Name == "LICENSE" && string(f.Data) != "Yours.\n" || f.Name == "katas/kit/b/data.csv.gz" && string(f.Data) != "\x00\r\n" {
			t.Errorf("%s = %q", f.Name, f.Data)
		}
	}
}

// A library in a folder of the teacher's is none for a student.
func TestReplacedByAFolder(t *testing.T) {
	w, katas := small(t)
	fixture.Write(t, filepath.Join(w.Root, "go.mod"), "module whyhow\n\ngo 1.26\n\nreplace example.com/a => ../a\n")
	relist(t, w)
	if _, _, err := bundle.Student(t.Context(), w, bundle.Plan{Katas: katas}); err == nil || !strings.Contains(err.Error(), "go.mod replaces example.com/a by the folder ../a") || workbook.HintOf(err) == "" {
		t.Errorf("Student = %v (hint: %s)", err, workbook.HintOf(err))
	}
}

func TestAdd(t *testing.T) {
	var b bundle.Bundle
	for _, name := range []string{"README.md", "a/b.go"} {
		if err := b.Add(name, nil); err != nil {
			t.Errorf("Add(%q) = %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "/etc/passwd", "../a", "a/../b", "a//b", `a\b`, "c:b", "readme.md", "a/b.go", "a/b.go/c", "a", "A/B.go"} {
		if err := b.Add(name, nil); err == nil {
			t.Errorf("Add(%q) = nil, want an error", name)
		}
	}
}

// written is a bundle's folder on disk: modes and contents.
func written(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := workbook.Display(dir, path)
		all[name] = info.Mode().String()
		if !d.IsDir() {
			text, err := os.ReadFile(path)
			all[name] += " " + string(text)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheSameTwice(t *testing.T) {
	w, katas := small(t)
	dir := t.TempDir()
	var folders []map[string]string
	var archives [][]byte
	for i := range 2 {
		b, _, err := bundle.Student(t.Context(), w, bundle.Plan{Katas: katas, Hints: true, Vendor: true, Workflow: true})
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, fmt.Sprint(i))
		if i == 1 { // an empty folder may be there
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(b.WriteDir(t.Context(), at), b.WriteZip(t.Context(), at+".zip", "class")); err != nil {
			t.Fatal(err)
		}
		folders = append(folders, written(t, at))
		archive, err := os.ReadFile(at + ".zip")
		if err != nil {
			t.Fatal(err)
		}
		archives = append(archives, archive)
	}
	if diff := cmp.Diff(folders[0], folders[1]); diff != "" {
		t.Errorf("two folders differ:\n%s", diff)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives differ")
	}
	r, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, f := range r.File {
		order = append(order, f.Name)
		entry, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(entry)
		name := strings.TrimPrefix(f.Name, "class/")
		if want := folders[0][name]; err != nil || f.Mode().String()+" "+string(text) != want || f.Modified.Year() != 1980 {
			t.Errorf("%s in the archive is %v of %v, %v; want that of the folder, of 1980", f.Name, f.Mode(), f.Modified, err)
		}
	}
	if !slices.IsSorted(order) || len(order) == 0 {
		t.Errorf("entries are %v, want them in order", order)
	}
}

// After an error nothing is there, neither under the name nor beside it.
func TestNothingHalfWritten(t *testing.T) {
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name string
		ctx  context.Context
		long bool // a name that no file system takes, after files that are written
	}{{"no such name", t.Context(), true}, {"interrupted", stopped, false}} {
		t.Run(c.name, func(t *testing.T) {
			var b bundle.Bundle
			last := "z"
			if c.long {
				last = "z" + strings.Repeat("z", 300)
			}
			if err := errors.Join(b.Add("a/b", []byte("text")), b.Add(last, nil)); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := b.WriteDir(c.ctx, filepath.Join(dir, "class")); err == nil {
				t.Error("WriteDir = nil, want an error")
			}
			if !c.long { // an archive takes any name
				if err := b.WriteZip(c.ctx, filepath.Join(dir, "class.zip"), "class"); err == nil {
					t.Error("WriteZip = nil, want an error")
				}
			}
			if entries, err := os.ReadDir(dir); len(entries) > 0 || err != nil {
				t.Errorf("there is %v, %v", entries, err)
			}
		})
	}
}

func TestFree(t *testing.T) {
	w, _ := small(t)
	dir := t.TempDir()
	fixture.Write(t, filepath.Join(dir, "file"), "")
	fixture.Write(t, filepath.Join(dir, "full", "file"), "")
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "empty"), 0o777), os.Symlink(w.Root, filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(dir, "empty"))
	for _, c := range []struct{ path, says string }{
		{filepath.Join(dir, "new"), ""},
		{"../new", ""},
		{"new", ""},
		{".", "is the folder that you are in"},
		{filepath.Join(dir, "file"), "is there already"},
		{filepath.Join(dir, "full"), "is there already, and is not empty"},
		{filepath.Join(dir, "link"), "is there already"},
		{filepath.Join(dir, "none", "new"), "there is no folder"},
		{filepath.Join(w.Root, "class"), "is inside the workbook"},
		{filepath.Join(w.Root, "katas", "class"), "is inside the workbook"},
		{filepath.Join(dir, "link", "class"), "is inside the workbook"},
		{w.Root, "is there already, and is not empty"},
	} {
		err := bundle.Free(w, c.path)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || workbook.HintOf(err) == "") {
			t.Errorf("Free(%s) = %v (hint: %s), want %q", c.path, err, workbook.HintOf(err), c.says)
		}
	}
}
