package journal_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

func open(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(path)
	if err != nil {
		t.Fatalf("Open(%s) = %v (hint: %s)", path, err, workbook.HintOf(err))
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// report is a run of q05 that found the given statuses of TestA, TestB, …
func report(subject string, statuses ...gotest.Status) *gotest.Report {
	r := &gotest.Report{Kata: "q05-batch-norm", Subject: subject, Start: time.UnixMilli(1_700_000_000_000).UTC(), Seconds: 1, Hash: "abc"}
	for i, s := range statuses {
		r.Steps = append(r.Steps, gotest.Step{Test: "Test" + string(rune('A'+i)), Kind: workbook.How, Points: 1, Status: s, Messages: []gotest.Message{{Text: "a\nb"}}})
	}
	return r
}

func TestLatestIsWhatWasAdded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder", "journal.db")
	j := open(t, path)
	if got, err := j.Latest("q05-batch-norm", "learner"); got != nil || err != nil {
		t.Fatalf("Latest on an empty journal = %v, %v, want nil, nil", got, err)
	}
	want := report("learner", gotest.Pass, gotest.Fail)
	want.Figures = []gotest.Figure{{Test: "TestA", Path: "/x.json"}}
	for _, r := range []*gotest.Report{report("learner", gotest.Todo), want, report("reference", gotest.Pass)} {
		if err := j.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); err == nil {
		t.Error("after Close a write-ahead log is left")
	}
	got, err := open(t, path).Latest("q05-batch-norm", "learner")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Latest mismatch (-want +got):\n%s", diff)
	}
}

func TestStandings(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal.db"))
	broken := report("learner", gotest.Missing, gotest.Missing)
	broken.Build = &gotest.BuildError{Problems: []gotest.Problem{{Message: "syntax error"}}}
	solved := report("learner", gotest.Pass, gotest.Pass)
	solved.Start, solved.Hash = solved.Start.Add(-time.Hour), "earlier"
	for _, r := range []*gotest.Report{
		report("learner", gotest.Todo, gotest.Todo),
		solved,
		report("learner", gotest.Pass, gotest.Fail),
		report("learner", gotest.Fail, gotest.Crash),
		report("reference", gotest.Pass, gotest.Pass),
		broken,
	} {
		if err := j.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.ShowHints("q05-batch-norm", "TestB", 2, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := j.ShowHints("q06-relu", "TestA", 1, time.Now()); err != nil {
		t.Fatal(err)
	}
	got, err := j.Standings()
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1_700_000_000_000)
	want := map[string]progress.Standing{
		"q05-batch-norm": {Solved: at.Add(-time.Hour), Hash: "abc", Steps: map[string]progress.State{
			"TestA": {Now: gotest.Fail},
			"TestB": {Now: gotest.Crash, Hints: 2},
		}},
		"q06-relu": {Steps: map[string]progress.State{"TestA": {Hints: 1}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Standings mismatch (-want +got):\n%s", diff)
	}
	if n, err := j.Hints("q05-batch-norm", "TestB"); n != 2 || err != nil {
		t.Errorf("Hints = %d, %v, want 2", n, err)
	}
}

// A run is one transaction: a step that cannot be written takes its run with it.
func TestAddIsWholeOrNothing(t *testing.T) {
	j := open(t, filepath.Join(t.TempDir(), "journal.db"))
	twice := report("learner", gotest.Pass)
	twice.Steps = append(twice.Steps, twice.Steps[0])
	if err := j.Add(twice); err == nil {
		t.Fatal("Add of a report with the same step twice = nil, want an error")
	}
	if got, err := j.Latest("q05-batch-norm", "learner"); got != nil || err != nil {
		t.Errorf("Latest = %v, %v, want nil, nil: half a run was written", got, err)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	corrupt := filepath.Join(dir, "corrupt.db")
	if err := os.WriteFile(corrupt, []byte(strings.Repeat("this is no database ", 300)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "newer.db")
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	for _, c := range []struct{ name, path, says, hint string }{
		{"corrupt", corrupt, "not a database", "mv " + corrupt},
		{"newer", newer, "newer kata (schema 99", "update the workbook"},
		{"a folder", dir, dir, "KATA_JOURNAL"},
		{"below a file", filepath.Join(corrupt, "journal.db"), "no folder", "KATA_JOURNAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := journal.Open(c.path)
			if err == nil {
				t.Fatalf("Open = nil, want an error that says %q", c.says)
			}
			if hint := workbook.HintOf(err); !strings.Contains(err.Error(), c.says) || !strings.Contains(hint, c.hint) {
				t.Errorf("Open = %q, hint %q, want %q, hint %q", err, hint, c.says, c.hint)
			}
		})
	}
	if got, err := os.ReadFile(corrupt); err != nil || !strings.HasPrefix(string(got), "this is no database") {
		t.Errorf("the corrupt file was changed: %v", err)
	}
}

// Two programs on one journal, the practice loop and a test in another terminal, wait for each other.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	a, b := open(t, path), open(t, path)
	done := make(chan error, 2)
	for _, j := range []*journal.Journal{a, b} {
		go func() {
			for range 20 {
				if err := j.Add(report("learner", gotest.Pass)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	var runs int
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT COUNT(*) FROM run").Scan(&runs); err != nil || runs != 40 {
		t.Errorf("runs recorded = %d, %v, want 40", runs, err)
	}
}

func TestPath(t *testing.T) {
	root := t.TempDir()
	t.Setenv("KATA_JOURNAL", "")
	path, note, err := journal.Path(root)
	if want := filepath.Join(root, ".kata", "journal.db"); path != want || note != "" || err != nil {
		t.Errorf("Path = %q, %q, %v, want %q", path, note, err, want)
	}
	// A file in the folder's place cannot be written into, not even by root.
	readOnly := filepath.Join(root, "file")
	if err := os.WriteFile(readOnly, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	path, note, err = journal.Path(readOnly)
	if want := filepath.Join(state, "whyhow", "journal.db"); path != want || !strings.Contains(note, want) || err != nil {
		t.Errorf("Path of a read-only checkout = %q, %q, %v, want %q and a note", path, note, err, want)
	}
	t.Setenv("KATA_JOURNAL", filepath.Join(root, "mine.db"))
	if path, _, err = journal.Path(root); path != filepath.Join(root, "mine.db") || err != nil {
		t.Errorf("Path with KATA_JOURNAL = %q, %v", path, err)
	}
}

// A journal that another program holds for good is an error with a hint, after a wait; the caller has its Report still.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.OpenWaiting(path, 10*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}
	err = j.Add(report("learner", gotest.Pass))
	if err == nil || !strings.Contains(workbook.HintOf(err), "another program holds it") {
		t.Errorf("Add to a locked journal = %v, hint %q, want the hint that another program holds it", err, workbook.HintOf(err))
	}
	if _, err := db.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := j.Add(report("learner", gotest.Pass)); err != nil {
		t.Errorf("Add after the lock was released = %v", err)
	}
}

// The first two commands on a new checkout may run at the same time.
func TestOpenTogether(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "journal.db")
		errs := make(chan error)
		for range 4 {
			go func() {
				j, err := journal.Open(path)
				if err == nil {
					err = j.Close()
				}
				errs <- err
			}()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

// A journal of the first schema, with runs that failed, passed and did not build, and hints in a file beside it.
func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	for from, to := range map[string]string{"testdata/schema1.db": path, "testdata/hints.json": filepath.Join(dir, "hints.json")} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // what is new is opened again
		j := open(t, path)
		all, err := j.Standings()
		if err != nil {
			t.Fatal(err)
		}
		q01 := all["q01-double"]
		if q01.Solved.IsZero() || q01.Steps["TestHalve"] != (progress.State{Now: gotest.Pass}) || q01.Steps["TestDouble"].Hints != 2 || len(all) != 2 {
			t.Errorf("Standings = %+v", all)
		}
		r, err := j.Latest("q01-double", "learner")
		if err != nil {
			t.Fatal(err)
		}
		if r.Schema != gotest.Schema || !r.Solved() || r.Score != 3 || r.Max != 3 || r.Seconds < 0.1 || r.Seconds > 1 ||
			r.Steps[2].Text() != "why_test.go:17: 5 doubled and halved is 5" {
			t.Errorf("Latest = %+v", r)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	was, err := sql.Open("sqlite", path+".schema1")
	if err != nil {
		t.Fatal(err)
	}
	defer was.Close()
	var schema, runs int
	if err := was.QueryRow("SELECT (SELECT user_version FROM pragma_user_version), (SELECT COUNT(*) FROM run WHERE report LIKE '%elapsed%')").Scan(&schema, &runs); err != nil || schema != 1 || runs != 6 {
		t.Errorf("the copy has schema %d and %d runs, %v; want 1 and 6", schema, runs, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "hints.json")); err == nil {
		t.Error("hints.json is still there, and nothing reads it")
	}
}

// A migration that fails changes nothing, and says why.
func TestMigrateFails(t *testing.T) {
	data, err := os.ReadFile("testdata/schema1.db")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE run SET report = 'no JSON' WHERE id = 3"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := journal.Open(path); err == nil || !strings.Contains(err.Error(), "schema 1 to 2: run 3") {
		t.Errorf("Open = %v, want it to name the run", err)
	}
	if db, err = sql.Open("sqlite", path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version != 1 {
		t.Errorf("user_version = %d, %v, want 1 as before", version, err)
	}
}
