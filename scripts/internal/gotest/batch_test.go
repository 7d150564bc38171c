package gotest_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"whyhow/scripts/internal/gotest"
)

// One person's katas are one program; what does not build, or dies before its first test, costs the others nothing, and every Report is as if its kata had run alone.
func TestBatch(t *testing.T) {
	r, contract := fixture(t, "q91")
	square := kata(t, r.Root, "q92")
	reference, err := os.ReadFile(contract.Reference())
	if err != nil {
		t.Fatal(err)
	}
	early := bytes.Replace(reference, []byte("package contract\n"), []byte("package contract\nimport \"os\"\nfunc init() { os.Exit(0) }\n"), 1)
	half := bytes.Replace(reference, []byte("return mean, 0"), []byte("return mean,"), 1)
	typed := bytes.Replace(reference, []byte("return mean, 0"), []byte("return mean, \"0\""), 1)
	other := bytes.Replace(reference, []byte("func Stats("), []byte("func Statistics("), 1)
	guess := []byte("package square\n\nfunc Square(x int) int { return 3 * x }\n") // right in the step, wrong in its fuzz target and in the hidden test
	options := gotest.Options{Hidden: true, NoVet: true}
	for _, c := range []struct {
		name   string
		source []byte
		want   string
		says   string
	}{
		{"right", reference, "pass pass pass", ""},
		{"half-written", half, "missing missing missing", "syntax error"},
		{"of the wrong type", typed, "missing missing missing", "cannot use"},
		{"without a function", other, "missing missing missing", "Stats is missing"},
		{"that exits first", early, "crash crash crash", "exit status 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			second := gotest.Submission{Kata: contract, Subject: gotest.Subject{Name: "ann", File: "ann/contract.go", Source: c.source}}
			third := gotest.Submission{Kata: square, Subject: gotest.Subject{Name: "ann", Source: []byte("package square\n\nfunc Square(x int) int { return x * x }\n")}}
			reports, err := r.Batch(t.Context(), []gotest.Submission{second, third}, options)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range reports[0].Steps {
				got = append(got, string(s.Status))
			}
			says := ""
			if b := reports[0].Build; b != nil {
				says = b.Output
				if b.First().File != "ann/contract.go" {
					t.Errorf("the problem is in %s, want ann/contract.go", b.First().File)
				}
				says += b.First().Message
			} else {
				says = reports[0].Steps[0].Text()
			}
			if strings.Join(got, " ") != c.want || !strings.Contains(says, c.says) {
				t.Errorf("contract = %s, %q, want %s, %q", got, says, c.want, c.says)
			}
			if s := reports[1].Steps; len(s) != 2 || s[0].Status != gotest.Pass || s[1].Status != gotest.Pass || reports[1].Score != 2 {
				t.Errorf("square = %+v, want two passes", s)
			}
			if left, _ := os.ReadDir(temp); len(left) > 0 {
				t.Errorf("Batch left %v in the temporary folder", left)
			}
		})
	}
	reports, err := r.Batch(t.Context(), []gotest.Submission{
		{Kata: square, Subject: gotest.Subject{Name: "bob", Source: guess}}, {Kata: contract, Subject: gotest.Subject{Name: "bob", File: contract.Reference()}},
	}, options)
	if err != nil {
		t.Fatal(err)
	}
	if s := reports[0].Steps; s[0].Status != gotest.Fail || !strings.Contains(s[0].Text(), "FuzzStats seed#0: katas/q92-square/how_test.go:19: Square(4) = 12") || s[1].Status != gotest.Fail {
		t.Errorf("square = %+v, want both to fail", s)
	}
	if !reports[1].Solved() || reports[1].Subject != "bob" || reports[1].Hash == "" || reports[1].Go == "" {
		t.Errorf("contract = %+v, want it solved", reports[1])
	}
}
