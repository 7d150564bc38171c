package grade

import (
	"bytes"
	"context"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/workbook"
)

// box is a sandbox with a toolchain.
type box struct {
	sandbox *sandbox.Sandbox
	tools   sandbox.Toolchain
}

// Confine has a Runner compile and run in a sandbox from now on, and compiles into a cache of its own, before that and outside, what the katas' tests need. Dependencies
// come without assembly and without package unsafe, so that a matrix with a wrong size is a panic and no write into the memory of others.
func Confine(ctx context.Context, r *gotest.Runner, s *sandbox.Sandbox, cache string, katas []*workbook.Kata) error {
	tools, err := sandbox.FindToolchain(ctx, r.GoTool, gotest.GoFlags)
	if err != nil {
		return err
	}
	var packages []string
	for _, k := range katas {
		packages = append(packages, "./"+k.Display(k.Dir), "./"+k.Display(k.SolutionDir()))
	}
	if tools, err = tools.Warm(ctx, cache, r.Root, "", packages...); err != nil {
		return err
	}
	r.Confine(box{s, tools})
	return nil
}

// What strangers' code may use besides CPU time, which depends on the step.
const (
	buildCPU    = 30 * time.Second
	buildMemory = 4 << 30
	buildFile   = 64 << 20
	testFile    = 16 << 20
	testScratch = 64 << 20
)

func (b box) Tags() string { return sandbox.Tags }

func (b box) Compile(ctx context.Context, args []string, dir string, read []string, scratch, made string) (said []byte, built bool, err error) {
	var out bytes.Buffer
	p, err := b.sandbox.Start(ctx, sandbox.Spec{
		Args: append([]string{b.tools.Go()}, args...), Dir: dir, Env: append(b.tools.Env(scratch), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOGC=400"),
		Read: append(read, b.tools.Read()...), Write: []string{made}, Scratch: scratch, Stdout: &out, Stderr: &out,
		Limits: sandbox.Limits{CPU: buildCPU, Memory: buildMemory, File: buildFile, Tasks: 512},
	})
	if err != nil {
		return nil, false, err
	}
	end, err := p.Wait()
	said = out.Bytes()
	switch {
	case end.Reason != "":
		said = []byte("the compiler was ended: " + end.Reason)
	case end.Signal != 0:
		said = []byte("the compiler was ended by a signal: " + end.Signal.String())
	}
	return said, err == nil && end.Code == 0, err
}

func (b box) Run(ctx context.Context, cmd *exec.Cmd, cpu time.Duration, read []string, scratch string) (gotest.Program, error) {
	p, err := b.sandbox.Start(ctx, sandbox.Spec{
		Args: cmd.Args, Dir: cmd.Dir, Env: cmd.Env, Read: read, Scratch: scratch, Stdout: cmd.Stdout, Stderr: cmd.Stderr, Files: cmd.ExtraFiles,
		Limits: sandbox.Limits{CPU: cpu, File: testFile, Scratch: testScratch, Alone: true},
	})
	return confined{p}, err
}

// confined is a program in a sandbox, as gotest watches it.
type confined struct{ *sandbox.Process }

func (p confined) AskForStacks() error { return p.Signal(syscall.SIGQUIT) }

func (p confined) Wait() gotest.Ending {
	end, err := p.Process.Wait()
	if err != nil && end.Reason == "" {
		end.Reason = err.Error()
	}
	return gotest.Ending{Code: end.Code, Signal: end.Signal, CPU: end.CPU, Reason: end.Reason}
}
