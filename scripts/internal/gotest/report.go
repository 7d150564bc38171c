// Package gotest runs a kata: whose code is under test is decided by an overlay, what came of it is a Report.
package gotest

import (
	"fmt"
	"strings"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Schema is the version of a Report's JSON. It goes up when a field goes or changes its meaning, not when one comes. The fields are
// documented in scripts/JSON.md.
const Schema = 1

// Status is what became of a step.
type Status string

const (
	Todo    Status = "todo"    // a stub was reached: not implemented yet
	Fail    Status = "fail"    // a check failed
	Pass    Status = "pass"    // every check passed
	Crash   Status = "crash"   // a panic, or the process ended before the step did
	Timeout Status = "timeout" // the step did not end within its limits
	Missing Status = "missing" // no verdict: the code did not build, or no such test ran
)

// Failed says whether code was there and was wrong.
func (s Status) Failed() bool { return s == Fail || s == Crash || s == Timeout }

// Step is what a run found of one step.
type Step struct {
	Test     string        `json:"test"`
	Title    string        `json:"title"`
	Kind     workbook.Kind `json:"kind"`
	Points   int           `json:"points"` // what it is worth
	Status   Status        `json:"status"`
	Messages []Message     `json:"messages,omitempty"`
	Seconds  float64       `json:"seconds"` // wall time
	Hints    int           `json:"hints"`   // how many hints of the step had been shown before the run

	// Cases are the arguments that the step's test had refused, for a proof: "panics Max with size 0", "fails Separate of a corner".
	Cases []string `json:"-"`
}

// Of is the test of the step that s judges: its own, and for a hidden TestHiddenStats it is TestStats.
func (s Step) Of() string {
	if s.Kind == workbook.Hidden {
		return "Test" + strings.TrimPrefix(s.Test, "TestHidden")
	}
	return s.Test
}

// Message is one thing that a step said.
type Message struct {
	Subtest   string   `json:"subtest,omitempty"`   // its name in words; "" for the step itself
	File      string   `json:"file,omitempty"`      // where the test reported it, or the learner's innermost line of a panic
	Line      int      `json:"line,omitempty"`      //
	Text      string   `json:"text"`                // what happened
	Diagnosis string   `json:"diagnosis,omitempty"` // what the mistake may be
	Why       string   `json:"why,omitempty"`       // the reason for the wanted value
	With      []string `json:"with,omitempty"`      // arguments: "x = [1 2 3]"
	Stack     []Place  `json:"stack,omitempty"`     // of a panic or a hang: the learner's lines, innermost first
	Todo      string   `json:"todo,omitempty"`      // the stub that was reached: "Layer.Train"
	Printed   bool     `json:"printed,omitempty"`   // the code under test printed it
	Dropped   int      `json:"dropped,omitempty"`   // how many lines it printed before that were not kept
}

// Place is a line of code.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Func string `json:"func"` // "Stats", "(*Layer).Train"
}

func (p Place) String() string { return fmt.Sprintf("%s:%d, in %s", p.File, p.Line, p.Func) }

// String is the message as one text, in the order of go test's.
func (m Message) String() string {
	var b strings.Builder
	if m.Subtest != "" {
		b.WriteString(m.Subtest + ": ")
	}
	if m.File != "" && len(m.Stack) == 0 {
		fmt.Fprintf(&b, "%s:%d: ", m.File, m.Line)
	}
	b.WriteString(m.Text)
	for _, p := range m.Stack {
		b.WriteString("\nat " + p.String())
	}
	if m.Diagnosis != "" {
		b.WriteString("\nyour mistake may be: " + m.Diagnosis)
	}
	if m.Why != "" {
		b.WriteString("\nwhy: " + m.Why)
	}
	for _, w := range m.With {
		b.WriteString("\nwith " + w)
	}
	return b.String()
}

// Text is all that the step said.
func (s Step) Text() string {
	all := make([]string, len(s.Messages))
	for i, m := range s.Messages {
		all[i] = m.String()
	}
	return strings.Join(all, "\n")
}

// Problem is what the compiler or go vet has to say of a place. Line and Column count from 1; 0: unknown.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// String is FILE:LINE:COLUMN: MESSAGE, without what is unknown.
func (p Problem) String() string {
	place := p.File
	for _, n := range []int{p.Line, p.Column} {
		if n > 0 {
			place += fmt.Sprintf(":%d", n)
		}
	}
	if place == "" {
		return p.Message
	}
	return place + ": " + p.Message
}

// BuildError is code that did not build.
type BuildError struct {
	Problems []Problem `json:"problems"` // at least one; the first is the one to mend first
	Output   string    `json:"output"`   // all of what the compiler printed, with the files named as their owner knows them
}

// First is the problem to mend first.
func (e *BuildError) First() Problem { return e.Problems[0] }

// Figure is a file that a why step recorded, one that passed.
type Figure struct {
	Test string `json:"test"`
	Path string `json:"path"` // JSON, see katas/kit/figure
}

// Report is what a run of a kata found. Every view reads Reports. File names of the workbook are relative to its root and have
// slashes; others are as their owner named them.
type Report struct {
	Schema   int         `json:"schema"`
	Kata     string      `json:"kata"`    // the folder's name
	Subject  string      `json:"subject"` // the Subject's name: "learner", "reference", "stub", "alternative: NAME"
	Start    time.Time   `json:"start"`
	Seconds  float64     `json:"seconds"`     // wall time from the start to this Report
	CPU      float64     `json:"cpu_seconds"` // CPU time of the how and why steps so far, without the build
	File     string      `json:"file"`        // the file under test
	Hash     string      `json:"sha256"`      // of that file, hexadecimal
	Seed     uint64      `json:"seed"`        // of the tests' random numbers
	Go       string      `json:"go"`          // the version that built the tests; "" if nothing was built
	Workbook string      `json:"workbook"`
	Score    int         `json:"score"` // the points of the steps that passed
	Max      int         `json:"max"`   // the points of all steps of this Report
	Build    *BuildError `json:"build,omitempty"`
	Steps    []Step      `json:"steps"` // the steps that were asked for, in the order of the front matter
	Figures  []Figure    `json:"figures,omitempty"`
	Vet      []Problem   `json:"vet,omitempty"`   // what go vet said of the file under test
	Notes    []string    `json:"notes,omitempty"` // what a reader must know to judge the verdict, a line each
}

// Unbuilt is the Report of code that is not built, for the problems: at least one.
func Unbuilt(k *workbook.Kata, s Subject, problems []Problem) (*Report, error) {
	steps, err := stepsOf(k, Options{})
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: Schema, Kata: k.Name, Subject: s.Name, Start: time.Now(), File: s.File, Hash: workbook.SumOf(s.Source), Steps: steps}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = p.String()
	}
	r.Build = &BuildError{Problems: problems, Output: strings.Join(lines, "\n")}
	for i := range r.Steps {
		r.Steps[i].Status = Missing
	}
	r.stamp()
	return r, nil
}

// Passed counts the steps that passed.
func (r *Report) Passed() int {
	n := 0
	for _, s := range r.Steps {
		if s.Status == Pass {
			n++
		}
	}
	return n
}

// Solved says whether every step passed.
func (r *Report) Solved() bool {
	return r.Build == nil && len(r.Steps) > 0 && r.Passed() == len(r.Steps)
}

// Broken returns the first step that failed and isn't merely unwritten; nil where there is none.
func (r *Report) Broken() *Step {
	for i := range r.Steps {
		if r.Steps[i].Status.Failed() {
			return &r.Steps[i]
		}
	}
	return nil
}

// Unwritten returns the first step that waits for the learner's code; nil where there is none.
func (r *Report) Unwritten() *Step {
	for i := range r.Steps {
		if r.Steps[i].Status == Todo {
			return &r.Steps[i]
		}
	}
	return nil
}

// stamp brings the sums up to date.
func (r *Report) stamp() {
	r.Seconds = time.Since(r.Start).Seconds()
	r.Score, r.Max = 0, 0
	for _, s := range r.Steps {
		r.Max += s.Points
		if s.Status == Pass {
			r.Score += s.Points
		}
	}
}
