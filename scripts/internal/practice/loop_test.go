package practice

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/session"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

var update = flag.Bool("update", false, "write the golden screens")

// replace saves as some editors do: the old file goes away, a new one takes its name.
func replace(t *testing.T, path, text string) {
	t.Helper()
	fixture.Write(t, path+".new", text)
	if err := errors.Join(os.Rename(path, path+"~"), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// loop is a Loop on w as kata practice sets it up, on a clock that stands still.
func loop(t *testing.T, w *workbook.Workbook) *Loop {
	t.Helper()
	runner, err := gotest.New(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	return &Loop{
		Workbook: w, Runner: runner, Store: progress.Spool{Dir: filepath.Join(w.Root, ".kata", "spool")}, Text: terminal.View{Path: func(p string) string { return p }, Command: "bin/kata"},
		Artifacts: func(k *workbook.Kata) string { return filepath.Join(w.Root, ".kata", "data", k.Name) },
		Draw: func(r *gotest.Report) ([]string, error) {
			return []string{".kata/figures/" + r.Kata + "/line.svg", ".kata/figures/" + r.Kata + "/line.png"}, nil
		},
		Now: func() time.Time { return time.Date(2026, 11, 25, 10, 21, 5, 0, time.UTC) },
	}
}

// learner sits at a terminal in which a loop runs.
type learner struct {
	*testing.T
	mu    sync.Mutex
	term  *vt.Emulator
	keys  io.Writer
	ended chan error
}

// Write is the loop's output. The loop reads no terminal here, so it leaves it to the terminal to begin new lines at the left.
func (a *learner) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.term.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n")))
	return len(p), err
}

// screen is what stands on the terminal.
func (a *learner) screen() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines := strings.Split(a.term.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

func sit(t *testing.T, l *Loop, k *workbook.Kata, width, height int) *learner {
	t.Helper()
	in, keys := io.Pipe()
	a := &learner{T: t, term: vt.NewEmulator(width, height), keys: keys, ended: make(chan error, 1)}
	go io.Copy(io.Discard, a.term) // what the terminal answers
	fmt.Fprint(a, "what was there before\r\n$ make practice\r\n")
	ctx, stop := context.WithCancel(t.Context())
	m := newModel(ctx, l, k)
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(a), tea.WithoutSignalHandler(),
		tea.WithWindowSize(width, height), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	go func() {
		_, err := p.Run()
		a.ended <- err
	}()
	t.Cleanup(func() {
		stop()
		p.Wait()
		m.session.End()
		keys.Close()
	})
	return a
}

// sees waits until the screen shows all of parts.
func (a *learner) sees(parts ...string) string {
	a.Helper()
	return shows(a.T, a.screen, parts...)
}

// shows waits until a screen shows all of parts.
func shows(t *testing.T, screen func() string, parts ...string) (now string) {
	t.Helper()
	for deadline := time.Now().Add(4 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now = screen()
		if !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(now, p) }) {
			return now
		}
	}
	t.Fatalf("the screen never showed %q; it shows\n%s", parts, now)
	return ""
}

func (a *learner) types(keys string) {
	a.Helper()
	if _, err := io.WriteString(a.keys, keys); err != nil {
		a.Fatal(err)
	}
}

const (
	wrong   = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return 2 * x }\n"
	half    = "package double\n\nfunc Double(x float64) float64 { return 2 *\n"
	endless = "package double\n\n//go:noinline\nfunc Double(x float64) float64 {\n\tfor n := 0; ; n++ {\n\t\tx += float64(n)\n\t}\n}\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
	right   = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
)

func TestLoop(t *testing.T) {
	t.Parallel()
	w := fixture.Workbook(t)
	k := w.Katas[0]
	a := sit(t, loop(t, w), k, 80, 24)

	// The stub: the question, the file, the steps, and what the first one asks for.
	a.sees("What is twice a number?", "katas/q01-double/double.go", "○ TestDouble", "Double is not implemented yet", "Write `Double`.", "0 of 3 steps pass, 0 of 3 points")

	a.types("z")
	a.sees("z is not a key here")
	a.types("a")
	a.sees("the answer opens here when every step passes; bin/kata answer q01 shows it now")
	a.types("h")
	a.sees("Nudge 1 of 3", "Once is not enough.")
	a.types("h")
	a.sees("Nudge 1 of 3", "Idea 2 of 3", "Add it to itself.")

	fixture.Write(t, k.File, wrong)
	a.sees("✓ TestDouble", "✗ TestHalve", "katas/q01-double/how_test.go:39: Halve(6) = 12, want 3", "1 of 3 steps pass")

	// A half-written file keeps the verdict before it.
	replace(t, k.File, half)
	a.sees("✓ TestDouble", "✗ TestHalve", "does not build", "syntax error", "from the run before")

	// A file that is gone is no crash.
	if err := os.Remove(k.File); err != nil {
		t.Fatal(err)
	}
	a.sees("the file is gone", "brings the stub back")

	// A save ends the run before it, however long that would take.
	fixture.Write(t, k.File, endless)
	a.sees("running…", "above: the verdict of 10:21:05")
	replace(t, k.File, right)
	screen := a.sees("✓ TestHalve", "✓ TestWhyInverse", "solved: 3 of 3 steps pass", "figure  .kata/figures/q01-double/line.png", "5 doubled and halved is 5")
	if strings.Contains(screen, "Nudge") {
		t.Errorf("the hint of a step outlives it:\n%s", screen)
	}

	a.types("a")
	a.sees("Twice a number is the number added to itself.", "other keys go back")
	a.types("x")
	a.sees("solved: 3 of 3")
	a.types("t")
	a.sees("Doubling", "The steps", "other keys go back")
	a.types("x")
	a.types("l")
	a.sees("▸ ✓ q01-double", "○ q02-square", "enter opens")
	a.types("7\r")
	a.sees("there is no kata 7")
	a.types("x")
	a.sees("solved: 3 of 3")

	// It goes on when it is told to.
	a.types("n")
	a.sees("What is a number times itself?", "solved: 1 of 1 steps pass")
	a.types("n")
	a.sees("every other kata is solved")
	a.types("l1\r")
	a.sees("What is twice a number?", "solved: 3 of 3")

	// What was there before is there again.
	a.types("q")
	if err := <-a.ended; err != nil {
		t.Error(err)
	}
	if got := a.screen(); !strings.HasPrefix(got, "what was there before\n$ make practice\n") || strings.Contains(got, "solved") {
		t.Errorf("after the loop the terminal shows\n%s", got)
	}
}

func TestLoopPolls(t *testing.T) {
	t.Parallel()
	w := fixture.Workbook(t)
	l := loop(t, w)
	l.Poll = true
	a := sit(t, l, w.Katas[0], 80, 24)
	a.sees("0 of 3 steps pass")
	replace(t, w.Katas[0].File, right)
	a.sees("solved: 3 of 3 steps pass")
	a.types("\x03")
	if err := <-a.ended; err != nil {
		t.Error(err)
	}
}

// The status tells whose verdict stands above it, and the notes are those of the newest run, also where it did not build.
func TestRunInFlight(t *testing.T) {
	t.Parallel()
	w := fixture.Workbook(t)
	l := loop(t, w)
	now := l.Now()
	l.Now = func() time.Time { return now }
	m := &model{Loop: l, ctx: t.Context(), kata: w.Katas[0], width: 80, height: 24}
	m.session = ended(m)
	stub := found(t, w, w.Katas[0], "")
	happens := func(e session.Event, sees string, not ...string) {
		t.Helper()
		now = now.Add(time.Second)
		m.happened(e)
		screen := ansi.Strip(m.View().Content)
		if !strings.Contains(screen, sees) || slices.ContainsFunc(not, func(s string) bool { return strings.Contains(screen, s) }) {
			t.Errorf("after %T the screen does not show %q, or shows one of %q:\n%s", e, sees, not, screen)
		}
	}
	happens(session.Started{}, "running… 0 s", "verdict")
	happens(session.Judged{Report: stub}, "running… 1 s   the how steps are judged, the why steps run", "verdict of")
	happens(session.Done{Report: stub}, "10:21:08  0 of 3 steps pass")
	happens(session.Started{}, "above: the verdict of 10:21:08")
	happens(session.Judged{Report: stub}, "the why steps run", "verdict of")
	happens(session.Started{}, "above: the verdict of 10:21:10", "the why steps run")

	changed := *found(t, w, w.Katas[0], half)
	changed.Notes = []string{"how_test.go differs"}
	happens(session.Done{Report: &changed}, "note: how_test.go differs")
	renamed := *stub
	renamed.Notes = []string{"double.go is gone"}
	happens(session.Done{Report: &renamed}, "note: double.go is gone", "differs")
	happens(session.Done{Report: found(t, w, w.Katas[0], half)}, "does not build", "double.go is gone", "differs")
}

// A key that cannot be obeyed says why: it neither ends the loop nor calls off the run in flight.
func TestKeysThatFail(t *testing.T) {
	t.Parallel()
	w := fixture.Workbook(t)
	l := loop(t, w)
	ctx, stop := context.WithCancel(t.Context())
	m := newModel(ctx, l, w.Katas[0])
	defer func() { stop(); m.session.End() }()
	fixture.Write(t, filepath.Join(w.Root, ".kata", "spool", "1.json"), "damaged")
	if err := os.RemoveAll(filepath.Join(w.Root, "hints")); err != nil {
		t.Fatal(err)
	}
	m.happened(session.Started{})
	for _, key := range "nlh" {
		m.note = ""
		if cmd := m.press(tea.Key{Code: key, Text: string(key)}); cmd != nil || m.note == "" || !m.busy || m.page != kataPage {
			t.Errorf("%q: note = %q, busy = %v, page = %v, want a note and no more", key, m.note, m.busy, m.page)
		}
	}
}

// The screens as a person sees them, in a terminal of the usual size and in a small one. What matters is on both: testdata/screens.
// go test ./internal/practice -run Screens -update writes them.
func TestScreens(t *testing.T) {
	t.Parallel()
	w := fixture.Workbook(t)
	k := w.Katas[0]
	for _, c := range []struct{ name, source, keys string }{
		{"unwritten", "", ""},
		{"failing", diagnosed, ""},
		{"failing with hints", diagnosed, "hh"},
		{"failing with all messages", diagnosed, "v"},
		{"hanging", endless, ""},
		{"broken", half, ""},
		{"solved", right, ""},
		{"answer", right, "a"},
		{"list", right, "l"},
	} {
		l := loop(t, w)
		r := found(t, w, k, c.source)
		if c.name == "list" { // it asks the store and looks at the file
			fixture.Write(t, k.File, c.source)
			if err := l.Store.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		for _, size := range [][2]int{{80, 24}, {60, 15}, {40, 10}} {
			t.Run(fmt.Sprintf("%s %dx%d", c.name, size[0], size[1]), func(t *testing.T) {
				m := &model{Loop: l, ctx: t.Context(), kata: k, width: size[0], height: size[1]}
				m.session = ended(m)
				m.happened(session.Started{})
				m.happened(session.Done{Report: r})
				if r.Solved() {
					files, err := l.Draw(r)
					m.happened(session.Drawn{Files: files, Err: err})
				}
				for _, key := range c.keys {
					m.View()
					m.press(tea.Key{Code: key, Text: string(key)})
				}
				got := trailing.ReplaceAllString(ansi.Strip(m.View().Content), "") + "\n"
				if rows := strings.Count(got, "\n"); rows > size[1] {
					t.Errorf("the screen has %d rows", rows)
				}
				for line := range strings.Lines(got) {
					if columns := ansi.StringWidth(line); columns > size[0] {
						t.Errorf("a row has %d columns: %s", columns, line)
					}
				}
				golden(t, fmt.Sprintf("%s %dx%d.txt", c.name, size[0], size[1]), got)
			})
		}
	}
}

func ended(m *model) *session.Session {
	ctx, stop := context.WithCancel(m.ctx)
	stop()
	return session.Start(ctx, m.kata, session.Options{Runner: m.Runner})
}

// diagnosed fails like a kata that is judged with check.
const diagnosed = "failing"

// found is a Report on the source: a real one, or one that was made up for what the small workbook cannot say.
func found(t *testing.T, w *workbook.Workbook, k *workbook.Kata, source string) *gotest.Report {
	t.Helper()
	l := loop(t, w)
	made := source == diagnosed
	if made {
		source = wrong
	}
	subject := gotest.Subject{Name: gotest.Learner}
	if source != "" {
		subject.Source, subject.File = []byte(source), k.File
	}
	r, err := l.Runner.Run(t.Context(), k, subject, gotest.Options{ArtifactDir: t.TempDir(), Limit: 300 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if made {
		s := r.Broken()
		s.Messages = []gotest.Message{
			{File: "katas/q01-double/how_test.go", Line: 30, Text: "Halve(0) = 1, want 0 (exactly)"},
			{
				Subtest: "six and seven", File: "katas/q01-double/how_test.go", Line: 39, Text: "Halve(x)[0] = 12, want 3 (rel 1e-09); 2 of 2 values differ",
				Diagnosis: "you multiplied by two where the half is asked for: halving undoes doubling",
				Why:       "half of a number, added to itself, is the number", With: []string{"x = 2×12 [6 7 8 9 10 11 12 13 14 15 16 17; 18 19 20 21 22 23 24 25 26 27 28 29]"},
			},
			{File: "katas/q01-double/how_test.go", Line: 44, Text: "Halve(1) = 2, want 0.5 (exactly)"},
			{Text: strings.Repeat("a line that the learner's code prints\n", 30) + "the last line", Printed: true},
		}
	}
	return r
}

var trailing = regexp.MustCompile(`(?m) +$`)

var spun = regexp.MustCompile(`double\.go:\d+, in\b`) // at which of its instructions an endless loop is stopped is chance

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = spun.ReplaceAllString(got, "double.go:3, in")
	path := filepath.Join("testdata", "screens", strings.ReplaceAll(name, " ", "-"))
	if *update {
		fixture.Write(t, path, got)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the screen is\n%s\n%s has\n%s", got, path, want)
	}
}

// The same in tmux, a terminal that nobody here wrote: its history is the same before and after, and its screen too but for the line of farewell.
func TestTmux(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("CI skips nothing, and there is no tmux")
		}
		t.Skip("no tmux")
	}
	w := fixture.Workbook(t)
	fixture.Write(t, w.Katas[0].File, right)
	kata := filepath.Join(t.TempDir(), "kata")
	build := exec.Command("go", "build", "-o", kata, "whyhow/scripts/kata")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as it is built for use: under -race it would be compiled a second time
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	socket := filepath.Join(t.TempDir(), "tmux")
	tmux := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	until := func(parts ...string) string {
		t.Helper()
		return shows(t, func() string { return tmux("capture-pane", "-p") }, parts...)
	}
	tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", w.Root, "env", "PS1=$ ", "sh")
	defer tmux("kill-server")
	tmux("send-keys", "seq 100; echo stands", "Enter")
	until("100\nstands\n")
	history := tmux("display-message", "-p", "#{history_size}")
	tmux("send-keys", kata+" practice q01", "Enter")
	screen := until("solved: 3 of 3 steps pass", "5 doubled and halved is 5")
	if strings.Contains(screen, "stands") {
		t.Errorf("the old screen is still there:\n%s", screen)
	}
	tmux("send-keys", "a")
	if screen := until("Twice a number is"); strings.Contains(screen, "solved") {
		t.Errorf("the answer stands on the kata:\n%s", screen)
	}
	tmux("resize-window", "-x", "60", "-y", "15")
	until("other keys go back")
	tmux("resize-window", "-x", "80", "-y", "24")
	// Suspended, the shell is back; continued, the loop.
	tmux("send-keys", "C-z")
	until("stands")
	tmux("send-keys", "fg", "Enter")
	until("Twice a number is")
	tmux("send-keys", "q")
	until("stands", "q01-double is solved; the answer: ")
	if now := tmux("display-message", "-p", "#{history_size}"); now != history && strings.TrimSpace(now) != "" {
		var before, after int
		fmt.Sscan(history, &before)
		fmt.Sscan(now, &after)
		// The commands typed here move some lines up; the loop itself none, and none are gone.
		if after < before || after > before+10 {
			t.Errorf("the terminal's history had %d lines and has %d", before, after)
		}
	}
}
