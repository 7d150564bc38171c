package practice

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/session"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// page is what fills the screen.
type page int

const (
	kataPage page = iota
	listPage
	textPage // a long text: the answer, the README
)

// model is the state of the screen. Its Update turns keys and a session's events into the next state, its View draws it.
type model struct {
	*Loop
	ctx     context.Context
	kata    *workbook.Kata
	session *session.Session

	width, height int
	page          page
	body          viewport.Model // the part of a page that scrolls

	newest  *gotest.Report // its why steps may still run
	report  *gotest.Report // the newest of code that built
	busy    bool
	judged  bool      // the run in flight has its verdict on the how steps
	ticking bool      // a tick is on its way
	began   time.Time // the newest run
	ended   time.Time // when there was the newest verdict
	note    string    // one line
	drew    []string  // the files of the figures
	all     bool      // every message is shown

	hinted string         // the test that the hints are for
	given  progress.Given // the hints shown so far

	text    string            // of the page of that kind
	entries progress.Progress // of the list
	cursor  int
	typed   string // the number typed so far
}

func newModel(ctx context.Context, l *Loop, k *workbook.Kata) *model {
	m := &model{Loop: l, ctx: ctx, body: viewport.New(), width: 80, height: 24}
	m.open(k)
	return m
}

// open begins a session with k.
func (m *model) open(k *workbook.Kata) {
	*m = model{Loop: m.Loop, ctx: m.ctx, kata: k, session: m.start(m.ctx, k), width: m.width, height: m.height, body: viewport.New()}
}

// event is what a session told.
type event struct {
	of *session.Session
	session.Event
}

// tick lets the seconds of a run count.
type tick struct{ of *session.Session }

func (m *model) Init() tea.Cmd { return m.listen() }

// listen receives the next event.
func (m *model) listen() tea.Cmd {
	s := m.session
	return func() tea.Msg {
		e, ok := <-s.Events()
		if !ok {
			return nil
		}
		return event{s, e}
	}
}

func (m *model) wait() tea.Cmd {
	s := m.session
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tick{s} })
}

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tick:
		if m.ticking = msg.of == m.session && m.busy; m.ticking {
			return m, m.wait()
		}
	case event:
		if msg.of != m.session {
			break
		}
		m.happened(msg.Event)
		if m.busy && !m.ticking {
			m.ticking = true
			return m, tea.Batch(m.listen(), m.wait())
		}
		return m, m.listen()
	case tea.ResumeMsg:
		m.session.Again()
	case tea.KeyPressMsg:
		return m, m.press(msg.Key())
	}
	return m, nil
}

// happened takes in what the session told.
func (m *model) happened(e session.Event) {
	switch e := e.(type) {
	case session.Started:
		m.busy, m.judged, m.began, m.note = true, false, m.Now(), ""
	case session.Slow:
		m.note = StillBuilding
	case session.Judged:
		m.take(e.Report)
	case session.Done:
		m.take(e.Report)
		m.busy, m.drew = false, nil
		if e.Unrecorded != nil {
			m.note = "this run is not recorded: " + oneLine(e.Unrecorded)
		}
	case session.Drawn:
		if m.drew = e.Files; e.Err != nil {
			m.note = "no figure: " + oneLine(e.Err)
		}
	case session.Failed:
		m.busy, m.note = false, oneLine(e.Err)
	}
}

// take shows a verdict.
func (m *model) take(r *gotest.Report) {
	before := m.current()
	m.note, m.newest, m.judged, m.ended = "", r, true, m.Now()
	if r.Build == nil {
		m.report = r
	}
	if m.current().Test != before.Test {
		m.hinted = ""
		m.body.GotoTop()
	}
}

// build is why the newest code does not build; nil: it does.
func (m *model) build() *gotest.BuildError {
	if m.newest == nil {
		return nil
	}
	return m.newest.Build
}

func (m *model) solved() bool { return m.build() == nil && m.report != nil && m.report.Solved() }

// current is the step that the reader works at: the first that fails, or waits for code, or else the first or the last of all.
func (m *model) current() workbook.Step {
	if m.report == nil {
		return m.kata.Steps[0]
	}
	found := m.report.Broken()
	if found == nil {
		found = m.report.Unwritten()
	}
	if found != nil {
		if i := slices.IndexFunc(m.kata.Steps, func(s workbook.Step) bool { return s.Test == found.Test }); i >= 0 {
			return m.kata.Steps[i]
		}
	}
	return m.kata.Steps[len(m.kata.Steps)-1]
}

// press obeys a key.
func (m *model) press(key tea.Key) tea.Cmd {
	name := strings.ToLower(key.String())
	switch name {
	case "q", "ctrl+c", "ctrl+d":
		return tea.Quit
	case "ctrl+z":
		// While this program stands still, nobody would end a run that hangs.
		m.busy = false
		return tea.Sequence(func() tea.Msg { m.session.Pause(); return nil }, tea.Suspend)
	}
	switch m.page {
	case listPage:
		return m.choose(name)
	case textPage:
		if !m.scroll(name) {
			m.turn(kataPage)
		}
		return nil
	}
	if m.scroll(name) {
		return nil
	}
	m.note = ""
	switch name {
	case "r":
		m.session.Again()
	case "h":
		m.hint()
	case "v":
		if m.all = !m.all; m.all {
			m.note = "every message is shown, and all that your code prints; v again shows what matters"
		}
	case "a":
		m.openAnswer()
	case "t":
		m.openText(m.kata.Readme())
	case "l":
		m.openList()
	case "n":
		return m.next()
	default:
		m.note = fmt.Sprintf("%s is not a key here", name)
	}
	return nil
}

// turn shows another page from its beginning.
func (m *model) turn(p page) {
	m.page, m.typed = p, ""
	m.body.GotoTop()
}

// scroll moves the body, and says whether the key asks for that.
func (m *model) scroll(key string) bool {
	switch key {
	case "up", "k":
		m.body.ScrollUp(1)
	case "down", "j":
		m.body.ScrollDown(1)
	case "pgup", "b":
		m.body.PageUp()
	case "pgdown", "space":
		m.body.PageDown()
	case "home", "g":
		m.body.GotoTop()
	case "end":
		m.body.GotoBottom()
	default:
		return false
	}
	return true
}

// hint shows one more hint for the current step, below those that were shown.
func (m *model) hint() {
	step := m.current()
	given, err := progress.ShowHint(m.Store, m.kata, step, false, m.Now())
	if err != nil {
		m.note = oneLine(err)
		return
	}
	if m.hinted == step.Test && len(m.given.Shown) == len(given.Shown) {
		m.note = "there are no more hints for " + step.Test
	}
	m.hinted, m.given = step.Test, given
	m.layOut()
	// What can stay on the screen stays: the diagnosis and the hint are read together.
	_, newest := m.middle()
	hint := len(wrap(terminal.Hint(given.Shown[len(given.Shown)-1], 1, 1, m.view().Width), m.width))
	if end := newest + hint; end > m.body.YOffset()+m.body.Height() {
		m.body.SetYOffset(end - m.body.Height())
	}
	if newest < m.body.YOffset() {
		m.body.SetYOffset(newest)
	}
}

func (m *model) openAnswer() {
	if !m.solved() {
		m.note = fmt.Sprintf("the answer opens here when every step passes; %s answer %s shows it now", m.Text.Command, m.kata.Number)
		return
	}
	m.openText(m.kata.Answer())
}

// openText turns to a long text, unless it could not be read.
func (m *model) openText(text string, err error) {
	if err != nil {
		m.note = oneLine(err)
		return
	}
	m.text = text
	m.turn(textPage)
}

func (m *model) openList() {
	p, err := progress.Of(m.Store)
	if err != nil {
		m.note = oneLine(err)
		return
	}
	m.entries, m.cursor = p, slices.Index(m.Workbook.Katas, m.kata)
	m.turn(listPage)
}

// next goes on to the next unsolved kata.
func (m *model) next() tea.Cmd {
	p, err := progress.Of(m.Store)
	if err != nil {
		m.note = oneLine(err)
		return nil
	}
	k := p.Next(m.Workbook, m.kata)
	if k == nil {
		m.note = "every other kata is solved"
		return nil
	}
	return m.goTo(k)
}

// goTo ends the session and begins one with another kata.
func (m *model) goTo(k *workbook.Kata) tea.Cmd {
	before := m.session
	m.open(k)
	return tea.Batch(func() tea.Msg { before.End(); return nil }, m.Init())
}

// choose obeys a key in the list: arrows and digits choose a kata, enter opens it, any other key goes back.
func (m *model) choose(key string) tea.Cmd {
	m.note = ""
	last := len(m.Workbook.Katas) - 1
	switch {
	case key == "up" || key == "k":
		m.cursor, m.typed = max(0, m.cursor-1), ""
	case key == "down" || key == "j":
		m.cursor, m.typed = min(last, m.cursor+1), ""
	case key == "pgup":
		m.cursor, m.typed = max(0, m.cursor-m.body.Height()), ""
	case key == "pgdown" || key == "space":
		m.cursor, m.typed = min(last, m.cursor+m.body.Height()), ""
	case len(key) == 1 && key >= "0" && key <= "9":
		m.typed += key
	case key == "backspace" && m.typed != "":
		m.typed = m.typed[:len(m.typed)-1]
	case key == "enter":
		k := m.Workbook.Katas[m.cursor]
		if m.typed != "" {
			var err error
			if k, err = m.Workbook.Find("q" + m.typed); err != nil {
				m.note, m.typed = "there is no kata "+m.typed, ""
				return nil
			}
		}
		switch {
		case k.Err != nil:
			m.note = oneLine(k.Err)
		case k == m.kata:
			m.turn(kataPage)
		default:
			return m.goTo(k)
		}
	default:
		m.turn(kataPage)
	}
	return nil
}

// farewell is what stands in the terminal when the loop has ended.
func (m *model) farewell() string {
	goOn := fmt.Sprintf("go on with: %s practice %s", m.Text.Command, m.kata.Number)
	switch {
	case m.solved():
		return fmt.Sprintf("%s is solved; the answer: %s answer %s", m.kata.Name, m.Text.Command, m.kata.Number)
	case m.report != nil:
		return fmt.Sprintf("%s: %d of %d steps pass; %s", m.kata.Name, m.report.Passed(), len(m.report.Steps), goOn)
	}
	return fmt.Sprintf("%s: %s", m.kata.Name, goOn)
}

// oneLine is an error with its hint, for the line of messages.
func oneLine(err error) string {
	s := strings.ReplaceAll(err.Error(), "\n", " ")
	if hint := workbook.HintOf(err); hint != "" {
		s += "; " + hint
	}
	return s
}
