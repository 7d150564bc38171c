package practice

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/tools/txtar"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/journal"
	"whyhow/scripts/internal/workbook"
)

// fixture makes a workbook of two small katas.
func fixture(t *testing.T) *workbook.Workbook {
	t.Helper()
	files, err := txtar.ParseFile("../../kata/testdata/fixture/workbook.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range files.Files {
		write(t, filepath.Join(root, f.Name), string(f.Data))
	}
	w, err := workbook.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// replace saves as many editors do: to a file beside it, which then takes the name.
func replace(t *testing.T, path, text string) {
	t.Helper()
	write(t, path+".new", text)
	if err := errors.Join(os.Rename(path, path+"~"), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

// learner sits at a loop: types keys, saves, and looks at the screen.
type learner struct {
	*testing.T
	screen string
	keys   *os.File
	ended  chan *workbook.Kata
}

func sit(t *testing.T, w *workbook.Workbook, poll bool) *learner {
	t.Helper()
	runner, err := gotest.New(w.Root)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(w.Root, ".kata")
	j, err := journal.Open(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	in, keys, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	shown := func(path string) string { return strings.TrimPrefix(path, w.Root+"/") }
	l := &Loop{
		Workbook: w, Runner: runner, Journal: j, Gallery: Gallery{dir}, Shown: shown, In: in, Out: out, Poll: poll,
		events: make(chan event), screen: screen{out: out, to: out, shown: shown},
	}
	ctx, stop := context.WithCancel(t.Context())
	a := &learner{t, out.Name(), keys, make(chan *workbook.Kata, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		next, err := l.practise(ctx, w.Katas[0], l.keys(ctx))
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		a.ended <- next
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		if err := errors.Join(keys.Close(), out.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	return a
}

// frame is what stands on the screen: all that was printed since the cursor went home.
func (a *learner) frame() string {
	text, err := os.ReadFile(a.screen)
	if err != nil {
		a.Fatal(err)
	}
	frames := strings.Split(string(text), ansi.CursorHomePosition)
	return ansi.Strip(strings.ReplaceAll(frames[len(frames)-1], "\r\n", "\n"))
}

// sees waits until the screen shows all of parts.
func (a *learner) sees(parts ...string) string {
	a.Helper()
	var frame string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		frame = a.frame()
		all := true
		for _, p := range parts {
			all = all && strings.Contains(frame, p)
		}
		if all {
			return frame
		}
	}
	a.Fatalf("the screen never showed %q; it shows\n%s", parts, frame)
	return ""
}

func (a *learner) types(keys string) {
	a.Helper()
	if _, err := a.keys.WriteString(keys); err != nil {
		a.Fatal(err)
	}
}

const (
	wrong   = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return 2 * x }\n"
	half    = "package double\n\nfunc Double(x float64) float64 { return 2 *\n"
	endless = "package double\n\nfunc Double(x float64) float64 { for {} }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
	right   = "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return x / 2 }\n"
)

func TestLoop(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	k := w.Katas[0]
	a := sit(t, w, false)

	// The stub: the question, the file, the steps, and what the first one asks for.
	a.sees("What is twice a number?", "katas/q01-double/double.go", "○ TestDouble", "Write Double.", "0 of 3 steps pass")

	// Escape sequences are no keys; other keys are named.
	a.types("\x1b[A")
	a.types("z")
	a.sees(`'z' is not a key here`)
	a.types("a")
	a.sees("the answer opens here when every step passes")
	a.types("h")
	a.sees("Nudge 1 of 3", "Once is not enough.")

	write(t, k.File, wrong)
	a.sees("✓ TestDouble", "✗ TestHalve", "katas/q01-double/how_test.go:39: Halve(6) = 12, want 3", "1 of 3 steps pass")

	// A half-written file keeps the verdict before it.
	replace(t, k.File, half)
	a.sees("✓ TestDouble", "✗ TestHalve", "does not build", "syntax error", "above is the verdict before")

	// A file that is gone is no crash.
	if err := os.Remove(k.File); err != nil {
		t.Fatal(err)
	}
	a.sees("double.go is gone")

	// A save ends the run before it, however long that would take.
	write(t, k.File, endless)
	a.sees("running…")
	time.Sleep(2 * time.Second)
	a.sees("running…")
	replace(t, k.File, right)
	frame := a.sees("✓ TestHalve", "✓ TestWhyInverse", "solved: 3 of 3 steps pass", "figure  .kata/figures/q01-double/line.png")
	if !strings.Contains(frame, "5 doubled and halved is 5") {
		t.Errorf("a solved kata shows no findings:\n%s", frame)
	}
	if strings.Contains(frame, "Nudge") {
		t.Errorf("the hint of a step outlives it:\n%s", frame)
	}

	a.types("a")
	a.sees("Twice a number is the number added to itself.", "any key goes back")
	a.types("x")
	a.sees("solved: 3 of 3")
	a.types("l")
	a.sees("✓ q01-double", "○ q02-square", "type a number")
	a.types("7\r")
	a.sees("there is no kata 7")
	a.types("x")
	a.sees("solved: 3 of 3")

	// It goes on when it is told to.
	a.types("n")
	if next := <-a.ended; next == nil || next.Name != "q02-square" {
		t.Errorf("n went on with %v", next)
	}
}

func TestLoopPolls(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	a := sit(t, w, true)
	a.sees("0 of 3 steps pass")
	replace(t, w.Katas[0].File, right)
	a.sees("solved: 3 of 3 steps pass")
	a.types("\x03")
	if next := <-a.ended; next != nil {
		t.Errorf("Ctrl-C went on with %v", next)
	}
}

// What a person reads is left by any key; the end of input ends the loop there too, or nothing would.
func TestEndOfInputEnds(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	for _, where := range []struct{ what, keys, shows string }{
		{"the list", "l", "type a number"},
		{"the answer", "a", "any key goes back"},
	} {
		t.Run(where.what, func(t *testing.T) {
			write(t, w.Katas[0].File, right)
			a := sit(t, w, false)
			a.sees("solved: 3 of 3 steps pass")
			a.types(where.keys)
			a.sees(where.shows)
			a.types("\x04")
			select {
			case next := <-a.ended:
				if next != nil {
					t.Errorf("it went on with %v", next)
				}
			case <-time.After(10 * time.Second):
				t.Errorf("the end of input in %s did not end the loop", where.what)
			}
		})
	}
}

// A version control system that replaces the folder takes the watch away, and with it a save that was not yet told.
func TestWatchOutlivesItsFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "q01-double")
	write(t, filepath.Join(dir, "double.go"), wrong)
	saved := make(chan struct{})
	go watch(t.Context(), dir, false, saved)
	time.Sleep(200 * time.Millisecond) // the watch stands
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "double.go"), right)
	select {
	case <-saved:
	case <-time.After(5 * time.Second):
		t.Error("the folder was replaced, and nothing was reported")
	}
}

// A key that cannot be obeyed says why: it neither ends the loop nor calls off the run in flight.
func TestKeysThatFail(t *testing.T) {
	t.Parallel()
	w := fixture(t)
	j, err := journal.Open(filepath.Join(w.Root, ".kata", "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Close(), os.RemoveAll(filepath.Join(w.Root, "hints"))); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, key := range []byte{'n', 'l', 'h'} {
		l := &Loop{Workbook: w, Journal: j, screen: screen{out: out, to: out, kata: w.Katas[0]}}
		l.screen.running()
		if next, quit := l.press(t.Context(), w.Katas[0], key); next != nil || quit || l.screen.note == "" || !l.screen.busy {
			t.Errorf("%q: next = %v, quit = %v, note = %q, busy = %v, want a note and no more", key, next, quit, l.screen.note, l.screen.busy)
		}
	}
}
