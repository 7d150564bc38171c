package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Args are the arguments of one call; those of a method expression begin with the receiver. A [Seed] stands for a *rand.Rand, a
// whole number for a float.
type Args []any

// Seed is an argument that a function gets as a new *rand.Rand, the same numbers for the same seed.
type Seed uint64

// Independent holds that calls of f do not disturb each other. call names f and its arguments, as they are printed:
// "Conv2D(x, w, bias, 2, 1)", "l.Train(x)". f is a function or a method expression; args and others are the arguments of two
// calls that give different results, of the same shapes. Arguments that are equal in both are never varied; for each other one, f depends on it.
// It fails, and says why, if f
//
//   - changes an argument (but those named by [InPlace]), or what lies in memory behind a slice's end or around a matrix;
//   - returns memory that it shares with an argument or with another result, or that the next call writes to or returns;
//   - gives another result when it is called with the same arguments later, or the same when one argument is another;
//   - gives another result for a matrix that is a view of a larger one.
//
// It is a subtest of its own: what has failed before hides nothing, and a stub is a stub.
func Independent(t *testing.T, call string, f any, args, others Args, opts ...Option) {
	t.Helper()
	name, _, _ := strings.Cut(call, "(")
	failed := t.Failed()
	t.Run("calls of "+name, func(t *testing.T) {
		t.Helper()
		defer Rescue(t)
		c := newCalls(call, f, settle(opts))
		c.wrongAlready = failed
		c.hold(t, args, others)
	})
}

// InPlace names arguments that a function is to change, as they stand in the text of [Independent]'s call: they are among its results.
func InPlace(names ...string) Option { return func(s *settings) { s.inPlace = names } }

// AnyAnswer says of a function that several results are right, and that it may give another one every time: [Independent] then
// compares no results, but still looks at memory and arguments.
func AnyAnswer() Option { return func(s *settings) { s.anyAnswer = true } }

// Opaque says that values of type T are handed on and shared by what f does: [Independent] takes them as they are.
func Opaque[T any]() Option {
	return func(s *settings) { s.opaque = append(s.opaque, reflect.TypeFor[T]()) }
}

// calls makes calls of one function and looks at what they leave behind.
type calls struct {
	*settings
	call         string
	names        []string // of the arguments
	f            reflect.Value
	random       bool // one of them is a Seed
	wrongAlready bool // the step has failed before: whether results depend on arguments says nothing then
}

func newCalls(call string, f any, s *settings) *calls {
	c := &calls{settings: s, call: call, f: reflect.ValueOf(f)}
	name, rest, _ := strings.Cut(call, "(")
	if receiver, _, method := strings.Cut(name, "."); method {
		c.names = append(c.names, receiver)
	}
	if list := strings.TrimSuffix(rest, ")"); list != "" {
		c.names = append(c.names, strings.Split(list, ", ")...)
	}
	for _, n := range s.inPlace {
		if !slices.Contains(c.names, n) {
			panic(fmt.Sprintf("check: %s has no argument %q", call, n))
		}
	}
	return c
}

// made is one call that was made.
type made struct {
	args    []reflect.Value // as they were handed out, and are now
	before  []any           // copies of them, made before the call
	results []result
	behind  []behind // what lies behind the ends of the slices among the arguments
	around  []around // what lies around the matrices
}

// result is what a call returned, or an argument that it changed in place, with a copy of what it was right after the call.
type result struct {
	name string
	now  reflect.Value
	then any
}

// behind is a slice that was made with room behind its end.
type behind struct {
	arg   int
	slice reflect.Value
}

// around is a view of a matrix within a larger one.
type around struct {
	arg  int
	view *mat.Dense
}

// hold makes the calls, and reports the first failure: what comes later would repeat it.
func (c *calls) hold(t testing.TB, args, others Args) {
	t.Helper()
	var first, second, again *made
	for _, look := range []func() *Failure{
		func() *Failure { first = c.make(args, false); return c.changed(first) },
		func() *Failure { return c.shared(first) },
		func() *Failure { second = c.make(others, false); return c.changed(second) },
		func() *Failure { return c.overwritten(first, second) },
		func() *Failure { again = c.make(args, false); return c.remembered(first, again) },
		func() *Failure { return c.overwritten(again, c.make(args, false)) },
		func() *Failure { return c.ignored(first, second, args, others) },
		func() *Failure { return c.viewed(first, args) },
	} {
		if f := look(); f != nil {
			f.report(t)
			return
		}
	}
}

// make calls f with copies of args; with views where matrices are to be views.
func (c *calls) make(args Args, views bool) *made {
	in := c.f.Type().NumIn()
	if n := len(args); n != len(c.names) || n != in && (!c.f.Type().IsVariadic() || n < in-1) {
		panic(fmt.Sprintf("check: %s names %d arguments, f takes %d, got %d", c.call, len(c.names), in, n))
	}
	m := &made{}
	var handed []reflect.Value
	for i, arg := range args {
		cp := c.copier()
		cp.room = func(s reflect.Value) {
			for j := s.Len(); j < s.Cap(); j++ {
				mark(s.Slice(0, s.Cap()).Index(j))
			}
			m.behind = append(m.behind, behind{i, s})
		}
		if views {
			cp.matrix = func(d *mat.Dense) *mat.Dense {
				view := viewOf(d, math.NaN(), 2+len(m.around)) // no two strides are alike
				m.around = append(m.around, around{i, view})
				return view
			}
		}
		v := c.argument(i, arg)
		if kind := v.Kind(); kind == reflect.Func || v.Type() == reflect.TypeFor[*rand.Rand]() {
			handed = append(handed, v)
			m.args, m.before = append(m.args, reflect.ValueOf(0)), append(m.before, 0)
			continue
		}
		v = cp.deep(v)
		handed, m.args = append(handed, v), append(m.args, v)
		m.before = append(m.before, c.copyOf(v))
	}
	for i, r := range c.f.Call(handed) {
		name := "the result"
		if c.f.Type().NumOut() > 1 {
			name = []string{"the first result", "the second result", "the third result", "the fourth result"}[i]
		}
		m.results = append(m.results, result{name, r, c.copyOf(r)})
	}
	for i, name := range c.names {
		if slices.Contains(c.inPlace, name) {
			m.results = append(m.results, result{name, m.args[i], c.copyOf(m.args[i])})
		}
	}
	return m
}

// argument is an argument as f takes it.
func (c *calls) argument(i int, arg any) reflect.Value {
	t := c.f.Type()
	var want reflect.Type
	if n := t.NumIn(); t.IsVariadic() && i >= n-1 {
		want = t.In(n - 1).Elem()
	} else {
		want = t.In(i)
	}
	if seed, ok := arg.(Seed); ok {
		c.random = true
		return reflect.ValueOf(rand.New(rand.NewPCG(uint64(seed), 1)))
	}
	if arg == nil {
		return reflect.Zero(want)
	}
	v := reflect.ValueOf(arg)
	if v.CanInt() && want.Kind() == reflect.Float64 {
		return v.Convert(want)
	}
	return v
}

func (c *calls) copier() copier {
	return copier{opaque: func(t reflect.Type) bool {
		return slices.Contains(c.opaque, t) || t.Kind() == reflect.Interface || t.Kind() == reflect.Func
	}}
}

func (c *calls) compare(got, want any, tol Tol) []difference {
	return comparison{tol: tol, opaque: c.opaque, errors: true}.of(got, want)
}

func (c *calls) copyOf(v reflect.Value) any { return valueOf(c.copier().deep(v)) }

// fail is a failure with its name.
func (c *calls) fail(diagnosis, text string, args ...any) *Failure {
	return &Failure{Text: c.call + " " + fmt.Sprintf(text, args...), Diagnosis: diagnosis}
}

// changed looks at the arguments after the call.
func (c *calls) changed(m *made) *Failure {
	for i, name := range c.names {
		if diffs := c.compare(valueOf(m.args[i]), m.before[i], Exact); len(diffs) > 0 && !slices.Contains(c.inPlace, name) {
			return c.fail(fmt.Sprintf("you wrote into %s: work on a copy", name), "changed its argument %s: it was %s, now it is %s",
				name, render(m.before[i]), render(valueOf(m.args[i])))
		}
	}
	for _, b := range m.behind {
		whole := b.slice.Slice(0, b.slice.Cap())
		for j := b.slice.Len(); j < whole.Len(); j++ {
			want := reflect.New(whole.Type().Elem()).Elem()
			mark(want)
			if len(c.compare(whole.Index(j).Interface(), want.Interface(), Exact)) > 0 {
				name := c.names[b.arg]
				return c.fail(fmt.Sprintf("you appended to %s itself: append to a copy", name), "wrote into the memory behind the end of its argument %s, which is the caller's", name)
			}
		}
	}
	for _, a := range m.around {
		if !untouched(a.view) {
			name := c.names[a.arg]
			return c.fail(ignoresStride, "wrote around its argument %s, which is a view of a larger matrix", name)
		}
	}
	return nil
}

// untouched says whether all that lies between the rows of a view, and right of them, is still NaN.
func untouched(view *mat.Dense) bool {
	raw := view.RawMatrix()
	for i, v := range raw.Data {
		if i%raw.Stride >= raw.Cols && !math.IsNaN(v) {
			return false
		}
	}
	return true
}

const ignoresStride = "you read or wrote RawMatrix().Data as if rows had no stride: element (i, j) is Data[i*Stride+j]; At, Set and gonum's functions see to it"

// shared looks for memory that results share with arguments and with each other.
func (c *calls) shared(m *made) *Failure {
	for i, r := range m.results {
		for j, name := range c.names {
			if name != r.name && overlap(c.memory(r.now), c.memory(m.args[j])) {
				says := fmt.Sprintf("you returned %s, or a part of it, and not a copy", name)
				if slices.Contains(c.inPlace, r.name) {
					says = fmt.Sprintf("you kept %s, or a part of it, in %s, and not a copy", name, r.name)
				}
				return c.fail(says, "shares memory between %s and its argument %s: who writes into one changes the other", r.name, name)
			}
		}
		for _, other := range m.results[:i] {
			if overlap(c.memory(r.now), c.memory(other.now)) {
				return c.fail(returnedTwice, "shares memory between %s and %s: who writes into one changes the other", other.name, r.name)
			}
		}
		spans := c.memory(r.now)
		for j := range spans {
			if overlap(spans[j:j+1], spans[:j]) {
				return c.fail(returnedTwice, "shares memory between two parts of %s: who writes into one changes the other", r.name)
			}
		}
	}
	return nil
}

const returnedTwice = "you returned the same slice or matrix twice: make one for each"

// outlives is the name of memory that one call leaves to the next, in a result.
func (c *calls) outlives(result string) string {
	if slices.Contains(c.inPlace, result) {
		return fmt.Sprintf("you put memory into %s that outlives the call (a package variable, a cache, what another value holds): make it anew in every call", result)
	}
	return packageMemory
}

const packageMemory = "you return memory that outlives the call (a package variable, a cache): make it anew in every call"

// overwritten looks at the results of a call after another one.
func (c *calls) overwritten(first, second *made) *Failure {
	for _, r := range first.results {
		if len(c.compare(valueOf(r.now), r.then, Exact)) > 0 {
			return c.fail(c.outlives(r.name), "gave a result that the next call overwrote: %s was %s and is %s now", r.name, render(r.then), render(valueOf(r.now)))
		}
		for _, s := range second.results {
			if overlap(c.memory(r.now), c.memory(s.now)) {
				return c.fail(c.outlives(r.name), "returned the same memory twice: who writes into the one result changes the other")
			}
		}
	}
	return nil
}

// sameResult is how exactly two calls with the same arguments agree: sums may be taken in another order.
var sameResult = Tol{Rel: 1e-9, Abs: 1e-9}

// remembered looks at a later call with the same arguments.
func (c *calls) remembered(first, again *made) *Failure {
	for i, r := range first.results {
		a := again.results[i]
		kept := "you keep something from one call for the next (a package variable, a cache, a sum that goes on)"
		if c.random {
			kept = "you drew from another source than rng, or kept something from an earlier call"
		}
		if diffs := c.compare(a.then, r.then, sameResult); len(diffs) > 0 && !c.anyAnswer {
			return c.fail(kept, "gave another result when it was called again with the same arguments: %s",
				place(r.name, diffs[0], sameResult))
		}
		if overlap(c.memory(r.now), c.memory(a.now)) {
			return c.fail(c.outlives(r.name), "returned the same memory twice: who writes into the one result changes the other")
		}
	}
	return nil
}

// ignored looks at calls in which one argument is another.
func (c *calls) ignored(first, second *made, args, others Args) *Failure {
	if c.anyAnswer || c.wrongAlready {
		return nil
	}
	var vary []int
	for i := range args {
		if !c.sameArgument(args[i], others[i]) {
			vary = append(vary, i)
		}
	}
	for _, i := range vary {
		m := second
		if len(vary) > 1 {
			changed := slices.Clone(args)
			changed[i] = others[i]
			m = c.make(changed, false)
		}
		if c.sameResults(m, first, i) {
			name := c.names[i]
			if err := failure(first); err != nil {
				return c.fail("", "returned an error: %v", err)
			}
			return c.fail(fmt.Sprintf("you keep %s, or what you made of it, from an earlier call; or you do not use it", name),
				"gave the same result for two different %s of one shape", name)
		}
	}
	return nil
}

// failure is the error that a call returned.
func failure(m *made) error {
	for _, r := range m.results {
		if err, ok := r.now.Interface().(error); ok {
			return err
		}
	}
	return nil
}

func (c *calls) sameArgument(a, b any) bool {
	if f, g := reflect.ValueOf(a), reflect.ValueOf(b); f.IsValid() && f.Kind() == reflect.Func {
		return f.Pointer() == g.Pointer()
	}
	return len(c.compare(a, b, Exact)) == 0
}

// sameResults says whether two calls that differ in one argument agree in their results; that argument, changed in place, counts only where it is the only one.
func (c *calls) sameResults(a, b *made, varied int) bool {
	for i, r := range a.results {
		if r.name == c.names[varied] && len(a.results) > 1 {
			continue
		}
		if len(c.compare(r.then, b.results[i].then, sameResult)) > 0 {
			return false
		}
	}
	return true
}

// viewed looks at a call in which every matrix is a view of a larger one.
func (c *calls) viewed(first *made, args Args) *Failure {
	if !slices.ContainsFunc(first.args, func(v reflect.Value) bool { return c.holdsMatrix(v) }) {
		return nil
	}
	var m *made
	if r := recovered(func() { m = c.make(args, true) }); r != nil {
		return c.fail(ignoresStride, "panicked when its matrices were views of larger ones: %v", r)
	}
	if f := c.changed(m); f != nil {
		return f
	}
	for i, r := range first.results {
		if diffs := c.compare(m.results[i].then, r.then, sameResult); len(diffs) > 0 && !c.anyAnswer {
			return c.fail(ignoresStride, "gave another result when its matrices were views of larger ones: %s", place(r.name, diffs[0], sameResult))
		}
	}
	return nil
}

func (c *calls) holdsMatrix(v reflect.Value) (found bool) {
	cp := c.copier()
	cp.matrix = func(m *mat.Dense) *mat.Dense { found = true; return m }
	cp.deep(v)
	return found
}

// span is a piece of memory, [from, to).
type span struct{ from, to uintptr }

func overlap(a, b []span) bool {
	for _, x := range a {
		for _, y := range b {
			if x.from < y.to && y.from < x.to {
				return true
			}
		}
	}
	return false
}

// memory returns what can be written to through v: the elements of slices and matrices, what pointers refer to, maps; twice what two parts of
// v refer to. Unexported fields are their owner's affair.
func (c *calls) memory(v reflect.Value) []span {
	var all []span
	met := map[reference]bool{}
	var walk func(reflect.Value)
	piece := func(at, n, size uintptr) {
		if n*size > 0 {
			all = append(all, span{at, at + n*size})
		}
	}
	walk = func(v reflect.Value) {
		if !v.IsValid() || slices.Contains(c.opaque, v.Type()) || v.Type() == reflect.TypeFor[error]() {
			return // an error may be the package's one, and nobody writes into it
		}
		if m, ok := v.Interface().(*mat.Dense); ok {
			if m == nil || m.IsEmpty() {
				return
			}
			raw := m.RawMatrix()
			for i := range raw.Rows {
				row := reflect.ValueOf(raw.Data[i*raw.Stride : i*raw.Stride+raw.Cols])
				piece(row.Pointer(), uintptr(row.Len()), row.Type().Elem().Size())
			}
			return
		}
		again := false
		switch v.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Slice:
			if v.IsNil() {
				return
			}
			again = met[referenceOf(v)]
			met[referenceOf(v)] = true
		}
		switch v.Kind() {
		case reflect.Pointer:
			piece(v.Pointer(), 1, v.Type().Elem().Size())
			if !again {
				walk(v.Elem())
			}
		case reflect.Interface:
			walk(v.Elem())
		case reflect.Slice:
			piece(v.Pointer(), uintptr(v.Len()), v.Type().Elem().Size())
			for i := range v.Len() {
				if !again {
					walk(v.Index(i))
				}
			}
		case reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			piece(v.Pointer(), 1, 1)
			for it := v.MapRange(); !again && it.Next(); {
				walk(it.Value())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		}
	}
	walk(v)
	return all
}
