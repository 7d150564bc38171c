//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"whyhow/scripts/internal/workbook"
)

type (
	system struct{}
	held   struct{}
)

func find(kind string) (*Sandbox, error) {
	return nil, workbook.Errorf("judge on Linux, in a container perhaps; or run code that you trust with --sandbox=none", "there is no sandbox %s on this system", kind)
}

// Launch does nothing: there is no sandbox on this system.
func Launch() { launchable = true }

// Start starts a program. If ctx ends, it is ended.
func (s *Sandbox) Start(ctx context.Context, spec Spec) (*Process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.name != None {
		return nil, fmt.Errorf("there is no sandbox %s on this system", s.name)
	}
	if err := spec.check(); err != nil {
		return nil, err
	}
	return s.startPlain(ctx, spec)
}

func ownSession(*exec.Cmd) {}

// Kill ends the program.
func (p *Process) Kill() { _ = p.inner.Kill() }

// CPU is not known while the program runs.
func (p *Process) CPU() time.Duration { return 0 }

func (p *Process) sweep()                           {}
func (p *Process) release()                         {}
func (p *Process) decode(*Ending, *os.ProcessState) {}
func libraries(string) []string                     { return nil }
func taken([]string) int64                          { return 0 }
