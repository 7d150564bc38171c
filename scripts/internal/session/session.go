// Package session tests a kata whenever its files change, and tells what happened. It shows nothing: any view can stand on it.
package session

import (
	"context"
	"sync"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/progress"
	"whyhow/scripts/internal/workbook"
)

// Event is something that happened. It is one of the types below.
type Event interface{ event() }

type (
	// Started says that a run has begun: what was known is of the code before.
	Started struct{}
	// Slow says that the build takes long.
	Slow struct{}
	// Judged has the verdict on the how steps; why steps still run.
	Judged struct{ Report *gotest.Report }
	// Done has the whole Report. Unrecorded is why the run is not in the store.
	Done struct {
		Report     *gotest.Report
		Unrecorded error
	}
	// Drawn has the figures of a run that passed every step.
	Drawn struct {
		Files []string
		Err   error
	}
	// Failed says why there is no Report: the file is gone, or the tool itself is at fault.
	Failed struct{ Err error }
)

func (Started) event() {}
func (Slow) event()    {}
func (Judged) event()  {}
func (Done) event()    {}
func (Drawn) event()   {}
func (Failed) event()  {}

// Options say how a session works. Runner must be set.
type Options struct {
	Runner    *gotest.Runner
	Store     progress.Store                         // gets every Report; nil: none is kept
	Artifacts string                                 // the folder for what why steps record; "": nothing is kept
	Draw      func(*gotest.Report) ([]string, error) // draws the figures of a Report; nil: none are drawn
	Poll      bool                                   // look for changes where the file system reports none
}

// Session tests one kata: at once, on every change, and when asked.
type Session struct {
	kata    *workbook.Kata
	options Options
	events  chan Event
	again   chan struct{}
	pause   chan chan<- struct{} // each request comes with what to close when it is done
	ended   <-chan struct{}
	end     context.CancelFunc
}

// Start begins a session, which goes on until End, or until ctx ends.
func Start(ctx context.Context, k *workbook.Kata, o Options) *Session {
	ctx, end := context.WithCancel(ctx)
	s := &Session{kata: k, options: o, events: make(chan Event), again: make(chan struct{}, 1), pause: make(chan chan<- struct{}), ended: ctx.Done(), end: end}
	go s.serve(ctx)
	return s
}

// Events are what happens, in order; they must be received. The channel is closed when the session has ended and nothing of it runs.
func (s *Session) Events() <-chan Event { return s.events }

// Again asks for a run. The run in flight, if there is one, is called off.
func (s *Session) Again() {
	select {
	case s.again <- struct{}{}:
	default: // one is asked for already
	}
}

// Pause calls off the run in flight and returns when nothing of it runs. The next save, or Again, starts another.
func (s *Session) Pause() {
	done := make(chan struct{})
	select {
	case s.pause <- done:
		<-done
	case <-s.ended:
	}
}

// End ends the session and waits until nothing of it runs.
func (s *Session) End() {
	s.end()
	for range s.events {
	}
}

func (s *Session) serve(ctx context.Context) {
	saved, stands := make(chan struct{}), make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { watch(ctx, s.kata.Dir, s.options.Poll, saved, sync.OnceFunc(func() { close(stands) })) })
	defer close(s.events)
	defer watching.Wait()
	stop := func() {}
	defer func() { stop() }()
	select {
	case <-stands: // what is saved from here on is noticed
	case <-ctx.Done():
		return
	}
	for {
		stop = s.begin(ctx)
		for paused := true; paused; {
			paused = false
			select {
			case <-ctx.Done():
				return
			case done := <-s.pause:
				stop()
				close(done)
				paused = true
			case <-saved:
			case <-s.again:
			}
		}
		stop()
	}
}

// begin starts a run and returns what calls it off and waits for its end.
func (s *Session) begin(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (s *Session) run(ctx context.Context) {
	tell := func(e Event) {
		select {
		case s.events <- e:
		case <-ctx.Done():
		}
	}
	tell(Started{})
	o := gotest.Options{ArtifactDir: s.options.Artifacts, Slow: func() { tell(Slow{}) }}
	r, unrecorded, err := Test(ctx, s.options.Runner, s.options.Store, s.kata, gotest.Subject{}, o, func(r *gotest.Report) { tell(Judged{r}) })
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		tell(Failed{err})
		return
	}
	tell(Done{r, unrecorded})
	if r.Solved() && s.options.Draw != nil {
		files, err := s.options.Draw(r)
		tell(Drawn{files, err})
	}
}

// Test runs a kata once and records that. Unrecorded is why the run is not in the store; the verdict stands all the same. For the rest see
// [gotest.Runner.Run].
func Test(ctx context.Context, runner *gotest.Runner, store progress.Store, k *workbook.Kata, s gotest.Subject, o gotest.Options, verdict func(*gotest.Report)) (r *gotest.Report, unrecorded, err error) {
	before, err := progress.Of(store)
	if err != nil {
		return nil, nil, err
	}
	r, err = runner.Run(ctx, k, s, o, func(r *gotest.Report) {
		before.Count(r)
		if verdict != nil {
			verdict(r)
		}
	})
	if err != nil {
		return nil, nil, err
	}
	before.Count(r)
	if store != nil {
		unrecorded = store.Add(r)
	}
	return r, unrecorded, nil
}
