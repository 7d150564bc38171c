package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// order is what the judge tells the launcher.
type order struct {
	Args, Env []string
	Dir       string
	Files     int // how many of the files behind standard error the program gets
	User      int // 0: the one that it has
	Limits    []limit
	Alone     bool

	Landlock                         bool
	Folders, ReadFiles, WriteFolders []string
}

type limit struct {
	Resource int
	Value    uint64
}

// Launch must be the first thing in main. In a program that the judge runs it returns at once. Inside a sandbox, where this package has started the same
// program once more with an argument of its own, it does not return: it takes from itself all rights, and becomes the program to run.
//
//	sandbox-launch N    reads an order from the socket N, and obeys it; what goes wrong it writes there.
//	                    As the first process of a namespace it does not do so itself, but starts another, and is its parent
//	sandbox-launch cache SHARED OWN    is a GOCACHEPROG
//	sandbox-launch nothing    ends: by this a sandbox is tried
func Launch() {
	launchable = true
	if len(os.Args) < 3 || os.Args[1] != command {
		return
	}
	switch os.Args[2] {
	case "nothing":
		os.Exit(0)
	case "cache":
		if err := serveCache(os.Args[3], os.Args[4], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "the cache of the sandbox:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	number, err := strconv.Atoi(os.Args[2])
	if err != nil {
		os.Exit(2)
	}
	socket := os.NewFile(uintptr(number), "the judge")
	if os.Getpid() == 1 {
		os.Exit(first(socket, number))
	}
	// The program is started by this thread, which has lost its rights. The others end with that.
	runtime.LockOSThread()
	err = launch(socket)
	fmt.Fprint(socket, err)
	os.Exit(2)
}

// What a launcher says first, by which the judge learns its number.
const (
	isFirst   = 'f'
	isProgram = 'p'
)

// first is the first process of a namespace, whose end is that of all others: it starts a launcher, reaps what is left to it, and ends as the program
// did. It is there because the kernel keeps signals from a first process that others get, and because it has the user of bubblewrap's own process: one who may end it, when
// the judge has been killed.
func first(socket *os.File, number int) int {
	// Nobody of the same user reads or changes its memory.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return 2
	}
	if _, err := socket.Write([]byte{isFirst}); err != nil {
		return 2
	}
	self, err := os.Executable()
	if err != nil {
		return 2
	}
	files := make([]*os.File, number+1)
	for fd := range files {
		files[fd] = os.NewFile(uintptr(fd), "given")
	}
	p, err := os.StartProcess(self, os.Args, &os.ProcAttr{Env: []string{}, Files: files})
	if err != nil {
		return 2
	}
	for _, f := range files {
		f.Close() // whoever waits for the end of a pipe waits for the program alone
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 2
		case pid == p.Pid && status.Signaled():
			return 128 + int(status.Signal())
		case pid == p.Pid && status.Exited():
			return status.ExitStatus()
		}
	}
}

func launch(socket *os.File) error {
	// With the first byte the kernel tells the judge who sent it.
	if _, err := socket.Write([]byte{isProgram}); err != nil {
		return err
	}
	var o order
	if text, err := io.ReadAll(socket); err != nil {
		return err
	} else if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	if err := unix.CloseRange(uint(3+o.Files), ^uint(0), unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return fmt.Errorf("close_range: %w", err)
	}
	_, _ = syscall.Setsid() // it fails where the judge has done so
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	for _, l := range o.Limits {
		if err := syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: l.Value, Max: l.Value}); err != nil {
			return fmt.Errorf("setrlimit %d: %w", l.Resource, err)
		}
	}
	if o.User != 0 {
		if err := becomeUser(o.User); err != nil {
			return err
		}
	}
	// A change of user has taken this back.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if gone := []unix.PollFd{{Fd: int32(socket.Fd())}}; poll(gone) && gone[0].Revents&unix.POLLHUP != 0 {
		os.Exit(2) // the judge had gone before
	}
	if err := os.Chdir(o.Dir); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	if o.Landlock {
		if err := restrict(o); err != nil {
			return err
		}
	}
	if err := filter(o); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", o.Args[0], syscall.Exec(o.Args[0], o.Args, o.Env))
}

func poll(fds []unix.PollFd) bool {
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

// becomeUser changes this thread alone, the one that becomes the program.
func becomeUser(user int) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, 0, 0, 0); errno != 0 {
		return fmt.Errorf("setgroups: %w", errno)
	}
	id := uintptr(user)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, id, id, id); errno != 0 {
		return fmt.Errorf("setresgid %d: %w", user, errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
		return fmt.Errorf("setresuid %d: %w", user, errno)
	}
	// What is left of privileges is none that counts: those that a program with such privileges of its own would inherit.
	if err := unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &make([]unix.CapUserData, 2)[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
