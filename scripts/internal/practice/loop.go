// Package practice is the loop of a learner: save, verdict, the failure that matters, one more hint.
package practice

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// BuildingOnce is what to say when a build takes long.
const BuildingOnce = "building once: the first build on a machine takes half a minute, the next ones a second"

// Loop tests a learner's code on every save. Set all fields but Journal and Poll, which may be zero.
type Loop struct {
	Workbook *workbook.Workbook
	Runner   *gotest.Runner
	Journal  progress.Store
	Gallery  Gallery
	Shown    func(path string) string // a path as the reader would type it
	In, Out  *os.File
	Poll     bool // look for changes where the file system reports none

	screen  screen
	events  chan event
	current run
}

// run is the test run in flight, or the last one.
type run struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// event changes what is on the screen.
type event struct {
	of *run // the run that it comes from
	do func(*screen)
}

// Interactive says whether a person sits at both ends.
func (l *Loop) Interactive() bool { return term.IsTerminal(l.In.Fd()) && term.IsTerminal(l.Out.Fd()) }

// Run practises k until the reader quits or ctx ends, whose error it then returns. The terminal is as before when it returns.
func (l *Loop) Run(ctx context.Context, k *workbook.Kata) error {
	before, err := term.MakeRaw(l.In.Fd())
	if err != nil {
		return err
	}
	defer func() {
		_ = term.Restore(l.In.Fd(), before) // nothing can be done about a terminal that is gone
		fmt.Fprintln(l.Out)
	}()
	ctx, stop := context.WithCancel(ctx)
	defer stop()

	l.events = make(chan event)
	l.screen = screen{out: l.Out, to: terminal.Writer(l.Out), shown: l.Shown}
	keys := l.keys(ctx)
	for k != nil {
		if k, err = l.practise(ctx, k, keys); err != nil {
			return err
		}
	}
	return nil
}

// practise shows one kata and returns the one to go on with, or nil to end. If ctx ended it, its error is ctx's.
func (l *Loop) practise(ctx context.Context, k *workbook.Kata, keys <-chan byte) (*workbook.Kata, error) {
	ctx, stop := context.WithCancel(ctx)
	saved := make(chan struct{})
	go watch(ctx, k.Dir, l.Poll, saved)
	defer func() {
		stop()
		l.await()
	}()
	l.screen.open(k)
	l.start(ctx, k)
	resized := time.NewTicker(500 * time.Millisecond)
	defer resized.Stop()
	for {
		l.screen.draw()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-saved:
			l.start(ctx, k)
		case e := <-l.events:
			if e.of.done == l.current.done {
				e.do(&l.screen)
			}
		case <-resized.C:
		case key := <-keys:
			if next, quit := l.press(ctx, k, key); next != nil || quit {
				return next, nil
			}
		}
	}
}

// await ends the run in flight, if there is one.
func (l *Loop) await() {
	if l.current.cancel != nil {
		l.current.cancel()
		<-l.current.done
	}
}

// start ends the run in flight and begins another.
func (l *Loop) start(ctx context.Context, k *workbook.Kata) {
	if _, err := os.Stat(k.File); err != nil {
		l.screen.say(fmt.Sprintf("%s is gone; git checkout -- %[1]s brings the stubs back", l.Shown(k.File)))
		return
	}
	if l.current.cancel != nil {
		l.current.cancel()
	}
	before := l.current.done
	ctx, cancel := context.WithCancel(ctx)
	this := run{cancel, make(chan struct{})}
	l.current = this
	l.screen.running()
	go func() {
		defer close(this.done)
		if before != nil {
			<-before
		}
		tell := func(do func(*screen)) {
			select {
			case l.events <- event{&this, do}:
			case <-ctx.Done():
			}
		}
		options := gotest.Options{ArtifactDir: l.Gallery.Data(k, gotest.Learner), Slow: func() { tell((*screen).slow) }}
		r, err := l.Runner.Run(ctx, k, gotest.Subject{}, options, func(r *gotest.Report) {
			tell(func(s *screen) { s.verdict(r) })
		})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			tell(func(s *screen) { s.fault(err) })
			return
		}
		if l.Journal != nil {
			err = l.Journal.Add(r)
		}
		tell(func(s *screen) { s.end(r, err) })
		if r.Solved() {
			files, err := l.Gallery.Draw(r)
			tell(func(s *screen) { s.drawn(files, err) })
		}
	}()
}

// press obeys a key: it returns the kata to go on with, or that the reader has had enough.
func (l *Loop) press(ctx context.Context, k *workbook.Kata, key byte) (next *workbook.Kata, quit bool) {
	s := &l.screen
	switch {
	case key == 'q', key == ctrlC, key == ctrlD:
		return nil, true
	case s.choosing():
		return s.choose(l.Workbook, key), false
	case s.reading:
		s.reading = false
		s.clear()
		return nil, false
	}
	switch key {
	case 'r':
		l.start(ctx, k)
	case 'h':
		given, err := progress.ShowHint(l.Journal, k, s.step(), false, time.Now())
		if err != nil {
			s.say(oneLine(err))
			break
		}
		s.hint(s.step(), given)
	case 'a':
		if !s.solved() {
			s.say(fmt.Sprintf("the answer opens here when every step passes; kata answer %s shows it now", k.Number))
			break
		}
		text, err := k.Answer()
		if err != nil {
			s.say(oneLine(err))
			break
		}
		s.read(text)
	case 'n', 'l':
		p, err := progress.Of(l.Journal)
		if err != nil {
			s.say(oneLine(err))
			break
		}
		if key == 'l' {
			s.list(l.Workbook, p)
			break
		}
		if next = p.Next(l.Workbook, k); next == nil {
			s.say("every other kata is solved")
		}
	default:
		s.say(fmt.Sprintf("%q is not a key here", key))
	}
	return next, false
}

const (
	ctrlC  = 3
	ctrlD  = 4
	enter  = 13
	escape = 27
)

// keys sends the single keys that are typed, in lower case, and ctrlD at the end of input. What a terminal sends for an
// arrow or the like, an escape, a bracket and all up to a letter or a tilde, is passed over.
func (l *Loop) keys(ctx context.Context) <-chan byte {
	keys := make(chan byte)
	go func() {
		in := bufio.NewReader(l.In)
		for {
			key, err := in.ReadByte()
			if err != nil {
				key = ctrlD
			}
			if key == escape && in.Buffered() > 0 {
				for n := 0; in.Buffered() > 0; n++ {
					if c, _ := in.ReadByte(); n > 0 && c >= '@' && c <= '~' {
						break
					}
				}
				continue
			}
			if 'A' <= key && key <= 'Z' {
				key += 'a' - 'A'
			}
			select {
			case keys <- key:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return keys
}

// oneLine is an error with its hint, for the line of messages.
func oneLine(err error) string {
	s := strings.ReplaceAll(err.Error(), "\n", " ")
	if hint := workbook.HintOf(err); hint != "" {
		s += "; " + hint
	}
	return s
}
