package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"whyhow/scripts/internal/fixture"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kata": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	shared := map[string]string{"GOFLAGS": "-buildvcs=false", "KATA_BIN": filepath.SplitList(os.Getenv("PATH"))[0]}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		shared[name] = strings.TrimSpace(string(value))
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			for _, f := range fixture.Archive().Files {
				path := filepath.Join(e.WorkDir, f.Name)
				if _, err := os.Stat(path); err == nil {
					continue // the script has its own
				}
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					return err
				}
				if err := os.WriteFile(path, f.Data, 0o666); err != nil {
					return err
				}
			}
			for name, value := range shared {
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"interrupt": interrupt,
		},
	})
}

// exits CODE COMMAND… runs a command that must end with the exit status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	status(ts, args[0], ts.Exec(args[1], args[2:]...))
}

// interrupt CODE FILE COMMAND… runs a command, presses Ctrl-C as soon as there is the file, and checks the exit status.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: interrupt CODE FILE COMMAND…")
	}
	path, err := exec.LookPath(filepath.Join(ts.Getenv("KATA_BIN"), args[2]))
	ts.Check(err)
	cmd := exec.Command(path, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "GOCACHE=" + ts.Getenv("GOCACHE"), "GOFLAGS=" + ts.Getenv("GOFLAGS")}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	ts.Check(cmd.Start())
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[1])); err == nil {
			break
		}
		if time.Now().After(deadline) {
			_ = cmd.Process.Kill() // the failure below is what matters
			ts.Fatalf("no %s after a minute", args[1])
		}
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	status(ts, args[0], cmd.Wait())
}

func status(ts *testscript.TestScript, want string, err error) {
	got := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, want %s", got, want)
	}
}
