package channel

import "syscall"

// unreadable keeps the memory of this process from other programs of its user, and from itself as a file: /proc/self/mem and ptrace are for root.
func unreadable() {
	const setDumpable = 4 // PR_SET_DUMPABLE, prctl(2)
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setDumpable, 0, 0)
}
