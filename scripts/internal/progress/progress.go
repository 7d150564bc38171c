// Package progress is how far a learner is: what the journal knows, beside the file on disk.
package progress

import (
	"os"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// Progress is how far a learner is with every kata. What counts is the newest run; that a kata was solved before it is kept beside it.
type Progress struct {
	standings map[string]Standing
}

// Store keeps what happened. A *journal.Journal is one.
type Store interface {
	Add(*gotest.Report) error
	Standings() (map[string]Standing, error)                 // by kata
	Hints(kata, test string) (shown int, err error)          // of a step
	ShowHints(kata, test string, n int, now time.Time) error // the first n have been shown by now
	Close() error
}

// Standing is how a learner stands with one kata. Runs that did not build leave it as it was.
type Standing struct {
	Solved time.Time        // the newest run that passed every step; zero if none did
	Hash   string           // SHA-256 of the file that the newest run tested; "" if it is not known
	Steps  map[string]State // by test
}

// State is how a learner stands with one step.
type State struct {
	Now   gotest.Status // in the newest run that had this step
	Hints int           // that were shown
}

// Of reads the progress from store; without one nothing has passed.
func Of(store Store) (Progress, error) {
	if store == nil {
		return Progress{}, nil
	}
	standings, err := store.Standings()
	return Progress{standings}, err
}

// Passed counts the steps of k that passed in the newest run.
func (p Progress) Passed(k *workbook.Kata) int {
	n := 0
	for _, s := range k.Steps {
		if p.passes(k, s) {
			n++
		}
	}
	return n
}

func (p Progress) passes(k *workbook.Kata, s workbook.Step) bool {
	return p.standings[k.Name].Steps[s.Test].Now == gotest.Pass
}

// Points are those of the steps that passed in the newest run, and of all steps.
func (p Progress) Points(k *workbook.Kata) (score, most int) {
	for _, s := range k.Steps {
		most += s.Points
		if p.passes(k, s) {
			score += s.Points
		}
	}
	return score, most
}

// SolvedOn is when a run last passed every step of k; zero if none did.
func (p Progress) SolvedOn(k *workbook.Kata) time.Time { return p.standings[k.Name].Solved }

// Changed says whether the learner's file is another than the newest run tested.
func (p Progress) Changed(k *workbook.Kata) bool {
	tested := p.standings[k.Name].Hash
	source, err := os.ReadFile(k.File)
	return tested != "" && (err != nil || workbook.SumOf(source) != tested)
}

// Hints counts the hints of k that were shown.
func (p Progress) Hints(k *workbook.Kata) int {
	n := 0
	for _, s := range k.Steps {
		n += p.standings[k.Name].Steps[s.Test].Hints
	}
	return n
}

// Count fills in how many hints of each step of r had been shown.
func (p Progress) Count(r *gotest.Report) {
	for i := range r.Steps {
		r.Steps[i].Hints = p.standings[r.Kata].Steps[r.Steps[i].Test].Hints
	}
}

// Current is the first step of k that did not pass in the newest run, or else its last.
func (p Progress) Current(k *workbook.Kata) workbook.Step {
	for _, s := range k.Steps {
		if !p.passes(k, s) {
			return s
		}
	}
	return k.Steps[len(k.Steps)-1]
}

// Next is the first unsolved kata after k, going round; after nil, the first of all. It is nil if every kata is solved.
func (p Progress) Next(w *workbook.Workbook, k *workbook.Kata) *workbook.Kata {
	start := 0
	if k != nil {
		start = slices.Index(w.Katas, k) + 1
	}
	for i := range w.Katas {
		next := w.Katas[(start+i)%len(w.Katas)]
		if next != k && next.Err == nil && p.Passed(next) < len(next.Steps) {
			return next
		}
	}
	return nil
}

// Entry is a kata in a list, as a program reads it.
type Entry struct {
	Schema   int        `json:"schema"`
	Kata     string     `json:"kata"`
	Title    string     `json:"title"`
	Question string     `json:"question"`
	Level    int        `json:"level"`
	Minutes  int        `json:"minutes"`
	About    []string   `json:"about"`
	File     string     `json:"file"` // from the workbook's root
	Steps    int        `json:"steps"`
	Passed   int        `json:"passed"`
	Score    int        `json:"score"`
	Max      int        `json:"max"`
	Hints    int        `json:"hints"`
	Solved   *time.Time `json:"solved,omitempty"`
	Changed  bool       `json:"changed,omitempty"`
	Error    string     `json:"error,omitempty"`
}

// Entry returns k's.
func (p Progress) Entry(k *workbook.Kata) Entry {
	e := Entry{
		Schema: gotest.Schema, Kata: k.Name, Title: k.Title, Question: k.Question, Level: k.Level, Minutes: k.Minutes, About: k.About, File: k.Display(k.File),
		Steps: len(k.Steps), Passed: p.Passed(k), Hints: p.Hints(k), Changed: p.Changed(k),
	}
	e.Score, e.Max = p.Points(k)
	if solved := p.SolvedOn(k); !solved.IsZero() {
		e.Solved = &solved
	}
	if k.Err != nil {
		e.Error = k.Err.Error()
	}
	return e
}

// FindStep returns the step of k that part names: its test, or any part of it that no other test has.
func FindStep(k *workbook.Kata, part string) (workbook.Step, error) {
	var found []workbook.Step
	var names []string
	for _, s := range k.Steps {
		names = append(names, s.Test)
		switch {
		case strings.EqualFold(s.Test, part), strings.EqualFold(s.Test, "Test"+part):
			return s, nil
		case strings.Contains(strings.ToLower(s.Test), strings.ToLower(part)):
			found = append(found, s)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	hint := "its steps are " + strings.Join(names, ", ")
	if len(found) > 1 {
		return workbook.Step{}, workbook.Errorf(hint, "%q could be %d steps of %s", part, len(found), k.Name)
	}
	return workbook.Step{}, workbook.Errorf(hint, "%s has no step %q", k.Name, part)
}
