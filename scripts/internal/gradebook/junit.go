package gradebook

import (
	"encoding/xml"
	"io"
	"strconv"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/grade"
)

type (
	suites struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Errors   int      `xml:"errors,attr"`
		Suites   []suite  `xml:"testsuite"`
	}
	suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Errors   int        `xml:"errors,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	testcase struct {
		Class   string   `xml:"classname,attr"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Failure *outcome `xml:"failure"`
		Error   *outcome `xml:"error"`
		Skipped *outcome `xml:"skipped"`
	}
	outcome struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a suite for each student and kata, as CI systems read it.
func (b *Book) JUnit(w io.Writer) error {
	var all suites
	for _, r := range b.Rows {
		for _, k := range b.Katas {
			m := r.Marks[k]
			if m == nil {
				continue
			}
			s := suite{Name: r.Student + " " + k}
			total := 0.0
			for _, step := range m.Report.Steps {
				if step.Points == 0 {
					continue // a hidden test: its step says what came of it
				}
				c := caseOf(r.Student+"."+k, m.Report, step)
				switch {
				case c.Failure != nil:
					s.Failures++
				case c.Error != nil:
					s.Errors++
				case c.Skipped != nil:
					s.Skipped++
				}
				total += step.Seconds
				s.Cases = append(s.Cases, c)
			}
			s.Tests, s.Time = len(s.Cases), seconds(total)
			all.Tests += s.Tests
			all.Failures += s.Failures
			all.Errors += s.Errors
			all.Suites = append(all.Suites, s)
		}
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func caseOf(class string, r *gotest.Report, s gotest.Step) testcase {
	c := testcase{Class: class, Name: s.Test, Time: seconds(s.Seconds)}
	message, text := Reason(r, s)
	switch {
	case message == "":
	case s.Status == gotest.Todo:
		c.Skipped = &outcome{message, text}
	case s.Status == gotest.Pass || s.Status == gotest.Fail:
		c.Failure = &outcome{message, text}
	default:
		c.Error = &outcome{message, text}
	}
	return c
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }

// Reason says why a step does not count: in a line, and in full. Both are "" if it counts. Of a hidden test it tells no input.
func Reason(r *gotest.Report, s gotest.Step) (line, full string) {
	if r.Build != nil {
		return "not built: " + r.Build.First().String(), r.Build.Output
	}
	if s.Status == gotest.Pass {
		h := grade.Hidden(r, s)
		if h == nil {
			return "", ""
		}
		line = "right in the tests that you have, not on other inputs"
		for _, m := range h.Messages {
			if m.Diagnosis != "" {
				return line, line + "; your mistake may be: " + m.Diagnosis
			}
		}
		return line, line
	}
	full = s.Text()
	for _, m := range s.Messages {
		if m.Diagnosis != "" {
			return m.Diagnosis, full
		}
	}
	if len(s.Messages) > 0 {
		return s.Messages[0].Text, full
	}
	return string(s.Status), string(s.Status)
}
