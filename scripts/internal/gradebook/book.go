// Package gradebook shows what a class was given: tables for people, for spreadsheets and for programs. It reads the marks of a journal and judges nothing.
package gradebook

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/journal"
)

// Book is the marks of a class.
type Book struct {
	Katas []string // that anybody was marked for, in the workbook's order
	Rows  []Row    // by student
}

// Row is one student.
type Row struct {
	Student, Name string
	Marks         map[string]*journal.Mark // by kata
	Points, Max   int                      // what the files are worth, by hand or by the judge
	Late          time.Duration            // behind the deadline; 0 if in time, or if it is not known when
	Total         float64                  // points less what lateness costs
	Submitted     time.Time                // of the newest file; zero if it is not known
	Note          string
}

// Policy is what lateness costs.
type Policy struct {
	Deadline time.Time // zero: there is none
	PerDay   float64   // the share of the points that every day begun costs, 0.1 for a tenth
	Most     float64   // the most that it costs; 0: everything
	Grace    time.Duration
}

// cost is the share of the points that lateness takes.
func (p Policy) cost(late time.Duration) float64 {
	if late <= 0 {
		return 0
	}
	days := math.Ceil(late.Hours() / 24)
	return min(days*p.PerDay, cmp.Or(p.Most, 1), 1)
}

// New makes the book of the marks. order is the workbook's katas, by name; max is what each is worth, for those who handed in nothing of it.
func New(marks []*journal.Mark, order []string, p Policy) *Book {
	b := &Book{}
	rows := map[string]*Row{}
	seen := map[string]bool{}
	most := map[string]int{}
	for _, m := range marks {
		seen[m.Kata] = true
		most[m.Kata] = max(most[m.Kata], m.Max)
		r := rows[m.Student]
		if r == nil {
			r = &Row{Student: m.Student, Name: m.Name, Marks: map[string]*journal.Mark{}}
			rows[m.Student] = r
		}
		r.Marks[m.Kata] = m
	}
	for _, k := range order {
		if seen[k] {
			b.Katas = append(b.Katas, k)
			delete(seen, k)
		}
	}
	b.Katas = append(b.Katas, slices.Sorted(maps.Keys(seen))...) // of a workbook that had them
	for _, student := range slices.Sorted(maps.Keys(rows)) {
		r := rows[student]
		r.sum(b.Katas, most, p)
		b.Rows = append(b.Rows, *r)
	}
	return b
}

func (r *Row) sum(katas []string, most map[string]int, p Policy) {
	var notes []string
	say := func(note string) {
		if note != "" && !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	for _, k := range katas {
		r.Max += most[k]
		m := r.Marks[k]
		if m == nil {
			continue
		}
		r.Points += m.Counts()
		if m.Submitted.After(r.Submitted) {
			r.Submitted = m.Submitted
		}
		say(m.Note)
		if m.Report.Build != nil && m.Hash != "" {
			say(short(k) + " was not tested: " + m.Report.Build.First().String())
		}
		if c := m.Correction; c != nil {
			say(fmt.Sprintf("%s: %d in place of %d by hand: %s", k, c.Score, m.Score, c.Reason))
		}
	}
	r.Total = float64(r.Points)
	if !p.Deadline.IsZero() && !r.Submitted.IsZero() {
		if r.Late = r.Submitted.Sub(p.Deadline.Add(p.Grace)); r.Late < 0 {
			r.Late = 0
		}
		if cost := p.cost(r.Late) * float64(r.Points); cost > 0 {
			r.Total -= cost
			say(fmt.Sprintf("%s points less for %s", number(cost), days(r.Late)))
		}
	}
	r.Note = strings.Join(notes, "; ")
}

// days is a time behind the deadline in words.
func days(late time.Duration) string {
	return count(int(math.Ceil(late.Hours()/24)), "day") + " late"
}

// number shows at most two digits behind the point.
func number(x float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", x), "0"), ".")
}
