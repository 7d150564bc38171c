package gradebook

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// Class is what a teacher wants to know of a kata before the next lecture.
type Class struct {
	Kata     string      `json:"kata"`
	Students int         `json:"students"` // who were marked
	Handed   int         `json:"handed"`   // whose file was there
	Built    int         `json:"built"`    // and built
	Solved   int         `json:"solved"`   // with every point
	Mean     float64     `json:"mean"`     // points
	Max      int         `json:"max"`
	Steps    []StepRate  `json:"steps"`    // in the kata's order
	Mistakes []Frequency `json:"mistakes"` // the most frequent first
}

// StepRate is how a step went.
type StepRate struct {
	Test  string `json:"test"`
	Title string `json:"title"`
	Pass  int    `json:"pass"`
	Todo  int    `json:"todo"`
	Fail  int    `json:"fail"` // of those who wrote something
}

// Frequency is how many students made a mistake that has a name.
type Frequency struct {
	Mistake  string `json:"mistake"`
	Step     string `json:"step"`
	Students int    `json:"students"`
}

// Classes returns what came of each kata.
func (b *Book) Classes() []Class {
	var all []Class
	for _, k := range b.Katas {
		c := Class{Kata: k}
		mistakes := map[Frequency]int{}
		for _, r := range b.Rows {
			m := r.Marks[k]
			if m == nil {
				continue
			}
			c.Students++
			c.Mean += float64(m.Counts())
			c.Max = max(c.Max, m.Max)
			if m.Hash != "" {
				c.Handed++
			}
			if m.Report.Build == nil {
				c.Built++
			}
			if m.Max > 0 && m.Counts() >= m.Max {
				c.Solved++
			}
			c.add(m.Report, mistakes)
		}
		if c.Students > 0 {
			c.Mean /= float64(c.Students)
		}
		for f, n := range mistakes {
			f.Students = n
			c.Mistakes = append(c.Mistakes, f)
		}
		slices.SortFunc(c.Mistakes, func(a, b Frequency) int {
			return cmp.Or(b.Students-a.Students, strings.Compare(a.Step, b.Step), strings.Compare(a.Mistake, b.Mistake))
		})
		all = append(all, c)
	}
	return all
}

// add counts the steps of one student's Report, and each of the mistakes once.
func (c *Class) add(r *gotest.Report, mistakes map[Frequency]int) {
	made := map[Frequency]bool{}
	for _, s := range r.Steps {
		for _, m := range s.Messages {
			f := Frequency{Mistake: m.Diagnosis, Step: s.Of()}
			if m.Diagnosis != "" && s.Status != gotest.Pass && !made[f] {
				made[f] = true
				mistakes[f]++
			}
		}
		if s.Kind == workbook.Hidden {
			continue
		}
		i := slices.IndexFunc(c.Steps, func(o StepRate) bool { return o.Test == s.Test })
		if i < 0 {
			i = len(c.Steps)
			c.Steps = append(c.Steps, StepRate{Test: s.Test, Title: s.Title})
		}
		line, _ := Reason(r, s)
		switch {
		case line == "":
			c.Steps[i].Pass++
		case s.Status == gotest.Todo || r.Build != nil:
			c.Steps[i].Todo++
		default:
			c.Steps[i].Fail++
		}
	}
}

// worst is how many of the failed steps and the mistakes of a kata are printed.
const worst = 3

// Text writes the class for a terminal: the table, then what went wrong in each kata.
func (b *Book) Text(w io.Writer) error {
	var out strings.Builder
	width := len("student")
	for _, r := range b.Rows {
		width = max(width, len([]rune(r.Student)))
	}
	fmt.Fprintf(&out, "%-*s", width, "student")
	for _, k := range b.Katas {
		fmt.Fprintf(&out, "  %5s", short(k))
	}
	out.WriteString("   total\n")
	for _, r := range b.Rows {
		fmt.Fprintf(&out, "%-*s", width, r.Student)
		for _, k := range b.Katas {
			cell := "–"
			if m := r.Marks[k]; m != nil && (m.Hash != "" || m.Correction != nil) {
				cell = fmt.Sprintf("%d/%d", m.Counts(), m.Max)
			}
			fmt.Fprintf(&out, "  %5s", cell)
		}
		fmt.Fprintf(&out, "   %s/%d", number(r.Total), r.Max)
		if r.Note != "" {
			out.WriteString("  " + r.Note)
		}
		out.WriteByte('\n')
	}
	for _, c := range b.Classes() {
		fmt.Fprintf(&out, "\n%s: %s of %d points on average; of %s %d handed in, %d built, %d solved it\n", c.Kata, number(c.Mean), c.Max, count(c.Students, "student"), c.Handed, c.Built, c.Solved)
		steps := slices.Clone(c.Steps)
		slices.SortStableFunc(steps, func(a, b StepRate) int { return b.Fail - a.Fail })
		for _, s := range steps[:min(worst, len(steps))] {
			if s.Fail > 0 {
				fmt.Fprintf(&out, "  %s failed %s (%s)\n", count(s.Fail, "student"), s.Test, s.Title)
			}
		}
		for _, f := range c.Mistakes[:min(worst, len(c.Mistakes))] {
			fmt.Fprintf(&out, "  %s, in %s: %s\n", count(f.Students, "student"), f.Step, f.Mistake)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// count is a number of things: 1 student, 2 students.
func count(n int, what string) string {
	return fmt.Sprintf("%d %s", n, terminal.Plural(n, what, what+"s"))
}

// short is the number of a kata: q05 of q05-batch-norm.
func short(kata string) string {
	number, _, _ := strings.Cut(kata, "-")
	return number
}
