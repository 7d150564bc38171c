//go:build unix && !linux

package channel

// unreadable is to be had on Linux alone.
func unreadable() {}
