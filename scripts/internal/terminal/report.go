package terminal

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

// View renders katas and their Reports for one reader.
type View struct {
	Path    func(string) string // how the reader would type a path, given from the workbook's root
	Command string              // how the reader would call kata: "bin/kata"
	All     string              // what shows every message, in brackets: "bin/kata test -v q05", "v: all"
	Width   int                 // columns
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
func (v View) Verdict(r *gotest.Report, kind workbook.Kind) string {
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

// Folded is the verdict in three lines at the most: how many steps pass, the one that is worked at, how many are to come.
func (v View) Folded(r *gotest.Report, at string) string {
	current := slices.IndexFunc(r.Steps, func(s gotest.Step) bool { return s.Test == at })
	only := *r
	only.Steps = nil
	var passed, others int
	for i, s := range r.Steps {
		switch {
		case i == current:
			only.Steps = append(only.Steps, s)
		case s.Status == gotest.Pass:
			passed++
		default:
			others++
		}
	}
	var b strings.Builder
	if passed > 0 {
		fmt.Fprintf(&b, "  %s %d %s\n", good.Styled("✓"), passed, Plural(passed, "step passes", "steps pass"))
	}
	for _, kind := range workbook.Kinds {
		b.WriteString(v.Verdict(&only, kind))
	}
	if others > 0 {
		fmt.Fprintf(&b, "  %s %d %s\n", faint.Styled("○"), others, Plural(others, "more step", "more steps"))
	}
	return b.String()
}

// Plural is one where n is 1, else many.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Heading is a kata's name, its question and the file to edit.
func (v View) Heading(k *workbook.Kata) string {
	dir := "katas/" + k.Name
	return fmt.Sprintf("%s  %s\n%s\n\n", bold.Styled(k.Name), faint.Styled(fmt.Sprintf("level %d, about %d minutes", k.Level, k.Minutes)),
		fill(k.Question, "", "", v.Width)) +
		fmt.Sprintf("  edit  %s\n  read  %s\n\n", code.Styled(v.Path(path.Join(dir, k.Package+".go"))), code.Styled(v.Path(path.Join(dir, "README.md"))))
}

// Found is what a run found in the steps of a kind: the verdict, then the failure that matters, or all of them.
// Where how steps fail, why steps are shown without theirs: they fail for the same reason.
func (v View) Found(r *gotest.Report, kind workbook.Kind, all bool) string {
	if r.Build != nil {
		if kind == workbook.Why {
			return ""
		}
		return v.Build(r.Build, all)
	}
	s := v.Verdict(r, kind)
	broken := r.Broken()
	for i := range r.Steps {
		if step := &r.Steps[i]; step.Kind == kind && (step == broken || all && step.Status.Failed()) {
			s += "\n" + v.Failure(step, all) + v.Printed(step, all)
		}
	}
	if kind == workbook.How && broken != nil {
		return s + "\n"
	}
	if found := v.Findings(r); kind == workbook.Why && found != "" {
		s += "\n" + found
	}
	return s
}

// Entry is a kata as a line of a list, with what does not agree with its newest run below it.
func Entry(k *workbook.Kata, p progress.Progress) string {
	if k.Err != nil {
		return fmt.Sprintf("%s %s  %v\n", bad.Styled("!"), k.Name, k.Err)
	}
	passed, solved := p.Passed(k), p.SolvedOn(k)
	m := mark[gotest.Todo]
	if passed == len(k.Steps) {
		m = mark[gotest.Pass]
	}
	line := fmt.Sprintf("%s %-24s %s  %s\n", m.style.Styled(m.sign), k.Name, faint.Styled(fmt.Sprintf("%2d/%-2d  level %d  %3d min", passed, len(k.Steps), k.Level, k.Minutes)), k.Question)
	switch changed := p.Changed(k); {
	case changed && passed == len(k.Steps):
		line += faint.Styled(fmt.Sprintf("  solved on %s; the file has changed since", Day(solved))) + "\n"
	case !solved.IsZero() && passed < len(k.Steps):
		line += faint.Styled(fmt.Sprintf("  solved on %s; now %d of %d", Day(solved), passed, len(k.Steps))) + "\n"
	}
	return line
}

// Day is a date as a person writes it.
func Day(t time.Time) string { return t.Format("2 Jan 2006") }

// Hint shows the n-th hint of a step, of which there are so many in all.
func Hint(h workbook.Hint, n, of, width int) string {
	return fmt.Sprintf("%s %s\n%s", warn.Styled(h.Kind), faint.Styled(fmt.Sprintf("%d of %d", n, of)), indent(Markdown(h.Text, width-2)))
}

// Task is what the README asks for in a step that waits for code, and which function that is.
func (v View) Task(k *workbook.Kata, s *gotest.Step) string {
	text := bold.Styled(s.Test) + "  " + s.Title + "\n"
	for _, m := range s.Messages {
		text += indent(m.Text)
	}
	if section, err := k.Section(s.Test); err == nil {
		text += "\n" + indent(Markdown(section, v.Width-2))
	}
	return text
}

// Findings is what the why steps logged: the numbers that the learner's code found.
func (v View) Findings(r *gotest.Report) string {
	var found []string
	for _, s := range r.Steps {
		if s.Kind == workbook.Why && s.Status == gotest.Pass && len(s.Messages) > 0 {
			text := bold.Styled(s.Title) + "\n"
			for _, m := range s.Messages {
				if !m.Printed {
					text += bar(m.Text)
				}
			}
			found = append(found, text)
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

// Failure shows one failing step: its name, and the message that matters, or all.
func (v View) Failure(s *gotest.Step, all bool) string {
	said, _ := split(s.Messages)
	shown := said
	if !all && len(said) > 1 {
		i := matters(s.Status, said)
		shown = slices.Concat(said[i:i+1], unwritten(slices.Concat(said[:i], said[i+1:])))
	}
	var b strings.Builder
	fmt.Fprintln(&b, bad.Styled(s.Test)+bold.Styled("  "+s.Title))
	for _, m := range shown {
		b.WriteString(v.Message(m))
	}
	if more := len(said) - len(shown); more > 0 {
		fmt.Fprintln(&b, faint.Styled(fmt.Sprintf("  and %d more %s (%s)", more, Plural(more, "message", "messages"), v.All)))
	}
	return b.String()
}

// unwritten keeps the messages that name a stub, each stub once: a step may be written in part.
func unwritten(messages []gotest.Message) (all []gotest.Message) {
	for _, m := range messages {
		m.Subtest = ""
		if m.Todo != "" && !slices.ContainsFunc(all, func(o gotest.Message) bool { return o.Todo == m.Todo }) {
			all = append(all, m)
		}
	}
	return all
}

// split tells the tests' messages from what the code under test printed.
func split(messages []gotest.Message) (said, printed []gotest.Message) {
	for _, m := range messages {
		if m.Printed {
			printed = append(printed, m)
		} else {
			said = append(said, m)
		}
	}
	return said, printed
}

// matters returns the index of the message to show alone: of a step that crashed or hung the last, which says so; else the first that
// names the mistake, or the first.
func matters(status gotest.Status, said []gotest.Message) int {
	if status == gotest.Timeout || status == gotest.Crash {
		if i := slices.IndexFunc(said, func(m gotest.Message) bool { return len(m.Stack) > 0 }); i >= 0 {
			return i
		}
		return len(said) - 1
	}
	return max(0, slices.IndexFunc(said, func(m gotest.Message) bool { return m.Diagnosis != "" }))
}

// Message shows one message, what is of most use first: what the mistake may be, why, what came out, and the arguments.
func (v View) Message(m gotest.Message) string {
	var b strings.Builder
	paragraph := func(label, text string) {
		if text != "" {
			b.WriteString(indent(fill(text, warn.Styled(label)+" ", "  ", v.Width-2)))
		}
	}
	paragraph("your mistake may be:", m.Diagnosis)
	paragraph("why:", m.Why)
	text := m.Text
	if m.Subtest != "" {
		text = m.Subtest + ": " + text
	}
	if m.File != "" && len(m.Stack) == 0 {
		text = code.Styled(fmt.Sprintf("%s:%d", v.Path(m.File), m.Line)) + ": " + text
	}
	b.WriteString(indent(text))
	for _, p := range m.Stack {
		b.WriteString(indent("at " + code.Styled(fmt.Sprintf("%s:%d", v.Path(p.File), p.Line)) + ", in " + p.Func))
	}
	for _, w := range m.With {
		b.WriteString(indent("  with " + w))
	}
	return b.String()
}

// mostPrinted is how many lines of what the code printed are shown unasked.
const mostPrinted = 10

// Printed shows the last lines of what the code under test printed in a step, or all of them; "" if it printed nothing.
func (v View) Printed(s *gotest.Step, all bool) string {
	_, printed := split(s.Messages)
	var lines []string
	dropped := 0
	for _, m := range printed {
		lines = append(lines, strings.Split(m.Text, "\n")...)
		dropped += m.Dropped
	}
	if len(lines) == 0 {
		return ""
	}
	head := "your code printed:"
	if more := len(lines) - mostPrinted; more > 0 && !all {
		head = fmt.Sprintf("your code printed %d lines, here the last %d (%s):", len(lines)+dropped, mostPrinted, v.All)
		lines = lines[more:]
	} else if dropped > 0 {
		head = fmt.Sprintf("your code printed %d lines, of which the last %d were kept:", len(lines)+dropped, len(lines))
	}
	return faint.Styled("  "+head) + "\n" + bar(strings.Join(lines, "\n"))
}

// bar sets text apart by a line at its left.
func bar(text string) string {
	return indent(faint.Styled("│ ") + strings.ReplaceAll(text, "\n", "\n"+faint.Styled("│ ")))
}

// fewProblems is how many problems of a build are shown unasked.
const fewProblems = 5

// Build shows why the code did not build, what to mend first at the top.
func (v View) Build(e *gotest.BuildError, all bool) string {
	shown := e.Problems
	switch {
	case all:
	case strings.HasPrefix(e.First().Message, "syntax error"): // those after it follow from it
		shown = shown[:1]
	default:
		shown = shown[:min(len(shown), fewProblems)]
	}
	s := bad.Styled("does not build") + "\n" + v.problems(shown)
	if more := len(e.Problems) - len(shown); more > 0 {
		s += faint.Styled(fmt.Sprintf("  and %d more", more)) + "\n"
	}
	return s
}

func (v View) problems(all []gotest.Problem) string {
	var b strings.Builder
	for _, p := range all {
		if p.File != "" {
			p.File = v.Path(p.File)
		}
		place, message, found := strings.Cut(p.String(), ": ")
		if p.File == "" || !found {
			b.WriteString(indent(p.String()))
			continue
		}
		b.WriteString(indent(code.Styled(place) + ": " + message))
	}
	return b.String()
}

// Vet shows what go vet said, if it said anything.
func (v View) Vet(r *gotest.Report) string {
	if len(r.Vet) == 0 {
		return ""
	}
	return "\n" + warn.Styled("go vet") + "\n" + v.problems(r.Vet)
}

// Notes shows what a reader must know to judge the verdict.
func (v View) Notes(r *gotest.Report) string {
	var b strings.Builder
	for _, n := range r.Notes {
		b.WriteString(fill(n, warn.Styled("note:")+" ", "  ", v.Width) + "\n")
	}
	return b.String()
}

// indent moves s two columns to the right. A tab becomes four spaces: it would move over what stood on the screen, and leave it there.
func indent(s string) string {
	s = strings.ReplaceAll(s, "\t", "    ")
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}
