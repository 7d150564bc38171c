package grade_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/grade"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/submission"
	"whyhow/scripts/internal/workbook"
)

func TestMain(m *testing.M) {
	sandbox.Launch()
	m.Run()
}

const hidden = `//go:build hidden

package double_test

import (
	"runtime/debug"
	"testing"

	learner "whyhow/katas/q01-double"
	reference "whyhow/solutions/q01-double"
)

func init() { debug.SetMaxStack(64 << 20) }

func TestHiddenDouble(t *testing.T) {
	defer rescue(t)
	for _, x := range []float64{-1.5, 0.25, 1e6} {
		if got, want := learner.Double(x), reference.Double(x); got != want {
			t.Errorf("Double(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestHiddenHalve(t *testing.T) {
	defer rescue(t)
	for _, x := range []float64{-1.5, 0.25, 1e6} {
		if got, want := learner.Halve(x), reference.Halve(x); got != want {
			t.Errorf("Halve(%v) = %v, want %v", x, got, want)
		}
	}
}
`

// limit is the CPU time of a step: those that loop need not loop for long.
const limit = time.Second / 2

// class is the small workbook, what grades it, and the one kata that is graded.
func class(t *testing.T, kind string) (*grade.Grader, *workbook.Kata) {
	t.Helper()
	w := fixture.Workbook(t)
	fixture.Write(t, filepath.Join(w.Root, "solutions", "q01-double", "hidden_test.go"), hidden)
	k, err := w.Find("q01")
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.Find(kind)
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skipf("no sandbox of the kind %q works here: %v", kind, err)
		}
		t.Fatal(err)
	}
	r, err := gotest.New(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	if err := grade.Confine(t.Context(), r, box, filepath.Join(t.TempDir(), "cache"), []*workbook.Kata{k}); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	g := &grade.Grader{Runner: r, Journal: j, Katas: []*workbook.Kata{k}, Seed: 7, Sandbox: box.Name(), Limit: limit}
	if err := g.Begin(); err != nil {
		t.Fatal(err)
	}
	return g, k
}

// attack is a hostile submission: what it tries, a piece of what the gate says of it ("-" if it passes the gate), whether sandbox and channel hold without the gate,
// and the points that it has earned.
type attack struct {
	name, what, gate string
	alone            bool
	earns            int
	files            []txtar.File
}

func attacks(t *testing.T) (all []attack) {
	t.Helper()
	found, err := filepath.Glob("testdata/hostile/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range found {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		a := attack{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), files: archive.Files}
		for line := range strings.Lines(string(archive.Comment)) {
			switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
			case "what":
				a.what = value
			case "gate":
				a.gate = value
			case "alone":
				a.alone = value == "yes"
			case "earns":
				if a.earns, err = strconv.Atoi(value); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
			}
		}
		if a.what == "" || a.gate == "" {
			t.Errorf("%s does not say what it tries, and what the gate says", file)
		}
		all = append(all, a)
	}
	if len(all) < 50 {
		t.Errorf("there are %d hostile submissions, want at least 50", len(all))
	}
	return all
}

// handIn writes a submission as its author would, and reads it as the judge does.
func (a attack) handIn(t *testing.T, k *workbook.Kata) submission.Submission {
	t.Helper()
	dir := filepath.Join(t.TempDir(), a.name)
	for _, f := range a.files {
		fixture.Write(t, filepath.Join(dir, f.Name), string(f.Data))
	}
	found, err := submission.Find(t.Context(), []*workbook.Kata{k}, []string{dir}, submission.Options{})
	if err != nil || len(found) != 1 {
		t.Fatalf("Find = %d submissions, %v", len(found), err)
	}
	return found[0].Read(t.Context())
}

// No hostile submission gains a point that it did not earn, with all walls and, where that can be, without the gate; and none stops the others.
func TestHostile(t *testing.T) {
	if os.Getenv("HOSTILE") == "" {
		t.Skip("make hostile runs it: it takes a minute")
	}
	t.Setenv("SECRET_TOKEN", "x")
	g, k := class(t, "")
	for _, a := range attacks(t) {
		t.Run(a.name, func(t *testing.T) {
			s := a.handIn(t, k)
			violations, err := gate.Check(k, s.Files[k.Name].Content)
			said := fmt.Sprint(violations)
			if a.gate != "-" && (err != nil || !strings.Contains(said, a.gate)) || a.gate == "-" && len(violations) > 0 {
				t.Errorf("the gate says %s, %v, want %s", said, err, a.gate)
			}
			r, err := g.Grade(t.Context(), s)
			if err != nil {
				t.Fatalf("Grade = %v: it stopped the batch", err)
			}
			if m := r.Marks[0]; m.Score != a.earns {
				t.Errorf("%s: %d points, want %d\n%s", a.what, m.Score, a.earns, told(m.Report))
			}
			if a.gate == "-" || !a.alone {
				return
			}
			reports, err := g.Runner.Batch(t.Context(), []gotest.Submission{{Kata: k, Subject: gotest.Subject{Name: a.name, File: k.Package + ".go", Source: s.Files[k.Name].Content}}},
				gotest.Options{Hidden: true, NoVet: true, Limit: limit})
			if err != nil {
				t.Fatalf("without the gate: Batch = %v: it stopped the batch", err)
			}
			if score, _ := grade.Score(reports[0]); score != a.earns {
				t.Errorf("without the gate, %s: %d points, want %d\n%s", a.what, score, a.earns, told(reports[0]))
			}
		})
	}
}

func told(r *gotest.Report) string {
	var out bytes.Buffer
	if r.Build != nil {
		fmt.Fprintln(&out, r.Build.Output)
	}
	for _, s := range r.Steps {
		fmt.Fprintln(&out, s.Test, s.Status, s.Text())
	}
	return out.String()
}
