package gotest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"whyhow/scripts/internal/workbook"
)

// recordings are what test binaries wrote when they ended in each way, byte by byte; the workbook's root is $ROOT in them.
// go test ./internal/gotest -run Recorded -update writes them anew, from the fixture's kata q90.
var recordings = []struct {
	test, hung string // hung: what the watchdog says, "" if the process ended by itself
	status     Status
	want       string
}{
	{"TestGoroutine", "", Crash, "panic: lost\nat katas/q90-endings/endings.go:23, in End.func1"},
	{"TestGoroutineTodo", "", Todo, "Stub is not implemented yet"},
	{"TestOverflow", "", Crash, "stack overflow: a function calls itself without end\nat katas/q90-endings/endings.go:68, in down"},
	{"TestDeadlock", "", Crash, "all goroutines are asleep - deadlock!\nat katas/q90-endings/endings.go:41, in End"},
	{"TestExit0", "", Crash, "panic: unexpected call to os.Exit(0) during test\nat katas/q90-endings/endings.go:43, in End"},
	{"TestGoexit", "", Crash, "runtime.Goexit ended the step\nat katas/q90-endings/endings.go:49, in End"},
	{"TestUnrescued", "", Crash, "panic: runtime error: index out of range [5] with length 1\nat katas/q90-endings/endings.go:21, in End"},
	{"TestLoop", "no end after 10s of CPU time", Timeout, "no end after 10s of CPU time\nat katas/q90-endings/endings.go:36, in End"},
	{"TestTinyLoop", "no end after 10s of CPU time", Timeout, "no end after 10s of CPU time\nat katas/q90-endings/endings.go:61, in Spin"},
	{"TestBlock", "no end: it has waited", Timeout, "no end: it has waited\nat katas/q90-endings/endings.go:39, in End"},
	// Recorded where a test binary has a limit of its own, because nobody may be left to watch it.
	{"TestUnwatched", "", Timeout, "no end: test timed out after 1s\nat katas/q90-endings/endings.go:36, in End"},
}

func TestRecordedEndings(t *testing.T) {
	if *update {
		record(t)
	}
	root := t.TempDir()
	for _, c := range recordings {
		t.Run(c.test, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "recorded", c.test+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(root, "katas", "q90-endings")
			b := &build{Runner: &Runner{Root: root}, kata: &workbook.Kata{Dir: dir, File: filepath.Join(dir, "endings.go")}}
			b.file, b.shown, b.rename = b.kata.File, "katas/q90-endings/endings.go", strings.NewReplacer()
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(b.file, fixtureFile(t, "solutions/q90-endings/endings.go"), 0o600); err != nil {
				t.Fatal(err)
			}
			r := &result{name: strings.Replace(c.test, "Unwatched", "Loop", 1)}
			p := &process{hung: c.hung, said: newStream(), told: &records{of: map[string]*result{r.name: r}, last: r}}
			p.said.read(bytes.NewReader(bytes.ReplaceAll(text, []byte("$ROOT"), []byte(root))))
			o := b.judge(p, r)
			got := ""
			if n := len(o.messages); n > 0 {
				got = o.messages[n-1].String()
			}
			if o.status != c.status || !strings.HasPrefix(got, c.want) {
				t.Errorf("judge = %s\n%s\nwant %s\n%s", o.status, got, c.status, c.want)
			}
			if strings.Count(got, "\nat ") > deepest {
				t.Errorf("more than %d places:\n%s", deepest, got)
			}
		})
	}
}

func fixtureFile(t *testing.T, name string) []byte {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/workbook.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("the fixture has no %s", name)
	return nil
}

// record runs the fixture's functions, each in a process of its own, and writes down what they wrote.
func record(t *testing.T) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/workbook.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := txtar.Write(archive, root); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "katas", "q90-endings")
	if err := os.WriteFile(filepath.Join(dir, "endings.go"), fixtureFile(t, "solutions/q90-endings/endings.go"), 0o600); err != nil {
		t.Fatal(err)
	}
	compile := exec.Command("go", "test", "-c", "-o", "endings.test", ".")
	compile.Dir = dir
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.MkdirAll(filepath.Join("testdata", "recorded"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range recordings {
		test, timeout := c.test, "0"
		if test == "TestUnwatched" {
			test, timeout = "TestLoop", "1s"
		}
		cmd := exec.Command("./endings.test", "-test.v=test2json", "-test.paniconexit0", "-test.timeout="+timeout, fmt.Sprintf("-test.run=^%s$", test))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOTRACEBACK=crash")
		ownGroup(cmd)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if c.hung != "" {
			time.Sleep(time.Second)
			if err := askForStacks(cmd.Process.Pid); err != nil {
				t.Fatal(err)
			}
		}
		_ = cmd.Wait() // it does not end well
		text := bytes.ReplaceAll(out.Bytes(), []byte(root), []byte("$ROOT"))
		if err := os.WriteFile(filepath.Join("testdata", "recorded", c.test+".txt"), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
