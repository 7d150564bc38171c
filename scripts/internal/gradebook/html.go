package gradebook

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/figures"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/workbook"
)

//go:embed pages.html
var pagesText string

var pages = template.Must(template.New("pages").Funcs(template.FuncMap{
	"number": number, "stamp": stamp, "short": short, "page": page, "percent": func(part, whole int) int { return 100 * part / max(whole, 1) }, "count": count,
}).Parse(pagesText))

// page is the name of a student's page. It tells nothing that a file system could not keep, and two students never share one.
func page(student string) string {
	sum := sha256.Sum256([]byte(student))
	plain := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, student)
	return plain[:min(len(plain), 60)] + "-" + hex.EncodeToString(sum[:4]) + ".html"
}

// sheet is a kata on a student's page.
type sheet struct {
	*journal.Mark
	Problems []gotest.Problem // of code that was not built
	Steps    []line
}

type line struct {
	Title, Test  string
	Score, Max   int
	Reason, Full string // "" if the step counts
	Todo         bool
}

// HTML writes the class's page and a page a student into dir, which is made. A page needs nothing besides itself, but the class's has its plots beside it.
func (b *Book) HTML(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if len(b.Rows) > 0 && len(b.Katas) > 0 {
		if _, err := figures.Draw(b.plot(), filepath.Join(dir, "points")); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(dir, "class.html"), "class", struct {
		*Book
		Classes []Class
	}{b, b.Classes()}); err != nil {
		return err
	}
	for _, r := range b.Rows {
		var sheets []sheet
		for _, k := range b.Katas {
			if m := r.Marks[k]; m != nil {
				sheets = append(sheets, sheetOf(m))
			}
		}
		if err := write(filepath.Join(dir, page(r.Student)), "student", struct {
			Row
			Sheets []sheet
		}{r, sheets}); err != nil {
			return err
		}
	}
	return nil
}

func sheetOf(m *journal.Mark) sheet {
	s := sheet{Mark: m}
	if m.Report.Build != nil {
		s.Problems = m.Report.Build.Problems
	}
	for _, step := range m.Report.Steps {
		if step.Kind == workbook.Hidden {
			continue
		}
		l := line{Title: step.Title, Test: step.Test, Max: step.Points, Todo: step.Status == gotest.Todo}
		if m.Report.Build == nil {
			l.Reason, l.Full = Reason(m.Report, step)
			if l.Reason == "" {
				l.Score = step.Points
			}
		}
		s.Steps = append(s.Steps, l)
	}
	return s
}

// write fills in a page, and puts it in place when it is whole.
func write(file, name string, data any) error {
	var out bytes.Buffer
	if err := pages.ExecuteTemplate(&out, name, data); err != nil {
		return err
	}
	if err := os.WriteFile(file+".part", out.Bytes(), 0o666); err != nil {
		return err
	}
	return os.Rename(file+".part", file)
}

// plot shows how many students have how much of all points, and how each kata went.
func (b *Book) plot() figure.Figure {
	tenths := make([]int, 11)
	for _, r := range b.Rows {
		tenths[int(10*r.Total/float64(max(r.Max, 1)))]++
	}
	var spread, means []figure.Bar
	for i, n := range tenths {
		spread = append(spread, figure.Bar{Label: fmt.Sprintf("%d", 10*i), Value: float64(n)})
	}
	for _, c := range b.Classes() {
		means = append(means, figure.Bar{Label: short(c.Kata), Value: 100 * c.Mean / float64(max(c.Max, 1))})
	}
	return figure.Figure{
		Title:   fmt.Sprintf("The points of %s", count(len(b.Rows), "student")),
		Caption: "Left: students by their share of all points, in tenths. Right: the mean of each kata.",
		Panels: []figure.Panel{
			{Title: "The class", X: figure.Axis{Label: "per cent of all points"}, Y: figure.Axis{Label: "students", Min: new(0.0)}, Bars: spread},
			{Title: "The katas", Y: figure.Axis{Label: "mean, per cent", Min: new(0.0), Max: new(100.0)}, Bars: means},
		},
	}
}
