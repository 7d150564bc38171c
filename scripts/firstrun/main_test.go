package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/tools/txtar"

	"whyhow/scripts/internal/fixture"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"firstrun": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	small, err := txtar.ParseFile(fixture.Archive())
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			for _, f := range small.Files {
				path := filepath.Join(e.WorkDir, f.Name)
				if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
					return err
				}
				if err := os.WriteFile(path, f.Data, 0o666); err != nil {
					return err
				}
			}
			e.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
			return nil
		},
	})
}
