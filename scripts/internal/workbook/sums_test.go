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
	if j, err := k.Judges(); j.Revision == "" || j.Changed != nil || err != nil {
		t.Fatalf("without a list Judges = %+v, %v", j, err)
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
	before, err := k.Judges()
	if err != nil || len(before.Changed) > 0 || len(before.Files) == 0 {
		t.Fatalf("Judges = %+v, %v, want nothing changed", before, err)
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
		j, err := k.Judges()
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.ContainsFunc(j.Changed, func(p string) bool { return strings.HasSuffix(p, "/how_test.go") }); got != c.changed || (j.Revision != before.Revision) != c.changed {
			t.Errorf("%s: Judges = %+v; it was %+v", c.name, j, before)
		}
	}
}
