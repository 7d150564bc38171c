package proof

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rogpeppe/go-internal/txtar"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

var update = flag.Bool("update", false, "write testdata/operators.txtar")

// Each small source of testdata/operators.txtar is followed by all of its mutants.
func TestOperators(t *testing.T) {
	wb, err := workbook.Open(filepath.Join("..", "..", ".."))
	must(t, err)
	r, err := gotest.New(wb.Root)
	must(t, err)
	packages, err := exports(t.Context(), r, wb.Katas[2:4]) // what these import, the small sources may
	must(t, err)
	const name = "testdata/operators.txtar"
	archive, err := txtar.ParseFile(name)
	must(t, err)
	p := &proof{kata: &workbook.Kata{Package: "small", Dir: t.TempDir()}, imports: packages}
	for i := 0; i < len(archive.Files); i += 2 {
		source, want := archive.Files[i], &archive.Files[i+1]
		t.Run(source.Name, func(t *testing.T) {
			all, err := p.newChecker().mutants(source.Data)
			must(t, err)
			var got strings.Builder
			for _, m := range all {
				got.WriteString(m.In + " " + m.String() + "\n")
			}
			if *update {
				want.Data = []byte(got.String())
			} else if diff := cmp.Diff(string(want.Data), got.String()); diff != "" {
				t.Errorf("mutants mismatch (-want +got), -update writes them:\n%s", diff)
			}
		})
	}
	if *update {
		must(t, os.WriteFile(name, txtar.Format(archive), 0o666))
	}
}

const equivalents = "solutions/q01-double/equivalents.yaml"

func TestMutate(t *testing.T) {
	infinity := Survivor{In: "Sum", Line: 34, Mutant: "constant: if math.IsNaN(v) || math.IsInf(v, 0) { → if math.IsNaN(v) || math.IsInf(v, 1) {"}
	halves := Survivor{In: "Halve", Line: 26, Mutant: "precision: halves = append(halves, v/2) → halves = append(halves, float64(float32(v/2)))"}
	sum := Survivor{In: "Sum", Line: 37, Mutant: "precision: total += v → total = float64(float32(total + (v)))", Hidden: true}
	for name, c := range map[string]struct {
		edits []edit
		want  Mutation
	}{
		"survivors": {
			[]edit{
				{"katas/q01-double/how_test.go", "{1, -2, 4, 8, -16, 32.5}", "{1, -2, 4, 8, -16, 32.1}"}, // no float32
				{"katas/q01-double/how_test.go", "-32, 65}", "-32, 64.2}"},
				{"katas/q01-double/how_test.go", "-48, 97.5}", "-48, 96.3}"},
				{"katas/q01-double/how_test.go", "256, 1056.25}", "256, 1030.41}"},
				{"katas/q01-double/how_test.go", "-8, 16.25}", "-8, 16.05}"},
				{"katas/q01-double/how_test.go", "-4, 8.125}", "-4, 8.025}"},
				{"katas/q01-double/how_test.go", "double.Sum(x), 27.5", "double.Sum(x), 27.1"},
				{"katas/q01-double/how_test.go", `check.Mistake(32.5, "you r`, `check.Mistake(32.1, "you r`},
				{"katas/q01-double/why_test.go", "55.0", "54.2"},
				{"katas/q01-double/how_test.go", "l.At(2), 6.0", "l.At(2.1), 6.3"},
				{"katas/q01-double/how_test.go", "check.Mistake(5.0", "check.Mistake(5.1"},
				{"katas/q01-double/how_test.go", "check.Mistake(2.0, \"you i", "check.Mistake(2.1, \"you i"},
			},
			Mutation{Mutants: 44, Visible: 43, Killed: 43, Survivors: []Survivor{infinity}},
		},
		"killed by the hidden test alone": {
			[]edit{{equivalents, "", "- in: Line.At\n  because: no test asks\n  mutants: |\n    precision: return l.Slope * x → return float64(float32(l.Slope * x))\n"}},
			Mutation{Mutants: 44, Equivalent: 1, Visible: 39, Killed: 41, Survivors: []Survivor{
				{In: "Double", Line: 17, Mutant: "precision: doubled[i] = 2 * x[i] → doubled[i] = float64(float32(2 * x[i]))", Hidden: true}, halves, infinity, sum,
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.Schema, c.want.Kata, c.want.Problems = gotest.Schema, "q01-double", []string{}
			if diff := cmp.Diff([]Mutation{c.want}, mutations(t, c.edits...), cmpopts.IgnoreFields(Mutation{}, "Elapsed")); diff != "" {
				t.Errorf("Mutate mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func mutations(t *testing.T, edits ...edit) (all []Mutation) {
	t.Helper()
	wb := fixture(t, edits...)
	r, err := gotest.New(wb.Root)
	must(t, err)
	must(t, Mutate(t.Context(), r, wb.Katas, func(m Mutation) { all = append(all, m) }))
	return all
}

// What cannot be true of equivalents.yaml is a problem, and so is a reference that is wrong itself.
func TestMutateDefects(t *testing.T) {
	entry := func(in string, mutants ...string) string {
		return "- in: " + in + "\n  because: so it is\n  mutants: |\n    " + strings.Join(mutants, "\n    ") + "\n"
	}
	halves := "precision: halves = append(halves, v/2) → halves = append(halves, float64(float32(v/2)))"
	for name, c := range map[string]struct {
		edit edit
		want []string
	}{
		"entries": {
			edit{equivalents, "", entry("Halve", halves, "constant: v/2 → v/5", halves+" #2") + entry("Sum", halves) + entry("Halve", halves) +
				entry("Mirror.At", "term: return -x → return x") + entry("Sum", "precision: total += v → total = float64(float32(total + (v)))")},
			[]string{
				equivalents + ": line 1: Halve has no mutant constant: v/2 → v/5", equivalents + ": line 1: Halve has no mutant precision",
				equivalents + ": line 7: Sum has no mutant precision: halves", equivalents + ": line 11: it stands in line 1 too: precision",
				equivalents + ": line 15: it is killed, so it is not equivalent: term: return -x → return x", equivalents + ": line 19: it is killed",
			},
		},
		"unreadable": {edit{equivalents, "", "- in: Halve\n  because: so it is\n"}, []string{equivalents + ":1: an entry needs in, because and mutants"}},
		"reference":  {edit{reference, "total += v", "total -= v"}, []string{reference + ": it does not pass TestSum (fail): nothing can be said of its mutants"}},
		"no hidden":  {edit{"solutions/q01-double/hidden_test.go", "", ""}, []string{"solutions/q01-double/hidden_test.go: it is missing"}},
		"toothless": {
			edit{"solutions/q01-double/hidden_test.go", `, check.Kept("x", passed, x))` + "\n\t" + `check.Independent(t, "Double(x)", learner.Double, check.Args{x}, check.Args{x[1:]})`, ")"},
			[]string{"solutions/q01-double/hidden_test.go: TestHiddenDouble notices 2 of the 4 planted mistakes of TestDouble alone, two thirds are wanted; it misses: in place; one slice for all"},
		},
		"uncompiled":  {edit{reference, "total += v", "total += w"}, []string{reference + ": "}},
		"a bad kata":  {edit{"katas/q01-double/README.md", "---\nquestion", "question"}, []string{"katas/q01-double/README.md: line 1 must be ---"}},
		"no solution": {edit{reference, "", ""}, []string{reference + ": it is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := mutations(t, c.edit)[0]
			want(t, got.Problems, c.want...)
			if got.Enough() {
				t.Error("Enough() = true, want false: there are problems")
			}
		})
	}
}

func TestEnough(t *testing.T) {
	for _, c := range []struct {
		m    Mutation
		want bool
	}{
		{Mutation{Mutants: 110, Equivalent: 10, Visible: 98}, true},
		{Mutation{Mutants: 110, Equivalent: 10, Visible: 97, Killed: 100}, false},
		{Mutation{}, true},
		{Mutation{Mutants: 1, Visible: 1, Problems: []string{"stale"}}, false},
	} {
		if got := c.m.Enough(); got != c.want {
			t.Errorf("%+v: Enough() = %v, want %v", c.m, got, c.want)
		}
	}
}

func TestPrintMutations(t *testing.T) {
	all := []Mutation{
		{Kata: "q01-double", Mutants: 110, Equivalent: 10, Visible: 97, Killed: 98, Problems: []string{"a.yaml: stale"}, Survivors: []Survivor{
			{In: "Double", Line: 8, Mutant: "constant: a → b"}, {In: "Double", Line: 112, Mutant: "swap: c → d", Hidden: true}, {In: "Sum", Line: 27, Mutant: "term: e → f #2"},
		}},
		{Kata: "q02-treble"},
	}
	const table = `kata        mutants  equivalent  killed by visible tests  by visible and hidden  survivors  problems
q01-double  110      10          97 (97.0 %)              98 (98.0 %)            3          1
q02-treble  0        0           none                     none                   0          0

a.yaml: stale
`
	for verbose, survivors := range map[bool]string{false: "", true: `
q01-double Double
     8          constant: a → b
   112 (hidden) swap: c → d
q01-double Sum
    27          term: e → f #2
`} {
		var b bytes.Buffer
		must(t, PrintMutations(&b, all, verbose))
		want := table + survivors + "\n1 of 2 katas: the visible tests kill 98 % or more, and nothing else is wrong\n"
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("PrintMutations mismatch (-want +got):\n%s", diff)
		}
	}
}
