package check

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// Failure is what a failed check says, in its parts. A person reads its String; a runner reads the parts, as JSON, from the
// test attribute [FailureAttr].
type Failure struct {
	Text      string   `json:"text"`                // what was called, what came back, what was wanted
	Diagnosis string   `json:"diagnosis,omitempty"` // what the mistake may be
	Why       string   `json:"why,omitempty"`       // the reason for the wanted value
	With      []string `json:"with,omitempty"`      // the arguments, one each: "x = 2×3 [1 2 3; 4 5 6]"
	At        *Place   `json:"at,omitempty"`        // of a panic: the innermost line of the kata
	Todo      string   `json:"todo,omitempty"`      // the stub that was reached: "Layer.Train"
}

// Place is a line of a file, in a function.
type Place struct {
	File string `json:"file"` // without its folder
	Line int    `json:"line"`
	Func string `json:"func"` // "Stats", "(*Layer).Train"
}

func (p Place) String() string { return fmt.Sprintf("%s:%d, in %s", p.File, p.Line, p.Func) }

// FailureAttr is the key of the test attribute that precedes a failure's text and holds its parts.
const FailureAttr = "kata.failure"

// longestPart is how much of one part of a failure a runner gets, in bytes: an attribute is one line.
const longestPart = 8 << 10

// String puts the parts in the order of their use: what happened, what the mistake may be, why, and then the data.
func (f Failure) String() string {
	lines := []string{f.Text}
	if f.At != nil {
		lines = append(lines, "at "+f.At.String())
	}
	if f.Diagnosis != "" {
		lines = append(lines, "your mistake may be: "+f.Diagnosis)
	}
	if f.Why != "" {
		lines = append(lines, "why: "+f.Why)
	}
	for _, w := range f.With {
		lines = append(lines, "with "+w)
	}
	return strings.Join(lines, "\n")
}

// report fails t with f.
func (f Failure) report(t testing.TB) {
	t.Helper()
	f.attribute(t)
	t.Error(f.String())
}

// attribute gives a runner the parts of the message that comes next.
func (f Failure) attribute(t testing.TB) {
	f.Text = strings.ToValidUTF8(f.Text[:min(len(f.Text), longestPart)], "")
	parts, err := json.Marshal(f)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	t.Attr(FailureAttr, string(parts))
}
