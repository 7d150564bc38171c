// Package practice is the loop of a learner: save, verdict, the failure that matters, one more hint.
package practice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/term"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/session"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// StillBuilding is what to say when a build takes long.
const StillBuilding = "still building: the first time, the standard library is compiled too, which takes up to a minute"

// Loop tests a learner's code on every save. Runner and Workbook must be set, and Text's Path.
type Loop struct {
	Workbook *workbook.Workbook
	Runner   *gotest.Runner
	Store    progress.Store // nil: nothing is kept
	Text     terminal.View  // renders for the reader; its Width is set by the loop
	Poll     bool           // look for changes where the file system reports none

	Artifacts func(*workbook.Kata) string            // the folder for what a kata's why steps record
	Draw      func(*gotest.Report) ([]string, error) // draws the figures of a solved kata; nil: none are drawn
	Now       func() time.Time                       // nil: time.Now
}

// Interactive says whether a person sits at both ends, at a terminal that can be drawn on.
func Interactive(in, out *os.File) bool {
	return term.IsTerminal(in.Fd()) && term.IsTerminal(out.Fd()) && os.Getenv("TERM") != "dumb"
}

// Run practises k until the reader quits or ctx ends, whose error it then returns. The terminal is as before when it returns, with one line
// more: how far the reader got.
func (l *Loop) Run(ctx context.Context, k *workbook.Kata, in io.Reader, out io.Writer) error {
	if l.Now == nil {
		l.Now = time.Now
	}
	m := newModel(ctx, l, k)
	// Signals end ctx: the terminal is restored then too.
	_, err := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler(), tea.WithFPS(20)).Run()
	m.session.End()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, tea.ErrInterrupted) {
		return fmt.Errorf("the screen: %w", err)
	}
	_, err = fmt.Fprintln(out, m.farewell())
	return err
}

func (l *Loop) start(ctx context.Context, k *workbook.Kata) *session.Session {
	return session.Start(ctx, k, session.Options{Runner: l.Runner, Store: l.Store, Artifacts: l.Artifacts(k), Draw: l.Draw, Poll: l.Poll})
}
