package sandbox

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Process is a program in a sandbox. It has started, and Wait must be called.
type Process struct {
	cmd    *exec.Cmd
	inner  *os.Process // the program itself
	pid    int
	alone  bool
	done   func() bool // stops the context from ending it
	ended  chan struct{}
	reason string // why the sandbox ended it
	once   sync.Once

	held
}

// Pid is the number that the program has on the host.
func (p *Process) Pid() int { return p.pid }

// Signal sends a signal to the program alone: syscall.SIGQUIT asks a Go program for its stacks.
func (p *Process) Signal(s os.Signal) error { return p.inner.Signal(s) }

// end ends the program for a reason that Wait returns, the first if there are several.
func (p *Process) end(reason string) {
	p.once.Do(func() { p.reason = reason })
	p.Kill()
}

// Wait waits for the end of the program, and for that of all that it started: what goes on is ended.
func (p *Process) Wait() (Ending, error) {
	p.sweep()
	err := p.cmd.Wait()
	close(p.ended)
	p.done()
	p.release()
	_ = p.inner.Release()
	state := p.cmd.ProcessState
	if state == nil {
		return Ending{}, err
	}
	p.once.Do(func() {}) // what comes later is no reason
	end := Ending{Code: state.ExitCode(), CPU: state.UserTime() + state.SystemTime(), Reason: p.reason}
	p.decode(&end, state)
	if exited := (*exec.ExitError)(nil); errors.As(err, &exited) {
		err = nil
	}
	return end, err
}

// watch ends the program when the files in the folders become more than size, or more than a million.
func (p *Process) watch(folders []string, size int64) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-p.ended:
			return
		case <-tick.C:
		}
		if taken(folders) > size {
			p.end("it wrote more than it may")
			return
		}
	}
}

// startPlain starts a program without a sandbox.
func (s *Sandbox) startPlain(ctx context.Context, spec Spec) (*Process, error) {
	cmd := exec.Command(spec.Args[0], spec.Args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = spec.Dir, spec.Env, spec.Stdout, spec.Stderr, spec.Files
	ownSession(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, inner: cmd.Process, pid: cmd.Process.Pid, ended: make(chan struct{})}
	p.done = context.AfterFunc(ctx, p.Kill)
	return p, nil
}
