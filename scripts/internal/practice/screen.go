package practice

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// screen is what the reader sees of one kata: verdict, failure, hint, message, keys, from top to bottom.
type screen struct {
	out   *os.File  // whose size counts
	to    io.Writer // the same, without the colours that it cannot show
	shown func(path string) string

	kata   *workbook.Kata
	report *gotest.Report     // the newest of code that built; its why steps may still run
	build  *gotest.BuildError // of the newest code, if it did not build
	busy   bool
	at     time.Time // the end of the newest run
	note   string    // one line
	drew   string    // where the figures are

	hinted workbook.Step // the step that the hint is for
	advice string

	entries string // the list of katas; "" while the kata itself is shown
	typed   string // the number typed so far
	reading bool   // a long text stands on the screen

	frame   string // as it was drawn last
	wasSlow bool   // a build took long, and this was said
}

func (s *screen) open(k *workbook.Kata) {
	*s = screen{out: s.out, to: s.to, shown: s.shown, wasSlow: s.wasSlow, kata: k}
	s.clear()
}

// clear forgets what was drawn.
func (s *screen) clear() {
	s.frame = ""
	fmt.Fprint(s.to, ansi.EraseEntireDisplay+ansi.CursorHomePosition)
}

func (s *screen) say(note string) { s.note = note }

// slow says once why nothing moves.
func (s *screen) slow() {
	if !s.wasSlow {
		s.wasSlow, s.note = true, BuildingOnce
	}
}

func (s *screen) running() { s.busy, s.note = true, "" }

func (s *screen) verdict(r *gotest.Report) {
	s.note, s.build = "", r.Build
	if r.Build == nil {
		s.report = r
	}
}

func (s *screen) end(r *gotest.Report, unrecorded error) {
	s.verdict(r)
	s.busy, s.at, s.drew = false, time.Now(), ""
	if unrecorded != nil {
		s.note = "this run is not recorded: " + oneLine(unrecorded)
	}
	if s.hinted != s.step() {
		s.advice = ""
	}
}

func (s *screen) fault(err error) {
	s.busy, s.note = false, oneLine(err)
}

func (s *screen) drawn(files []string, err error) {
	if err != nil {
		s.note = "no figure: " + oneLine(err)
		return
	}
	for _, f := range files {
		if strings.HasSuffix(f, ".png") {
			s.drew += "  figure  " + s.shown(f) + terminal.Faint(" and .svg") + "\n"
		}
	}
}

func (s *screen) solved() bool { return s.build == nil && s.report != nil && s.report.Solved() }

// step is what the reader works at: the first step that fails, or waits for code, or else the first or the last of all.
func (s *screen) step() workbook.Step {
	if s.report == nil {
		return s.kata.Steps[0]
	}
	found := s.report.Broken()
	if found == nil {
		found = s.report.Unwritten()
	}
	if found != nil {
		for _, step := range s.kata.Steps {
			if step.Test == found.Test {
				return step
			}
		}
	}
	return s.kata.Steps[len(s.kata.Steps)-1]
}

func (s *screen) hint(step workbook.Step, g progress.Given) {
	s.note, s.hinted = "", step
	s.advice = terminal.Hint(g.Shown[len(g.Shown)-1], len(g.Shown), g.Of, s.width())
}

func (s *screen) list(w *workbook.Workbook, p progress.Progress) {
	s.typed, s.note = "", ""
	var b strings.Builder
	for _, k := range w.Katas {
		b.WriteString(terminal.Entry(k, p))
	}
	s.entries = b.String()
	s.clear()
}

func (s *screen) choosing() bool { return s.entries != "" }

// choose takes a key of the list: digits and enter open a kata, any other goes back.
func (s *screen) choose(w *workbook.Workbook, key byte) *workbook.Kata {
	switch {
	case key >= '0' && key <= '9':
		s.typed += string(key)
		return nil
	case key == enter && s.typed != "":
		n, err := strconv.Atoi(s.typed)
		if err == nil {
			k, err := w.Find(fmt.Sprintf("q%02d", n))
			if err == nil && k.Err == nil {
				return k
			}
		}
		s.note, s.typed = "there is no kata "+s.typed, ""
		return nil
	}
	s.entries = ""
	s.clear()
	return nil
}

// read shows a text that may be longer than the screen; the terminal's own scrolling does the rest.
func (s *screen) read(markdown string) {
	s.reading = true
	s.clear()
	s.print(terminal.Markdown(markdown, s.width()) + "\n" + terminal.Faint("any key goes back, q quits") + "\n")
}

func (s *screen) width() int { return terminal.Width(s.out) }

// print writes text to a terminal in raw mode.
func (s *screen) print(text string) {
	// A terminal that is gone is noticed by the key that no longer comes.
	_, _ = io.WriteString(s.to, strings.ReplaceAll(text, "\n", "\r\n"))
}

// draw brings the screen up to date.
func (s *screen) draw() {
	if s.reading {
		return
	}
	columns, rows, err := term.GetSize(s.out.Fd())
	if err != nil || columns < 1 || rows < 1 {
		columns, rows = 80, 24
	}
	var frame string
	if s.choosing() {
		foot := "type a number and enter to open a kata: " + s.typed + "\n" + terminal.Faint("any other key goes back, q quits")
		frame = layout([]string{s.entries, "", s.line() + foot}, columns, rows)
	} else {
		frame = layout(s.parts(), columns, rows)
	}
	if frame == s.frame {
		return
	}
	s.frame = frame
	s.print(ansi.CursorHomePosition + strings.ReplaceAll(frame, "\n", ansi.EraseLineRight+"\n") + ansi.EraseScreenBelow)
}

// parts returns head, body, foot, and advice. The head and foot are always whole; body and advice share what is left.
func (s *screen) parts() []string {
	v := terminal.View{Path: s.shown, Command: "kata", Width: s.width()}
	head := v.Heading(s.kata)
	if s.report != nil {
		head += v.Verdict(s.report, workbook.How) + v.Verdict(s.report, workbook.Why)
	}
	var body string
	switch {
	case s.build != nil:
		body = v.Build(s.build, false)
	case s.report == nil:
	case s.report.Broken() != nil:
		body = v.Failure(s.report, s.report.Broken(), false)
	case s.report.Unwritten() != nil:
		body = v.Task(s.kata, s.report.Unwritten())
	case s.report.Solved():
		body = v.Findings(s.report)
	}
	if s.report != nil && !s.busy {
		body += v.Vet(s.report)
	}
	keys := "h hint   r run   l list   n next   q quit"
	if s.solved() {
		keys = "n next   a answer   r run   l list   q quit"
	}
	return []string{head, body, s.drew + s.status() + s.line() + terminal.Faint(keys), s.advice}
}

// status says how the newest run stands.
func (s *screen) status() string {
	switch {
	case s.busy && s.report == nil:
		return "running…\n"
	case s.busy:
		return terminal.Faint("running…") + "\n"
	case s.build != nil && s.report != nil:
		return s.at.Format(time.TimeOnly) + "  does not build; above is the verdict before\n"
	case s.build != nil:
		return s.at.Format(time.TimeOnly) + "  does not build\n"
	case s.report == nil:
		return ""
	case s.solved():
		return fmt.Sprintf("%s  %s %d of %d steps pass; n goes on, a shows the answer\n", s.at.Format(time.TimeOnly), terminal.Bold("solved:"), s.report.Passed(), len(s.report.Steps))
	}
	return fmt.Sprintf("%s  %d of %d steps pass\n", s.at.Format(time.TimeOnly), s.report.Passed(), len(s.report.Steps))
}

func (s *screen) line() string {
	if s.note == "" {
		return ""
	}
	return s.note + "\n"
}

// layout fits head, body, foot and, before the foot, advice into rows of columns. Where they are too long, the body is cut
// first, to half of what the head and foot leave, then the advice.
func layout(parts []string, columns, rows int) string {
	lines := func(s string) []string {
		if s = strings.Trim(s, "\n"); s == "" {
			return nil
		}
		var all []string
		for line := range strings.SplitSeq(s, "\n") {
			text := strings.TrimLeft(line, " ")
			margin := line[:min(len(line)-len(text), columns/2)]
			for wrapped := range strings.SplitSeq(ansi.Wrap(text, columns-len(margin), ""), "\n") {
				all = append(all, margin+wrapped)
			}
		}
		return append(all, "")
	}
	head, body, foot := lines(parts[0]), lines(parts[1]), lines(parts[2])
	foot = foot[:len(foot)-1]
	var advice []string
	if len(parts) > 3 {
		advice = lines(parts[3])
	}
	head = cut(head, max(1, rows-len(foot)))
	left := rows - len(head) - len(foot)
	body = cut(body, max(left/2, left-len(advice)))
	advice = cut(advice, left-len(body))
	var all []string
	for _, part := range [][]string{head, body, advice, foot} {
		all = append(all, part...)
	}
	return strings.Join(all, "\n")
}

// cut keeps at most n lines, the last of which says how many are missing.
func cut(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	if n < 2 {
		return nil
	}
	return append(lines[:n-1:n-1], terminal.Faint(fmt.Sprintf("… %d more lines", len(lines)-n+1)))
}
