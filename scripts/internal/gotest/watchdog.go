package gotest

import (
	"context"
	"fmt"
	"time"
)

// limits are what a step may use. The clocks start anew when a step starts or ends.
type limits struct {
	cpu  time.Duration // CPU time
	idle time.Duration // wall time in which nothing runs
	wall time.Duration // wall time, whatever happens
}

// limitsOf derives the limits from the CPU time that a step may use: the others are for steps that wait, and for busy machines.
func limitsOf(cpu time.Duration) limits { return limits{cpu: cpu, idle: cpu, wall: 30 * cpu} }

// usage is what a process does.
type usage struct {
	cpu    time.Duration // used so far
	active bool          // a thread runs, waits for a processor or for a disk; or the process is stopped and can do nothing
}

// watchdog decides whether a process is hung.
type watchdog struct {
	limits limits
	usage  func() (u usage, known bool) // known is false where the system does not tell: then wall time alone counts, against idle
	moved  <-chan struct{}              // a step has started or ended
	exited <-chan struct{}
}

const (
	look = 100 * time.Millisecond // between two looks at a process
	// A Go program that waits wakes now and then: that is no work.
	restless = look / 50
)

// wait returns "" as soon as the process has exited or ctx has ended, and otherwise why it is hung.
func (w watchdog) wait(ctx context.Context) (hung string) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var before, last, idle, wall time.Duration // before and last are CPU time: when the step started, at the last look
	start := func() {
		u, _ := w.usage()
		before, last, idle, wall = u.cpu, u.cpu, 0, 0
	}
	start()
	at := time.Now()
	for {
		select {
		case <-w.exited:
			return ""
		case <-ctx.Done():
			return ""
		case <-w.moved:
			start()
			at = time.Now()
			continue
		case <-tick.C:
		}
		// A machine that slept, or this process while it was stopped, does not count.
		passed := min(time.Since(at), 10*look)
		at = time.Now()
		wall += passed
		u, known := w.usage()
		switch {
		case known && (u.active || u.cpu-last > restless):
			idle = 0
		default:
			idle += passed
		}
		last = u.cpu
		switch {
		case known && u.cpu-before >= w.limits.cpu:
			return fmt.Sprintf("no end after %v of CPU time", w.limits.cpu)
		case idle >= w.limits.idle && known:
			return fmt.Sprintf("no end: it has waited for %v, and nothing runs that could end it", w.limits.idle)
		case idle >= w.limits.idle:
			return fmt.Sprintf("no end after %v", w.limits.idle)
		case wall >= w.limits.wall:
			return fmt.Sprintf("no end after %v", w.limits.wall)
		}
	}
}
