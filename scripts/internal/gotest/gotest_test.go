package gotest_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// fixture writes testdata/workbook.txtar into a folder and returns what runs it and the kata.
func fixture(t *testing.T, name string) (*gotest.Runner, *workbook.Kata) {
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
	k := kata(t, dir, name)
	r, err := gotest.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r, k
}

// kata is one of the workbook at root.
func kata(t *testing.T, root, name string) *workbook.Kata {
	t.Helper()
	w, err := workbook.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	k, err := w.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// run fails the test if the tool fails, or leaves anything behind in its temporary folder.
func run(t *testing.T, r *gotest.Runner, k *workbook.Kata, s gotest.Subject, o gotest.Options, verdict func(*gotest.Report)) *gotest.Report {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	report, err := r.Run(t.Context(), k, s, o, verdict)
	if err != nil {
		t.Fatalf("Run = %v (hint: %s)", err, workbook.HintOf(err))
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("Run left %v in the temporary folder", left)
	}
	return report
}

func TestEveryEnding(t *testing.T) {
	r, k := fixture(t, "q90")
	artifacts := t.TempDir()
	early := map[string]gotest.Status{}
	verdict := func(soFar *gotest.Report) {
		for _, s := range soFar.Steps {
			early[s.Test] = s.Status
		}
	}
	// Those that hang have short limits, so that the others may have long ones.
	var ending, hanging []string
	for _, s := range k.Steps {
		if s.Test == "TestGrow" && runtime.GOOS != "linux" {
			continue // nothing else bounds its memory
		}
		if slices.Contains([]string{"TestLoop", "TestTinyLoop", "TestBlock"}, s.Test) {
			hanging = append(hanging, s.Test)
		} else {
			ending = append(ending, s.Test)
		}
	}
	subject := gotest.Subject{Name: "reference", File: k.Reference()}
	report := run(t, r, k, subject, gotest.Options{Only: ending, Seed: "7", ArtifactDir: artifacts, NoVet: true}, verdict)
	if report.Build != nil {
		t.Fatalf("the fixture does not build: %s", report.Build.Output)
	}
	hung := run(t, r, k, subject, gotest.Options{Only: hanging, Limit: 500 * time.Millisecond, NoVet: true}, verdict)
	report.Steps = append(report.Steps, hung.Steps...)
	const file = "solutions/q90-endings/endings.go"
	for _, c := range []struct {
		test   string
		status gotest.Status
		says   []string
		reason string
	}{
		{"TestPass", gotest.Pass, []string{": all\nis well"}, "a message of two lines is one message"},
		{"TestTodo", gotest.Todo, []string{"Stub is not implemented yet"}, "Rescue marks it"},
		{"TestFail", gotest.Fail, []string{"got 1, want 2\nwhy: one"}, ""},
		{"TestRescued", gotest.Crash, []string{"panic: runtime error: index out of range [5] with length 1\nat " + file + ":7, in End"}, "Rescue marks it, and names the file without its folder"},
		{"TestSubtests", gotest.Fail, []string{"stub: Stub is not", "wrong: katas/q90-endings/how_test.go:", "index: panic: runtime"}, "a failure outranks a crash and a todo"},
		{"TestSubtestTodo", gotest.Todo, []string{"Stub is not implemented yet"}, "the parent failed because of its subtest alone"},
		{"TestTodoAfterSubtest", gotest.Todo, []string{"Stub is not implemented yet"}, "a stub reached twice is no failure"},
		{"TestCrashAfterSubtest", gotest.Crash, []string{"Stub is not implemented yet", "panic: runtime error"}, "a crash outranks a todo"},
		{"TestFailAfterSubtest", gotest.Fail, []string{"got 1, want 2", "Stub is not implemented yet"}, "a failure outranks a todo after a subtest too"},
		{"TestGoroutine", gotest.Crash, []string{"panic: lost\nat " + file + ":23, in End.func1"}, "Rescue cannot see it"},
		{"TestGoroutineTodo", gotest.Todo, []string{"Stub is not implemented yet"}, "a stub is a stub in any goroutine"},
		{"TestOverflow", gotest.Crash, []string{"stack overflow", "at " + file + ":", ", in down"}, "a million lines become two"},
		{"TestGrow", gotest.Crash, []string{"out of memory", "at " + file + ":32, in End"}, "the machine is not taken with it"},
		{"TestLoop", gotest.Timeout, []string{"no end after 500ms of CPU time", "at " + file + ":", ", in End"}, "a goroutine that spins shows its stack too"},
		{"TestBlock", gotest.Timeout, []string{"no end: it has waited for 500ms", "at " + file + ":39, in End"}, ""},
		{"TestDeadlock", gotest.Crash, []string{"all goroutines are asleep - deadlock!", "at " + file + ":41, in End"}, "Go itself knows that it will never end"},
		{"TestTinyLoop", gotest.Timeout, []string{"no end after 500ms of CPU time", "at "}, "which of an inlined loop's two lines is chance"},
		{"TestExit0", gotest.Crash, []string{"unexpected call to os.Exit(0)", "at " + file + ":43, in End"}, "exit 0 is no pass"},
		{"TestExit0Behind", gotest.Crash, []string{"exit status 0"}, "exit 0 is no pass, however it is done"},
		{"TestExit1", gotest.Crash, []string{"goodbye", "exit status 1"}, "what log.Fatal printed is shown"},
		{"TestGoexit", gotest.Crash, []string{"runtime.Goexit ended the step", "at " + file + ":49, in End"}, ""},
		{"TestUnrescued", gotest.Crash, []string{"panic: runtime error: index out of range", "at " + file + ":21, in End"}, "it kills the process"},
		{"TestFailThenDie", gotest.Fail, []string{"got 1, want 2", "exit status 1"}, "a failure outranks the crash after it"},
		{"TestPrint", gotest.Pass, []string{"no newline\n--- FAIL: TestPrint (0.00s)\npanic: only words\n\x16 and a marker"}, "printing changes no status"},
		{"TestFlood", gotest.Fail, []string{"… xxx", "got 1, want 2"}, "printing does not crowd out messages"},
		{"TestGone", gotest.Missing, []string{"there is no test TestGone"}, ""},
		{"TestWhyFigure", gotest.Pass, []string{"seed 7"}, ""},
	} {
		t.Run(c.test, func(t *testing.T) {
			i := slices.IndexFunc(report.Steps, func(s gotest.Step) bool { return s.Test == c.test })
			if i < 0 && c.test == "TestGrow" {
				t.Skip("memory is bounded on Linux only")
			}
			if i < 0 {
				t.Fatal("the Report has no such step")
			}
			s := report.Steps[i]
			output := s.Text()
			if s.Status != c.status {
				t.Errorf("status = %s, want %s: %s\n%s", s.Status, c.status, c.reason, output)
			}
			for _, says := range c.says {
				if !strings.Contains(output, says) {
					t.Errorf("output lacks %q: %s\n%s", says, c.reason, output)
				}
			}
			if len(output) > 20_000 || strings.Count(output, "\n") > 40 {
				t.Errorf("output is %d bytes, %d lines long", len(output), strings.Count(output, "\n"))
			}
			if strings.Contains(output, k.File) {
				t.Errorf("output names the stub's file, not %s:\n%s", file, output)
			}
			want := c.status
			if s.Kind == "why" {
				want = ""
			}
			if got := early[c.test]; got != want {
				t.Errorf("status at the verdict = %q, want %q", got, want)
			}
		})
	}
	want := []gotest.Figure{{Test: "TestWhyFigure", Path: "loss.json"}}
	base := cmp.Transformer("base", filepath.Base)
	if diff := cmp.Diff(want, report.Figures, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Path" }, base)); diff != "" {
		t.Errorf("Figures mismatch (-want +got):\n%s", diff)
	}
	for _, f := range report.Figures {
		if _, err := os.Stat(f.Path); err != nil || !strings.HasPrefix(f.Path, artifacts) {
			t.Errorf("figure %s is not in %s: %v", f.Path, artifacts, err)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	r, k := fixture(t, "q91")
	reference, err := os.ReadFile(k.Reference())
	if err != nil {
		t.Fatal(err)
	}
	edit := func(find, replace string) []byte {
		if bytes.Count(reference, []byte(find)) != 1 {
			t.Fatalf("%q is not in the reference once", find)
		}
		return bytes.Replace(reference, []byte(find), []byte(replace), 1)
	}
	for _, c := range []struct {
		name   string
		source []byte
		line   int
		says   string
	}{
		{"half-written file", edit("return mean, 0", "return mean,"), 10, "syntax error"},
		{"empty file", []byte{}, 1, "expected 'package'"},
		{"unused variable", edit("return mean, 0", "left := 1\n\treturn mean, 0"), 9, "declared and not used: left"},
		{"deleted stub", edit("func Stats(", "func stats("), 0, "Stats is missing: contract.go must have\n    func Stats(x []float64, n int) (mean, variance float64)"},
		{"deleted method", edit("func (l *Layer) Train(", "func (l *Layer) train("), 0, "Layer.Train is missing"},
		{"changed result", edit("(mean, variance float64)", "(mean float64, variance int)"), 5, "Stats must be\n    func Stats(x []float64, n int) (mean, variance float64)\nnot\n    func Stats(x []float64, n int) (mean float64, variance int)"},
		{"changed parameter", edit("x []float64, n int", "x []float64"), 5, ""},
		{"changed receiver", edit("(l *Layer) Train", "(Layer) Train"), -1, ""},
		{"changed field", edit("Gamma []float64", "Gamma map[int]float64"), 3, "Layer must be\n    type Layer struct {\n    \tGamma []float64\n    }"},
		{"other package", edit("package contract", "package other"), 1, "contract.go is package other, but this folder is package contract"},
		{"unknown import", edit("package contract", "package contract\n\nimport \"example.com/gone\""), 3, "a kata cannot import example.com/gone: it may import the standard library"},
	} {
		t.Run(c.name, func(t *testing.T) {
			verdicts := 0
			report := run(t, r, k, gotest.Subject{Name: "mistake: it", File: "ann/contract.go", Source: c.source}, gotest.Options{NoVet: true},
				func(*gotest.Report) { verdicts++ })
			if c.line < 0 {
				if report.Build != nil {
					t.Fatalf("a method on the value is as good as one on the pointer: %s", report.Build.Output)
				}
				return
			}
			b := report.Build
			if b == nil {
				t.Fatal("it builds")
			}
			if verdicts != 1 {
				t.Errorf("verdict was called %d times, want once", verdicts)
			}
			if p := b.First(); p.File != "ann/contract.go" || c.line != p.Line && c.says != "" || !strings.Contains(p.Message, c.says) {
				t.Errorf("%v\nwant line %d, %s\n%s", p, c.line, c.says, b.Output)
			}
			if strings.Contains(b.Output, k.File) || strings.Contains(b.Output, os.TempDir()) {
				t.Errorf("the output names a file that its owner does not know:\n%s", b.Output)
			}
			for _, s := range report.Steps {
				if s.Status != gotest.Missing {
					t.Errorf("%s is %s, want %s", s.Test, s.Status, gotest.Missing)
				}
			}
		})
	}
}

func TestOtherFilesInTheFolder(t *testing.T) {
	r, k := fixture(t, "q91")
	for _, c := range []struct{ name, file, source, says string }{
		{"clashing", "mine.go", "package contract\n\nfunc Stats() {}\n", "Stats is declared in mine.go as well as in contract.go: move mine.go out"},
		{"sorts first", "a.go", "package contract\n\nfunc Stats() {}\n", "Stats is declared in a.go as well as in contract.go: move a.go out"},
		{"other package", "scratch.go", "package main\n\nfunc main() {}\n", "scratch.go is package main, but this folder is package contract: move"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(k.Dir, c.file)
			if err := os.WriteFile(file, []byte(c.source), 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.Remove(file)
			b := run(t, r, k, gotest.Subject{}, gotest.Options{}, nil).Build
			if b == nil {
				t.Fatal("it builds")
			}
			if p := b.First(); filepath.Base(p.File) != c.file || !strings.Contains(p.Message, c.says) {
				t.Errorf("%v, want %s\n%s", p, c.says, b.Output)
			}
		})
	}
}

func TestLearnerInPlace(t *testing.T) {
	r, k := fixture(t, "q91")
	source, err := os.ReadFile(k.Reference())
	if err != nil {
		t.Fatal(err)
	}
	source = append(source, "\nfunc same(x int) { x = x }\n"...)
	if err := os.WriteFile(k.File, source, 0o600); err != nil {
		t.Fatal(err)
	}
	report := run(t, r, k, gotest.Subject{}, gotest.Options{}, nil)
	if !report.Solved() || report.Subject != "learner" || report.Kata != "q91-contract" {
		t.Errorf("Report = %+v, want the learner's q91-contract solved", report)
	}
	if len(report.Vet) != 1 || !strings.HasPrefix(report.Vet[0].String(), "katas/q91-contract/contract.go:14:20: self-assignment") {
		t.Errorf("Vet = %v, want the self-assignment in the learner's file", report.Vet)
	}
	report = run(t, r, k, gotest.Subject{}, gotest.Options{NoWhy: true, NoVet: true}, nil)
	if len(report.Steps) != 1 || report.Steps[0].Test != "TestStats" {
		t.Errorf("with NoWhy the steps are %v, want TestStats alone", report.Steps)
	}
	report = run(t, r, k, gotest.Subject{}, gotest.Options{Only: []string{"TestWhyHigh"}, NoVet: true}, nil)
	if len(report.Steps) != 1 || report.Steps[0].Status != gotest.Pass {
		t.Errorf("with Only the steps are %v, want TestWhyHigh alone", report.Steps)
	}
	if _, err := r.Run(t.Context(), k, gotest.Subject{}, gotest.Options{Only: []string{"TestNone"}}, nil); err == nil {
		t.Error("Run of an unknown step = nil, want an error")
	}
}

// An example in the kata's folder, a learner's own for instance, is part of the step whose name it has: go test says whether it prints what it must.
func TestExamples(t *testing.T) {
	r, k := fixture(t, "q91")
	for _, c := range []struct {
		output string
		want   gotest.Status
	}{{"2 0", gotest.Pass}, {"3 0", gotest.Fail}} {
		own := "package contract_test\n\nimport (\n\t\"fmt\"\n\n\t\"whyhow/katas/q91-contract\"\n)\n\nfunc ExampleStats() {\n\tfmt.Println(contract.Stats([]float64{1, 3}, 2))\n\t// Output: " + c.output + "\n}\n"
		if err := os.WriteFile(filepath.Join(k.Dir, "mine_test.go"), []byte(own), 0o600); err != nil {
			t.Fatal(err)
		}
		report := run(t, r, k, gotest.Subject{Name: "reference", File: k.Reference()}, gotest.Options{NoVet: true}, nil)
		s := report.Steps[0]
		if s.Status != c.want || c.want == gotest.Fail && !strings.Contains(s.Text(), "want:\n3 0") {
			t.Errorf("TestStats with an example that must print %s is %s, want %s\n%s", c.output, s.Status, c.want, s.Text())
		}
	}
}

// The hidden test is built and run with the steps, after them.
func TestHidden(t *testing.T) {
	r, k := fixture(t, "q91")
	wrong := []byte("package contract\n\nfunc Stats(x []float64, n int) (mean, variance float64) { return 2, 0 }\n\ntype Layer struct{ Gamma []float64 }\n\nfunc (l *Layer) Train(x []float64) []float64 { return x }\n")
	for _, c := range []struct {
		subject gotest.Subject
		want    gotest.Status
	}{
		{gotest.Subject{Name: "guess", Source: wrong}, gotest.Fail},
		{gotest.Subject{Name: "reference", File: k.Reference()}, gotest.Pass},
	} {
		report := run(t, r, k, c.subject, gotest.Options{Hidden: true, NoVet: true}, nil)
		if report.Build != nil {
			t.Fatalf("the %s does not build: %v", c.subject.Name, report.Build)
		}
		if len(report.Steps) != len(k.Steps)+1 {
			t.Fatalf("the %s has steps %+v, want those of the README and TestSame", c.subject.Name, report.Steps)
		}
		if last := report.Steps[len(k.Steps)]; last.Test != "TestSame" || last.Kind != workbook.Hidden || last.Status != c.want {
			t.Errorf("the last step of the %s is %+v, want TestSame to be %s", c.subject.Name, last, c.want)
		}
		alone := run(t, r, k, c.subject, gotest.Options{Hidden: true, NoVet: true, Only: []string{"TestSame"}}, nil)
		if len(alone.Steps) != 1 || alone.Steps[0].Test != "TestSame" || alone.Steps[0].Status != c.want {
			t.Errorf("with Only the steps of the %s are %+v, want TestSame alone to be %s", c.subject.Name, alone.Steps, c.want)
		}
	}
}

// A run that fails fast ends with the first step that fails, dead or alive, and with it the why steps.
func TestFailFast(t *testing.T) {
	r, k := fixture(t, "q90")
	got := map[string]string{}
	variants := []gotest.Variant{
		{Name: "passes", Only: []string{"TestPass", "TestWhyFigure"}},
		{Name: "fails", Only: []string{"TestPass", "TestFail", "TestRescued", "TestWhyFigure"}},
		{Name: "dies", Only: []string{"TestGoroutine", "TestOverflow", "TestWhyFigure"}},
		{Name: "waits for code", Only: []string{"TestTodo", "TestFail"}},
	}
	options := gotest.Options{FailFast: true, Jobs: 2}
	failed, err := r.Variants(t.Context(), k, gotest.Subject{Name: "reference", File: k.Reference()}, options, variants, func(i int, r *gotest.Report) {
		var all []string
		for _, s := range r.Steps {
			all = append(all, string(s.Status))
		}
		got[variants[i].Name] = strings.Join(all, " ")
	})
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	want := map[string]string{"passes": "pass pass", "fails": "pass fail missing missing", "dies": "crash missing missing", "waits for code": "todo missing"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses mismatch (-want +got):\n%s", diff)
	}
}

// What a learner's init does comes before the first test: no step can start, and none may pass.
func TestDiesBeforeTheFirstTest(t *testing.T) {
	r, k := fixture(t, "q91")
	reference, err := os.ReadFile(k.Reference())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, init string
		status     gotest.Status
		says       string
	}{
		{"exits 0", "import \"os\"\nfunc init() { os.Exit(0) }", gotest.Crash, "exit status 0"},
		{"panics", "func init() { panic(\"early\") }", gotest.Crash, "panic: early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source := bytes.Replace(reference, []byte("package contract\n"), []byte("package contract\n"+c.init+"\n"), 1)
			report := run(t, r, k, gotest.Subject{Name: "early", Source: source}, gotest.Options{NoVet: true}, nil)
			for _, s := range report.Steps {
				if s.Status != c.status || !strings.Contains(s.Text(), c.says) {
					t.Errorf("%s is %s with %q, want %s with %q", s.Test, s.Status, s.Text(), c.status, c.says)
				}
			}
		})
	}
}

func TestCancelEndsEveryProcess(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the fixture starts a Unix program")
	}
	r, k := fixture(t, "q91")
	pid := filepath.Join(t.TempDir(), "pid")
	source := []byte(`package contract

import (
	"os"
	"os/exec"
	"strconv"
)

type Layer struct{ Gamma []float64 }

func Stats(x []float64, n int) (mean, variance float64) {
	child := exec.Command("sleep", "600")
	if err := child.Start(); err != nil {
		panic(err)
	}
	os.WriteFile(` + "`" + pid + ".part`" + `, []byte(strconv.Itoa(child.Process.Pid)), 0o600)
	os.Rename(` + "`" + pid + ".part`, `" + pid + "`" + `)
	select {}
}

func (l *Layer) Train(x []float64) []float64 { return x }
`)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(pid); err == nil {
				cancel()
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err := r.Run(ctx, k, gotest.Subject{Name: "parent", Source: source}, gotest.Options{Limit: time.Minute}, nil)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run = %v, want context.Canceled", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("Run left %v in the temporary folder", left)
	}
	id, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	// Killed, it is gone, or a zombie until init fetches it: as soon as it gets a processor to die on.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + string(id) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program that the step started still runs: %s", stat)
		}
	}
}

func TestMachineAtFault(t *testing.T) {
	r, k := fixture(t, "q91")
	fails := func(t *testing.T, says, hint string) {
		t.Helper()
		_, err := r.Run(t.Context(), k, gotest.Subject{}, gotest.Options{NoVet: true}, nil)
		if err == nil {
			t.Fatal("Run = nil, want an error")
		}
		if got := workbook.HintOf(err); !strings.Contains(err.Error(), says) || !strings.Contains(got, hint) {
			t.Errorf("Run = %q, hint %q, want %q, hint %q", err, got, says, hint)
		}
	}
	t.Run("no temporary folder", func(t *testing.T) {
		t.Setenv("TMPDIR", filepath.Join(k.Dir, "how_test.go"))
		fails(t, "no temporary folder", "TMPDIR")
	})
	t.Run("Go too old", func(t *testing.T) {
		mod := filepath.Join(r.Root, "go.mod")
		before, err := os.ReadFile(mod)
		if err != nil {
			t.Fatal(err)
		}
		defer os.WriteFile(mod, before, 0o600)
		if err := os.WriteFile(mod, []byte("module whyhow\n\ngo 1.99\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("GOTOOLCHAIN", "local")
		fails(t, "needs go1.99 or newer, this machine has go1.", "https://go.dev/dl")
	})
	t.Run("no go on the PATH", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := gotest.New(r.Root)
		if err == nil || !strings.Contains(workbook.HintOf(err), "https://go.dev/dl") {
			t.Errorf("New = %v, hint %q, want a hint where to get Go", err, workbook.HintOf(err))
		}
	})
}
