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

	"gonum.org/v1/gonum/floats"

	"whyhow/katas/kit/check"
)

// ring is what became of the workers of a ring, and what they sent.
type ring struct {
	messages [][]message // that a worker sent
	closed   []bool      // whether it closed its channel
	stuck    []string    // one line for every worker that waits for ever
	panics   []*rescue   // in the order in which the workers panicked
}

// message is a slice that was sent, and a copy of it that was made on its way.
type message struct{ sent, copied []float64 }

// sent is how many values worker k sent.
func (r *ring) sent(k int) int {
	total := 0
	for _, m := range r.messages[k] {
		total += len(m.copied)
	}
	return total
}

// total is how many values all workers sent.
func (r *ring) total() int {
	total := 0
	for k := range r.messages {
		total += r.sent(k)
	}
	return total
}

// protocol returns what worker rank sends, message by message, if its first chunk is the one that lies shift places behind chunk rank.
func protocol(vectors [][]float64, rank, shift int) [][]float64 {
	world, n := len(vectors), len(vectors[0])
	modulo := func(k int) int { return (k%world + world) % world }
	var messages [][]float64
	for i := range 2 * (world - 1) {
		k := modulo(rank - shift - i)
		size, more := n/world, n%world
		from, to := k*size+min(k, more), (k+1)*size+min(k+1, more)
		sum := make([]float64, to-from)
		for back := range min(i+1, world) { // the workers that the chunk has passed
			floats.Add(sum, vectors[modulo(rank-back)][from:to])
		}
		messages = append(messages, sum)
	}
	return messages
}

// mustKeepProtocol fails t where a worker's messages are not those of the protocol, or are not copies.
func mustKeepProtocol(t *testing.T, rings []finished) {
	t.Helper()
	each := func(of func(r finished, k int) int) map[string]int {
		all := map[string]int{}
		for _, r := range rings {
			for k := range r.vectors {
				all[fmt.Sprintf("worker %d of %d, %d values", k, len(r.vectors), len(r.vectors[0]))] = of(r, k)
			}
		}
		return all
	}
	mistake := func(count func(world int) int, says string) check.Option {
		return check.Mistake(each(func(r finished, _ int) int { return count(len(r.vectors)) }), says)
	}
	opts := []check.Option{check.Why("2·(world−1) a worker, a chunk each: each chunk goes round once to be summed, and once to be shared")}
	if slices.ContainsFunc(rings, func(r finished) bool { return len(r.vectors[0]) < len(r.vectors) }) {
		const more = "you sent a message too many: the neighbour does not wait for it"
		opts = append(opts,
			mistake(func(world int) int { return 2*(world-1) + 1 }, more),
			mistake(func(world int) int { return 2*(world-1) + min(world-1, 1) }, more),
			mistake(func(world int) int { return 2 * world }, "you went round once more than it takes: world−1 steps complete a chunk, and world−1 share it"),
			mistake(func(world int) int { return 4 * (world - 1) }, "you sent each chunk in two messages"),
			check.Mistake(each(func(r finished, k int) int {
				n := 0
				for _, m := range protocol(r.vectors, k, 0) {
					n += min(len(m), 1)
				}
				return n
			}), "you left out the empty chunks: they are messages too, so that every worker gets 2·(world−1)"))
	}
	if !check.Equal(t, "how many messages were sent by", each(func(r finished, k int) int { return len(r.messages[k]) }),
		each(func(r finished, _ int) int { return 2 * (len(r.vectors) - 1) }), check.Exact, opts...) {
		return
	}
	every := func(of func(r finished, k int) [][]float64) map[string][]float64 {
		all := map[string][]float64{}
		for _, r := range rings {
			for k := range r.vectors {
				for i, m := range of(r, k) {
					all[fmt.Sprintf("worker %d of %d, %d values, message %d", k, len(r.vectors), len(r.vectors[0]), i)] = m
				}
			}
		}
		return all
	}
	begun := func(shift int) map[string][]float64 {
		return every(func(r finished, k int) [][]float64 { return protocol(r.vectors, k, shift) })
	}
	opts = []check.Option{check.Why("first its own chunk rank, then in each step the chunk that it received in the step before")}
	if slices.ContainsFunc(rings, func(r finished) bool { return len(r.vectors) > 2 && len(r.vectors[0]) > 0 }) {
		opts = append(opts, check.Mistake(begun(1), "you began with chunk rank−1: a worker's first message is its chunk rank"),
			check.Mistake(begun(-1), "you began with chunk rank+1: a worker's first message is its chunk rank"))
	}
	if !check.Equal(t, "what was sent by", every(func(r finished, k int) (sent [][]float64) {
		for _, m := range r.messages[k] {
			sent = append(sent, m.copied)
		}
		return sent
	}), begun(0), check.Rel(1e-10), opts...) {
		return
	}
	for _, r := range rings {
		if !r.mustHaveSentCopies(t) {
			return
		}
	}
}

// mustHaveSentCopies fails t where a message was written to after it was sent, or lies in what the workers hold, and says whether none did.
func (r finished) mustHaveSentCopies(t *testing.T) bool {
	t.Helper()
	for k := range r.vectors {
		for i, m := range r.messages[k] {
			call := fmt.Sprintf("message %d of worker %d of %d", i, k, len(r.vectors))
			if !slices.Equal(m.sent, m.copied) {
				t.Errorf("%s is no longer what it was: you wrote into a message after you had sent it, or sent a part of v", call)
				return false
			}
			if len(m.sent) == 0 {
				continue
			}
			before := check.Copy(r.held)
			m.sent[0]++
			if !slices.EqualFunc(r.held, before, slices.Equal) {
				t.Errorf("%s lies in v: you sent a part of v, and not a copy: it may be read when you have returned and v is the caller's again", call)
				return false
			}
			m.sent[0]--
		}
	}
	return true
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
	r = &ring{messages: make([][]message, world), closed: make([]bool, world)}
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
					case sent, ok := <-send[k]:
						if !ok {
							r.closed[k] = true
							return
						}
						r.messages[k] = append(r.messages[k], message{sent, slices.Clone(sent)})
						select {
						case next <- slices.Clone(sent):
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
					len(r.messages[k]), len(r.messages[(k+world-1)%world])))
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

// script lets one worker work alone: what it receives is given, and behind it recv is closed, or left open. It is worker 0 of what is returned.
func script(t *testing.T, incoming [][]float64, open bool, work func(send chan<- []float64, recv <-chan []float64)) *ring {
	t.Helper()
	r := run(t, 2, func(k int, send chan<- []float64, recv <-chan []float64) {
		if k == 0 {
			work(send, recv)
			return
		}
		for _, m := range incoming {
			send <- m
		}
		if !open {
			close(send)
		}
	})
	r.closed[1] = true // as the script has it
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
		fmt.Fprintf(t.Output(), "worker %d of %d: %s", first.rank, len(r.messages), first.says.String())
		t.FailNow()
	}
	if len(r.stuck) > 0 && len(r.messages) == 1 {
		t.Fatal("deadlock: a world of one worker has nothing to send and nothing to wait for")
	}
	if len(r.stuck) == len(r.messages) && !slices.ContainsFunc(r.messages, func(m []message) bool { return len(m) > 0 }) {
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
		check.Panics(t, fmt.Sprintf("RingWorker as worker %d of %d", p.rank, len(r.messages)), func() { panic(p.text) })
	}
	if len(r.stuck) > 0 {
		t.Fatalf("deadlock: a failure must not leave a worker waiting; close send when you return or panic, so that the next worker learns of it\n%s",
			strings.Join(r.stuck, "\n"))
	}
	if len(r.panics) == 0 {
		t.Errorf("no worker panicked: %s", mistake)
	}
	for _, p := range r.panics {
		if !r.closed[p.rank] {
			t.Errorf("worker %d panicked and you left its send open: its neighbour would wait for ever", p.rank)
			return
		}
	}
}
