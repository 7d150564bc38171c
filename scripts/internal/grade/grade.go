// Package grade gives marks for what a class hands in. It is resumable: what a file got from the same judges with the same seed is not judged again.
package grade

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"go/scanner"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/submission"
	"whyhow/scripts/internal/workbook"
)

// Grader grades submissions against a workbook. Several submissions may be graded at a time.
type Grader struct {
	Runner  *gotest.Runner
	Journal *journal.Journal
	Katas   []*workbook.Kata
	Seed    uint64        // from which every file's own is derived
	Sandbox string        // its name, for the record
	Limit   time.Duration // CPU time of a how step; 0: gotest's own

	judges map[string]string // by kata
	before map[string]*journal.Mark
}

// Begin looks at what judges, and at the marks that count so far.
func (g *Grader) Begin() error {
	g.judges, g.before = map[string]string{}, map[string]*journal.Mark{}
	for _, k := range g.Katas {
		hash, err := judges(k)
		if err != nil {
			return err
		}
		g.judges[k.Name] = hash
	}
	marks, err := g.Journal.Marks()
	for _, m := range marks {
		g.before[m.Student+"/"+m.Kata] = m
	}
	return err
}

// judges is a hash of all that decides over a mark for the kata.
func judges(k *workbook.Kata) (string, error) {
	if k.Err != nil {
		return "", k.Err
	}
	j, err := k.Judges()
	if err != nil {
		return "", err
	}
	if len(j.Changed) > 0 {
		return "", workbook.Errorf("git checkout brings it back; if the change is yours and meant, make sums lists it", "%s is not as the workbook has it: marks would not be fair", j.Changed[0])
	}
	h := sha256.New()
	fmt.Fprintln(h, j.Revision)
	for _, file := range []string{k.HiddenTest(), k.Reference(), filepath.Join(k.Dir, "README.md")} { // the points stand in the last
		text, err := os.ReadFile(file)
		if err != nil {
			return "", workbook.Errorf("grade in the full workbook: it needs solutions/", "%s cannot be graded: %w", k.Name, err)
		}
		fmt.Fprintf(h, "%x\n", sha256.Sum256(text))
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

// Change is a mark that is not what it was.
type Change struct {
	Kata        string
	Before, Now int
	Why         string // "another file", "other tests", "another seed"
}

// Result is what came of one submission.
type Result struct {
	Marks   []journal.Mark
	Judged  int // how many of the marks are new
	Changes []Change
}

// Grade judges what is new of a submission and records all of it, or nothing. An error means that the tool itself failed, or ctx was cancelled.
func (g *Grader) Grade(ctx context.Context, h submission.Submission) (*Result, error) {
	res := &Result{}
	sources := map[string][]byte{}
	var batch []gotest.Submission
	var at []int // of the batch's members in res.Marks
	for _, k := range g.Katas {
		m := journal.Mark{
			Student: h.Student, Name: h.Name, Kata: k.Name, Submitted: h.Submitted, Judges: g.judges[k.Name],
			Note: noteOf(h, k),
		}
		if h.SubmittedBy == submission.ByFile {
			m.Submitted = time.Time{} // a clock of who knows whom: nobody is late by it
		}
		file, ok := h.Files[k.Name]
		if ok {
			m.Hash = file.SHA256
			sources[m.Hash] = file.Content
		}
		m.Seed = seedOf(g.Seed, m.Hash)
		have, err := g.Journal.Judged(m.Kata, m.Hash, m.Judges, m.Seed)
		if err != nil {
			return nil, err
		}
		if have != nil {
			m.Graded, m.Walls, m.Report = have.Graded, have.Walls, have.Report
			m.Report.Subject = h.Student
			res.Marks = append(res.Marks, m)
			continue
		}
		res.Judged++
		m.Graded = time.Now()
		m.Walls = "gate, " + g.Sandbox + ", channel"
		// Named as the workbook does: a Report may be that of others with the same file, and the folders of one are nobody else's to read.
		subject := gotest.Subject{Name: h.Student, File: k.Display(k.File), Source: file.Content}
		var problems []gotest.Problem
		if !ok {
			problems = []gotest.Problem{{Message: "nothing was handed in: there is no " + subject.File}}
		} else {
			problems = refused(k, subject)
		}
		if len(problems) > 0 {
			if m.Report, err = gotest.Unbuilt(k, subject, problems); err != nil {
				return nil, err
			}
		} else {
			batch, at = append(batch, gotest.Submission{Kata: k, Subject: subject, HiddenSeed: strconv.FormatUint(m.Seed, 10)}), append(at, len(res.Marks))
		}
		res.Marks = append(res.Marks, m)
	}
	if len(batch) > 0 {
		reports, err := g.Runner.Batch(ctx, batch, gotest.Options{Hidden: true, NoVet: true, Seed: "1", Limit: g.Limit})
		if err != nil {
			return nil, err
		}
		for i, r := range reports {
			res.Marks[at[i]].Report = r
		}
	}
	for i := range res.Marks {
		m := &res.Marks[i]
		m.Score, m.Max = Score(m.Report)
		if old := g.before[m.Student+"/"+m.Kata]; old != nil && old.Score != m.Score {
			res.Changes = append(res.Changes, Change{m.Kata, old.Score, m.Score, because(old, m)})
		}
	}
	return res, g.Journal.AddMarks(res.Marks, sources)
}

// noteOf is what was wrong with how a kata was handed in.
func noteOf(h submission.Submission, k *workbook.Kata) string {
	var all []string
	for _, p := range h.Problems {
		if p.Kata == "" || p.Kata == k.Name {
			all = append(all, p.Message)
		}
	}
	return strings.Join(all, "; ")
}

func because(old, now *journal.Mark) string {
	switch {
	case old.Hash != now.Hash:
		return "another file"
	case old.Judges != now.Judges:
		return "other tests"
	}
	return "another seed"
}

// refused is what the gate has against a file. A file that the gate cannot read is never compiled.
func refused(k *workbook.Kata, s gotest.Subject) (problems []gotest.Problem) {
	violations, err := gate.Check(k, s.Source)
	if bad := (*scanner.Error)(nil); errors.As(err, &bad) {
		return []gotest.Problem{{File: s.File, Line: bad.Pos.Line, Column: bad.Pos.Column, Message: bad.Msg}}
	} else if err != nil {
		return []gotest.Problem{{File: s.File, Message: err.Error()}}
	}
	for _, v := range violations {
		problems = append(problems, gotest.Problem{File: s.File, Line: v.Line, Message: "not allowed in a submission: " + v.Message})
	}
	return problems
}

// seedOf derives the seed of a file's hidden tests, a whole number ≥ 1 that a database keeps. The same file gets the same, from whomever it comes: it is judged
// once, and alike. Who does not know the base cannot foresee it.
func seedOf(base uint64, hash string) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", base, hash))
	return binary.LittleEndian.Uint64(sum[:])>>1 | 1
}

// Score is what a Report is worth: a step counts if its test passed, and every hidden test of it.
func Score(r *gotest.Report) (score, most int) {
	for _, s := range r.Steps {
		most += s.Points
		if s.Status == gotest.Pass && Hidden(r, s) == nil {
			score += s.Points
		}
	}
	return score, most
}

// Hidden returns the first hidden test of the step that did not pass; nil if all did.
func Hidden(r *gotest.Report, step gotest.Step) *gotest.Step {
	for i, s := range r.Steps {
		if s.Kind == workbook.Hidden && s.Status != gotest.Pass && s.Of() == step.Test {
			return &r.Steps[i]
		}
	}
	return nil
}
