package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"whyhow/scripts/internal/fixture"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"firstrun": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			for _, f := range fixture.Archive().Files {
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
