package gotest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"whyhow/katas/kit/check"
	"whyhow/scripts/internal/gotest/channel"
	"whyhow/scripts/internal/workbook"
)

// hear reads what a test binary wrote; ▶ stands for the byte that marks package testing's own lines. The process came to its end, and told the verdict of
// TestStats; "" is none.
func hear(t *testing.T, text, verdict string) (*build, *process) {
	t.Helper()
	dir := filepath.Join(string(filepath.Separator), "book", "katas", "q05-batch-norm")
	b := &build{Runner: &Runner{Root: filepath.Join(string(filepath.Separator), "book")}, kata: &workbook.Kata{Dir: dir, File: filepath.Join(dir, "batchnorm.go")}}
	b.file, b.shown, b.rename = b.kata.File, "katas/q05-batch-norm/batchnorm.go", strings.NewReplacer()
	r := &result{name: "TestStats", verdict: verdict}
	p := &process{said: newStream(), told: &records{of: map[string]*result{r.name: r}, last: r, done: verdict != ""}}
	p.said.read(bytes.NewReader([]byte(strings.ReplaceAll(text, "▶", string(rune(marker))))))
	return b, p
}

func attribute(t *testing.T, f check.Failure) string {
	t.Helper()
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return check.FailureAttr + " " + string(data)
}

func TestMessages(t *testing.T) {
	const test = "katas/q05-batch-norm/how_test.go"
	failure := check.Failure{Text: "Stats(x) = 2, want 1", Diagnosis: "you doubled it", Why: "it is one", With: []string{"x = [1 2]"}}
	crash := check.Failure{Text: "panic: oh", At: &check.Place{File: "batchnorm.go", Line: 9, Func: "Stats"}}
	for _, c := range []struct {
		name, text string
		status     Status
		want       []Message
	}{
		{
			"a failure of check's", "▶=== RUN   TestStats\n▶=== ATTR  TestStats " + attribute(t, failure) + "\n    how_test.go:34: Stats(x) = 2, want 1\n        your mistake may be: you doubled it\n▶--- FAIL: TestStats (0.25s)\n",
			Fail,
			[]Message{{File: test, Line: 34, Text: failure.Text, Diagnosis: failure.Diagnosis, Why: failure.Why, With: failure.With}},
		},
		{
			"in a subtest, after what the code printed", "▶=== RUN   TestStats\n▶=== RUN   TestStats/seven_rows\nhello\n▶=== ATTR  TestStats/seven_rows " + attribute(t, failure) +
				"\n    how_test.go:34: Stats(x) = 2, want 1\n▶=== NAME  TestStats\n▶--- FAIL: TestStats (0.00s)\n    ▶--- FAIL: TestStats/seven_rows (0.00s)\n",
			Fail,
			[]Message{
				{Subtest: "seven rows", File: test, Line: 34, Text: failure.Text, Diagnosis: failure.Diagnosis, Why: failure.Why, With: failure.With},
				{Subtest: "seven rows", Text: "hello", Printed: true},
			},
		},
		{
			"a panic", "▶=== RUN   TestStats\n▶=== ATTR  TestStats kata crash\n▶=== ATTR  TestStats " + attribute(t, crash) + "\n    panic: oh\n    at batchnorm.go:9, in Stats\n▶--- FAIL: TestStats (0.00s)\n",
			Crash,
			[]Message{{File: "katas/q05-batch-norm/batchnorm.go", Line: 9, Text: "panic: oh", Stack: []Place{{"katas/q05-batch-norm/batchnorm.go", 9, "Stats"}}}},
		},
		{
			"two messages that follow one another, of which one has parts", "▶=== RUN   TestStats\n    how_test.go:3: plain\n▶=== ATTR  TestStats " + attribute(t, failure) + "\n    how_test.go:34: Stats(x) = 2, want 1\n▶--- FAIL: TestStats (0.00s)\n",
			Fail,
			[]Message{{File: test, Line: 3, Text: "plain"}, {File: test, Line: 34, Text: failure.Text, Diagnosis: failure.Diagnosis, Why: failure.Why, With: failure.With}},
		},
		{
			"a message of two lines", "▶=== RUN   TestStats\n    how_test.go:3: got 1\n        want 2\n▶--- FAIL: TestStats (0.00s)\n",
			Fail,
			[]Message{{File: test, Line: 3, Text: "got 1\nwant 2"}},
		},
		{
			"printed without an end of line, before a message", "▶=== RUN   TestStats\nno end    how_test.go:3: got 1\n▶--- FAIL: TestStats (0.00s)\n",
			Fail,
			[]Message{{File: test, Line: 3, Text: "got 1"}, {Text: "no end", Printed: true}},
		},
		{
			"printed what looks like the end", "▶=== RUN   TestStats\npanic: only words\n▶--- PASS: TestStats (0.00s)\n",
			Pass,
			[]Message{{Text: "panic: only words", Printed: true}},
		},
		{
			"parts that are no JSON", "▶=== RUN   TestStats\n▶=== ATTR  TestStats kata.failure {\n    how_test.go:3: got 1\n▶--- FAIL: TestStats (0.00s)\n",
			Fail,
			[]Message{{File: test, Line: 3, Text: "got 1"}},
		},
		{"skipped", "▶=== RUN   TestStats\n▶--- SKIP: TestStats (0.00s)\n", Missing, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdict := map[Status]string{Pass: channel.Pass, Missing: channel.Skip}[c.status]
			b, p := hear(t, c.text+"▶FAIL\n", cmp.Or(verdict, channel.Fail))
			o := b.judge(p, p.told.last)
			if o.status != c.status {
				t.Errorf("status = %s, want %s", o.status, c.status)
			}
			if diff := gocmp.Diff(c.want, o.messages); diff != "" {
				t.Errorf("messages mismatch (-want +got):\n%s", diff)
			}
			if !p.said.finished {
				t.Error("the binary's end was not seen")
			}
		})
	}
}

// What a step started may go wrong once all have passed, a data race under -race above all: go test fails then, and so must a run.
func TestDiesAfterTheLastTest(t *testing.T) {
	wrong := exec.Command(os.Args[0], "-no-such-flag")
	if err := wrong.Start(); err != nil {
		t.Fatal(err)
	}
	b, p := hear(t, "▶=== RUN   TestStats\n▶--- PASS: TestStats (0.00s)\n▶PASS\n", channel.Pass)
	p.end = plain{wrong}.Wait()
	found := map[string]outcome{"TestStats": b.judge(p, p.told.last)}
	b.judgeExit(found, p)
	o := found["TestStats"]
	if want := "exit status 2 after the last step"; o.status != Crash || len(o.messages) != 1 || !strings.HasPrefix(o.messages[0].Text, want) {
		t.Errorf("judge = %s with %v, want crash with %q", o.status, o.messages, want)
	}
}

// A line longer than what is read at once is no reason to miss the frame behind it.
func TestLongLines(t *testing.T) {
	b, p := hear(t, "▶=== RUN   TestStats\n"+strings.Repeat("x", 3*longestLine)+"▶=== NAME  TestStats\n    how_test.go:3: got 1\n▶--- FAIL: TestStats (0.00s)\n▶FAIL\n", channel.Fail)
	o := b.judge(p, p.told.last)
	if o.status != Fail || len(o.messages) != 2 || o.messages[0].Text != "got 1" || len(o.messages[1].Text) > 2*keepPrinted {
		t.Errorf("judge = %s with %d messages", o.status, len(o.messages))
	}
}

// Of what the code prints the last is kept, and how much there was is known. A process that is asked for its stacks while it prints is
// interrupted in the middle of a line.
func TestFlood(t *testing.T) {
	var text strings.Builder
	for i := range 100_000 {
		fmt.Fprintln(&text, "line", i)
	}
	b, p := hear(t, "▶=== RUN   TestStats\n"+text.String()+"line 1000SIGQUIT: quit\nPC=0x1 m=0\n\ngoroutine 7 [running]:\nwhyhow/katas/q05-batch-norm.Stats(...)\n\t/book/katas/q05-batch-norm/batchnorm.go:9 +0x1\n", "")
	p.hung = "no end"
	o := b.judge(p, p.told.last)
	if o.status != Timeout || len(o.messages) != 2 {
		t.Fatalf("judge = %s with %d messages", o.status, len(o.messages))
	}
	printed, hang := o.messages[0], o.messages[1]
	lines := strings.Split(printed.Text, "\n")
	if lines[len(lines)-1] != "line 1000" || lines[len(lines)-2] != "line 99999" || printed.Dropped+len(lines) != 100_001 || len(printed.Text) > 2*keepPrinted {
		t.Errorf("kept are %d lines and %d dropped, the last %q", len(lines), printed.Dropped, lines[len(lines)-2:])
	}
	if len(hang.Stack) != 1 || hang.Stack[0].Line != 9 {
		t.Errorf("the hang has the stack %v, want line 9", hang.Stack)
	}
}

// A fuzz target's seeds and an example are part of their step: they can take its pass away, and name themselves in what they say.
func TestCompanions(t *testing.T) {
	steps := map[string]bool{"TestParse": true, "TestParseAll": true}
	for function, want := range map[string]string{
		"FuzzParse": "TestParse", "ExampleParse": "TestParse", "ExampleParse_twice": "TestParse", "FuzzParseAll": "TestParseAll",
		"FuzzOther": "", "ExampleOther_more": "", "Example": "", "BenchmarkParse": "",
	} {
		if got := stepOf(function, steps); got != want {
			t.Errorf("stepOf(%s) = %q, want %q", function, got, want)
		}
	}
	b := &build{companionOf: map[string]string{"FuzzParse": "TestParse", "ExampleParse": "TestParse"}}
	found := map[string]outcome{
		"TestParse":    {status: Pass, seconds: 1},
		"FuzzParse":    {status: Fail, seconds: 2, messages: []Message{{Subtest: "seed#3", Text: "no"}}},
		"ExampleParse": {status: Crash, messages: []Message{{Text: "got 1"}}},
	}
	step := &Step{Test: "TestParse"}
	b.fill(step, found)
	want := &Step{Test: "TestParse", Status: Crash, Seconds: 3, Messages: []Message{{Subtest: "ExampleParse", Text: "got 1"}, {Subtest: "FuzzParse seed#3", Text: "no"}}}
	if diff := gocmp.Diff(want, step); diff != "" {
		t.Errorf("fill mismatch (-want +got):\n%s", diff)
	}
}
