package gate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/workbook"
)

// kata is one that allows nothing of its own.
var kata = &workbook.Kata{Name: "q18-session-run", Package: "sessionrun"}

func TestRules(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"nothing", "", ""},
		{"numbers", `import ("math"; "math/rand/v2"; "gonum.org/v1/gonum/mat"); func F(r *rand.Rand) float64 { return math.Abs(mat.Norm(nil, 2)) + r.Float64() }`, ""},
		{"the kata's own package", `import "whyhow/katas/q18-session-run/graph"; var _ graph.Node`, ""},
		{"files", `import "os"; func F() { os.Exit(0) }`, "line 3: a submission may not import os: a kata reads no files and no environment"},
		{"renamed", `import slices "os"; func F() { slices.Exit(0) }`, "line 3: a submission may not import os: a kata reads no files and no environment"},
		{"blank", `import _ "embed"`, "line 3: a submission may not import embed: a kata reads no files"},
		{"dot", `import . "fmt"; func F() { Println() }`, "line 3: import fmt with its name: a dot hides where names come from"},
		{"cgo", "// int f() { return 1; }\nimport \"C\"", "line 4: a submission may not import C: cgo calls code that is not Go"},
		{"solutions", `import "whyhow/solutions/q18-session-run"`, "line 3: a submission may not import whyhow/solutions/q18-session-run: it holds the answers"},
		{"check", `import "whyhow/katas/kit/check"`, "line 3: a submission may not import whyhow/katas/kit/check: it judges, or belongs to another kata"},
		{"another kata", `import "whyhow/katas/q01-cross-entropy"`, "line 3: a submission may not import whyhow/katas/q01-cross-entropy: it judges, or belongs to another kata"},
		{"a kata with a longer name", `import "whyhow/katas/q18-session-running/graph"`, "line 3: a submission may not import whyhow/katas/q18-session-running/graph: it judges, or belongs to another kata"},
		{"another module", `import "github.com/stretchr/testify/require"`, "line 3: a submission may not import github.com/stretchr/testify/require: the standard library and gonum's mat, floats and stat are there"},
		{"another package", `import "archive/zip"`, "line 3: a submission may not import archive/zip: a kata computes, and reaches nothing outside"},
		{"directive", "//go:linkname f runtime.exit\nfunc f(int)", "line 3: the comment //go:linkname speaks to the compiler: a kata needs none of these\nline 4: f has no body: write it in Go"},
		{"build constraint", "//go:build linux\n\nvar x int", "line 3: the comment //go:build speaks to the compiler: a kata needs none of these"},
		{"old build constraint", "// +build linux\n\nvar x int", "line 3: the comment //+build speaks to the compiler: a kata needs none of these"},
		{"line", "//line how_test.go:1\nfunc F() { print(1) }", "line 3: the comment //line speaks to the compiler: a kata needs none of these\nline 4: print writes to standard error: a kata returns what it finds"},
		{"line in a comment of the other form", "func F() { /*line how_test.go:1*/ }", "line 3: the comment /*line speaks to the compiler: a kata needs none of these"},
		{"export", "//export F\nfunc F() {}", "line 3: the comment //export speaks to the compiler: a kata needs none of these"},
		{"a comment about a line", "// line 3 of the paper\nfunc F() {}", ""},
		{
			"prints", `import "fmt"; func F() { fmt.Println(1); fmt.Fprintf(nil, ""); fmt.Scan() }`,
			"line 3: fmt.Println: a kata returns what it finds; kata test -v shows what it prints, but a submission prints nothing\nline 3: fmt.Fprintf: a kata returns what it finds; kata test -v shows what it prints, but a submission prints nothing\nline 3: fmt.Scan: a kata returns what it finds; kata test -v shows what it prints, but a submission prints nothing",
		},
		{"prints by another name", `import f "fmt"; var say = f.Print`, "line 3: f.Print: a kata returns what it finds; kata test -v shows what it prints, but a submission prints nothing"},
		{"text", `import "fmt"; func F() string { panic(fmt.Sprintf("%v", fmt.Errorf("x"))) }`, ""},
		{"a variable named fmt", `type t struct{ Println int }; func F() int { fmt := t{}; return fmt.Println }`, ""},
		{"builtins", `func F() { println("x") }`, "line 3: println writes to standard error: a kata returns what it finds"},
		{"a function named println", `func println(string) {}; func F() { println("x") }`, ""},
		{"arithmetic", `import "gonum.org/v1/gonum/blas/blas64"; func F() { blas64.Use(nil) }`, "line 3: blas64.Use: it would replace the arithmetic that the tests use too"},
		{"another arithmetic", `import "gonum.org/v1/gonum/lapack/lapack64"; func F() { lapack64.Use(nil) }`, "line 3: a submission may not import gonum.org/v1/gonum/lapack/lapack64: the standard library and gonum's mat, floats and stat are there"},
		{
			"goroutines", "func F() {\n\tgo F()\n\tc := make(chan int)\n\tc <- 1\n\t<-c\n\tselect {}\n}",
			"line 4: go: this kata needs no goroutines and no channels; compute it in a loop\nline 5: chan: this kata needs no goroutines and no channels; compute it in a loop\nline 6: <-: this kata needs no goroutines and no channels; compute it in a loop\nline 7: <-: this kata needs no goroutines and no channels; compute it in a loop\nline 8: select: this kata needs no goroutines and no channels; compute it in a loop",
		},
		{"a table", "var table [10]int\n\nfunc init() {\n\tfor i := range table {\n\t\ttable[i] = i * i\n\t}\n}", ""},
		{
			"more than a table", "func init() {\n\tdefer func() { recover() }()\n\tfor {\n\t}\n\tpanic(1)\n}",
			"line 4: defer: init may fill tables, and nothing else\nline 4: recover: init may fill tables, and nothing else\nline 5: this loop has no condition: init may fill tables, and nothing else\nline 7: panic: init may fill tables, and nothing else",
		},
		{"a method named init", "type t int\n\nfunc (t) init() { panic(1) }", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, check(t, kata, "package sessionrun\n\n"+c.source)); diff != "" {
				t.Errorf("Check mismatch (-want +got):\n%s", diff)
			}
		})
	}
}

func check(t *testing.T, k *workbook.Kata, source string) string {
	t.Helper()
	found, err := gate.Check(k, []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, v := range found {
		lines = append(lines, v.String())
	}
	return strings.Join(lines, "\n")
}

func TestAllowed(t *testing.T) {
	own := &workbook.Kata{Name: "q12-parallelism", Package: "parallelism", Allow: []string{"sync", gate.Goroutines}}
	source := "package parallelism\n\nimport \"sync\"\n\nfunc F(c chan int) {\n\tvar w sync.WaitGroup\n\tw.Go(func() { c <- 1 })\n\tgo F(c)\n}\n"
	if got := check(t, own, source); got != "" {
		t.Errorf("what the kata allows is refused: %s", got)
	}
	if got := check(t, own, "package other\n"); got != "line 1: the file is package other: make it package parallelism" {
		t.Errorf("another package: %q", got)
	}
}

func TestWholeFile(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"a byte order mark and CRLF", "\ufeffpackage sessionrun\r\n\r\nfunc F() {}\r\n", ""},
		{"not UTF-8", "package sessionrun\n\n// caf\xe9\n", "the file is not UTF-8: save it as UTF-8 text"},
		{"one line of 10 MB", "package sessionrun; var x = \"" + strings.Repeat("a", 10<<20) + "\"", "the file has 10240 KiB, more than 256"},
	} {
		if got := check(t, kata, c.source); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := gate.Check(kata, []byte("package sessionrun\n\nfunc F( {\n")); err == nil || !strings.Contains(err.Error(), "sessionrun.go:3:9") {
		t.Errorf("no Go: error = %v, want the place", err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file, link, long := filepath.Join(dir, "a.go"), filepath.Join(dir, "b.go"), filepath.Join(dir, "c.go")
	for name, text := range map[string]string{file: "package a\n", long: strings.Repeat("\n", gate.Largest+1)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if text, err := gate.Read(file); err != nil || string(text) != "package a\n" {
		t.Errorf("Read = %q, %v", text, err)
	}
	for name, says := range map[string]string{link: "no regular file", dir: "no regular file", long: "more than 256 KiB", filepath.Join(dir, "none.go"): "no such file"} {
		if _, err := gate.Read(name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Read(%s): error = %v, want %q", name, err, says)
		}
	}
}

// Every answer of the workbook passes: kata verify says so of each. This is how long the longest takes.
func BenchmarkCheck(b *testing.B) {
	w, err := workbook.Open(".")
	if err != nil {
		b.Fatal(err)
	}
	var longest []byte
	var of *workbook.Kata
	for _, k := range w.Katas {
		if text, err := gate.Read(k.Reference()); err == nil && len(text) > len(longest) {
			longest, of = text, k
		}
	}
	for b.Loop() {
		if _, err := gate.Check(of, longest); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(longest)), "bytes")
}
