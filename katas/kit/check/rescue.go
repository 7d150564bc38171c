package check

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func init() {
	// Without this, Go lets a recursion without end use 1 GB: seconds of work on every run.
	debug.SetMaxStack(64 << 20)
}

// Attr is the key of the test attribute by which Rescue tells a runner what it rescued: "todo" for a stub that
// was reached, "crash" for any other panic.
const Attr = "kata"

// Rescue ends a panic of the code under test as a failure of t. It is deferred, first, by every test function and
// every function given to t.Run. A stub's panic ("TODO: Name") becomes "Name is not implemented yet"; any other
// shows the line of the kata that it came from. A failure reported before the panic outranks both attributes.
func Rescue(t testing.TB) {
	r := recover()
	if r == nil {
		return
	}
	status, f := "crash", Failure{Text: fmt.Sprintf("panic: %v", r), At: origin()}
	if name, ok := todo(r); ok {
		status, f = "todo", Failure{Text: name + " is not implemented yet", Todo: name}
	}
	if !t.Failed() {
		t.Attr(Attr, status)
	}
	f.attribute(t)
	// t.Errorf would print the line that called the deferred function, which says nothing.
	fmt.Fprintln(t.Output(), f)
	t.Fail()
}

// todo returns the name of the stub that panicked with r.
func todo(r any) (name string, ok bool) {
	s, ok := r.(string)
	if !ok {
		return "", false
	}
	return strings.CutPrefix(s, "TODO: ")
}

// origin returns the innermost frame of the panicking stack that belongs to a kata and not to its tests; nil where there
// is none.
func origin() *Place {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for {
		f, more := frames.Next()
		if fn, ok := ofKata(f.Function); ok {
			return &Place{filepath.Base(f.File), f.Line, fn}
		}
		if !more {
			return nil
		}
	}
}

// ofKata returns the function's name within its package where that package is a kata's own: katas/qNN-topic,
// neither its external tests, nor a package given below it, nor kit.
func ofKata(function string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(function, "whyhow/katas/q")
	if !ok {
		return "", false
	}
	dot := strings.Index(rest, ".")
	if dot < 0 || strings.Contains(rest[:dot], "/") || strings.HasSuffix(rest[:dot], "_test") {
		return "", false
	}
	return rest[dot+1:], true
}

// CaseAttr is the key of the test attribute by which Panics and Fails tell a runner which promise of a function they held it to.
const CaseAttr = "kata.case"

// Panics checks that f, which makes the call described by call, panics with a message that begins with the name of the kata's package and a
// colon: "pooling: ". One of Go's own run-time errors (an index out of range, say), or a panic of a library, doesn't tell the
// caller what was wrong. call names the function. A stub's panic passes through to Rescue.
func Panics(t testing.TB, call string, f func()) {
	t.Helper()
	t.Attr(CaseAttr, "panics "+call)
	r := recovered(f)
	if _, ok := todo(r); ok {
		panic(r)
	}
	prefix := packageName(t) + ": "
	switch says := fmt.Sprint(r); {
	case r == nil:
		t.Errorf("%s did not panic, want a panic with a message that begins with %q", call, prefix)
	case !strings.HasPrefix(says, prefix):
		t.Errorf("%s panicked with %q; check the arguments first, and panic with a message that begins with %q", call, says, prefix)
	}
}

// packageName is the name of the package whose tests run: of the first file in their folder that is no test.
func packageName(t testing.TB) string {
	t.Helper()
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly)
		if err != nil {
			t.Fatalf("check: %v", err)
		}
		return parsed.Name.Name
	}
	t.Fatal("check: the tests do not run in their own folder")
	return ""
}

// Fails checks that the call described by call gave an error, and that its message contains each of the parts, and says whether that holds. call
// names the function.
func Fails(t testing.TB, call string, err error, parts ...string) bool {
	t.Helper()
	t.Attr(CaseAttr, "fails "+call)
	want := ""
	if len(parts) > 0 {
		want = " that contains " + strings.Join(parts, " and ")
	}
	if err == nil {
		t.Errorf("%s gave no error, want one%s", call, want)
		return false
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s gave the error %q, want one%s", call, err.Error(), want)
			return false
		}
	}
	return true
}

// recovered returns what f panicked with, nil if it did not.
func recovered(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}
