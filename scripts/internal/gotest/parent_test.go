package gotest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"whyhow/scripts/internal/gotest"
)

// A test process does not outlive the program that watches it, even if that is killed: nobody else would end an endless loop.
func TestKilledParentLeavesNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a process with its parent")
	}
	if root := os.Getenv("GOTEST_WATCHER"); root != "" {
		watchForEver(t, root)
		return
	}
	r, k := fixture(t, "q91")
	pid := filepath.Join(t.TempDir(), "pid")
	source := "package contract\n\nimport (\n\t\"os\"\n\t\"strconv\"\n)\n\ntype Layer struct{ Gamma []float64 }\n\nfunc Stats(x []float64, n int) (mean, variance float64) {\n" +
		"\tos.WriteFile(" + strconv.Quote(pid+".part") + ", []byte(strconv.Itoa(os.Getpid())), 0o600)\n\tos.Rename(" + strconv.Quote(pid+".part") + ", " + strconv.Quote(pid) + ")\n\tfor {\n\t}\n}\n\n" +
		"func (l *Layer) Train(x []float64) []float64 { return x }\n"
	if err := os.WriteFile(k.File, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	watcher := exec.Command(os.Args[0], "-test.run=^TestKilledParentLeavesNothing$")
	watcher.Env = append(os.Environ(), "GOTEST_WATCHER="+r.Root)
	if err := watcher.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = watcher.Process.Kill() }()
	var child int
	for {
		if text, err := os.ReadFile(pid); err == nil {
			if child, err = strconv.Atoi(string(text)); err != nil {
				t.Fatal(err)
			}
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := watcher.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = watcher.Wait() // it was killed
	for {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(child) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return // it is gone, or a zombie until init fetches it
		}
		time.Sleep(10 * time.Millisecond) // a process that is not ended keeps this test until go test's own limit
	}
}

// watchForEver runs the kata's endless loop without a limit that it would reach.
func watchForEver(t *testing.T, root string) {
	r, err := gotest.New(root)
	if err != nil {
		t.Fatal(err)
	}
	k := kata(t, root, "q91")
	_, err = r.Run(t.Context(), k, gotest.Subject{}, gotest.Options{Limit: time.Hour, NoVet: true}, nil)
	t.Fatalf("Run = %v, and nobody killed this", err)
}
