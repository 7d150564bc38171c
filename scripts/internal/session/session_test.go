package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

const (
	endless = "package double\n\nfunc Double(x float64) float64 { for {} }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
	right   = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
)

func begin(t *testing.T) (*workbook.Kata, *gotest.Runner) {
	t.Helper()
	w := fixture.Workbook(t)
	r, err := gotest.New(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	return w.Katas[0], r
}

// next is the next event that is no Slow: whether a build is slow depends on the machine.
func next(t *testing.T, s *Session) Event {
	t.Helper()
	for e := range s.Events() {
		if _, slow := e.(Slow); !slow {
			return e
		}
	}
	t.Fatal("the session has ended")
	return nil
}

// want checks that the events come that are of the types of these, in this order, and returns the last.
func want(t *testing.T, s *Session, events ...Event) (last Event) {
	t.Helper()
	for _, e := range events {
		if last = next(t, s); reflect.TypeOf(last) != reflect.TypeOf(e) {
			t.Fatalf("the next event is %T %+v, want %T", last, last, e)
		}
	}
	return last
}

func TestSession(t *testing.T) {
	t.Parallel()
	k, r := begin(t)
	store := progress.Spool{Dir: filepath.Join(t.TempDir(), "spool")}
	s := Start(t.Context(), k, Options{
		Runner: r, Store: store, Artifacts: t.TempDir(),
		Draw: func(*gotest.Report) ([]string, error) { return []string{"line.png"}, nil },
	})
	if done := want(t, s, Started{}, Judged{}, Done{}).(Done); done.Report.Passed() != 0 || done.Unrecorded != nil {
		t.Errorf("Done on the stub = %+v", done)
	}

	// A run is called off by a save, and by Again; what it would have found is never told.
	fixture.Write(t, k.File, endless)
	want(t, s, Started{})
	s.Again()
	want(t, s, Started{})
	fixture.Write(t, k.File, right)
	want(t, s, Started{}, Judged{}, Done{})
	if drawn := want(t, s, Drawn{}).(Drawn); len(drawn.Files) != 1 {
		t.Errorf("Drawn = %+v", drawn)
	}

	if err := os.Remove(k.File); err != nil {
		t.Fatal(err)
	}
	gone := want(t, s, Started{}, Judged{}, Done{}).(Done).Report
	if gone.Build == nil || !strings.HasSuffix(gone.Build.First().Message, "git checkout -- katas/q01-double/double.go") {
		t.Errorf("without its file the session says %+v", gone.Build)
	}
	s.End()
	standings, err := store.Standings()
	if err != nil {
		t.Fatal(err)
	}
	if files, err := store.Files(); standings[k.Name].Solved.IsZero() || len(files) != 3 || err != nil {
		t.Errorf("the store has %+v of %d runs, want the untouched stub's, a solved one, and one without a file", standings, len(files))
	}
}

// A pause calls off the run in flight; it goes on when that is asked for.
func TestPause(t *testing.T) {
	t.Parallel()
	k, r := begin(t)
	fixture.Write(t, k.File, endless)
	s := Start(t.Context(), k, Options{Runner: r})
	want(t, s, Started{})
	s.Pause()
	s.Pause() // once more is no harm
	fixture.Write(t, k.File, right)
	want(t, s, Started{}, Judged{}, Done{})
	s.End()
	s.Pause()
}

// What cannot be recorded is told with the verdict, which stands.
func TestUnrecorded(t *testing.T) {
	t.Parallel()
	k, r := begin(t)
	file := filepath.Join(t.TempDir(), "file")
	fixture.Write(t, file, "")
	s := Start(t.Context(), k, Options{Runner: r, Store: broken{}})
	if done := want(t, s, Started{}, Judged{}, Done{}).(Done); done.Unrecorded == nil || done.Report == nil {
		t.Errorf("Done = %+v, want a Report and why it is not recorded", done)
	}
	s.End()
}

// broken is a Store to which nothing can be added.
type broken struct{ progress.Spool }

func (broken) Add(*gotest.Report) error                         { return errors.New("the disk is full") }
func (broken) Standings() (map[string]progress.Standing, error) { return nil, nil }

// The end of its context ends a session, also in the middle of a run, and closes its events.
func TestEnd(t *testing.T) {
	t.Parallel()
	k, r := begin(t)
	fixture.Write(t, k.File, endless)
	ctx, cancel := context.WithCancel(t.Context())
	s := Start(ctx, k, Options{Runner: r})
	want(t, s, Started{})
	cancel()
	for e := range s.Events() {
		t.Errorf("after the end there is an event: %T", e)
	}
	s.End() // once more is no harm
}

// A version control system that replaces the folder takes the watch away, and with it a save that was not yet told.
func TestWatchOutlivesItsFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "q01-double")
	fixture.Write(t, filepath.Join(dir, "double.go"), endless)
	saved, stands := make(chan struct{}), make(chan struct{})
	var once bool
	go watch(t.Context(), dir, false, saved, func() {
		if !once { // it stands a second time when it looks for itself
			once = true
			close(stands)
		}
	})
	<-stands
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, filepath.Join(dir, "double.go"), right)
	<-saved
}
