package gotest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

func ownGroup(*exec.Cmd) {}

func killGroup(pid int) error {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(pid)).Run() == nil {
		return nil
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// askForStacks is not to be had on Windows: a step that hangs is ended without its line.
func askForStacks(int) error { return errors.ErrUnsupported }

// inherit gives cmd two files besides the usual three, and returns the handles by which it knows them, "264,268".
func inherit(cmd *exec.Cmd, a, b *os.File) string {
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	for _, f := range []*os.File{a, b} {
		handle := syscall.Handle(f.Fd())
		_ = syscall.SetHandleInformation(handle, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT) // without it no result arrives, and no step passes
		cmd.SysProcAttr.AdditionalInheritedHandles = append(cmd.SysProcAttr.AdditionalInheritedHandles, handle)
	}
	return fmt.Sprintf("%d,%d", a.Fd(), b.Fd())
}
