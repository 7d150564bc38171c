package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// edit replaces old, which occurs in the file, by new. Without old the file becomes new; without both it is removed.
type edit struct{ file, old, new string }

// fixture writes the sound workbook with defects planted in it.
func fixture(t *testing.T, edits ...edit) *workbook.Workbook {
	t.Helper()
	dir := t.TempDir()
	archive, err := txtar.ParseFile("testdata/workbook.txtar")
	must(t, err)
	must(t, txtar.Write(archive, dir))
	repository := filepath.Join("..", "..", "..")
	must(t, os.CopyFS(filepath.Join(dir, "katas", "kit"), os.DirFS(filepath.Join(repository, "katas", "kit"))))
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(repository, name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o666))
	}
	for _, e := range edits {
		file := filepath.Join(dir, e.file)
		switch {
		case e.old == "" && e.new == "":
			must(t, os.Remove(file))
			continue
		case e.old == "":
			must(t, os.MkdirAll(filepath.Dir(file), 0o777))
			must(t, os.WriteFile(file, []byte(e.new), 0o666))
			continue
		}
		text, err := os.ReadFile(file)
		must(t, err)
		if !bytes.Contains(text, []byte(e.old)) {
			t.Fatalf("%s has no %q to replace", e.file, e.old)
		}
		must(t, os.WriteFile(file, bytes.Replace(text, []byte(e.old), []byte(e.new), 1), 0o666))
	}
	wb, err := workbook.Open(dir)
	must(t, err)
	return wb
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, wb *workbook.Workbook, o Options) Result {
	t.Helper()
	r, err := gotest.New(wb.Root)
	must(t, err)
	done := 0
	o.Done = func(Result) { done++ }
	results, err := Verify(t.Context(), wb, r, wb.Katas, o)
	must(t, err)
	if len(results) != 1 || done != 1 {
		t.Fatalf("Verify = %d results, Done was called %d times, want one each", len(results), done)
	}
	return results[0]
}

// want checks that the problems are those wanted, each by its beginning, and no others, in any order.
func want(t *testing.T, problems []string, wanted ...string) {
	t.Helper()
	left := slices.Clone(problems)
	for _, w := range wanted {
		i := slices.IndexFunc(left, func(problem string) bool { return strings.HasPrefix(problem, w) })
		if i < 0 {
			t.Errorf("no problem begins with\n  %s\nthe problems are\n  %s", w, strings.Join(problems, "\n  "))
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	if len(left) > 0 {
		t.Errorf("problems that nobody planted:\n  %s", strings.Join(left, "\n  "))
	}
}

func TestSoundKata(t *testing.T) {
	got := verify(t, fixture(t), Options{})
	want(t, got.Problems)
	if got.Kata != "q01-double" || got.Steps != 5 || got.Mistakes != 9 || got.Alternatives != 1 || got.Figures != 1 || got.Passed < 50 {
		t.Errorf("Verify = %+v, want 5 steps, 9 mistakes, 1 alternative, 1 figure and more than 50 checks", got)
	}
	if got.Raced || len(got.Skipped) > 0 {
		t.Errorf("raced = %v, skipped %v: it has no goroutines", got.Raced, got.Skipped)
	}
}

// A checkout whose files have the ends of lines of Windows is as sound.
func TestSoundKataWithCRLF(t *testing.T) {
	wb := fixture(t)
	must(t, filepath.WalkDir(wb.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".go", ".md", ".yaml"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "\n", "\r\n")), 0o666)
	}))
	wb, err := workbook.Open(wb.Root)
	must(t, err)
	got := verify(t, wb, Options{})
	want(t, got.Problems)
}

// Each defect of a file is named, with that file, and nothing else is.
func TestFileDefects(t *testing.T) {
	const (
		readme    = "katas/q01-double/README.md"
		stub      = "katas/q01-double/double.go"
		how       = "katas/q01-double/how_test.go"
		why       = "katas/q01-double/why_test.go"
		reference = "solutions/q01-double/double.go"
		hidden    = "solutions/q01-double/hidden_test.go"
		answer    = "solutions/q01-double/ANSWER.md"
		hints     = "hints/q01-double.md"
	)
	for name, c := range map[string]struct {
		edits []edit
		want  []string
	}{
		"nothing":                   {nil, nil},
		"level":                     {[]edit{{readme, "level: 1", "level: 4"}}, []string{readme + ": level is 4"}},
		"minutes":                   {[]edit{{readme, "minutes: 10", "minutes: 0"}}, []string{readme + ": minutes is 0"}},
		"about":                     {[]edit{{readme, "[arithmetic]", "[]"}}, []string{readme + ": about is empty"}},
		"points of a step":          {[]edit{{readme, "points: 1", "points: 0"}}, []string{readme + ": step TestDouble needs"}},
		"a step's title":            {[]edit{{readme, "title: Twice each value, ", ""}}, []string{readme + ": step TestDouble needs"}},
		"a missing section":         {[]edit{{readme, "## Definitions\n", ""}}, []string{readme + ": its headings are"}},
		"another title":             {[]edit{{readme, "# Doubling\n", "# Twice\n"}}, []string{readme + ": its headings are"}},
		"a step without a section":  {[]edit{{readme, "### TestSum: all values together", "Also:"}}, []string{readme + ": its ### sections are"}},
		"a section without a text":  {[]edit{{readme, "Write Sum.\n", ""}}, []string{readme + `: section "TestSum: all values together" needs`}},
		"a section without a title": {[]edit{{readme, "### TestSum: all values together", "### TestSum"}}, []string{readme + `: section "TestSum" needs`}},
		"code in the README":        {[]edit{{readme, "Write Sum.", "Write\n\n    for i := range doubled  {\n"}}, []string{readme + ": it shows the code of an answer: for i := range doubled {"}},
		"steps out of order": {
			[]edit{{how, "func TestHalve(", "func TestTemporary("}, {how, "func TestSum(", "func TestHalve("}, {how, "func TestTemporary(", "func TestSum("}},
			[]string{how + ": its test functions are [TestDouble TestSum TestHalve TestLine], the how steps"},
		},
		"a test that is no step":  {[]edit{{why, "func TestWhyLinear(", "func TestWhyMore(t *testing.T) { defer check.Rescue(t) }\n\nfunc TestWhyLinear("}}, []string{why + ": its test functions are [TestWhyMore TestWhyLinear]"}},
		"a step without a test":   {[]edit{{how, "func TestSum(", "func testSum("}}, []string{how + ": its test functions are"}},
		"a test in another file":  {[]edit{{"katas/q01-double/more_test.go", "", "package double_test\n\nimport \"testing\"\n\nfunc TestMore(t *testing.T) { defer check.Rescue(t) }\n"}}, []string{"katas/q01-double/more_test.go: [TestMore] stand here"}},
		"no Rescue in a test":     {[]edit{{how, "func TestSum(t *testing.T) {\n\tdefer check.Rescue(t)", "func TestSum(t *testing.T) {"}}, []string{how + ": line 47: func TestSum must begin with: defer check.Rescue(t)"}},
		"Rescue comes second":     {[]edit{{how, "func TestSum(t *testing.T) {\n", "func TestSum(t *testing.T) {\n\tt.Helper()\n"}}, []string{how + ": line 47: func TestSum must begin"}},
		"Rescue is not deferred":  {[]edit{{how, "func TestSum(t *testing.T) {\n\tdefer ", "func TestSum(t *testing.T) {\n\t"}}, []string{how + ": line 47: func TestSum must begin"}},
		"no Rescue in a subtest":  {[]edit{{how, "t.Run(\"in place\", func(t *testing.T) {\n\t\tdefer check.Rescue(t)", "t.Run(\"in place\", func(t *testing.T) {"}}, []string{how + ": line 19: the function of this subtest must begin"}},
		"the parent's t":          {[]edit{{how, "t.Run(\"in place\", func(t *testing.T) {", "t.Run(\"in place\", func(u *testing.T) {"}}, []string{how + ": line 19: the function of this subtest must begin with: defer check.Rescue(u)"}},
		"a table's function":      {[]edit{{how, "\"values\": func(t *testing.T) {\n\t\t\tdefer check.Rescue(t)", "\"values\": func(t *testing.T) {"}}, []string{how + ": line 30: the function of this subtest must begin"}},
		"a named function":        {[]edit{{how, "func halveNothing(t *testing.T) {\n\tdefer check.Rescue(t)", "func halveNothing(t *testing.T) {"}}, []string{how + ": line 42: func halveNothing, which is run as a subtest, must begin"}},
		"require.Panics":          {[]edit{{how, "check.Equal(t, \"Halve()\"", "require.Panics(t, func() { double.Halve() })\n\tcheck.Equal(t, \"Halve()\""}}, []string{how + ": line 44: require.Panics passes on a stub"}},
		"no Rescue when hidden":   {[]edit{{hidden, "\tdefer check.Rescue(t)\n", ""}}, []string{hidden + ": line 17: func TestHiddenDouble must begin"}},
		"a step without hidden":   {[]edit{{hidden, "//kata:nohidden TestHalve", "// TestHalve"}}, []string{hidden + ": there is no hidden test for the how step TestHalve"}},
		"hidden without a step":   {[]edit{{hidden, "func TestHiddenSum", "func TestHiddenTreble"}}, []string{hidden + ": TestHiddenTreble belongs to no how step", hidden + ": there is no hidden test for the how step TestSum"}},
		"hidden of a why step":    {[]edit{{hidden, "func TestHiddenSum", "func TestHiddenWhyLinear"}}, []string{hidden + ": TestHiddenWhyLinear belongs to no how step", hidden + ": there is no hidden test for the how step TestSum"}},
		"a hidden test's name":    {[]edit{{hidden, "func TestHiddenSum", "func TestSum"}}, []string{hidden + ": TestSum belongs to no how step", hidden + ": there is no hidden test for the how step TestSum"}},
		"no reason to hide none":  {[]edit{{hidden, "TestHalve because all", "TestHalve all"}}, []string{hidden + ": line 14: write //kata:nohidden", hidden + ": there is no hidden test for the how step TestHalve"}},
		"a reason in vain":        {[]edit{{hidden, "//kata:nohidden TestHalve", "//kata:nohidden TestSum because it is simple\n//kata:nohidden TestHalve"}}, []string{hidden + ": TestSum has a hidden test and a reason"}},
		"a reason for no step":    {[]edit{{hidden, "//kata:nohidden TestHalve", "//kata:nohidden TestTreble because it is simple\n//kata:nohidden TestHalve"}}, []string{hidden + ": line 14: TestTreble is no how step"}},
		"no hidden test":          {[]edit{{hidden, "", ""}}, []string{hidden + ": it is missing", hidden + ": it has no test function"}},
		"hidden without its tag":  {[]edit{{hidden, "//go:build hidden\n\n", ""}}, []string{hidden + ": line 1 must be //go:build hidden"}},
		"a function called once":  {[]edit{{how, "\tcheck.Independent(t, \"Double(x)\"", "\t_ = check.Copy[any]; func(...any) {}(t, \"Double(x)\""}}, []string{how + ": Double is not called several times"}},
		"a namesake called once":  {[]edit{{how, "double.Mirror.At, ", "(*double.Line).At, "}}, []string{how + ": Mirror.At is not called several times"}},
		"an exemption":            {[]edit{{how, "\tcheck.Independent(t, \"Double(x)\"", "\t//kata:exempt Double it is called often enough\n\tfunc(...any) {}(t, \"Double(x)\""}}, nil},
		"no reason":               {[]edit{{how, "var x =", "//kata:exempt Double sure\nvar x ="}}, []string{how + ": line 11: write //kata:exempt, the function, and why"}},
		"an exemption in vain":    {[]edit{{how, "var x =", "//kata:exempt Double it is simple enough\nvar x ="}}, []string{how + ": line 11: Double is exempt, but"}},
		"no such exemption":       {[]edit{{how, "var x =", "//kata:exempt Treble it is simple enough\nvar x ="}}, []string{how + ": line 11: Treble is exempt, but"}},
		"nothing of memory":       {[]edit{{stub, "and returns memory of its own", "and returns"}}, []string{stub + ": its package comment lacks the sentence\n    Unless", reference + ": its package comment differs"}},
		"nothing of the prefix":   {[]edit{{stub, "begins with \"double: \"", "says why"}}, []string{stub + ": its package comment lacks the sentence\n    A caller's error", reference + ": its package comment differs"}},
		"a stub that is done":     {[]edit{{stub, "panic(\"TODO: Sum\")", "return 0"}}, []string{stub + `: the body of Sum must be exactly panic("TODO: Sum")`}},
		"a stub of another name":  {[]edit{{stub, "TODO: Line.At", "TODO: At"}}, []string{stub + `: the body of Line.At must be exactly panic("TODO: Line.At")`}},
		"a stub not formatted":    {[]edit{{stub, "\tSlope float64 //", "\tSlope   float64 //"}}, []string{stub + ": it is not gofmt-clean"}},
		"a stub without a doc":    {[]edit{{stub, "// Sum returns the sum of x, 0 if it is empty. It panics if a value is NaN or infinite.\n", ""}}, []string{stub + ": Sum has no doc comment", reference + ": the doc comment of Sum differs"}},
		"another doc":             {[]edit{{reference, "0 if it is empty", "or 0"}}, []string{reference + ": the doc comment of Sum differs"}},
		"another signature":       {[]edit{{reference, "(total float64)", "(sum float64)"}}, []string{reference + ": Sum differs from the stub's: it must be\n    func Sum(x []float64) (total float64)"}},
		"another field":           {[]edit{{reference, "Slope float64", "Rise float64"}}, []string{reference + ": Line differs from the stub's"}},
		"a further exported name": {[]edit{{reference, "// Mirror is", "// Flat is 0.\nconst Flat = 0\n\n// Mirror is"}}, []string{reference + ": Flat is exported, and the stub has no such name"}},
		"a missing name":          {[]edit{{reference, "func Sum(", "func sum("}}, []string{reference + ": Sum of the stub is missing"}},
		"no reference":            {[]edit{{reference, "", ""}}, []string{reference + ": it is missing"}},
		"no hints":                {[]edit{{hints, "", ""}}, []string{hints + ": it is missing"}},
		"a hint too few":          {[]edit{{hints, "### Idea\n\nBy two.\n", ""}}, []string{hints + ": step TestHalve has the hints [Nudge Formula]"}},
		"an empty hint":           {[]edit{{hints, "By two.\n", ""}}, []string{hints + ": step TestHalve has the hints [Nudge Formula]"}},
		"hints in another order":  {[]edit{{hints, "### Nudge", "### Idea"}, {hints, "### Idea\n\nTo", "### Nudge\n\nTo"}}, []string{hints + ": step TestDouble has the hints [Idea Nudge Formula]"}},
		"hints under another":     {[]edit{{hints, "## TestHalve", "## TestThird"}}, []string{hints + ":17: TestThird is not a step of the kata"}},
		"a fence in the hints":    {[]edit{{hints, "By two.", "```\nx / 2\n```"}}, []string{hints + ": it has a code fence"}},
		"code in the hints":       {[]edit{{hints, "By two.", "`halves = append(halves, v/2)`"}}, []string{hints + ": it shows the code of an answer: halves = append(halves, v/2)"}},
		"the hints' title":        {[]edit{{hints, "# Hints: Doubling", "# Doubling"}}, []string{hints + `: line 1 must be "# Hints: Doubling"`}},
		"no answer":               {[]edit{{answer, "", ""}}, []string{answer + ": it is missing"}},
		"an answer's part":        {[]edit{{answer, "## Sources", "### Sources"}}, []string{answer + ": its headings are"}},
		"an empty part":           {[]edit{{answer, "- 2 + 2 = 4.\n", ""}}, []string{answer + `: section "The numbers" is empty`}},
		"a short answer":          {[]edit{{answer, strings.Repeat("one two three four five six seven eight nine ten ", 2)[:97] + "\n", ""}, {answer, strings.Repeat("one two three four five six seven eight nine ten ", 2)[:97] + "\n", ""}}, []string{answer + ": the 60-second answer has 80 words"}},
		"a long answer":           {[]edit{{answer, "one two", strings.Repeat("word ", 100) + "one two"}}, []string{answer + ": the 60-second answer has 220 words"}},
		"two follow-ups":          {[]edit{{answer, "### And zero?", "And zero?"}}, []string{answer + ": it has 2 follow-ups"}},
		"a follow-up without bad": {[]edit{{answer, "Bad: shrugs.\n", ""}}, []string{answer + `: follow-up "And thrice?" needs`}},
		"three levels":            {[]edit{{answer, "| 4 | proves |\n", ""}}, []string{answer + ": the rubric's levels are [1 2 3]"}},
	} {
		t.Run(name, func(t *testing.T) {
			wb := fixture(t, c.edits...)
			p := &proof{kata: wb.Katas[0], root: wb.Root}
			must(t, p.kata.Err)
			p.files()
			want(t, p.Problems, c.want...)
		})
	}
}

func TestUnreadableKata(t *testing.T) {
	got := verify(t, fixture(t, edit{"katas/q01-double/README.md", "---\nquestion", "question"}), Options{})
	want(t, got.Problems, "katas/q01-double/README.md: line 1 must be ---")
}

const (
	reference = "solutions/q01-double/double.go"
	mistakes  = "solutions/q01-double/mistakes.yaml"
)

// Defects that show only when code runs: of the tests, of the mistakes, of the alternatives and of the figure.
func TestRunDefects(t *testing.T) {
	t.Setenv("CC", "/nowhere/gcc")
	planted := func(name, in, find, replace, step, says string) string {
		return fmt.Sprintf("- name: %s\n  in: %s\n  edits:\n    - {find: %q, replace: %q}\n  step: %s\n  says: %s\n", name, in, find, replace, step, says)
	}
	got := verify(t, fixture(t,
		racing,
		edit{"katas/q01-double/how_test.go", "func TestSum(t *testing.T) {\n\tdefer check.Rescue(t)\n", "func TestSum(t *testing.T) {\n\tdefer check.Rescue(t)\n\treturn\n"},
		edit{"katas/q01-double/why_test.go", `"Twice"`, `"∇ twice"`},
		edit{"solutions/q01-double/hidden_test.go", "func TestHidden", "func TestNothing(t *testing.T) { defer check.Rescue(t) }\n\nfunc TestHidden"},
		edit{"solutions/q01-double/alternatives/wrong/double.go", "", strings.Replace(readTxtar(t, reference), "v/2", "v/3", 1)},
		edit{"solutions/q01-double/alternatives/broken/double.go", "", "package double\n\nfunc Double(x []float64) []float64 { return x +  }\n"},
		edit{mistakes, "", planted("no such function", "Treble", "2", "3", "TestDouble", "you tripled") +
			planted("not there", "Double", "3 * x", "2 * x", "TestDouble", "you tripled") +
			planted("there twice", "Double", "doubled", "x", "TestDouble", "you tripled") +
			planted("unused import", "Double", "slices.Clone(x)", "append([]float64(nil), x...)", "TestDouble", "you squared") +
			planted("unused variable", "Line.At", "return l.Slope * x", "y := x; return l.Slope * x", "TestLine", "you added the slope") +
			planted("no Go", "Line.At", "return", "retrun", "TestLine", "you added the slope") +
			planted("harmless", "Line.At", "l.Slope * x", "x * l.Slope", "TestLine", "you added the slope") +
			planted("not diagnosed", "Halve", "v/2", "v/64 + v*v", "TestHalve", "you cubed") +
			planted("taken for another", "Line.At", "l.Slope * x", "x", "TestLine", "you ignored") +
			planted("that other", "Line.At", "l.Slope * x", "l.Slope + x", "TestLine", "the slope") +
			planted("caught elsewhere", "Sum", "+=", "=", "TestSum", "you returned the last value") +
			planted("of a method without a receiver's name", "Mirror.At", "-x", "x", "TestLine", "no such words") +
			"- name: overlapping\n  in: Double\n  edits:\n    - {find: \"2 * x\", replace: \"3 * x\"}\n    - {find: \"* x[i]\", replace: \"* x[0]\"}\n  step: TestDouble\n  says: you tripled\n"},
	), Options{CI: true})
	want(t, got.Problems,
		"katas/q01-double/how_test.go: TestSum is pass on the untouched stub, not todo",
		"katas/q01-double/how_test.go: Sum panics in 2 cases by its comment, 0 are tested",
		"katas/q01-double/why_test.go: TestWhyLinear: figure double.json cannot be drawn: ",
		"solutions/q01-double/hidden_test.go: TestNothing belongs to no how step",
		"solutions/q01-double/hidden_test.go: TestNothing passes on the untouched stub",
		"katas/q01-double: the race detector: this machine has no C compiler (/nowhere/gcc), and CI skips nothing",
		"solutions/q01-double/double.go: it could not be submitted: line 39: chan: this kata needs no goroutines",
		"solutions/q01-double/alternatives/broken/double.go: the alternative: broken does not compile",
		"solutions/q01-double/alternatives/wrong/double.go: the alternative: wrong does not pass TestHalve (fail)",
		mistakes+`: line 1: mistake "no such function": the reference has no function Treble`,
		mistakes+`: line 7: mistake "not there": find "3 * x" occurs 0 times in Double`,
		mistakes+`: line 13: mistake "there twice": find "doubled" occurs 4 times in Double: it must occur once`,
		mistakes+`: line 19: mistake "unused import": it does not compile: `,
		mistakes+`: line 25: mistake "unused variable": it does not compile: `,
		mistakes+`: line 31: mistake "no Go": it does not compile: `,
		mistakes+`: line 37: mistake "harmless": TestLine is pass: it must fail`,
		mistakes+`: line 43: mistake "not diagnosed": TestHalve does not print "you cubed"`,
		mistakes+`: line 49: mistake "taken for another": it is taken for another one: TestLine prints "the slope", what mistake "that other" must print`,
		mistakes+`: line 55: mistake "that other": it is taken for another one: TestLine prints "you added the slope"`,
		mistakes+`: line 61: mistake "caught elsewhere": TestSum is pass: it must fail`,
		mistakes+`: line 67: mistake "of a method without a receiver's name": TestLine does not print "no such words"`,
		mistakes+`: line 73: mistake "overlapping": two of its edits overlap`,
	)
}

func readTxtar(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/workbook.txtar")
	must(t, err)
	for _, f := range archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	t.Fatalf("the fixture has no %s", name)
	return ""
}

// one returns a proof of the fixture's kata, to hold one part of it.
func one(t *testing.T, edits ...edit) *proof {
	t.Helper()
	wb := fixture(t, edits...)
	r, err := gotest.New(wb.Root)
	must(t, err)
	imports, err := exports(t.Context(), r, wb.Katas)
	must(t, err)
	return &proof{kata: wb.Katas[0], root: wb.Root, runner: r, imports: imports, quiet: new(sync.RWMutex), most: cost{howLimit, wholeLimit}}
}

func TestWrongReference(t *testing.T) {
	p := one(t,
		edit{reference, "total += v", "total += 2 * v"},
		edit{"solutions/q01-double/hidden_test.go", "reference.Sum(x),", "reference.Sum(x)+1,"},
		edit{"katas/q01-double/why_test.go", `figure.Save(t, "double", figure.Figure{`, `_ = (figure.Figure{`},
	)
	must(t, p.reference(t.Context()))
	want(t, p.Problems,
		reference+": the reference does not pass TestSum (fail)\n    katas/q01-double/how_test.go:",
		reference+": the reference does not pass TestWhyLinear (fail)",
		reference+": the reference does not pass TestHiddenSum (fail)",
		"katas/q01-double/why_test.go: no why step recorded a figure",
	)
}

// Where the reference itself fails a how step, the planted mistakes would all be blamed for that.
func TestMistakesOfAWrongReference(t *testing.T) {
	for name, c := range map[string]struct{ with, problem string }{
		"it fails":            {"total += 2 * v", "the reference does not pass TestSum (fail)"},
		"it does not compile": {"total += w", "the reference does not compile: "},
	} {
		t.Run(name, func(t *testing.T) {
			p := one(t, edit{reference, "total += v", c.with})
			must(t, p.reference(t.Context()))
			p.Problems = slices.DeleteFunc(p.Problems, func(s string) bool { return strings.Contains(s, "TestWhy") || strings.Contains(s, "no why step") })
			must(t, p.mistakes(t.Context()))
			want(t, p.Problems, reference+": "+c.problem)
			if diff := cmp.Diff([]string{mistakes + ": no planted mistake is run before the reference passes the how steps"}, p.Skipped); diff != "" {
				t.Errorf("Skipped mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

// A step that is done is lost if its hidden test calls what a later step asks for, be it through something else.
func TestHiddenTestOfLaterSteps(t *testing.T) {
	const hidden = "solutions/q01-double/hidden_test.go"
	for name, c := range map[string]struct {
		edits   []edit
		problem string
	}{
		"a later function": {[]edit{{hidden, "learner.Double(passed),", "learner.Double(learner.Halve(learner.Double(x)...)),"}}, "Halve is not implemented yet"},
		"a later method":   {[]edit{{hidden, "learner.Double(passed),", "learner.Double([]float64{learner.Mirror{}.At(-x[0]), x[1]}),"}}, "Mirror.At is not implemented yet"},
		"an earlier step":  {[]edit{{hidden, "learner.Sum(x), reference.Sum(x),", "learner.Sum(learner.Double(x)), reference.Sum(reference.Double(x)),"}}, ""},
		"what the reference calls": {[]edit{ // then the visible test cannot do without it either
			{reference, "halves = append(halves, v/2)", "halves = append(halves, (&Line{Slope: v}).At(0.5))"},
			{hidden, "//kata:nohidden TestHalve because all it does is divide by two\n", ""},
			{hidden, "func TestHiddenSum", "func TestHiddenHalve(t *testing.T) {\n\tdefer check.Rescue(t)\n\tx := check.Rand(t).NormFloat64()\n" +
				"\tcheck.Equal(t, \"Halve(x)\", learner.Halve(x), reference.Halve(x), check.Rel(1e-12))\n}\n\nfunc TestHiddenSum"},
			{mistakes, "v/2\", replace: \"v/4", "(0.5)\", replace: \"(0.25)"},
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := one(t, c.edits...)
			p.files()
			must(t, p.mistakes(t.Context()))
			if c.problem == "" {
				want(t, p.Problems)
				return
			}
			want(t, p.Problems, hidden+": TestHiddenDouble does not pass (todo) where only TestDouble and the steps before it are written")
			if !strings.Contains(p.Problems[0], c.problem) {
				t.Errorf("the problem is %q, want it to say %q", p.Problems[0], c.problem)
			}
		})
	}
}

func TestFigureLeftOut(t *testing.T) {
	p := one(t, edit{"katas/q01-double/why_test.go", `X: x, Y: y`, `X: x, Y: y[:3]`})
	must(t, p.reference(t.Context()))
	want(t, p.Problems,
		"katas/q01-double/why_test.go: no why step recorded a figure",
		`katas/q01-double/why_test.go: TestWhyLinear: figure "double" is drawn without panel 0: series 0 (""): lengths differ`,
		`katas/q01-double/why_test.go: TestWhyLinear: figure "double" is not saved: it has 0 panels`,
	)
}

// Drawn figures lie in one folder a kata: the second of a name would replace the first.
func TestTwoFiguresOfOneName(t *testing.T) {
	p := one(t)
	text, err := json.Marshal(figure.Figure{Title: "Twice", Panels: []figure.Panel{{Y: figure.Axis{Label: "y"}, Bars: []figure.Bar{{Label: "a", Value: 1}}}}})
	must(t, err)
	var report gotest.Report
	for _, test := range []string{"TestWhyA", "TestWhyB"} {
		file := filepath.Join(t.TempDir(), "loss.json")
		must(t, os.WriteFile(file, text, 0o600))
		report.Figures = append(report.Figures, gotest.Figure{Test: test, Path: file})
	}
	p.figures(&report, t.TempDir())
	want(t, p.Problems, "katas/q01-double/why_test.go: TestWhyB: another step saves a figure loss.json too")
}

// Each case of which a comment speaks is tested, and nothing else is called a caller's error.
func TestCasesOfTheComments(t *testing.T) {
	const how = "katas/q01-double/how_test.go"
	p := one(t,
		edit{how, "check.Panics(t, \"Sum of ∞\"", "check.Panics(t, \"Double of ∞\""},
		edit{"katas/q01-double/README.md", "Write Sum.", "Write Sum. `Halve` panics if it is late, and `Sum` panics too. `Double` returns an error."},
	)
	must(t, p.reference(t.Context()))
	want(t, p.Problems,
		how+`: TestSum: the case "Double of ∞" holds no function`,
		how+": Sum panics in 2 cases by its comment, 1 are tested",
		"katas/q01-double/README.md: it says that Halve panics, the stub does not",
		"katas/q01-double/README.md: it says that Double returns an error, the stub does not",
	)
}

func TestPromises(t *testing.T) {
	of := func(name string) int { return map[string]int{"Max": 4, "OutputSize": 7}[name] }
	for doc, want := range map[string]int{
		"It panics if x is empty.": 1,
		"Softmax is finite. It has an error of 1e-9. No index is out of range.":                  0,
		"It panics if size or stride is not positive, or if size exceeds H or W.":                4,
		"It panics where Max does, or if dy is transposed. Source: Lin, Chen and Yan.":           5,
		"It panics where Max does, or if dy has not the shape of y.":                             6,
		"It changes neither x nor l, and panics if x has other than D columns.":                  2,
		"It panics if z and dy differ in length.":                                                2,
		"It panics if rank is not in [0, world).":                                                2,
		"It panics unless 2 ≤ k ≤ n.":                                                            2,
		"It panics unless begin < end.":                                                          1,
		"It panics if an argument is not positive.":                                              3,
		"The arguments are OutputSize's; it panics where OutputSize returns an error.":           7,
		"It panics if fraction is outside 0…1 or factor is not positive.":                        3,
		"It panics if h, w or k is not positive, pad is negative, or the kernel does not fit in": 5,
	} {
		if got := promises(doc, panicsIf, 3, of); got != want {
			t.Errorf("promises(%q) = %d panics, want %d", doc, got, want)
		}
	}
	for doc, want := range map[string]int{
		"It returns an error if in, kernel or stride is not positive, or if it does not fit.": 4,
		"It panics where OutputSize returns an error.":                                        0,
		"A row of another length, and a number without its unit is an error.":                 2,
		"The error names the node: one that is needed and not fed, or one of another graph.":  2,
		"It has an error of 1e-9. A header alone is no error.":                                0,
	} {
		if got := promises(doc, failsIf, 3, of); got != want {
			t.Errorf("promises(%q) = %d errors, want %d", doc, got, want)
		}
	}
}

// Every run takes more than nothing.
func TestSlowTests(t *testing.T) {
	p := one(t)
	p.most = cost{}
	must(t, p.reference(t.Context()))
	want(t, p.Problems,
		"katas/q01-double/how_test.go: the how steps take ",
		"katas/q01-double/why_test.go: the steps take ",
	)
}

// racing plants a data race in the reference.
var racing = edit{reference, "\treturn total", "\tdone := make(chan bool)\n\tgo func() { total = 1 * total; done <- true }()\n\ttotal = 1 * total\n\t<-done\n\treturn total"}

func TestDataRace(t *testing.T) {
	if compiler, ok := one(t).cCompiler(t.Context()); !ok {
		t.Skipf("no C compiler (%s)", compiler)
	}
	p := one(t, racing)
	must(t, p.race(t.Context()))
	want(t, p.Problems,
		reference+": the reference with -race does not pass TestSum (fail)",
		reference+": the reference with -race does not pass TestWhyLinear (fail)",
	)
}

func TestNoCompilerIsSkipped(t *testing.T) {
	t.Setenv("CC", "/nowhere/gcc")
	p := one(t, racing)
	must(t, p.race(t.Context()))
	want(t, p.Problems)
	if diff := cmp.Diff([]string{"the race detector: this machine has no C compiler (/nowhere/gcc)"}, p.Skipped); diff != "" {
		t.Errorf("Skipped mismatch (-want +got):\n%s", diff)
	}
}

func TestTooFew(t *testing.T) {
	p := one(t, edit{"solutions/q01-double/alternatives/addition/double.go", "", ""}, edit{mistakes, "", "- name: squared\n  in: Double\n  edits:\n    - {find: \"2 * x[i]\", replace: \"x[i] * x[i]\"}\n  step: TestDouble\n  says: you squared\n"})
	must(t, os.Remove(filepath.Join(p.kata.SolutionDir(), "alternatives", "addition")))
	must(t, p.alternatives(t.Context()))
	must(t, p.mistakes(t.Context()))
	want(t, p.Problems,
		"solutions/q01-double/alternatives: there is no alternative",
		mistakes+": it has 1 mistakes: plant at least 6",
		mistakes+": no mistake for the how step TestHalve",
		mistakes+": no mistake for the how step TestSum",
		mistakes+": no mistake for the how step TestLine",
	)
}

// What a mistake is found to do does not depend on whether it is built with the others or alone.
func TestTogetherAsAlone(t *testing.T) {
	p := one(t)
	all, err := p.kata.Mistakes()
	must(t, err)
	source, err := os.ReadFile(p.kata.Reference())
	must(t, err)
	var sound []planted
	for _, m := range all {
		changed, err := Apply(source, m)
		must(t, err)
		sound = append(sound, planted{Mistake: m, source: changed})
	}
	together := map[string][]gotest.Step{}
	must(t, p.runMistakes(t.Context(), source, sound, func(m workbook.Mistake, r *gotest.Report) { together[m.Name] = steps(r) }))
	for _, m := range sound {
		r, err := p.runner.Run(t.Context(), p.kata, gotest.Subject{Source: m.source}, gotest.Options{NoVet: true, Only: p.stepsFor(m)}, nil)
		must(t, err)
		if diff := cmp.Diff(steps(r), together[m.Name]); diff != "" {
			t.Errorf("mistake %q mismatch (-alone +together):\n%s", m.Name, diff)
		}
	}
}

// steps returns what a run found, without the times.
func steps(r *gotest.Report) []gotest.Step {
	all := slices.Clone(r.Steps)
	for i := range all {
		all[i].Seconds = 0
	}
	return all
}

func TestPrint(t *testing.T) {
	results := []Result{
		{Schema: 1, Kata: "q01-double", Steps: 5, Mistakes: 7, Alternatives: 1, Figures: 1, How: 0.012, Whole: 0.5, Raced: true, Race: 2.04, Passed: 90, Problems: []string{}},
		{Kata: "q02-treble", Steps: 9, Mistakes: 10, Alternatives: 2, Figures: 3, How: 0.1, Whole: 1.25, Passed: 99, Problems: []string{"a.go: it is wrong", "b.go: it is too"}, Skipped: []string{"the race detector"}},
		{Kata: "q03-quadruple", Problems: []string{"c.go: gone"}, Skipped: []string{"the race detector"}},
	}
	var b bytes.Buffer
	must(t, Print(&b, results))
	if diff := cmp.Diff(`kata           steps  mistakes  alternatives  figures  how     whole   race   checks  problems
q01-double     5      7         1             1        0.01 s  0.50 s  2.0 s  90      0
q02-treble     9      10        2             3        0.10 s  1.25 s  –      101     2
q03-quadruple  0      0         0             0        0.00 s  0.00 s  –      1       1

a.go: it is wrong
b.go: it is too
c.go: gone
skipped: the race detector

189 passed, 3 failed
`, b.String()); diff != "" {
		t.Errorf("Print mismatch (-want +got):\n%s", diff)
	}
	data, err := json.Marshal(results[0])
	must(t, err)
	if want := `{"schema":1,"kata":"q01-double","steps":5,"mistakes":7,"alternatives":1,"figures":1,"how_cpu_seconds":0.012,"whole_cpu_seconds":0.5,"raced":true,"race_cpu_seconds":2.04,"passed":90,"problems":[],"elapsed_seconds":0}`; string(data) != want {
		t.Errorf("JSON = %s, want %s", data, want)
	}
}
