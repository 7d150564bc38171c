package journal_test

import (
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

// fill records a little of everything.
func fill(t *testing.T, s progress.Store) {
	t.Helper()
	broken := report("learner", gotest.Missing, gotest.Missing)
	broken.Build = &gotest.BuildError{Problems: []gotest.Problem{{Message: "syntax error"}}}
	for i, r := range []*gotest.Report{
		report("learner", gotest.Todo, gotest.Todo), report("learner", gotest.Pass, gotest.Pass), report("learner", gotest.Fail, gotest.Todo),
		report("reference", gotest.Pass, gotest.Pass), broken,
	} {
		r.Start = r.Start.Add(time.Duration(i) * time.Minute)
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
		if err := s.ShowHints("q05-batch-norm", "TestB", 1+i%2, r.Start); err != nil {
			t.Fatal(err)
		}
	}
}

// What stands in for the journal says of a learner what the journal would, and the journal loses nothing of it.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	spool := journal.Spool(path)
	fill(t, spool)
	kept, err := spool.Standings()
	if err != nil {
		t.Fatal(err)
	}
	direct := open(t, filepath.Join(t.TempDir(), "journal.db"))
	fill(t, direct)
	want, err := direct.Standings()
	if err != nil {
		t.Fatal(err)
	}
	toMillis := cmp.Transformer("ms", func(t time.Time) int64 { return t.UnixMilli() })
	if diff := cmp.Diff(want, kept, toMillis); diff != "" {
		t.Errorf("the spool stands otherwise than the journal (-journal +spool):\n%s", diff)
	}
	if n, err := spool.Hints("q05-batch-norm", "TestB"); n != 2 || err != nil {
		t.Errorf("Hints = %d, %v, want 2", n, err)
	}

	// A file whose removal was missed counts once.
	files, err := spool.Files()
	if err != nil || len(files) != 10 {
		t.Fatalf("Files = %v, %v, want 10", files, err)
	}
	again, err := os.ReadFile(files[2])
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j := open(t, path)
		got, err := j.Standings()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, toMillis); diff != "" {
			t.Errorf("the journal that took it over stands otherwise (-want +got):\n%s", diff)
		}
		if left, _ := spool.Files(); len(left) != 0 {
			t.Errorf("files are left: %v", left)
		}
		j.Close()
		if err := os.WriteFile(files[2], again, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that is damaged is named; the journal does not open without it, and nothing is lost.
func TestSpoolDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	spool := journal.Spool(path)
	fill(t, spool)
	files, err := spool.Files()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[4], []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = journal.Open(path)
	if err == nil || !strings.Contains(err.Error(), files[4]) || !strings.Contains(workbook.HintOf(err), "move that file away") {
		t.Errorf("Open = %v, hint %q, want it to name %s", err, workbook.HintOf(err), files[4])
	}
	if left, _ := spool.Files(); len(left) != 10 {
		t.Errorf("%d files are left, want all 10", len(left))
	}
}
