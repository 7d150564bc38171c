package submission

import "testing"

// The parts that names go through, for the fuzzers.
var (
	Key       = key
	CleanPath = cleanPath
	Identify  = func(base string) (key, number, file string) {
		id := identify(base)
		return id.key, id.number, id.file
	}
	Assignment     = assignment
	GitEnvironment = gitEnvironment
)

// LowerMaxEntries lowers how many entries a submission may have, for one test.
func LowerMaxEntries(t *testing.T, n int) {
	was := maxEntries
	maxEntries = n
	t.Cleanup(func() { maxEntries = was })
}
