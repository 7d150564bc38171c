package workbook_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"whyhow/scripts/internal/workbook"
)

// checkout writes testdata/workbook.txtar into a folder.
func checkout(t *testing.T) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/workbook.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := txtar.Write(archive, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, dir string) *workbook.Workbook {
	t.Helper()
	w, err := workbook.Open(dir)
	if err != nil {
		t.Fatalf("Open = %v (hint: %s)", err, workbook.HintOf(err))
	}
	return w
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOpenFromBelow(t *testing.T) {
	dir := checkout(t)
	w := open(t, filepath.Join(dir, "katas", "q05-batch-norm"))
	var names []string
	for _, k := range w.Katas {
		names = append(names, k.Name)
		if k.Err != nil {
			t.Errorf("%s: %v", k.Name, k.Err)
		}
	}
	// By number, q100 last; kit is no kata.
	if diff := cmp.Diff([]string{"q05-batch-norm", "q12-batch-size", "q100-relu"}, names); diff != "" {
		t.Errorf("katas mismatch (-want +got):\n%s", diff)
	}
	k := w.Katas[0]
	if want := filepath.Join(dir, "katas", "q05-batch-norm", "batchnorm.go"); w.Root != dir || k.File != want || k.Number != "q05" {
		t.Errorf("Root = %s, File = %s, Number = %s, want %s, %s, q05", w.Root, k.File, k.Number, dir, want)
	}
	if k.Level != 2 || k.Minutes != 60 || k.Title != "Batch norm" || !cmp.Equal(k.About, []string{"normalisation", "vanishing gradients"}) {
		t.Errorf("front matter = %+v", k)
	}
	want := []workbook.Step{
		{Test: "TestStats", Title: "Mean and variance", Kind: "how", Points: 1, Minutes: 5},
		{Test: "TestWhySaturation", Title: "Six layers", Kind: "why", Points: 2, Minutes: 10},
	}
	if diff := cmp.Diff(want, k.Steps); diff != "" {
		t.Errorf("Steps mismatch (-want +got):\n%s", diff)
	}
}

func TestOpenOutside(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module whyhowever\n")
	_, err := workbook.Open(dir)
	if err == nil || !strings.Contains(err.Error(), dir) || workbook.HintOf(err) == "" {
		t.Errorf("Open outside a workbook = %v, hint %q, want an error that names the folder, and a hint", err, workbook.HintOf(err))
	}
}

// One broken kata does not hide the others, and its error shows the place.
func TestBrokenKata(t *testing.T) {
	const good = "---\nquestion: Why?\ntitle: T\nlevel: 1\nminutes: 5\nabout: []\nsteps:\n  - {test: TestA, title: a, points: 1, minutes: 1}\n---\n"
	for _, c := range []struct{ name, readme, says string }{
		{"unknown key", strings.Replace(good, "minutes: 5", "minuets: 5", 1), "README.md:5: unknown field \"minuets\"\n"},
		{"unknown key of a step", strings.Replace(good, "points: 1", "point: 1", 1), "README.md:8: unknown field \"point\""},
		{"wrong type", strings.Replace(good, "level: 1", "level: easy", 1), "README.md:4: "},
		{"offending line", strings.Replace(good, "level: 1", "level: easy", 1), "level: easy"},
		{"not YAML", strings.Replace(good, "title: T", "title: [T", 1), "README.md:"},
		{"no front matter", "# Batch norm\n", "line 1 must be ---"},
		{"no end", "---\ntitle: T\n", "has no end"},
		{"no steps", "---\nquestion: Why?\ntitle: T\n---\n", "lists no steps"},
		{"no question", strings.Replace(good, "question: Why?\n", "", 1), "needs a question and a title"},
		{"not a test", strings.Replace(good, "TestA", "Stats", 1), `"Stats" is not the name of a test function`},
		{"step twice", strings.Replace(good, "\n---\n", "\n  - {test: TestA, title: b, points: 1, minutes: 1}\n---\n", 1), "TestA is listed twice"},
		{"Windows line ends", strings.ReplaceAll(good, "\n", "\r\n"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := checkout(t)
			write(t, filepath.Join(dir, "katas", "q12-batch-size", "README.md"), c.readme)
			w := open(t, dir)
			if len(w.Katas) != 3 || w.Katas[0].Err != nil || w.Katas[2].Err != nil {
				t.Fatalf("the other katas suffer: %v", w.Katas)
			}
			err := w.Katas[1].Err
			if c.says == "" {
				if err != nil {
					t.Errorf("Err = %v, want nil", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "katas/q12-batch-size/README.md") {
				t.Errorf("Err = %v, want it to name the file and say %q", err, c.says)
			}
		})
	}
}

func TestFolders(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(katas string) error
		kata string
		says string
	}{
		{"renamed", func(katas string) error {
			return os.Rename(filepath.Join(katas, "q12-batch-size"), filepath.Join(katas, "my batch size"))
		}, "my batch size", "a kata's folder is named qNN-topic"},
		{"no README", func(katas string) error { return os.Remove(filepath.Join(katas, "q12-batch-size", "README.md")) }, "q12-batch-size", "README.md"},
		{"no Go files", func(katas string) error {
			return errors.Join(os.Remove(filepath.Join(katas, "q12-batch-size", "batchsize.go")), os.Remove(filepath.Join(katas, "q12-batch-size", "how_test.go")))
		}, "q12-batch-size", "has no Go files"},
		{"half-written stub", func(katas string) error {
			return os.WriteFile(filepath.Join(katas, "q12-batch-size", "batchsize.go"), []byte("packa"), 0o600)
		}, "q12-batch-size", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := checkout(t)
			if err := c.do(filepath.Join(dir, "katas")); err != nil {
				t.Fatal(err)
			}
			for _, k := range open(t, dir).Katas {
				if k.Name != c.kata {
					if k.Err != nil {
						t.Errorf("%s suffers: %v", k.Name, k.Err)
					}
					continue
				}
				if c.says == "" {
					if k.Err != nil || k.Package != "batchsize" {
						t.Errorf("Err = %v, Package = %s, want nil, batchsize: the tests name the package", k.Err, k.Package)
					}
				} else if k.Err == nil || !strings.Contains(k.Err.Error(), c.says) || workbook.HintOf(k.Err) == "" {
					t.Errorf("Err = %v, want %q and a hint", k.Err, c.says)
				}
			}
		})
	}
}

func TestFind(t *testing.T) {
	w := open(t, checkout(t))
	for _, c := range []struct{ part, name, hint, reason string }{
		{"q05", "q05-batch-norm", "", "the number"},
		{"5", "q05-batch-norm", "", "the number without q and noughts"},
		{"Q5", "q05-batch-norm", "", ""},
		{"05", "q05-batch-norm", "", ""},
		{"100", "q100-relu", "", ""},
		{"q05-batch-norm", "q05-batch-norm", "", "the folder"},
		{"batchnorm", "q05-batch-norm", "", "the package"},
		{"katas/q05-batch-norm/", "q05-batch-norm", "", "the folder as a shell completes it"},
		{"Batch Norm", "q05-batch-norm", "", "the title"},
		{"rectif", "q100-relu", "", "a part of the title"},
		{"norm", "q05-batch-norm", "", "a part of the name"},
		{"batch", "", "q05-batch-norm, q12-batch-size", "two have it"},
		{"batchnrom", "", "did you mean q05-batch-norm?", "a slip of the fingers"},
		{"rleu", "", "did you mean q100-relu?", ""},
		{"pooling", "", "kata list", "nothing near"},
		{"q", "", "", "all have it"},
		{"0", "", "kata list", "no kata has number 0"},
		{"", "", "kata list", ""},
	} {
		t.Run(c.part, func(t *testing.T) {
			k, err := w.Find(c.part)
			if c.name != "" {
				if err != nil || k.Name != c.name {
					t.Errorf("Find(%q) = %v, %v, want %s: %s", c.part, k, err, c.name, c.reason)
				}
				return
			}
			if err == nil || !strings.Contains(workbook.HintOf(err), c.hint) {
				t.Errorf("Find(%q) = %v, %v with hint %q, want an error with hint %q: %s", c.part, k, err, workbook.HintOf(err), c.hint, c.reason)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	k := open(t, checkout(t)).Katas[0]
	section, err := k.Section("TestStats")
	if want := "Write `Stats`.\n\n```\n### not a heading\n```"; section != want || err != nil {
		t.Errorf("Section(TestStats) = %q, %v, want %q", section, err, want)
	}
	if _, err := k.Section("TestNone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Section(TestNone) = %v, want fs.ErrNotExist", err)
	}
	if body, err := k.Readme(); !strings.HasPrefix(body, "# Batch norm\n") || err != nil {
		t.Errorf("Readme = %q, %v, want it from the title on", body, err)
	}
	if answer, err := k.Answer(); !strings.HasPrefix(answer, "# Batch norm: the answer") || err != nil {
		t.Errorf("Answer = %q, %v", answer, err)
	}
	hints, err := k.Hints()
	want := map[string][]workbook.Hint{
		"TestStats":         {{Kind: "Nudge", Text: "Look."}, {Kind: "Idea", Text: "Think.\n\nTwice."}, {Kind: "Formula", Text: "$x$"}},
		"TestWhySaturation": {{Kind: "Nudge", Text: "Run it."}},
	}
	if diff := cmp.Diff(want, hints); diff != "" || err != nil {
		t.Errorf("Hints = %v, mismatch (-want +got):\n%s", err, diff)
	}
	if _, err := open(t, checkout(t)).Katas[1].Hints(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Hints of a kata without = %v, want fs.ErrNotExist", err)
	}
}

func TestSolutions(t *testing.T) {
	dir := checkout(t)
	k := open(t, dir).Katas[0]
	if got, want := k.Reference(), filepath.Join(dir, "solutions", "q05-batch-norm", "batchnorm.go"); got != want {
		t.Errorf("Reference = %s, want %s", got, want)
	}
	alternatives, err := k.Alternatives()
	want := []workbook.Alternative{{Name: "columns", File: filepath.Join(dir, "solutions", "q05-batch-norm", "alternatives", "columns", "batchnorm.go")}}
	if diff := cmp.Diff(want, alternatives); diff != "" || err != nil {
		t.Errorf("Alternatives = %v, mismatch (-want +got):\n%s", err, diff)
	}
	if none, err := open(t, dir).Katas[1].Alternatives(); none != nil || err != nil {
		t.Errorf("Alternatives of a kata without = %v, %v, want none", none, err)
	}
	mistakes, err := k.Mistakes()
	wantMistakes := []workbook.Mistake{
		{
			Name: "sample variance", In: "Stats", Step: "TestStats", Says: "that is the sample variance", Line: 1,
			Edits: []workbook.Edit{{Find: "n := float64(rows)", Replace: "n := float64(rows - 1)"}},
		},
		{
			Name: "no mean", In: "Stats", Step: "TestStats", Says: "you did not subtract the mean", Line: 9,
			Edits: []workbook.Edit{{Find: "- mean", Replace: ""}, {Find: "a", Replace: "b"}},
		},
	}
	if diff := cmp.Diff(wantMistakes, mistakes); diff != "" || err != nil {
		t.Errorf("Mistakes = %v, mismatch (-want +got):\n%s", err, diff)
	}
}

func TestEquivalents(t *testing.T) {
	dir := checkout(t)
	k := open(t, dir).Katas[0]
	if none, err := k.Equivalents(); none != nil || err != nil {
		t.Errorf("Equivalents without the file = %v, %v, want none", none, err)
	}
	write(t, filepath.Join(dir, "solutions/q05-batch-norm/equivalents.yaml"), `# why
- in: Stats
  because: a sum, in either order
  mutants: |
    swap: a + b → b + a
    constant: case "x": → case 'y': #2

- in: Layer.Train
  because: so it is
  mutants: |
    term: a → nothing
`)
	got, err := k.Equivalents()
	want := []workbook.Equivalent{
		{In: "Stats", Because: "a sum, in either order", Line: 2, Mutants: []string{"swap: a + b → b + a", "constant: case \"x\": → case 'y': #2"}},
		{In: "Layer.Train", Because: "so it is", Line: 8, Mutants: []string{"term: a → nothing"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Equivalents = %v, mismatch (-want +got):\n%s", err, diff)
	}
}

func TestFilesThatDoNotHold(t *testing.T) {
	const mistake = "- name: a\n  in: F\n  edits:\n    - find: x\n      replace: y\n  step: TestStats\n  says: s\n"
	for _, c := range []struct{ name, file, text, says string }{
		{"unknown key", "solutions/q05-batch-norm/mistakes.yaml", mistake + "  sais: s\n", "mistakes.yaml:8: unknown field \"sais\""},
		{"no says", "solutions/q05-batch-norm/mistakes.yaml", strings.Replace(mistake, "  says: s\n", "", 1), "mistakes.yaml:1: mistake \"a\" needs"},
		{"twice", "solutions/q05-batch-norm/mistakes.yaml", mistake + mistake, "mistakes.yaml:8: mistake \"a\" is there twice"},
		{"no such step", "solutions/q05-batch-norm/mistakes.yaml", strings.Replace(mistake, "TestStats", "TestNone", 1), "step \"TestNone\" is not one"},
		{"empty find", "solutions/q05-batch-norm/mistakes.yaml", strings.Replace(mistake, "find: x", "find: ''", 1), "find is empty"},
		{"not a list", "solutions/q05-batch-norm/mistakes.yaml", "name: a\n", "mistakes.yaml:1: "},
		{"no reason", "solutions/q05-batch-norm/equivalents.yaml", "- in: F\n  mutants: |\n    term: a → b\n", "equivalents.yaml:1: an entry needs in, because and mutants"},
		{"no mutants", "solutions/q05-batch-norm/equivalents.yaml", "- in: F\n  because: b\n  mutants: |\n\n", "equivalents.yaml:1: an entry needs"},
		{"unknown key of an equivalent", "solutions/q05-batch-norm/equivalents.yaml", "- in: F\n  reason: b\n", "equivalents.yaml:2: unknown field \"reason\""},
		{"hint of no step", "hints/q05-batch-norm.md", "# Hints\n## TestNone\n", "q05-batch-norm.md:2: TestNone is not a step"},
		{"hint of no kind", "hints/q05-batch-norm.md", "# Hints\n## TestStats\n### Code\n", "q05-batch-norm.md:3: Code is not one of"},
		{"hint before a step", "hints/q05-batch-norm.md", "# Hints\n### Nudge\n", "q05-batch-norm.md:2: Nudge stands before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := checkout(t)
			write(t, filepath.Join(dir, c.file), c.text)
			k := open(t, dir).Katas[0]
			_, err := k.Mistakes()
			switch {
			case strings.HasPrefix(c.file, "hints"):
				_, err = k.Hints()
			case strings.HasSuffix(c.file, "equivalents.yaml"):
				_, err = k.Equivalents()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want %q", err, c.says)
			}
		})
	}
}
