package gotest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endWithParent ends a program when this one ends, even if it is killed.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// unwatched is the -test.timeout of tests that nobody may be left to watch. Here they end with their parent, and have none: while its timer runs, Go does not
// see that all goroutines are asleep.
func unwatched(time.Duration) string { return "0" }

// mostMemory is the address space that the code under test may have, in bytes.
const mostMemory = 8 << 30

// bound keeps code that grows or runs without end from taking the machine with it: Go then ends it with "out of memory" and the stack of
// who asked for more. Where a limit cannot be set, the watchdog is left. The race detector reserves terabytes: it has no limit of memory.
func bound(pid int, cpu time.Duration, race bool) {
	seconds := uint64(cpu.Seconds()) + 1
	_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds + 5}, nil)
	if !race {
		_ = unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: mostMemory, Max: mostMemory}, nil)
	}
}

// usageOf reads the CPU clock of a process, and the states of its threads. A process that has just ended counts as active: its end is
// about to be noticed.
func usageOf(pid int) (usage, bool) {
	var t unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes it.
	if unix.ClockGettime(int32(^uint32(pid))<<3|2, &t) != nil {
		return usage{active: true}, true
	}
	return usage{cpu: time.Duration(t.Nano()), active: anyActive(pid)}, true
}

// anyActive says whether a thread is in one of the states of proc(5) that are no waiting: R running or ready to, D waiting for a disk, T and t stopped.
func anyActive(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		// The name in brackets may hold anything.
		if i := bytes.LastIndexByte(stat, ')'); i >= 0 && i+2 < len(stat) && bytes.IndexByte([]byte("RDTt"), stat[i+2]) >= 0 {
			return true
		}
	}
	return false
}
