//go:build unix

package gotest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
)

// ownGroup starts cmd in a process group of its own, so that it can be ended with all that it started. Where the system can
// do that, cmd also ends when this program does, however that ends.
func ownGroup(cmd *exec.Cmd) {
	noCore()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
}

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// askForStacks makes a Go program print the stacks of its goroutines and end.
func askForStacks(pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }

// noCore keeps a program that is asked for its stacks from leaving a core file: GOTRACEBACK=crash, which is needed to see a
// goroutine that spins, ends in SIGABRT.
var noCore = sync.OnceFunc(func() {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &limit)
	}
})

// inherit gives cmd two files besides the usual three, and returns the descriptors by which it knows them, "3,4".
func inherit(cmd *exec.Cmd, a, b *os.File) string {
	first := 3 + len(cmd.ExtraFiles)
	cmd.ExtraFiles = append(cmd.ExtraFiles, a, b)
	return fmt.Sprintf("%d,%d", first, first+1)
}
