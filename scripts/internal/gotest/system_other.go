//go:build !linux

package gotest

import "time"

// unwatched is the -test.timeout of tests that nobody may be left to watch.
func unwatched(limit time.Duration) string { return limit.String() }

// bound does nothing: code that grows without end is ended by the watchdog or by the system.
func bound(int, time.Duration, bool) {}

// usageOf knows nothing: the watchdog goes by wall time.
func usageOf(int) (usage, bool) { return usage{}, false }
