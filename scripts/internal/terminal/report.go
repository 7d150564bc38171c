package terminal

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// How and Why are the two kinds of step.
const (
	How = "how"
	Why = "why"
)

// View renders the Reports of one kata.
type View struct {
	Name  string // the kata's
	Dir   string // the kata's folder as the reader would type it, so that file:line can be clicked
	Width int    // columns
}

// mark is how a status looks: a sign, and a word where the sign alone does not say it.
var mark = map[gotest.Status]struct {
	sign, word string
	style      ansi.Style
}{
	gotest.Pass:    {"✓", "", good},
	gotest.Fail:    {"✗", "", bad},
	gotest.Todo:    {"○", "", faint},
	gotest.Crash:   {"✗", "crashed", bad},
	gotest.Timeout: {"✗", "timed out", bad},
	gotest.Missing: {"·", "did not run", faint},
	"":             {"…", "", faint}, // still to run
}

// Verdict is a line for each step of the kind: its sign, its test, its title.
func (v View) Verdict(r *gotest.Report, kind string) string {
	var b strings.Builder
	column := 0
	for _, s := range r.Steps {
		column = max(column, len(s.Test))
	}
	for _, s := range r.Steps {
		if s.Kind != kind {
			continue
		}
		m := mark[s.Status]
		line := fmt.Sprintf("  %s %-*s  %s", m.style.Styled(m.sign), column, s.Test, s.Title)
		if m.word != "" {
			line += "  " + m.style.Styled("("+m.word+")")
		}
		fmt.Fprintln(&b, line)
	}
	return b.String()
}

// Heading is a kata's name, its question and the file to edit.
func (v View) Heading(k *workbook.Kata) string {
	return fmt.Sprintf("%s  %s\n%s\n\n", bold.Styled(k.Name), faint.Styled(fmt.Sprintf("level %d, about %d minutes", k.Level, k.Minutes)),
		fill(k.Question, "", "", v.Width)) +
		fmt.Sprintf("  edit  %s\n  read  %s\n\n", code.Styled(filepath.Join(v.Dir, filepath.Base(k.File))), code.Styled(filepath.Join(v.Dir, "README.md")))
}

// Found is what a run found in the steps of a kind: the verdict, then the failure that matters, or all of them.
// Where how steps fail, why steps are shown without theirs: they fail for the same reason.
func (v View) Found(r *gotest.Report, kind string, all bool) string {
	if r.Build != nil {
		if kind == Why {
			return ""
		}
		return v.Build(r.Build)
	}
	s := v.Verdict(r, kind)
	broken := Broken(r)
	for i := range r.Steps {
		if step := &r.Steps[i]; step.Kind == kind && (step == broken || all && failed(step)) {
			s += "\n" + v.Failure(step, all)
		}
	}
	if kind == How && broken != nil {
		return s + "\n"
	}
	if found := v.Findings(r); kind == Why && found != "" {
		s += "\n" + found
	}
	return s
}

// Entry is a kata as a line of a list.
func Entry(k *workbook.Kata, passed int) string {
	if k.Err != nil {
		return fmt.Sprintf("%s %s  %v\n", bad.Styled("!"), k.Name, k.Err)
	}
	m := mark[gotest.Todo]
	if passed == len(k.Steps) {
		m = mark[gotest.Pass]
	}
	return fmt.Sprintf("%s %-24s %s  %s\n", m.style.Styled(m.sign), k.Name, faint.Styled(fmt.Sprintf("%2d/%-2d  level %d  %3d min", passed, len(k.Steps), k.Level, k.Minutes)), k.Question)
}

// Hint shows the n-th hint of a step, of which there are so many in all.
func Hint(h workbook.Hint, n, of, width int) string {
	return fmt.Sprintf("%s %s\n%s", warn.Styled(h.Kind), faint.Styled(fmt.Sprintf("%d of %d", n, of)), indent(Markdown(h.Text, width-2)))
}

// Task is what the README asks for in a step that waits for code.
func (v View) Task(k *workbook.Kata, s *gotest.Step) string {
	text := bold.Styled(s.Test) + "  " + s.Title + "\n"
	if section, err := k.Section(s.Test); err == nil {
		text += indent(Markdown(section, v.Width-2))
	}
	return text
}

// Findings is what the why steps logged: the numbers that the learner's code found.
func (v View) Findings(r *gotest.Report) string {
	var found []string
	for i := range r.Steps {
		if s := &r.Steps[i]; s.Kind == Why && s.Status == gotest.Pass && len(s.Output) > 0 {
			found = append(found, bold.Styled(s.Title)+"\n"+v.logged(s))
		}
	}
	return strings.Join(found, "\n")
}

// Marks is the signs of all steps in one word, for a line a kata.
func Marks(r *gotest.Report) string {
	var b strings.Builder
	for _, s := range r.Steps {
		b.WriteString(mark[s.Status].style.Styled(mark[s.Status].sign))
	}
	return b.String()
}

// Broken returns the first step, in order, that failed and isn't merely unwritten; nil where there is none.
func Broken(r *gotest.Report) *gotest.Step {
	for i, s := range r.Steps {
		if failed(&s) {
			return &r.Steps[i]
		}
	}
	return nil
}

func failed(s *gotest.Step) bool {
	return s.Status == gotest.Fail || s.Status == gotest.Crash || s.Status == gotest.Timeout
}

// Unwritten returns the first step that waits for the learner's code; nil where there is none.
func Unwritten(r *gotest.Report) *gotest.Step {
	for i, s := range r.Steps {
		if s.Status == gotest.Todo {
			return &r.Steps[i]
		}
	}
	return nil
}

// Failure shows one failing step: its name and the message that matters, the first that names the mistake or else the first, or all of them.
func (v View) Failure(s *gotest.Step, all bool) string {
	shown := s.Output
	if !all && len(shown) > 1 {
		i := max(0, slices.IndexFunc(shown, func(m string) bool { return strings.Contains(m, "your mistake may be: ") }))
		shown = shown[i : i+1]
	}
	var b strings.Builder
	fmt.Fprintln(&b, bad.Styled(s.Test)+bold.Styled("  "+s.Title))
	for _, message := range shown {
		b.WriteString(indent(v.Locate(message)))
	}
	switch more := len(s.Output) - len(shown); {
	case more == 1:
		fmt.Fprintln(&b, faint.Styled("  and one more message: kata test -v shows it"))
	case more > 1:
		fmt.Fprintln(&b, faint.Styled(fmt.Sprintf("  and %d more messages: kata test -v shows them", more)))
	}
	return b.String()
}

func (v View) logged(s *gotest.Step) string {
	var b strings.Builder
	for _, message := range s.Output {
		b.WriteString(indent(faint.Styled("│ ") + strings.ReplaceAll(position.ReplaceAllString(message, ""), "\n", "\n"+faint.Styled("│ "))))
	}
	return b.String()
}

// Build shows why the code did not build: the first error and its place, then all else that the compiler said.
func (v View) Build(e *gotest.BuildError) string {
	first := e.Message
	if e.Line > 0 {
		first = fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	var rest []string
	for line := range strings.Lines(strings.ReplaceAll(e.Output, e.Message, "")) {
		line = strings.TrimRight(line, "\n")
		if text := position.ReplaceAllString(line, ""); text != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "FAIL") {
			rest = append(rest, line)
		}
	}
	s := bad.Styled("does not build") + "\n" + indent(v.Locate(first))
	if len(rest) > 0 {
		s += indent(v.Locate(strings.Join(rest, "\n")))
	}
	return s
}

// Vet shows what go vet said, if it said anything.
func (v View) Vet(r *gotest.Report) string {
	if len(r.Vet) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintln(&b, "\n"+warn.Styled("go vet"))
	for _, l := range r.Vet {
		b.WriteString(indent(v.Locate(l)))
	}
	return b.String()
}

// position is where go test says a message comes from, at its beginning; place is a place in a Go file anywhere.
var (
	position = regexp.MustCompile(`^(?:[\w./-]*/)?[\w-]+\.go:\d+(?::\d+)?: ?`)
	place    = regexp.MustCompile(`((?:[\w.-]*/)*)([\w-]+\.go):(\d+)`)
)

// Locate turns places in the kata's own folder into paths that can be clicked: go test names the file alone, the compiler
// the path from the workbook's root.
func (v View) Locate(message string) string {
	return place.ReplaceAllStringFunc(message, func(m string) string {
		p := place.FindStringSubmatch(m)
		if p[1] == "" || p[1] == "katas/"+v.Name+"/" {
			m = filepath.Join(v.Dir, p[2]) + ":" + p[3]
		}
		return code.Styled(m)
	})
}

// indent moves s two columns to the right. A tab becomes four spaces: it would move over what stood on the screen, and leave it there.
func indent(s string) string {
	s = strings.ReplaceAll(s, "\t", "    ")
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}
