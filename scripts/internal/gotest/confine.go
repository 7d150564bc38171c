package gotest

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"whyhow/scripts/internal/gotest/channel"
	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/workbook"
)

// confinement is where strangers' code is compiled and run.
type confinement struct {
	box   *sandbox.Sandbox
	tools sandbox.Toolchain
}

// Confine has this Runner compile and run in a sandbox from now on, and compiles into a cache of its own, before that and outside, what the katas' tests need. Dependencies
// come without assembly and without package unsafe, so that a matrix with a wrong size is a panic and no write into the memory of others.
func (r *Runner) Confine(ctx context.Context, box *sandbox.Sandbox, cache string, katas []*workbook.Kata) error {
	t, err := sandbox.FindToolchain(ctx, r.goTool, goFlags)
	if err != nil {
		return err
	}
	var packages []string
	for _, k := range katas {
		packages = append(packages, "./"+workbook.Display(r.Root, k.Dir), "./"+workbook.Display(r.Root, k.SolutionDir()))
	}
	if t, err = t.Warm(ctx, cache, r.Root, "", packages...); err != nil {
		return err
	}
	r.confined = &confinement{box, t}
	return nil
}

// What strangers' code may use besides CPU time, which depends on the step.
const (
	buildCPU    = 30 * time.Second
	buildMemory = 4 << 30
	buildFile   = 64 << 20
	testFile    = 16 << 20
	scratch     = 64 << 20
)

// compileConfined is compile in the sandbox.
func (b *build) compileConfined(ctx context.Context, dir string, flags, read []string) (out []byte, err error) {
	c := b.confined
	// A folder of its own: what lies in the build's is read alone.
	own, made := filepath.Join(b.dir, "own"), filepath.Join(b.dir, "made")
	for _, dir := range []string{own, made} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, noSpace(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum", "vendor", "katas", "solutions"} {
		if _, err := os.Stat(filepath.Join(b.Root, name)); err == nil {
			read = append(read, filepath.Join(b.Root, name))
		}
	}
	binary := filepath.Join(made, filepath.Base(b.binary))
	args := append([]string{c.tools.Go()}, b.arguments(dir, "test", append(flags, "-o", binary)...)...)
	var said bytes.Buffer
	p, err := c.box.Start(ctx, sandbox.Spec{
		Args: args, Dir: b.Root, Env: append(c.tools.Env(own), "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOGC=400"),
		Read: append(append(read, c.tools.Read()...), b.readable()...), Write: []string{made}, Scratch: own, Stdout: &said, Stderr: &said,
		Limits: sandbox.Limits{CPU: buildCPU, Memory: buildMemory, File: buildFile, Tasks: 512},
	})
	if err != nil {
		return nil, err
	}
	end, err := p.Wait()
	switch {
	case err != nil:
		return nil, err
	case end.Code == 0:
		return nil, os.Rename(binary, b.binary)
	case end.Reason != "":
		return []byte("the compiler was ended: " + end.Reason), errBuild
	case end.Signal != 0:
		return []byte("the compiler was ended by a signal: " + end.Signal.String()), errBuild
	}
	return said.Bytes(), errBuild
}

// readable are the files of the build's folder that a compiler needs, by their names: what is written there by the sandbox is none of them.
func (b *build) readable() (files []string) {
	for _, pattern := range []string{"*.go", "*.json"} {
		files = append(files, workbook.Files(b.dir, pattern)...)
	}
	for _, f := range files {
		_ = os.Chmod(f, 0o644) // the sandbox has another user
	}
	return files
}

// runConfined starts a program of tests in the sandbox.
func (b *build) runConfined(ctx context.Context, cmd *exec.Cmd, cpu time.Duration, nonce, records *os.File) (program, error) {
	empty := filepath.Join(b.dir, "tmp")
	p, err := b.confined.box.Start(ctx, sandbox.Spec{
		Args: cmd.Args, Dir: cmd.Dir, Env: append(cmd.Env, channel.Variable+"=3,4"), Read: []string{b.binary, b.kata.Dir}, Scratch: empty,
		Stdout: cmd.Stdout, Stderr: cmd.Stderr, Files: []*os.File{nonce, records},
		Limits: sandbox.Limits{CPU: cpu, File: testFile, Scratch: scratch, Alone: true},
	})
	if err != nil {
		return nil, err
	}
	return confined{p}, nil
}

// confined is a program in a sandbox.
type confined struct{ *sandbox.Process }

// usage is that of the whole program: it may start no other process.
func (p confined) usage() (usage, bool) { return usageOf(p.Pid()) }
func (p confined) askForStacks() error  { return p.Signal(syscall.SIGQUIT) }
func (p confined) kill()                { p.Kill() }

func (p confined) wait() ending {
	end, err := p.Wait()
	if err != nil && end.Reason == "" {
		end.Reason = err.Error()
	}
	return ending{code: end.Code, signal: end.Signal, cpu: end.CPU, why: end.Reason}
}
