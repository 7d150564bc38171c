package practice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// View draws the screen: a head, the body, which scrolls, and a foot with the state of the run and the keys.
func (m *model) View() tea.View {
	head, foot := m.layOut()
	screen := append(head, strings.Split(m.body.View(), "\n")...)
	screen = append(screen, foot...)
	for i, line := range screen {
		screen[i] = ansi.Truncate(line, m.width, "…")
	}
	v := tea.NewView(strings.Join(screen[:min(len(screen), m.height)], "\n"))
	v.AltScreen = true
	v.WindowTitle = m.kata.Name
	return v
}

// layOut gives the body its text and its size, and returns what stands above and below it.
func (m *model) layOut() (head, foot []string) {
	foot = m.foot()
	var body []string
	switch m.page {
	case listPage:
		head, body = m.list()
	case textPage:
		body = wrap(terminal.Markdown(m.text, min(m.width, 100)), m.width)
	default:
		body, _ = m.middle()
		for fold := 0; fold <= mostFolded; fold++ {
			head = m.head(fold)
			if room := m.height - len(head) - len(foot); room >= len(body) || room >= m.height/2 {
				break
			}
		}
	}
	m.body.SetWidth(m.width)
	m.body.SetHeight(max(1, m.height-len(head)-len(foot)))
	m.body.SetContentLines(body)
	m.body.SetYOffset(m.body.YOffset()) // the body may be shorter than it was
	if m.page == listPage {
		m.body.EnsureVisible(m.rowOfCursor(), 0, 0)
	}
	if hidden := m.body.TotalLineCount() - m.body.YOffset() - m.body.VisibleLineCount(); hidden > 0 {
		foot[0] = terminal.Faint(fmt.Sprintf("↓ %d more, space scrolls", hidden))
	}
	return head, foot
}

// view renders for this screen.
func (m *model) view() terminal.View {
	v := m.Text
	v.Width, v.All = min(m.width, 100), "v: all"
	return v
}

// mostFolded is how far the head folds when rows are short: the steps first, then the question, then all into one line.
const mostFolded = 3

func (m *model) head(fold int) []string {
	v := m.view()
	if fold == mostFolded {
		line := terminal.Bold(m.kata.Name)
		if m.report != nil {
			line += "  " + terminal.Marks(m.report)
		}
		return []string{line}
	}
	var b strings.Builder
	if fold < 2 {
		b.WriteString(v.Heading(m.kata))
	} else {
		b.WriteString(terminal.Bold(m.kata.Name) + "\n")
	}
	if m.report != nil {
		if fold == 0 {
			b.WriteString(v.Verdict(m.report, workbook.How) + v.Verdict(m.report, workbook.Why))
		} else {
			b.WriteString(v.Folded(m.report, m.current().Test))
		}
		b.WriteString("\n")
	}
	lines := wrap(b.String(), m.width)
	return append(slices.DeleteFunc(lines, func(l string) bool { return fold > 0 && l == "" }), "")
}

// middle is the body of a kata's page: why it does not build, or the failure that matters, or what is asked, or what was found; then the
// hints; then what the code printed. newest is the row in which the newest hint begins, 0 without hints.
func (m *model) middle() (lines []string, newest int) {
	v := m.view()
	lines = wrap(m.notes()+m.found(), m.width)
	if m.hinted != "" {
		for i, h := range m.given.Shown {
			newest = len(lines) + 1
			lines = append(append(lines, ""), wrap(terminal.Hint(h, i+1, m.given.Of, v.Width), m.width)...)
		}
	}
	if m.build() != nil || m.report == nil {
		return lines, newest
	}
	for i := range m.report.Steps {
		if s := &m.report.Steps[i]; s.Status.Failed() && (m.all || s == m.report.Broken()) {
			if printed := wrap(v.Printed(s, m.all), m.width); len(printed) > 0 {
				lines = append(append(lines, ""), printed...)
			}
		}
	}
	return lines, newest
}

func (m *model) notes() string {
	if m.newest == nil {
		return ""
	}
	return m.view().Notes(m.newest)
}

func (m *model) found() string {
	v := m.view()
	var text string
	switch {
	case m.build() != nil:
		return v.Build(m.build(), m.all)
	case m.report == nil:
		return m.asked()
	case m.report.Broken() != nil:
		for i := range m.report.Steps {
			if s := &m.report.Steps[i]; s.Status.Failed() && (m.all || s == m.report.Broken()) {
				if text != "" {
					text += "\n"
				}
				text += v.Failure(s, m.all)
			}
		}
	case m.report.Unwritten() != nil:
		text = v.Task(m.kata, m.report.Unwritten())
	case m.report.Solved():
		text = v.Findings(m.report)
		for _, f := range m.drew {
			if strings.HasSuffix(f, ".png") {
				text += "  figure  " + v.Path(f) + terminal.Faint(" and .svg") + "\n"
			}
		}
	}
	if m.busy {
		return text
	}
	return text + v.Vet(m.report)
}

// asked is what to read while there is no verdict yet: the kata's README.
func (m *model) asked() string {
	text, err := m.kata.Readme()
	if err != nil {
		return oneLine(err)
	}
	return terminal.Markdown(text, min(m.width, 100))
}

// list is the page of all katas, one chosen.
func (m *model) list() (head, body []string) {
	for i, k := range m.Workbook.Katas {
		for n, line := range strings.Split(strings.TrimRight(terminal.Entry(k, m.entries), "\n"), "\n") {
			pointer := "  "
			if i == m.cursor && n == 0 {
				pointer = terminal.Bold("▸ ")
			}
			body = append(body, pointer+ansi.Truncate(line, m.width-2, "…"))
		}
	}
	return []string{terminal.Bold("The katas"), ""}, body
}

// rowOfCursor is the row of the body that the chosen kata stands in.
func (m *model) rowOfCursor() int {
	row := 0
	for _, k := range m.Workbook.Katas[:m.cursor] {
		row += strings.Count(terminal.Entry(k, m.entries), "\n")
	}
	return row
}

// foot is the state of the run, a message, and the keys.
func (m *model) foot() []string {
	foot := []string{""}
	if m.page == kataPage {
		foot = append(foot, m.status())
	}
	if m.note != "" {
		foot = append(foot, wrap(m.note, m.width)...)
	}
	keys := "h hint  t text  v all  r run  l list  n next  q quit"
	switch {
	case m.page == listPage && m.typed != "":
		keys = "enter opens kata " + m.typed
	case m.page == listPage:
		keys = "↑ ↓ or a number, enter opens; other keys go back, q quits"
	case m.page == textPage:
		keys = "space and ↑ ↓ scroll; other keys go back, q quits"
	case m.solved():
		keys = "n next  a answer  t text  r run  l list  q quit"
	}
	return append(foot, terminal.Faint(keys))
}

// status says how the newest run stands.
func (m *model) status() string {
	if m.busy {
		line := fmt.Sprintf("running… %d s", int(m.Now().Sub(m.began).Seconds()))
		switch {
		case m.judged:
			line += "   the how steps are judged, the why steps run"
		case m.report != nil:
			line += "   above: the verdict of " + m.ended.Format(time.TimeOnly)
		}
		return line
	}
	at := m.ended.Format(time.TimeOnly)
	switch {
	case m.build() != nil && m.report != nil:
		return at + "  does not build; the steps above are from the run before"
	case m.build() != nil:
		return at + "  does not build"
	case m.report == nil:
		return ""
	case m.solved():
		return fmt.Sprintf("%s  %s %s", at, terminal.Bold("solved:"), score(m.report))
	}
	return at + "  " + score(m.report)
}

func score(r *gotest.Report) string {
	return fmt.Sprintf("%d of %d steps pass, %d of %d points", r.Passed(), len(r.Steps), r.Score, r.Max)
}

// wrap breaks text into lines of at most width columns. What is broken keeps the margin of its line.
func wrap(text string, width int) []string {
	if text = strings.Trim(text, "\n"); text == "" {
		return nil
	}
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		text := strings.TrimLeft(line, " ")
		margin := line[:min(len(line)-len(text), width/2)]
		for wrapped := range strings.SplitSeq(ansi.Wrap(text, width-len(margin), ""), "\n") {
			all = append(all, margin+wrapped)
		}
	}
	return all
}
