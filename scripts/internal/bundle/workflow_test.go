package bundle_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rhysd/actionlint"

	"whyhow/scripts/internal/bundle"
	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/workbook"
)

// The workflow is one that GitHub takes, and it has a step for every kata and the points of each.
func TestWorkflow(t *testing.T) {
	t.Parallel()
	w, err := workbook.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, vendor := range []bool{false, true} {
		b, _, err := bundle.Student(t.Context(), w, bundle.Plan{Katas: w.Katas, Workflow: true, Vendor: vendor})
		if err != nil {
			t.Fatal(err)
		}
		const name = ".github/workflows/points.yml"
		var text []byte
		for _, f := range b.Files() {
			if f.Name == name {
				text = f.Data
			}
		}
		lint := func(text string) []*actionlint.Error {
			l, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := l.Lint(name, []byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		for _, e := range lint(string(text)) {
			t.Errorf("%s:%d: %s", name, e.Line, e.Message)
		}
		if found := lint(strings.Replace(string(text), "steps.q05.outputs", "steps.q55.outputs", 1)); len(found) == 0 {
			t.Error("a step that is not there is not noticed")
		}
		parsed, errs := actionlint.Parse(text)
		if len(errs) > 0 {
			t.Fatal(errs[0])
		}
		job := parsed.Jobs["run-autograding-tests"] // the name that the reporter's documentation asks for, as that of the workflow
		if parsed.Name.Value != "Autograding Tests" || job == nil || len(parsed.Jobs) != 1 {
			t.Fatalf("%s has other names than GitHub Classroom reads", name)
		}
		runs := map[string]string{}
		for _, s := range job.Steps {
			if run, ok := s.Exec.(*actionlint.ExecRun); ok {
				runs[s.ID.Value] = run.Run.Value
			}
		}
		want := map[string]string{}
		for _, k := range w.Katas {
			want[k.Number] = "go run .github/points.go ./katas/" + k.Name
			for _, s := range k.Steps {
				want[k.Number] += " " + s.Test + "=" + string(rune('0'+s.Points))
			}
		}
		if diff := cmp.Diff(want, runs); diff != "" {
			t.Errorf("steps mismatch (-want +got):\n%s", diff)
		}
	}
}

// What the workflow runs counts as the marks do: a step has its points or none.
func TestPoints(t *testing.T) {
	t.Parallel()
	w, katas := small(t)
	b, _, err := bundle.Student(t.Context(), w, bundle.Plan{Katas: katas, Workflow: true})
	if err != nil {
		t.Fatal(err)
	}
	// The workflow has go run, which builds it every time.
	points, whole := filepath.Join(t.TempDir(), "points"), filepath.Join(t.TempDir(), "class")
	if err := b.WriteDir(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", points, ".github/points.go")
	build.Dir = whole
	build.Env = append(os.Environ(), "PWD="+whole, "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const head = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\n"
	for _, c := range []struct {
		name, file string // "": the stub
		score      map[string]int
		says       string // by a step that has none
	}{
		{"stub", "", map[string]int{}, "Double is not implemented yet"},
		{"right", head + "func Halve(x float64) float64 { return x / 2 }\n", map[string]int{"TestDouble": 1, "TestHalve": 1, "TestWhyInverse": 1}, ""},
		{"half", head + "func Halve(x float64) float64 { panic(\"TODO: Halve\") }\n", map[string]int{"TestDouble": 1}, "Halve is not implemented yet"},
		{"wrong", head + "func Halve(x float64) float64 { return x }\n", map[string]int{"TestDouble": 1}, "Halve(6) = 6, want 3"},
		{"it does not compile", head, map[string]int{}, "undefined: double.Halve"},
		{"it ends the program", "package double\n\nimport \"os\"\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { os.Exit(0); return 0 }\n", map[string]int{"TestDouble": 1}, "os.Exit(0)"},
		{"it prints much", "package double\n\nimport \"strings\"\n\nfunc Double(x float64) float64 { println(strings.Repeat(\"é\", 1e6)); return 0 }\n\nfunc Halve(x float64) float64 { return x / 2 }\n", map[string]int{"TestHalve": 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "class")
			if err := b.WriteDir(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			if c.file != "" {
				fixture.Write(t, filepath.Join(dir, "katas/q01-double/double.go"), c.file)
			}
			output, summary := filepath.Join(dir, "output"), filepath.Join(dir, "summary")
			cmd := exec.Command(points, "./katas/q01-double", "TestDouble=1", "TestHalve=1", "TestWhyInverse=1")
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PWD="+dir, "GOWORK=off", "GITHUB_OUTPUT="+output, "GITHUB_STEP_SUMMARY="+summary)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			line, err := os.ReadFile(output)
			if err != nil {
				t.Fatal(err)
			}
			encoded, ok := strings.CutPrefix(strings.TrimSuffix(string(line), "\n"), "result=")
			data, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil || !ok || len(encoded) > 100_000 { // Linux takes 128 KiB in one variable
				t.Fatalf("%d bytes, %v: %.200s", len(line), err, line)
			}
			var r struct {
				Version int    `json:"version"`
				Status  string `json:"status"`
				Max     int    `json:"max_score"`
				Tests   []struct {
					Name, Status, Message string
					Score                 int
				} `json:"tests"`
			}
			if err := json.Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			status := "fail"
			if len(c.score) == 3 {
				status = "pass"
			}
			if r.Version != 1 || r.Status != status || r.Max != 3 || len(r.Tests) != 3 {
				t.Errorf("results are %s", data)
			}
			said := false
			for _, test := range r.Tests {
				if test.Score != c.score[test.Name] || (test.Status == "pass") != (test.Score > 0) {
					t.Errorf("%s has %d points (%s), want %d", test.Name, test.Score, test.Status, c.score[test.Name])
				}
				said = said || test.Status != "pass" && strings.Contains(test.Message, c.says)
			}
			if !said && c.says != "" {
				t.Errorf("%q is not said:\n%s", c.says, data)
			}
			if text, err := os.ReadFile(summary); err != nil || !strings.Contains(string(text), "of 3 points") {
				t.Errorf("the summary is %q, %v", text, err)
			}
		})
	}
}
