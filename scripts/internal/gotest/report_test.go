package gotest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"testing"
	"time"

	"whyhow/scripts/internal/workbook"
)

var update = flag.Bool("update", false, "write the golden file")

// whole is a Report with every field.
func whole() *Report {
	r := &Report{
		Schema: Schema, Kata: "q05-batch-norm", Subject: Learner, Start: time.Date(2026, 11, 24, 8, 30, 0, 0, time.UTC), CPU: 0.25,
		File: "katas/q05-batch-norm/batchnorm.go", Hash: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Seed: 1, Go: "go1.26.8", Workbook: "9f2c1b7d04aa",
		Steps: []Step{
			{Test: "TestStats", Title: "Mean and biased variance", Kind: workbook.How, Points: 1, Status: Fail, Hints: 2, Seconds: 0.01, Messages: []Message{
				{
					Subtest: "seven rows", File: "katas/q05-batch-norm/how_test.go", Line: 34, Text: "Stats(x) variance[0] = 1.2226, want 1.0479 (rel 1e-10)",
					Diagnosis: "you divided by N−1", Why: "the biased variance is the mean squared distance from the mean", With: []string{"x = [1 2]"},
				},
				{Text: "New is not implemented yet", Todo: "New"},
				{Text: "hello", Printed: true, Dropped: 3},
			}},
			{Test: "TestTrain", Title: "Normalise a batch", Kind: workbook.How, Points: 2, Status: Crash, Seconds: 0.02, Messages: []Message{{
				File: "katas/q05-batch-norm/batchnorm.go", Line: 41, Text: "panic: oh", Stack: []Place{{"katas/q05-batch-norm/batchnorm.go", 41, "(*Layer).Train"}},
			}}},
			{Test: "TestWhyGradients", Title: "Gradients", Kind: workbook.Why, Points: 1, Status: Pass, Seconds: 0.2},
		},
		Figures: []Figure{{Test: "TestWhyGradients", Path: "/checkout/.kata/data/q05-batch-norm/learner/gradients.json"}},
		Vet:     []Problem{{File: "katas/q05-batch-norm/batchnorm.go", Line: 9, Column: 4, Message: "self-assignment of x to x"}},
		Notes:   []string{"how_test.go differs from the workbook's"},
		Build:   &BuildError{Problems: []Problem{{File: "katas/q05-batch-norm/batchnorm.go", Line: 7, Column: 2, Message: "undefined: y"}}, Output: "batchnorm.go:7:2: undefined: y"},
	}
	r.stamp()
	r.Seconds = 1.5
	return r
}

// Programs read Reports: what they find changes with Schema alone.
func TestReportGolden(t *testing.T) {
	got, err := json.MarshalIndent(whole(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	const file = "testdata/report.json"
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("a Report's JSON is\n%s\nand %s has\n%s\nIf a field went or changed its meaning, Schema goes up; then: go test ./internal/gotest -run Golden -update", got, file, want)
	}
	again := new(Report)
	if err := json.Unmarshal(want, again); err != nil {
		t.Fatal(err)
	}
	if back, _ := json.MarshalIndent(again, "", "  "); !bytes.Equal(append(back, '\n'), want) {
		t.Errorf("what is read from %s is written as\n%s", file, back)
	}
}

// JSON.md names every field.
func TestReportIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../JSON.md")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile("testdata/report.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range regexp.MustCompile(`"(\w+)":`).FindAllSubmatch(golden, -1) {
		if !bytes.Contains(text, []byte("`"+string(field[1])+"`")) {
			t.Errorf("JSON.md does not name the field `%s`", field[1])
		}
	}
}
