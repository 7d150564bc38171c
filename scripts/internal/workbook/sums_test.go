package workbook_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSums(t *testing.T) {
	w := open(t, checkout(t))
	k := w.Katas[0]
	if revision, changed, err := k.Judges(); revision == "" || changed != nil || err != nil {
		t.Fatalf("without a list Judges = %q, %v, %v", revision, changed, err)
	}
	if err := w.CheckSums(); err == nil {
		t.Error("CheckSums without a list = nil, want an error")
	}
	if err := w.WriteSums(); err != nil {
		t.Fatal(err)
	}
	if err := w.CheckSums(); err != nil {
		t.Errorf("CheckSums of what was written = %v", err)
	}
	before, changed, err := k.Judges()
	if err != nil || len(changed) > 0 {
		t.Fatalf("Judges = %v, %v, want nothing changed", changed, err)
	}
	test := filepath.Join(k.Dir, "how_test.go")
	text, err := os.ReadFile(test)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		do      func() error
		changed bool
	}{
		{"the learner's own file", func() error { return os.WriteFile(k.File, []byte("package p\n"), 0o666) }, false},
		{"a file of the learner's beside it", func() error { return os.WriteFile(filepath.Join(k.Dir, "mine_test.go"), nil, 0o666) }, false},
		{"ends of lines as Windows has them", func() error { return os.WriteFile(test, bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), 0o666) }, false},
		{"a test emptied", func() error { return os.WriteFile(test, text[:len(text)/2], 0o666) }, true},
		{"a test gone", func() error { return os.Remove(test) }, true},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		revision, changed, err := k.Judges()
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(changed, func(p string) bool { return strings.HasSuffix(p, "/how_test.go") }); got != c.changed || (revision != before) != c.changed {
			t.Errorf("%s: Judges = %q, %v; it was %q", c.name, revision, changed, before)
		}
	}
}
