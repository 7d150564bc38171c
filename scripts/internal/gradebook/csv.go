package gradebook

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// CSV writes a row a student: student, name, the katas, total, max, late, submitted, note. No cell is one that a spreadsheet would run.
func (b *Book) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := append([]string{"student", "name"}, b.Katas...)
	if err := out.Write(append(head, "total", "max", "late", "submitted", "note")); err != nil {
		return err
	}
	for _, r := range b.Rows {
		cells := []string{inert(r.Student), inert(r.Name)}
		for _, k := range b.Katas {
			cell := ""
			if m := r.Marks[k]; m != nil {
				cell = strconv.Itoa(m.Counts())
			}
			cells = append(cells, cell)
		}
		late := ""
		if r.Late > 0 {
			late = days(r.Late)
		}
		if err := out.Write(append(cells, number(r.Total), strconv.Itoa(r.Max), late, stamp(r.Submitted), inert(r.Note))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// stamp is a time as every program reads it; "" if there is none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// inert is a text that no spreadsheet takes for a formula: a quote is put before one that begins like it. Spreadsheets skip blanks and some control characters
// at the beginning, and take the full-width forms of the signs too.
func inert(text string) string {
	start := strings.TrimLeft(text, " \t\r\n\v\f\u00a0\ufeff")
	if start == "" {
		return text
	}
	for _, sign := range []string{"=", "+", "-", "@", "＝", "＋", "－", "＠", "|", "%"} {
		if strings.HasPrefix(start, sign) {
			return "'" + text
		}
	}
	return text
}
