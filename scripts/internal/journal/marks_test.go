package journal

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/gotest"
)

func open1(t *testing.T, name string) *Journal {
	t.Helper()
	j, err := Open(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

var noon = time.UnixMilli(1_800_000_000_000)

func mark(student, kata, hash string, score int, graded time.Time) Mark {
	return Mark{
		Student: student, Kata: kata, Hash: hash, Submitted: noon, Judges: "tests1", Seed: 1<<62 + 1, Graded: graded, Walls: "gate, none, channel", Score: score, Max: 9,
		Report: &gotest.Report{Kata: kata, Subject: student, Score: score},
	}
}

// What is written comes back: the newest of a student and a kata counts, what the file got from the same judges is found whoever asks, and its text is kept.
func TestMarks(t *testing.T) {
	j := open1(t, "j.db")
	first, second := mark("ann", "q01", "h1", 3, noon), mark("ann", "q01", "h2", 5, noon.Add(time.Hour))
	second.Note = "late"
	for _, m := range []Mark{first, second, mark("bob", "q01", "h1", 3, noon)} {
		if err := j.AddMarks([]Mark{m}, map[string][]byte{m.Hash: []byte("package " + m.Hash)}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := j.Marks()
	if err != nil {
		t.Fatal(err)
	}
	bob := mark("bob", "q01", "h1", 3, noon)
	if diff := cmp.Diff([]*Mark{&second, &bob}, all); diff != "" {
		t.Errorf("Marks mismatch (-want +got):\n%s", diff)
	}
	if m, err := j.Judged("q01", "h2", "tests1", 1<<62+1); err != nil || m == nil || m.Score != 5 {
		t.Errorf("Judged = %+v, %v, want the 5 points of h2", m, err)
	}
	for _, c := range []struct {
		hash, judges string
		seed         uint64
	}{{"h3", "tests1", 1<<62 + 1}, {"h2", "tests2", 1<<62 + 1}, {"h2", "tests1", 7}} {
		if m, err := j.Judged("q01", c.hash, c.judges, c.seed); err != nil || m != nil {
			t.Errorf("Judged of %+v = %+v, %v, want none", c, m, err)
		}
	}
	if text, err := j.Source("h2"); err != nil || string(text) != "package h2" {
		t.Errorf("Source = %q, %v", text, err)
	}
	if text, err := j.Source("h9"); err != nil || text != nil {
		t.Errorf("Source of what is not there = %q, %v", text, err)
	}
	// The old file is handed in again: what it got counts again.
	if err := j.AddMarks([]Mark{first}, nil); err != nil {
		t.Fatal(err)
	}
	if all, _ := j.Marks(); all[0].Score != 3 || all[0].Note != "" {
		t.Errorf("after handing in the first file again the mark is %d, %q, want 3", all[0].Score, all[0].Note)
	}
	if err := j.Correct("ann", "q01", Correction{8, "spoke with her", noon}); err != nil {
		t.Fatal(err)
	}
	if all, _ := j.Marks(); all[0].Counts() != 8 || all[0].Score != 3 || all[1].Counts() != 3 {
		t.Errorf("after a correction the marks are %d and %d, want 8 and 3", all[0].Counts(), all[1].Counts())
	}
}

func TestSeed(t *testing.T) {
	j := open1(t, "j.db")
	for _, fresh := range []uint64{1<<62 + 5, 6} {
		if got, err := j.Seed(func() uint64 { return fresh }); err != nil || got != 1<<62+5 {
			t.Errorf("Seed = %d, %v, want the first for ever", got, err)
		}
	}
}

// Shards come together in any order, and twice, to the same.
func TestMerge(t *testing.T) {
	a, b := open1(t, "a.db"), open1(t, "b.db")
	old, fresh := mark("ann", "q01", "h1", 3, noon), mark("ann", "q01", "h2", 5, noon.Add(time.Hour))
	for _, err := range []error{
		a.AddMarks([]Mark{old, mark("bob", "q01", "h3", 1, noon)}, map[string][]byte{"h1": []byte("one")}),
		b.AddMarks([]Mark{fresh, mark("eve", "q02", "h4", 2, noon)}, map[string][]byte{"h2": []byte("two")}),
		b.Correct("eve", "q02", Correction{9, "by hand", noon}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := a.Merge(a.Path); err != nil || n != 0 {
		t.Errorf("a journal merged with itself: %d new marks, %v, want none", n, err)
	}
	var want []*Mark
	for i, order := range [][]*Journal{{a, b}, {b, a}, {a, b, a, b}} {
		all := open1(t, "all.db")
		total := 0
		for _, from := range order {
			n, err := all.Merge(from.Path)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
		got, err := all.Marks()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			want = got
			if len(got) != 3 || got[0].Hash != "h2" || got[2].Counts() != 9 {
				t.Errorf("merged are %+v, want ann's newer, bob's, and eve's 9", got)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || total != 4 {
			t.Errorf("order %d: %d new marks, want 4; (-first +this):\n%s", i, total, diff)
		}
		if text, err := all.Source("h2"); err != nil || string(text) != "two" {
			t.Errorf("Source = %q, %v", text, err)
		}
	}
}
