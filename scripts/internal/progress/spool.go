package progress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest"
)

// Spool is a Store of plain files, one for each thing that happened. It is what there is before the journal has been built, which takes
// a new machine a minute; the journal takes the files over when it is opened.
type Spool struct{ Dir string }

// Spooled is what one file of a Spool holds: a run, or a hint that was shown.
type Spooled struct {
	Report *gotest.Report `json:"report,omitempty"`
	Hint   *SpooledHint   `json:"hint,omitempty"`
}

// SpooledHint says that a step's hints up to a number have been shown.
type SpooledHint struct {
	Kata, Test string
	Number     int
	Shown      time.Time
}

// Add keeps a run.
func (s Spool) Add(r *gotest.Report) error { return s.write(Spooled{Report: r}) }

// ShowHints keeps that the first n hints of a step have been shown.
func (s Spool) ShowHints(kata, test string, n int, now time.Time) error {
	return s.write(Spooled{Hint: &SpooledHint{kata, test, n, now}})
}

// Close does nothing.
func (s Spool) Close() error { return nil }

// write makes a file at one stroke, under a name that comes after all others.
func (s Spool) write(what Spooled) error {
	data, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Dir, ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), filepath.Join(s.Dir, fmt.Sprintf("%020d.json", time.Now().UnixNano())))
}

// Files lists the files, the oldest first.
func (s Spool) Files() ([]string, error) {
	entries, err := os.ReadDir(s.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".json") {
			files = append(files, filepath.Join(s.Dir, e.Name()))
		}
	}
	slices.Sort(files)
	return files, nil
}

// Read reads a file of the Spool.
func Read(file string) (Spooled, error) {
	var what Spooled
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &what)
	}
	if err != nil {
		return what, fmt.Errorf("%s: %w", file, err)
	}
	return what, nil
}

// Hints returns how many hints of a step have been shown.
func (s Spool) Hints(kata, test string) (int, error) {
	all, err := s.Standings()
	return all[kata].Steps[test].Hints, err
}

// Standings returns how the learner stands, by kata.
func (s Spool) Standings() (map[string]Standing, error) {
	files, err := s.Files()
	if err != nil {
		return nil, err
	}
	all := map[string]Standing{}
	for _, file := range files {
		what, err := Read(file)
		if err != nil {
			return nil, err
		}
		if r := what.Report; r != nil && r.Build == nil && r.Subject == gotest.Learner {
			all[r.Kata] = all[r.Kata].after(r)
		}
		if h := what.Hint; h != nil {
			standing := all[h.Kata].clone()
			state := standing.Steps[h.Test]
			state.Hints = max(state.Hints, h.Number)
			standing.Steps[h.Test] = state
			all[h.Kata] = standing
		}
	}
	return all, nil
}

// clone has its own, writable steps.
func (s Standing) clone() Standing {
	steps := make(map[string]State, len(s.Steps))
	for test, state := range s.Steps {
		steps[test] = state
	}
	s.Steps = steps
	return s
}

// after is how a learner stands after one more run that built.
func (s Standing) after(r *gotest.Report) Standing {
	s = s.clone()
	s.Hash = r.Hash
	if r.Solved() {
		s.Solved = r.Start
	}
	for _, step := range r.Steps {
		state := s.Steps[step.Test]
		state.Now = step.Status
		s.Steps[step.Test] = state
	}
	return s
}
