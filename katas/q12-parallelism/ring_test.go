package parallelism_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"whyhow/katas/kit/check"
)

// ring is what became of the workers of a ring, and what they sent.
type ring struct {
	lengths [][]int   // of the messages that a worker sent
	closed  []bool    // whether it closed its channel
	stuck   []string  // one line for every worker that waits for ever
	panics  []*rescue // in the order in which the workers panicked
}

// sent is how many values worker k sent.
func (r *ring) sent(k int) int {
	total := 0
	for _, n := range r.lengths[k] {
		total += n
	}
	return total
}

// total is how many values all workers sent.
func (r *ring) total() int {
	total := 0
	for k := range r.lengths {
		total += r.sent(k)
	}
	return total
}

// rescue stands for the test in check.Rescue, so that a worker's panic is kept for its ring.
type rescue struct {
	testing.TB
	rank   int
	says   strings.Builder
	status string
	text   string // of the panic
}

func (r *rescue) Output() io.Writer { return &r.says }
func (r *rescue) Attr(key, value string) {
	switch key {
	case check.Attr:
		r.status = value
	case check.FailureAttr:
		var f check.Failure
		if json.Unmarshal([]byte(value), &f) == nil {
			r.text = strings.TrimPrefix(f.Text, "panic: ")
		}
	}
}
func (r *rescue) Failed() bool { return false }
func (r *rescue) Fail()        {}

// run lets world workers work at the same time, each in its own goroutine, worker k's send leading to the recv of worker k+1. A message arrives as a copy, as
// through a network. The workers live in a bubble of testing/synctest: when nothing in it can go on any more, the workers
// that have not ended are stuck, and are reported instead of waited for.
func run(t *testing.T, world int, work func(rank int, send chan<- []float64, recv <-chan []float64)) (r *ring) {
	t.Helper()
	r = &ring{lengths: make([][]int, world), closed: make([]bool, world)}
	defer func() {
		// synctest panics where a worker cannot be released; those that are stuck are known by then.
		if p := recover(); p != nil && len(r.stuck) == 0 {
			panic(p)
		}
	}()
	synctest.Test(t, func(t *testing.T) {
		defer check.Rescue(t)
		var lock sync.Mutex
		ended := make([]bool, world)
		stop := make(chan struct{})
		send, recv := make([]chan []float64, world), make([]chan []float64, world)
		for k := range world {
			send[k], recv[k] = make(chan []float64, 2*world), make(chan []float64, 2*world)
		}
		for k := range world {
			go func() { // the wire from k to k+1
				next := recv[(k+1)%world]
				defer close(next)
				for {
					select {
					case message, ok := <-send[k]:
						if !ok {
							r.closed[k] = true
							return
						}
						r.lengths[k] = append(r.lengths[k], len(message))
						select {
						case next <- slices.Clone(message):
						case <-stop:
							return
						}
					case <-stop:
						return
					}
				}
			}()
			go func() {
				saved := &rescue{TB: t, rank: k}
				defer func() {
					lock.Lock()
					defer lock.Unlock()
					ended[k] = true
					if saved.status != "" {
						r.panics = append(r.panics, saved)
					}
				}()
				defer check.Rescue(saved)
				work(k, send[k], recv[k])
			}()
		}

		time.Sleep(time.Hour) // by the bubble's clock: until everything in it has ended or waits
		synctest.Wait()
		lock.Lock()
		for k := range world {
			if !ended[k] {
				r.stuck = append(r.stuck, fmt.Sprintf("worker %d waits for ever: it sent %d messages, and %d were sent to it", k,
					len(r.lengths[k]), len(r.lengths[(k+world-1)%world])))
			}
		}
		sofar := slices.Clone(r.panics)
		lock.Unlock()
		close(stop) // and with it the channels that stuck workers receive from; what they send is thrown away
		for range 4 * world {
			synctest.Wait()
			discard(send)
		}
		r.panics = sofar
	})
	return r
}

// discard takes what lies in the channels.
func discard(channels []chan []float64) {
	for _, c := range channels {
		for range len(c) {
			<-c
		}
	}
}

// mustEnd fails t where a worker panicked, waits for ever or left its channel open.
func (r *ring) mustEnd(t *testing.T) {
	t.Helper()
	if len(r.panics) > 0 {
		first := r.panics[0]
		if first.status == "todo" {
			panic("TODO: RingWorker")
		}
		t.Attr(check.Attr, first.status)
		fmt.Fprintf(t.Output(), "worker %d of %d: %s", first.rank, len(r.lengths), first.says.String())
		t.FailNow()
	}
	if len(r.stuck) > 0 && len(r.lengths) == 1 {
		t.Fatal("deadlock: a world of one worker has nothing to send and nothing to wait for")
	}
	if len(r.stuck) == len(r.lengths) && !slices.ContainsFunc(r.lengths, func(l []int) bool { return len(l) > 0 }) {
		t.Fatalf("deadlock: all %d workers wait for a message and none was sent: you received before you sent", len(r.stuck))
	}
	if len(r.stuck) > 0 {
		t.Fatalf("deadlock: %s", strings.Join(r.stuck, "\n"))
	}
	if k := slices.Index(r.closed, false); k >= 0 {
		t.Errorf("worker %d ended and you left its send open: its neighbour would wait for ever if it had failed", k)
	}
}

// mustFail fails t unless a worker panicked and said why, and none waits for ever. mistake is what to say where none panicked.
func (r *ring) mustFail(t *testing.T, mistake string) {
	t.Helper()
	for _, p := range r.panics {
		if p.status == "todo" {
			panic("TODO: RingWorker")
		}
		check.Panics(t, fmt.Sprintf("RingWorker as worker %d of %d", p.rank, len(r.lengths)), func() { panic(p.text) })
	}
	if len(r.stuck) > 0 {
		t.Fatalf("deadlock: a failure must not leave a worker waiting; close send when you return or panic, so that the next worker learns of it\n%s",
			strings.Join(r.stuck, "\n"))
	}
	if len(r.panics) == 0 {
		t.Errorf("no worker panicked: %s", mistake)
	}
}
