package gradebook

import (
	"encoding/csv"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/workbook"
)

var monday = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// report is one of two steps of 3 points each and a hidden test of the first.
func report(first, second, hidden gotest.Status, messages ...gotest.Message) *gotest.Report {
	return &gotest.Report{Kata: "q01-one", Steps: []gotest.Step{
		{Test: "TestA", Title: "a", Kind: workbook.How, Points: 3, Status: first, Messages: messages},
		{Test: "TestB", Title: "b", Kind: workbook.How, Points: 3, Status: second},
		{Test: "TestHiddenA", Title: "TestHiddenA", Kind: workbook.Hidden, Status: hidden, Messages: []gotest.Message{{Text: "A(12345) = 1, want 2", Diagnosis: "you doubled it"}}},
	}}
}

func class() []*journal.Mark {
	mark := func(student, kata string, score int, r *gotest.Report) *journal.Mark {
		return &journal.Mark{Student: student, Kata: kata, Hash: "h", Score: score, Max: 6, Report: r, Submitted: monday}
	}
	none := mark("dora", "q01-one", 0, &gotest.Report{Build: &gotest.BuildError{Problems: []gotest.Problem{{Message: "nothing was handed in"}}}, Steps: report("missing", "missing", "").Steps[:2]})
	none.Hash, none.Submitted = "", time.Time{}
	all := []*journal.Mark{
		mark("bob", "q01-one", 3, report(gotest.Fail, gotest.Pass, gotest.Fail, gotest.Message{Text: "A(1) = 3, want 2", Diagnosis: "you tripled it"})),
		mark("ann", "q01-one", 6, report(gotest.Pass, gotest.Pass, gotest.Pass)),
		mark("ann", "q02-two", 6, report(gotest.Pass, gotest.Pass, gotest.Pass)),
		mark("=cmd()", "q01-one", 3, report(gotest.Pass, gotest.Pass, gotest.Fail)),
		none,
	}
	all[0].Correction = &journal.Correction{Score: 4, Reason: "the text was unclear"}
	all[0].Submitted = monday.Add(25 * time.Hour)
	return all
}

func TestCSV(t *testing.T) {
	b := New(class(), []string{"q02-two", "q01-one"}, Policy{Deadline: monday, PerDay: 0.1})
	var out strings.Builder
	if err := b.CSV(&out); err != nil {
		t.Fatal(err)
	}
	want := `student,name,q02-two,q01-one,total,max,late,submitted,note
'=cmd(),,,3,3,12,,2026-11-02T12:00:00Z,
ann,,6,6,12,12,,2026-11-02T12:00:00Z,
bob,,,4,3.2,12,2 days late,2026-11-03T13:00:00Z,q01-one: 4 in place of 3 by hand: the text was unclear; 0.8 points less for 2 days late
dora,,,0,0,12,,,
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("CSV mismatch (-want +got):\n%s", diff)
	}
}

// A spreadsheet must not run a student's name, however it begins; and what it shows is still the name.
func TestInert(t *testing.T) {
	for _, name := range []string{"=1+1", "+1", "-1", "@sum", " =1", "\t=1", "\r=1", "＝1", "\ufeff=1", "|calc"} {
		if got := inert(name); got != "'"+name {
			t.Errorf("inert(%q) = %q, want a quote before it", name, got)
		}
	}
	for _, name := range []string{"", "ann", "1", "a=b", " ", "Ann-Lee"} {
		if got := inert(name); got != name {
			t.Errorf("inert(%q) = %q, want it as it is", name, got)
		}
	}
	var out strings.Builder
	b := New([]*journal.Mark{{Student: "a\"b,c\nd", Kata: "q", Report: &gotest.Report{}}}, nil, Policy{})
	if err := b.CSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][0] != "a\"b,c\nd" {
		t.Errorf("a name with every kind of sign comes back as %q, %v", rows, err)
	}
}

func TestPolicy(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		p    Policy
		late time.Duration
		want float64
	}{
		{Policy{PerDay: 0.1}, 0, 0},
		{Policy{PerDay: 0.1}, -day, 0},
		{Policy{PerDay: 0.1}, time.Second, 0.1},
		{Policy{PerDay: 0.1}, day, 0.1},
		{Policy{PerDay: 0.1}, day + 1, 0.2},
		{Policy{PerDay: 0.1}, 30 * day, 1},
		{Policy{PerDay: 0.1, Most: 0.5}, 30 * day, 0.5},
		{Policy{}, 30 * day, 0},
	} {
		if got := c.p.cost(c.late); got != c.want {
			t.Errorf("cost of %v, %v late = %v, want %v", c.p, c.late, got, c.want)
		}
	}
	b := New(class()[:1], nil, Policy{Deadline: monday, PerDay: 1, Grace: 25 * time.Hour})
	if r := b.Rows[0]; r.Late != 0 || r.Total != 4 {
		t.Errorf("within the grace: %v late, %v points, want 0 and 4", r.Late, r.Total)
	}
}

func TestJUnit(t *testing.T) {
	var out strings.Builder
	if err := New(class(), nil, Policy{}).JUnit(&out); err != nil {
		t.Fatal(err)
	}
	var got suites
	if err := xml.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 10 || got.Failures != 2 || got.Errors != 2 || len(got.Suites) != 5 {
		t.Errorf("JUnit has %d tests, %d failures, %d errors, %d suites, want 10, 2, 2, 5", got.Tests, got.Failures, got.Errors, len(got.Suites))
	}
	if strings.Contains(out.String(), "12345") {
		t.Error("a hidden input is shown")
	}
	if !strings.Contains(out.String(), "you doubled it") || !strings.Contains(out.String(), "not on other inputs") {
		t.Errorf("the hidden test's finding is not told:\n%s", out.String())
	}
}

func TestClasses(t *testing.T) {
	b := New(class(), []string{"q01-one"}, Policy{})
	got := b.Classes()[0]
	want := Class{
		Kata: "q01-one", Students: 4, Handed: 3, Built: 3, Solved: 1, Mean: 13.0 / 4, Max: 6,
		Steps:    []StepRate{{"TestA", "a", 1, 1, 2}, {"TestB", "b", 3, 1, 0}},
		Mistakes: []Frequency{{"you doubled it", "TestA", 2}, {"you tripled it", "TestA", 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Classes mismatch (-want +got):\n%s", diff)
	}
	var out strings.Builder
	if err := b.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, says := range []string{"student    q01", "dora         –      –   0/12", "bob        4/6", "of 4 students 3 handed in, 3 built, 1 solved it", "2 students failed TestA (a)", "1 student, in TestA: you tripled it"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("the text lacks %q:\n%s", says, out.String())
		}
	}
}

// Pages hold what students and teachers must see, none of it as HTML of a stranger's, and no hidden input; no student's name leads out of the folder.
func TestHTML(t *testing.T) {
	marks := class()
	marks[0].Student, marks[0].Name = "../../bob", "<script>alert(1)</script>"
	marks[1].Student = strings.Repeat("ann", 100)
	dir := t.TempDir()
	b := New(marks, nil, Policy{})
	if err := b.HTML(filepath.Join(dir, "pages")); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("pages are elsewhere too: %v", left)
	}
	files, _ := os.ReadDir(filepath.Join(dir, "pages"))
	if want := len(b.Rows) + 3; len(files) != want {
		t.Errorf("there are %d files, want %d: one a student, class.html and two plots", len(files), want)
	}
	var all strings.Builder
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, "pages", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f.Name(), ".html") {
			all.Write(text)
		}
	}
	for _, must := range []string{"not on other inputs", "you doubled it", "Set by hand: the text was unclear", "&lt;script&gt;", "nothing was handed in"} {
		if !strings.Contains(all.String(), must) {
			t.Errorf("no page says %q", must)
		}
	}
	for _, not := range []string{"12345", "<script>"} {
		if strings.Contains(all.String(), not) {
			t.Errorf("a page says %q", not)
		}
	}
}
