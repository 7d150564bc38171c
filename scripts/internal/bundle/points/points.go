// Points runs the tests of one kata and counts the points of its steps, for the workflow of a student's repository:
//
//	go run .github/points.go ./katas/q05-batch-norm TestStats=1 TestTrain=2
//
// It prints a line a step, and hands the results to the workflow's next step.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// results is what GitHub Classroom's reporter reads.
type results struct {
	Version int      `json:"version"`
	Status  string   `json:"status"` // pass, fail, error
	Max     int      `json:"max_score"`
	Tests   []result `json:"tests"`
}

type result struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"`
	Score   int     `json:"score"`
	Message string  `json:"message,omitempty"`
	Code    string  `json:"test_code"`
	Line    int     `json:"line_no"`
	Seconds float64 `json:"duration"`
}

const longest = 1000 // bytes of a message: what a workflow's step gets has a limit

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "points:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: points PACKAGE TEST=POINTS…")
	}
	r := results{Version: 1, Status: "pass"}
	for _, arg := range args[1:] {
		name, text, _ := strings.Cut(arg, "=")
		points, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%s is not TEST=POINTS", arg)
		}
		r.Max += points
		r.Tests = append(r.Tests, result{Name: name, Status: "fail", Score: points, Code: "go test " + args[0] + " -run '^" + name + "$'"})
	}
	out, err := exec.Command("go", "test", "-json", "-vet=off", "-timeout=2m", args[0]).Output()
	if len(out) == 0 {
		return fmt.Errorf("go test: %w", err)
	}
	seen, rest := events(out)
	score := 0
	for i := range r.Tests {
		t := &r.Tests[i]
		t.Status, t.Message, t.Seconds = seen[t.Name].status, strings.TrimSpace(seen[t.Name].output), seen[t.Name].seconds
		if t.Status != "pass" {
			r.Status, t.Status, t.Score = "fail", "fail", 0
			if t.Message == "" {
				t.Message = strings.TrimSpace("it did not end\n" + rest)
			}
			if len(t.Message) > longest {
				t.Message = strings.ToValidUTF8(t.Message[:longest], "") + "…"
			}
		} else {
			t.Message = ""
		}
		score += t.Score
		fmt.Printf("%-4s  %d  %s\n", t.Status, t.Score, t.Name)
		if t.Message != "" {
			fmt.Println("        " + strings.ReplaceAll(t.Message, "\n", "\n        "))
		}
	}
	fmt.Printf("%s: %d of %d points\n", args[0], score, r.Max)
	return hand(r, fmt.Sprintf("%s: %d of %d points\n\n", args[0], score, r.Max))
}

type seen struct {
	status, output string
	seconds        float64
}

// events reads what go test prints: of each test function, and the rest, where the compiler's words are.
func events(stream []byte) (tests map[string]seen, rest string) {
	tests = map[string]seen{}
	for _, line := range bytes.Split(stream, []byte("\n")) {
		var e struct {
			Action, Test, Output string
			Elapsed              float64
		}
		if json.Unmarshal(line, &e) != nil {
			continue
		}
		name, _, _ := strings.Cut(e.Test, "/")
		t := tests[name]
		switch {
		case e.Action == "build-output" || e.Action == "output" && name == "":
			rest += e.Output
		case e.Action == "output" && !strings.HasPrefix(e.Output, "=== "):
			t.output += e.Output
		case e.Test == name && (e.Action == "pass" || e.Action == "fail"):
			t.status, t.seconds = e.Action, e.Elapsed
		}
		tests[name] = t
	}
	return tests, rest
}

// hand writes what the workflow's next steps and its readers get.
func hand(r results, summary string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for variable, text := range map[string]string{
		"GITHUB_OUTPUT":       "result=" + base64.StdEncoding.EncodeToString(data) + "\n",
		"GITHUB_STEP_SUMMARY": summary,
	} {
		if os.Getenv(variable) == "" {
			continue
		}
		f, err := os.OpenFile(os.Getenv(variable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		if e := f.Close(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
	}
	return nil
}
