package submission_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/submission"
)

// Whatever a file is called, its key is harmless, not empty, and the same when it is read again.
func FuzzKey(f *testing.F) {
	for _, name := range []string{
		"", " ", "kim", "a\x1b[2Jb", "\xff", "\u202ekim", strings.Repeat("é", 200), "Ann Lee_12_assignsubmission_file_", "leeann_LATE_1_2_hw.zip", "_1_2_x",
		"HW_x_attempt_2026-99-99-10-00-00_hw.zip", "anon_x_1_hw", "\u2028", "a\u0301", "=1+1", "_12_assignsubmission_file_",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		key, _, _ := submission.Identify(name)
		for _, k := range []string{key, submission.Key(name)} {
			if k == "" || k != strings.TrimSpace(k) || !utf8.ValidString(k) || utf8.RuneCountInString(k) > 110 || strings.ContainsFunc(k, func(r rune) bool {
				return unicode.IsControl(r) || r == '\u2028' || r == '\u202e'
			}) {
				t.Errorf("the key of %q is %q", name, k)
			}
		}
		if again := submission.Key(submission.Key(name)); utf8.RuneCountInString(name) <= 100 && again != submission.Key(name) {
			t.Errorf("the key of %q is %q, and its key is %q", name, submission.Key(name), again)
		}
	})
}

// A path that is taken lies below where it is looked for.
func FuzzCleanPath(f *testing.F) {
	for _, name := range []string{"a", "./a//b/", "../a", "a/..", "/a", `a\b`, "C:a", "\xff", "a\x00b", "", ".", "..", "a/./b"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		path, why := submission.CleanPath(name)
		if why == "" && !filepath.IsLocal(path) || (why == "") == (path == "") {
			t.Errorf("the path of %q is %q, %q", name, path, why)
		}
	})
}

// No archive stops the batch, and none gives more than it may.
func FuzzArchive(f *testing.F) {
	t := &testing.T{}
	f.Add([]byte(zipOf(t, tree{q01: "a", "../x": "b"})))
	f.Add([]byte(tarOf(t, tree{q01: "a", "b": "c"})))
	f.Add([]byte(gzipOf(t, tarOf(t, tree{q01: "a"}))))
	f.Add([]byte("PK\x05\x06"))
	f.Add([]byte{})
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(dir, "kim.zip")
		if err := os.WriteFile(file, text, 0o666); err != nil {
			t.Fatal(err)
		}
		handles, err := submission.Find(t.Context(), katas, []string{file}, submission.Options{})
		if err != nil {
			return // of many, and broken
		}
		for _, h := range handles {
			s := h.Read(t.Context())
			harmless(t, s)
			if len(s.Files) == 0 && len(s.Problems) == 0 {
				t.Error("it has no files, and no problem says why")
			}
			for k, file := range s.Files {
				if len(file.Content) > gate.Largest || !strings.HasPrefix(k, "q") {
					t.Errorf("%s has %d bytes", k, len(file.Content))
				}
			}
		}
	})
}

func TestAssignment(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"hw1-ann", "hw1-bob"}, "hw1-"},
		{[]string{"hw-1-ann", "hw-1-anna-lee"}, "hw-1-"},
		{[]string{"hw1-ann"}, ""},
		{[]string{"ann", "anna"}, ""},
		{[]string{"hw1-", "hw1-ann"}, ""},
		{nil, ""},
	} {
		if got := submission.Assignment(slices.Clone(c.names)); got != c.want {
			t.Errorf("assignment(%q) = %q, want %q", c.names, got, c.want)
		}
	}
}
