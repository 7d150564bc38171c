package gotest

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"
)

// imagined is a process that exists on paper only: what it has used is a function of the time since its start.
type imagined struct {
	start time.Time
	cpu   func(since time.Duration) time.Duration
	runs  func(since time.Duration) bool
}

func (p imagined) usage() (usage, bool) {
	since := time.Since(p.start)
	return usage{p.cpu(since), p.runs(since)}, true
}

func TestWatchdog(t *testing.T) {
	share := func(percent time.Duration) func(time.Duration) time.Duration {
		return func(since time.Duration) time.Duration { return since * percent / 100 }
	}
	always, never := func(time.Duration) bool { return true }, func(time.Duration) bool { return false }
	for _, c := range []struct {
		name   string
		cpu    func(time.Duration) time.Duration
		runs   func(time.Duration) bool
		moves  time.Duration // a step starts this long after the process, or never
		ends   time.Duration // the process ends, or never
		want   string
		within [2]time.Duration
	}{
		{"a loop on an idle machine", share(100), always, 0, 0, "no end after 10s of CPU time", [2]time.Duration{10 * time.Second, 11 * time.Second}},
		{"a loop with a thirtieth of a core", share(4), always, 0, 0, "no end after 10s of CPU time", [2]time.Duration{240 * time.Second, 260 * time.Second}},
		{"a loop with two cores", share(200), always, 0, 0, "no end after 10s of CPU time", [2]time.Duration{5 * time.Second, 6 * time.Second}},
		{"waiting", share(0), never, 0, 0, "no end: it has waited for 10s, and nothing runs that could end it", [2]time.Duration{10 * time.Second, 11 * time.Second}},
		{"waiting, with the runtime's own small work", func(d time.Duration) time.Duration { return d / 1000 }, never, 0, 0, "no end: it has waited for 10s, and nothing runs that could end it", [2]time.Duration{10 * time.Second, 11 * time.Second}},
		{"waiting for a processor", share(0), always, 0, 200 * time.Second, "", [2]time.Duration{200 * time.Second, 201 * time.Second}},
		{"starved for ever", share(0), always, 0, 0, "no end after 5m0s", [2]time.Duration{300 * time.Second, 301 * time.Second}},
		{"polling slowly", share(3), never, 0, 0, "no end after 5m0s", [2]time.Duration{300 * time.Second, 301 * time.Second}},
		{"a loop after a slow start", share(100), always, 8 * time.Second, 0, "no end after 10s of CPU time", [2]time.Duration{18 * time.Second, 19 * time.Second}},
		{"waiting after a start", share(0), never, 9 * time.Second, 0, "no end: it has waited for 10s, and nothing runs that could end it", [2]time.Duration{19 * time.Second, 20 * time.Second}},
		{"done in time", share(100), always, 0, 9 * time.Second, "", [2]time.Duration{9 * time.Second, 9500 * time.Millisecond}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				moved, exited := make(chan struct{}), make(chan struct{})
				if c.moves > 0 {
					time.AfterFunc(c.moves, func() { moved <- struct{}{} })
				}
				if c.ends > 0 {
					time.AfterFunc(c.ends, func() { close(exited) })
				}
				p := imagined{start, c.cpu, c.runs}
				got := watchdog{limitsOf(10 * time.Second), p.usage, moved, exited}.wait(t.Context())
				if took := time.Since(start); got != c.want || took < c.within[0] || took > c.within[1] {
					t.Errorf("wait = %q after %v, want %q between %v", got, took, c.want, c.within)
				}
			})
		})
	}
}

// Where the system does not tell what a process does, wall time decides.
func TestWatchdogByWallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		unknown := func() (usage, bool) { return usage{}, false }
		got := watchdog{limitsOf(10 * time.Second), unknown, nil, nil}.wait(t.Context())
		if took := time.Since(start); got != "no end after 10s" || took > 11*time.Second {
			t.Errorf("wait = %q after %v, want it after 10s", got, took)
		}
	})
}

func TestWatchdogEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := imagined{time.Now(), func(d time.Duration) time.Duration { return d }, func(time.Duration) bool { return true }}
		if got := (watchdog{limitsOf(time.Minute), p.usage, nil, nil}).wait(ctx); got != "" {
			t.Errorf("wait = %q, want nothing", got)
		}
	})
}

// The system's own clock of a process: one that computes has used some, one that waits is not active.
func TestUsage(t *testing.T) {
	if _, known := usageOf(os.Getpid()); !known {
		t.Skip("this system does not tell what a process uses")
	}
	for _, c := range []struct {
		script string
		active bool
	}{{"while :; do :; done", true}, {"exec sleep 1000", false}} {
		cmd := exec.Command("sh", "-c", c.script)
		if err := cmd.Start(); err != nil {
			t.Skip("no sh")
		}
		for {
			u, _ := usageOf(cmd.Process.Pid)
			if u.active == c.active && (u.cpu > 20*time.Millisecond || !c.active) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}
