package grade_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/grade"
	"whyhow/scripts/internal/submission"
)

func handed(student, source string) submission.Submission {
	s := submission.Submission{Student: student, Files: map[string]submission.File{}}
	if source != "" {
		sum := sha256.Sum256([]byte(source))
		s.Files["q01-double"] = submission.File{Path: "double.go", Content: []byte(source), SHA256: hex.EncodeToString(sum[:])}
	}
	return s
}

const (
	right = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
	part  = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { panic(\"TODO: Halve\") }\n"
	// guess knows the inputs of the tests that everybody has.
	guess = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return map[float64]float64{6: 3, 10: 5}[x] }\n"
)

// A step counts if its test and its hidden test pass; the same file is judged once, whoever hands it in; and a test that was mended changes the marks that it concerns,
// with the reason.
func TestGrade(t *testing.T) {
	g, k := class(t, "")
	grades := func(s submission.Submission, score, judged int) *grade.Result {
		t.Helper()
		r, err := g.Grade(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if m := r.Marks[0]; m.Score != score || m.Max != 3 || r.Judged != judged {
			t.Errorf("%s: %d of %d points, %d judged, want %d of 3, %d judged\n%s", s.Student, m.Score, m.Max, r.Judged, score, judged, told(m.Report))
		}
		return r
	}
	grades(handed("ann", right), 3, 1)
	grades(handed("ann", right), 3, 0)
	grades(handed("bob", right), 3, 0)
	grades(handed("eve", part), 1, 1)
	grades(handed("gus", guess), 2, 1) // Halve is right on what is visible, in TestHalve and TestWhyInverse
	if r := grades(handed("dora", ""), 0, 1); !strings.Contains(r.Marks[0].Report.Build.Output, "nothing was handed in") {
		t.Errorf("dora's Report says %q", r.Marks[0].Report.Build.Output)
	}
	s := handed("finn", part)
	s.Problems = []submission.Problem{{Message: "a link was left out"}, {Kata: "q02-square", Message: "of another kata"}}
	if r := grades(s, 1, 0); r.Marks[0].Note != "a link was left out" {
		t.Errorf("finn's note is %q", r.Marks[0].Note)
	}

	// What one student's folders are called is no other's to read, though the file is the same.
	bad := "package double\n\nimport \"os\"\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return float64(len(os.Args)) }\n"
	for source, score := range map[string]int{bad: 0, "package double\n\nfunc Double(x float64) float64 { return [1]float64{}[int(x)] }\n\nfunc Halve(x float64) float64 { return x / 2 }\n": 1} {
		hal := handed("hal", source)
		f := hal.Files[k.Name]
		f.Path = "hal-9000/double.go"
		hal.Files[k.Name] = f
		grades(hal, score, 1)
		report, err := json.Marshal(grades(handed("ivy", source), score, 0).Marks[0].Report)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(report), "hal") || !strings.Contains(string(report), "katas/q01-double/double.go") {
			t.Errorf("ivy's Report tells of hal's folders, or not of her file: %s", report)
		}
	}

	// A test is mended: it asked too little of Double.
	how := filepath.Join(k.Dir, "how_test.go")
	text, err := os.ReadFile(how)
	if err != nil {
		t.Fatal(err)
	}
	fixture.Write(t, how, strings.Replace(string(text), "{3, 4}", "{3, 4, 1e300}", 1))
	fixture.Write(t, filepath.Join(k.SolutionDir(), "hidden_test.go"), strings.Replace(hidden, "1e6", "-2e300, 1e6", 1))
	if err := g.Begin(); err != nil {
		t.Fatal(err)
	}
	if r := grades(handed("ann", right), 3, 1); len(r.Changes) != 0 {
		t.Errorf("ann's mark has changed: %+v", r.Changes)
	}
	// gus hands in another file.
	if r := grades(handed("gus", right), 3, 0); len(r.Changes) != 1 || r.Changes[0] != (grade.Change{Kata: k.Name, Before: 2, Now: 3, Why: "another file"}) {
		t.Errorf("gus' changes are %+v", r.Changes)
	}
	fixture.Write(t, filepath.Join(k.SolutionDir(), "hidden_test.go"), strings.Replace(hidden, "t.Errorf(\"Halve", "_ = want; t.Logf(\"Halve", 1))
	if err := g.Begin(); err != nil {
		t.Fatal(err)
	}
	grades(handed("eve", guess), 3, 1)
	fixture.Write(t, filepath.Join(k.SolutionDir(), "hidden_test.go"), hidden)
	if err := g.Begin(); err != nil {
		t.Fatal(err)
	}
	if r := grades(handed("eve", guess), 2, 0); len(r.Changes) != 1 || r.Changes[0].Why != "other tests" {
		t.Errorf("eve's changes are %+v, want one for other tests", r.Changes)
	}
}
