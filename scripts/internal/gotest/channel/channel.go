// Package channel is compiled into the tests of a kata, and tells who runs them what came of each function, on a pipe of its own. Standard output is
// the code's under test as well: what stands there proves nothing.
//
// gotest compiles its source into a kata's module as whyhow/katas/kit/channel. Packages are initialised in the order of their paths as far as imports
// allow, and this one needs the standard library alone: it has taken its pipes before the code under test, whyhow/katas/qNN-topic, runs at all.
//
// A record is a line: the nonce, the record's number from 1, what happened, and of what.
//
//	NONCE 1 start TestStats
//	NONCE 2 end TestStats pass 0.012
//	NONCE 3 done
//
// What this does not stop is code that reads or writes memory that is not its own, through package unsafe, say: the gate does.
package channel

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"
)

// Variable names the environment variable that holds two descriptors, "3,4": a line with the nonce and one with the kata that is asked for are read from
// the first, records are written to the second. Without it the tests run as ever.
const Variable = "KATA_CHANNEL"

// Start, End and Done are what a record tells.
const (
	Start = "start" // a test, an example or a fuzz target begins: NAME
	End   = "end"   // it has ended: NAME RESULT SECONDS
	Done  = "done"  // all have, and package testing has returned
)

// Pass, Fail and Skip are the results.
const (
	Pass = "pass"
	Fail = "fail"
	Skip = "skip"
)

var to struct {
	sync.Mutex
	file  *os.File // nil: nobody listens
	nonce string
	kata  string
	n     int // of the last record
}

func init() {
	value, ok := os.LookupEnv(Variable)
	if !ok {
		return
	}
	os.Unsetenv(Variable)
	in, out, ok := strings.Cut(value, ",")
	from, errIn := strconv.ParseUint(in, 10, 0)
	file, errOut := strconv.ParseUint(out, 10, 0)
	if !ok || errIn != nil || errOut != nil {
		panic("channel: " + Variable + "=" + value + " is not two descriptors")
	}
	private(uintptr(from), uintptr(file))
	nonce := os.NewFile(uintptr(from), "nonce")
	text, err := io.ReadAll(nonce)
	nonce.Close()
	if err != nil {
		panic("channel: " + err.Error())
	}
	to.file = os.NewFile(uintptr(file), "records")
	to.nonce, to.kata, _ = strings.Cut(strings.TrimSpace(string(text)), "\n")
}

// Kata is the kata that is asked for, where the tests of several are in one program.
func Kata() string { return to.kata }

func tell(what ...string) {
	to.Lock()
	defer to.Unlock()
	to.n++
	// Who listens may have gone; then nobody needs the record.
	_, _ = fmt.Fprintf(to.file, "%s %d %s\n", to.nonce, to.n, strings.Join(what, " "))
}

// Main runs the tests and tells what came of them. It is all that TestMain of a kata's tests does: to any other caller it panics.
func Main(m *testing.M) {
	if pc, _, _, _ := runtime.Caller(1); !strings.HasSuffix(runtime.FuncForPC(pc).Name(), "_test.TestMain") {
		panic("channel: Main is for the tests' own TestMain")
	}
	if to.file == nil {
		m.Run()
		return
	}
	all, examples := field[[]testing.InternalTest](m, "tests"), field[[]testing.InternalExample](m, "examples")
	for _, e := range *examples { // what comes of one, package testing tells nobody but standard output
		*all = append(*all, testing.InternalTest{Name: e.Name, F: func(t *testing.T) {
			if !testing.RunExamples(func(string, string) (bool, error) { return true, nil }, []testing.InternalExample{e}) {
				t.Fail()
			}
		}})
	}
	*examples = nil
	tests := *all
	for i, test := range tests {
		tests[i].F = func(t *testing.T) { watch(t, test.Name, func() { test.F(t) }) }
	}
	targets := *field[[]testing.InternalFuzzTarget](m, "fuzzTargets")
	for i, target := range targets {
		targets[i].Fn = func(f *testing.F) { watch(f, target.Name, func() { target.Fn(f) }) }
	}
	m.Run()
	tell(Done)
}

// field is a field of m by its name. Package testing has no other way to what it is about to run; go test's own main reads its exit code so.
func field[T any](m *testing.M, name string) *T {
	f := reflect.ValueOf(m).Elem().FieldByName(name)
	if !f.IsValid() || f.Type() != reflect.TypeFor[T]() {
		panic(fmt.Sprintf("channel: testing.M of %s has no %s of type %v: the workbook must learn this version of Go", runtime.Version(), name, reflect.TypeFor[T]()))
	}
	return (*T)(unsafe.Pointer(f.UnsafeAddr()))
}

// watch runs a function of the tests. A function that did not return and did not fail has no result: it panics, or runtime.Goexit ended it, and
// package testing is about to end the process.
func watch(t testing.TB, name string, run func()) {
	tell(Start, name)
	began, returned := time.Now(), false
	t.Cleanup(func() { // the first that is asked for is the last to run
		result := Pass
		switch {
		case t.Failed():
			result = Fail
		case t.Skipped():
			result = Skip
		case !returned:
			return
		}
		tell(End, name, result, strconv.FormatFloat(time.Since(began).Seconds(), 'f', 6, 64))
	})
	run()
	returned = true
}
