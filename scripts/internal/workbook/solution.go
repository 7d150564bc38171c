package workbook

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"whyhow/scripts/internal/markdown"
)

// SolutionDir is the kata's folder in solutions/, absolute.
func (k *Kata) SolutionDir() string { return filepath.Join(k.root, "solutions", k.Name) }

// Reference is the file of the reference solution, absolute.
func (k *Kata) Reference() string { return filepath.Join(k.SolutionDir(), k.Package+".go") }

// HiddenTest is the file that compares a learner's code with the reference, absolute.
func (k *Kata) HiddenTest() string { return filepath.Join(k.SolutionDir(), "hidden_test.go") }

// NeedSolution is nil if the kata has a solution in this checkout: a teacher's or an interviewer's copy may be without.
func (k *Kata) NeedSolution() error {
	if _, err := os.Stat(k.SolutionDir()); err != nil {
		return Errorf("it is in the full workbook: git checkout -- solutions brings it back, if it was there", "%s has no solution in this checkout", k.Name)
	}
	return nil
}

// Answer returns ANSWER.md.
func (k *Kata) Answer() (string, error) {
	if err := k.NeedSolution(); err != nil {
		return "", err
	}
	text, err := ReadText(filepath.Join(k.SolutionDir(), "ANSWER.md"))
	return string(text), err
}

// Alternative is another right answer.
type Alternative struct {
	Name string // its folder's name
	File string // absolute
}

// Alternatives returns the other right answers, by name; none is no error.
func (k *Kata) Alternatives() ([]Alternative, error) {
	entries, err := os.ReadDir(filepath.Join(k.SolutionDir(), "alternatives"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Alternative
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		file := filepath.Join(k.SolutionDir(), "alternatives", e.Name(), k.Package+".go")
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("alternative %s has no %s.go: %w", e.Name(), k.Package, err)
		}
		all = append(all, Alternative{Name: e.Name(), File: file})
	}
	return all, nil
}

// Mistake is a plausible wrong edit of the reference.
type Mistake struct {
	Name    string
	In      string // the function or method, Layer.Train
	Edits   []Edit
	Declare string // declarations of the package's, which the edits use: "var kept []float64"
	Step    string // the test that must fail
	Says    string // what that step must print
	Line    int    `yaml:"-"` // in mistakes.yaml
}

// Edit replaces text that occurs exactly once in the mistake's function; indentation is ignored.
type Edit struct{ Find, Replace string }

// Mistakes reads mistakes.yaml. Unknown keys, missing ones and names that occur twice are errors.
func (k *Kata) Mistakes() ([]Mistake, error) {
	file := filepath.Join(k.SolutionDir(), "mistakes.yaml")
	text, err := ReadText(file)
	if err != nil {
		return nil, err
	}
	var nodes []ast.Node
	if err := k.unmarshal(file, text, &nodes); err != nil {
		return nil, err
	}
	var all []Mistake
	if err := k.unmarshal(file, text, &all); err != nil {
		return nil, err
	}
	for i := range all {
		m := &all[i]
		m.Line = nodes[i].GetToken().Position.Line
		at := fmt.Sprintf("%s:%d: mistake %q", k.Display(file), m.Line, m.Name)
		switch {
		case m.Name == "" || m.In == "" || m.Says == "" || len(m.Edits) == 0:
			return nil, fmt.Errorf("%s needs a name, in, edits, step and says", at)
		case slices.ContainsFunc(all[:i], func(o Mistake) bool { return o.Name == m.Name }):
			return nil, fmt.Errorf("%s is there twice", at)
		case !slices.ContainsFunc(k.Steps, func(s Step) bool { return s.Test == m.Step }):
			return nil, fmt.Errorf("%s: step %q is not one of the kata's", at, m.Step)
		}
		for _, e := range m.Edits {
			if e.Find == "" {
				return nil, fmt.Errorf("%s: an edit's find is empty", at)
			}
		}
	}
	return all, nil
}

// The kinds of a hint, in the order in which they are shown.
const (
	Nudge   = "Nudge"
	Idea    = "Idea"
	Formula = "Formula"
)

// Hint is one of a step's three hints, in markdown.
type Hint struct{ Kind, Text string }

// Hints reads hints/qNN-topic.md: the hints of each test, in order. A heading that is not one of the kata's steps, or
// not one of the three kinds, is an error.
func (k *Kata) Hints() (map[string][]Hint, error) {
	file := filepath.Join(k.root, "hints", k.Name+".md")
	text, err := ReadText(file)
	if err != nil {
		return nil, err
	}
	all := map[string][]Hint{}
	test := ""
	for _, h := range markdown.Sections(string(text)) {
		at := fmt.Sprintf("%s:%d: %s", k.Display(file), h.Line, h.Title)
		switch h.Level {
		case 2:
			test = h.Title
			if !slices.ContainsFunc(k.Steps, func(s Step) bool { return s.Test == test }) {
				return nil, fmt.Errorf("%s is not a step of the kata", at)
			}
			if all[test] != nil {
				return nil, fmt.Errorf("%s is there twice", at)
			}
			all[test] = []Hint{}
		case 3:
			if !slices.Contains([]string{Nudge, Idea, Formula}, h.Title) {
				return nil, fmt.Errorf("%s is not one of %s, %s, %s", at, Nudge, Idea, Formula)
			}
			if test == "" {
				return nil, fmt.Errorf("%s stands before the first step", at)
			}
			all[test] = append(all[test], Hint{Kind: h.Title, Text: h.Text})
		}
	}
	return all, nil
}
