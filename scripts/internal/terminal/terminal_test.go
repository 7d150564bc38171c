package terminal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	const text = `# Batch norm

A paragraph that is written on
two lines and is longer than forty columns, with ` + "`code`" + ` in it.
<!-- not shown -->

- an item that is too long for one line of forty columns
- **another** *item* with $a*b*c$
  on two lines

| a | table | that is longer than forty columns, whose cells are filled |
|---|---|---|
| 1 | 2 | 3 |

$$ y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta $$

    as it is:   two   spaces

` + "```go\nfunc  f() {}\n```\n"
	const want = `Batch norm

A paragraph that is written on two lines
and is longer than forty columns, with
` + "`code`" + ` in it.

  - an item that is too long for one
    line of forty columns
  - another item with $a*b*c$ on two
    lines

a  table  that is longer than forty
          columns, whose cells are
          filled
1  2      3

$$ y = \gamma \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta $$

    as it is:   two   spaces

    func  f() {}
`
	if got := ansi.Strip(Markdown(text, 40)); got != want {
		t.Errorf("Markdown:\n%s\nwant\n%s", got, want)
	}
}

func view() View {
	return View{Path: func(p string) string { return strings.TrimPrefix(p, "katas/") }, Command: "bin/kata", All: "bin/kata test -v q05", Width: 60}
}

// run is a report in which every status occurs.
func run() *gotest.Report {
	place := func(line int, text string) gotest.Message {
		return gotest.Message{File: "katas/q05-batch-norm/how_test.go", Line: line, Text: text}
	}
	const file = "katas/q05-batch-norm/batchnorm.go"
	return &gotest.Report{Kata: "q05-batch-norm", Steps: []gotest.Step{
		{Test: "TestStats", Title: "Mean", Kind: workbook.How, Status: gotest.Pass},
		{Test: "TestTrain", Title: "Train", Kind: workbook.How, Status: gotest.Todo, Messages: []gotest.Message{{Text: "Layer.Train is not implemented yet"}}},
		{Test: "TestInfer", Title: "Infer", Kind: workbook.How, Status: gotest.Crash, Messages: []gotest.Message{
			place(8, "no"),
			{File: file, Line: 41, Text: "panic: oh", Stack: []gotest.Place{{File: file, Line: 41, Func: "Infer"}, {File: file, Line: 7, Func: "New"}}},
			{Text: "hello", Printed: true},
		}},
		{Test: "TestFold", Title: "Fold", Kind: workbook.How, Status: gotest.Fail, Messages: []gotest.Message{
			place(9, "plain"),
			{
				Subtest: "seven rows", File: "katas/q05-batch-norm/how_test.go", Line: 10, Text: "Fold(x) = 1, want 2",
				Diagnosis: "you divided by N−1: that is the sample variance, and batch norm takes the other", Why: "it is so", With: []string{"x = [1 2]"},
			},
			{Subtest: "one", Text: "New is not implemented yet", Todo: "New"},
			{Subtest: "two", Text: "New is not implemented yet", Todo: "New"},
			place(11, "last"),
		}},
		{Test: "TestHang", Title: "Hang", Kind: workbook.How, Status: gotest.Timeout, Messages: []gotest.Message{{Text: "did not end"}}},
		{Test: "TestGone", Title: "Gone", Kind: workbook.How, Status: gotest.Missing},
		{Test: "TestWhyDepth", Title: "Depth", Kind: workbook.Why, Status: gotest.Pass, Messages: []gotest.Message{place(7, "6.3 decades\nlost"), {Text: "noise", Printed: true}}},
		{Test: "TestWhyLate", Title: "Late", Kind: workbook.Why},
	}}
}

func TestFound(t *testing.T) {
	t.Parallel()
	const how = `  ✓ TestStats     Mean
  ○ TestTrain     Train
  ✗ TestInfer     Infer  (crashed)
  ✗ TestFold      Fold
  ✗ TestHang      Hang  (timed out)
  · TestGone      Gone  (did not run)

TestInfer  Infer
  panic: oh
  at q05-batch-norm/batchnorm.go:41, in Infer
  at q05-batch-norm/batchnorm.go:7, in New
  and 1 more message (bin/kata test -v q05)
  your code printed:
  │ hello

`
	const why = `  ✓ TestWhyDepth  Depth
  … TestWhyLate   Late

Depth
  │ 6.3 decades
  │ lost
`
	if got := ansi.Strip(view().Found(run(), workbook.How, false)); got != how {
		t.Errorf("Found(how):\n%s\nwant\n%s", got, how)
	}
	if got := ansi.Strip(view().Found(run(), workbook.Why, false)); got != why {
		t.Errorf("Found(why):\n%s\nwant\n%s", got, why)
	}
	all := ansi.Strip(view().Found(run(), workbook.How, true))
	for _, want := range []string{"TestInfer  Infer\n", "TestFold  Fold\n  q05-batch-norm/how_test.go:9: plain\n", "how_test.go:11: last\n", "did not end"} {
		if !strings.Contains(all, want) {
			t.Errorf("Found(how, all) lacks %q:\n%s", want, all)
		}
	}
	if got, want := ansi.Strip(Marks(run())), "✓○✗✗✗·✓…"; got != want {
		t.Errorf("Marks = %s, want %s", got, want)
	}
}

// A case that is too plain to tell mistakes apart may come first: the message that names the mistake matters more, and in it the name.
func TestFailureShowsTheDiagnosis(t *testing.T) {
	t.Parallel()
	r := run()
	const want = `TestFold  Fold
  your mistake may be: you divided by N−1: that is the
    sample variance, and batch norm takes the other
  why: it is so
  q05-batch-norm/how_test.go:10: seven rows: Fold(x) = 1, want 2
    with x = [1 2]
  New is not implemented yet
  and 3 more messages (bin/kata test -v q05)
`
	if got := ansi.Strip(view().Failure(&r.Steps[3], false)); got != want {
		t.Errorf("Failure:\n%s\nwant\n%s", got, want)
	}
}

// What the learner's code prints never stands before the reason, and never fills the screen unasked.
func TestFailureShowsLittleOfWhatWasPrinted(t *testing.T) {
	t.Parallel()
	r := run()
	s := &r.Steps[4]
	s.Messages = append([]gotest.Message{{Text: "first\n" + strings.Repeat("more\n", 50) + "last", Printed: true}}, s.Messages...)
	got := ansi.Strip(view().Failure(s, false) + view().Printed(s, false))
	if !strings.HasPrefix(got, "TestHang  Hang\n  did not end\n  your code printed 52 lines, here the last 10 (bin/kata test -v q05):\n") ||
		strings.Contains(got, "first") || !strings.HasSuffix(got, "│ last\n") || strings.Count(got, "\n") != 13 {
		t.Errorf("Failure:\n%s", got)
	}
	if got := ansi.Strip(view().Printed(s, true)); !strings.Contains(got, "│ first\n") {
		t.Errorf("Failure, all:\n%s", got)
	}
}

func TestBuild(t *testing.T) {
	t.Parallel()
	e := &gotest.BuildError{}
	for i, message := range []string{"too many arguments\n\thave (int)", "undefined: z", "3", "4", "5", "6", "7"} {
		e.Problems = append(e.Problems, gotest.Problem{File: "katas/q05-batch-norm/batchnorm.go", Line: 9 + i, Column: 2, Message: message})
	}
	got := ansi.Strip(view().Build(e, false))
	const want = "does not build\n  q05-batch-norm/batchnorm.go:9:2: too many arguments\n      have (int)\n  q05-batch-norm/batchnorm.go:10:2: undefined: z\n"
	if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ":13:2: 5\n  and 2 more\n") || strings.Contains(got, "\t") {
		t.Errorf("Build:\n%s\nwant at first\n%s", got, want)
	}
	if got := ansi.Strip(view().Build(e, true)); !strings.HasSuffix(got, ":15:2: 7\n") {
		t.Errorf("Build, all:\n%s", got)
	}
	bare := &gotest.BuildError{Problems: []gotest.Problem{{Message: "import cycle"}}}
	if got := ansi.Strip(view().Build(bare, false)); got != "does not build\n  import cycle\n" {
		t.Errorf("Build:\n%s", got)
	}
}

func TestWriterDropsColoursInAFile(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Writer(f).Write([]byte(good.Styled("✓") + " passed\n")); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(f.Name()); string(got) != "✓ passed\n" {
		t.Errorf("in a file: %q", got)
	}
}
