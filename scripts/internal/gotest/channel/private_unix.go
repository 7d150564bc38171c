//go:build unix

package channel

import "syscall"

// private keeps the descriptors from the programs that the code under test may start.
func private(descriptors ...uintptr) {
	for _, d := range descriptors {
		syscall.CloseOnExec(int(d))
	}
	unreadable()
}
