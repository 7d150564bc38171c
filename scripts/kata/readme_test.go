package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"whyhow/scripts/internal/workbook"
)

var update = flag.Bool("update", false, "write the table of katas into README.md")

// The README's table of katas is their front matter: go test ./kata -run Readme -update writes it.
func TestReadmeListsTheKatas(t *testing.T) {
	t.Parallel()
	w, err := workbook.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	want := "| kata | question | level | minutes |\n|---|---|---|---|\n"
	for _, k := range w.Katas {
		if k.Err != nil {
			t.Fatal(k.Err)
		}
		want += fmt.Sprintf("| [%s](katas/%s) | %s | %d | %d |\n", k.Number, k.Name, k.Question, k.Level, k.Minutes)
	}
	const file = "../../README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(string(text), "| kata |")
	end := start + strings.Index(string(text)[max(start, 0):], "\n\n") + 1
	if start < 0 || end <= start {
		t.Fatalf("%s has no table that begins with | kata |", file)
	}
	if got := string(text[start:end]); got == want {
		return
	}
	if !*update {
		t.Fatalf("the table of katas in README.md is out of date: go -C scripts test ./kata -run Readme -update")
	}
	if err := os.WriteFile(file, []byte(string(text[:start])+want+string(text[end:])), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Where go has no place for its files, make says what to do before anything is built.
func TestMakeWithoutAHome(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make")
	}
	c := exec.Command("make", "-C", "../..", "--no-print-directory", "-B", "bin/kata")
	c.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := c.CombinedOutput()
	if err == nil || !strings.HasPrefix(string(out), "make: the go command has no place for its files; set HOME, or GOPATH and GOCACHE\n") || strings.Contains(string(out), "go:") {
		t.Errorf("make ends with %v and says\n%s", err, out)
	}
}
