package gradebook

import (
	"encoding/json"
	"io"
	"time"

	"whyhow/scripts/internal/gotest"
)

// entry is a mark as JSON: see scripts/JSON.md.
type entry struct {
	Student    string         `json:"student"`
	Name       string         `json:"name,omitempty"`
	Kata       string         `json:"kata"`
	Score      int            `json:"score"` // what counts
	Max        int            `json:"max"`
	Hash       string         `json:"sha256"` // of the file; "" if there is none
	Submitted  *time.Time     `json:"submitted,omitempty"`
	Graded     time.Time      `json:"graded"`
	Judges     string         `json:"judges"`
	Seed       uint64         `json:"seed"`
	Walls      string         `json:"walls"`
	Note       string         `json:"note,omitempty"`
	Correction *correction    `json:"correction,omitempty"`
	Report     *gotest.Report `json:"report"`
}

type correction struct {
	Judged int       `json:"judged"` // the score that the judge gave
	Reason string    `json:"reason"`
	Made   time.Time `json:"made"`
}

// JSON writes a line for each student and kata.
func (b *Book) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, r := range b.Rows {
		for _, k := range b.Katas {
			m := r.Marks[k]
			if m == nil {
				continue
			}
			out := entry{
				Student: m.Student, Name: m.Name, Kata: m.Kata, Score: m.Counts(), Max: m.Max, Hash: m.Hash, Graded: m.Graded.UTC(), Judges: m.Judges, Seed: m.Seed,
				Walls: m.Walls, Note: m.Note, Report: m.Report,
			}
			if !m.Submitted.IsZero() {
				at := m.Submitted.UTC()
				out.Submitted = &at
			}
			if c := m.Correction; c != nil {
				out.Correction = &correction{m.Score, c.Reason, c.Made.UTC()}
			}
			if err := e.Encode(out); err != nil {
				return err
			}
		}
	}
	return nil
}
