package check

import (
	"fmt"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Equal checks got against want and says whether they agree. call names what was called, and which result it is:
// "Train(x)", "Stats(x) variance". Numbers (float64, slices of it, *mat.Dense, tensors) agree within tol, element by element; everything
// else agrees as go-cmp has it, on exported fields, nil being the same as empty. With a bool, call is the condition: "the order is shuffled".
func Equal(t testing.TB, call string, got, want any, tol Tol, opts ...Option) bool {
	t.Helper()
	s := settle(opts)
	s.mustBeTold(t, want, tol)
	ok := true
	if diffs := compare(got, want, tol); len(diffs) > 0 {
		ok = false
		s.failure(call, got, want, tol, diffs).report(t)
	}
	for _, g := range s.given {
		if g.kept && len(compare(g.passed, g.original, Exact)) > 0 {
			ok = false
			t.Errorf("%s changed its input %s: work on a copy", call, g.name)
		}
	}
	return ok
}

// mustBeTold fails t where a mistake's value is too near to want or to another's.
func (s *settings) mustBeTold(t testing.TB, want any, tol Tol) {
	t.Helper()
	wide := tol.times(100)
	for i, m := range s.mistakes {
		if len(compare(m.value, want, wide)) == 0 {
			t.Errorf("check: the mistake %q cannot be told from the right answer here", m.says)
		}
		for _, other := range s.mistakes[:i] {
			if m.says != other.says && len(compare(m.value, other.value, wide)) == 0 {
				t.Errorf("check: the mistakes %q and %q cannot be told apart here", m.says, other.says)
			}
		}
	}
}

// difference is one place where got and want disagree: numbers as blocks, anything else as values.
type difference struct {
	path      string
	got, want any
}

// compare lists the differences between got and want, each array of numbers being one.
func compare(got, want any, tol Tol) []difference {
	g, gok := blockOf(got)
	w, wok := blockOf(want)
	if gok && wok {
		if g.agree(w, tol) {
			return nil
		}
		return []difference{{"", got, want}}
	}
	if reflect.TypeOf(got) != reflect.TypeOf(want) {
		return []difference{{"", got, want}}
	}
	var c collector
	cmp.Equal(want, got, append(numbers(tol), cmp.Reporter(&c))...)
	return c.diffs
}

// numbers makes go-cmp compare arrays of numbers as blocks, and the rest by exported fields.
func numbers(tol Tol) []cmp.Option {
	return []cmp.Option{
		byBlock[float64](tol), byBlock[[]float64](tol), byBlock[*mat.Dense](tol), byBlock[tensor.CHW](tol), byBlock[tensor.OIHW](tol),
		cmp.FilterPath(func(p cmp.Path) bool {
			field, ok := p.Last().(cmp.StructField)
			return ok && !token.IsExported(field.Name())
		}, cmp.Ignore()),
		cmp.FilterValues(func(a, b any) bool {
			_, x := blockOf(a)
			_, y := blockOf(b)
			return !x && !y
		}, cmpopts.EquateEmpty()),
	}
}

func byBlock[T any](tol Tol) cmp.Option {
	return cmp.Comparer(func(a, b T) bool {
		x, _ := blockOf(a)
		y, _ := blockOf(b)
		return x.agree(y, tol)
	})
}

// collector is a cmp.Reporter that keeps every leaf that differs.
type collector struct {
	path  cmp.Path
	diffs []difference
}

func (c *collector) PushStep(ps cmp.PathStep) { c.path = append(c.path, ps) }
func (c *collector) PopStep()                 { c.path = c.path[:len(c.path)-1] }
func (c *collector) Report(r cmp.Result) {
	if r.Equal() {
		return
	}
	d := difference{path: pathText(c.path)}
	want, got := c.path.Last().Values()
	if want.IsValid() && want.CanInterface() {
		d.want = want.Interface()
	}
	if got.IsValid() && got.CanInterface() {
		d.got = got.Interface()
	}
	c.diffs = append(c.diffs, d)
}

func pathText(p cmp.Path) string {
	var s strings.Builder
	for _, step := range p {
		switch step := step.(type) {
		case cmp.StructField:
			s.WriteString("." + step.Name())
		case cmp.SliceIndex:
			i, j := step.SplitKeys()
			fmt.Fprintf(&s, "[%d]", max(i, j))
		case cmp.MapIndex:
			fmt.Fprintf(&s, "[%v]", step.Key())
		}
	}
	return s.String()
}

// failure is what is said of a comparison that failed.
func (s *settings) failure(call string, got, want any, tol Tol, diffs []difference) Failure {
	f := Failure{Text: s.headline(call, got, want, tol, diffs), Why: s.why, Diagnosis: s.diagnose(got, tol, diffs)}
	for _, g := range s.given {
		f.With = append(f.With, g.name+" = "+render(g.original))
	}
	return f
}

func (s *settings) headline(call string, got, want any, tol Tol, diffs []difference) string {
	if d := diffs[0]; len(diffs) == 1 || d.path != "" {
		g, gok := blockOf(d.got)
		w, wok := blockOf(d.want)
		if gok && wok {
			line := numbersLine(call+d.path, g, w, tol)
			if len(diffs) > 1 {
				line += fmt.Sprintf("; %d places differ", len(diffs))
			}
			return line
		}
	}
	if got, ok := got.(bool); ok && want == !got {
		return fmt.Sprintf("%s: %s, want %s", call, yesNo[got], yesNo[!got])
	}
	g, w := render(got), render(want)
	if reflect.TypeOf(got) != reflect.TypeOf(want) {
		return fmt.Sprintf("%s = %s (%T), want %s (%T)", call, g, got, w, want)
	}
	if len(g)+len(w) <= 120 {
		return fmt.Sprintf("%s = %s, want %s", call, g, w)
	}
	return fmt.Sprintf("%s mismatch (-want +got):\n%s", call, strings.TrimSpace(cmp.Diff(want, got, numbers(tol)...)))
}

var yesNo = map[bool]string{true: "yes", false: "no"}

func numbersLine(call string, got, want block, tol Tol) string {
	switch {
	case len(got.shape) != len(want.shape) || len(want.shape) > 1 && !got.sameShape(want):
		return fmt.Sprintf("%s has shape %s, want %s", call, got.dims(), want.dims())
	case len(got.data) != len(want.data) && len(want.shape) == 1:
		return fmt.Sprintf("%s has %d values, want %d: got %s, want %s", call, len(got.data), len(want.data), got.show(), want.show())
	case !got.whole():
		return fmt.Sprintf("%s has shape %s but %d values", call, got.dims(), len(got.data))
	}
	for i := range want.data {
		if tol.agree(got.data[i], want.data[i]) {
			continue
		}
		g, w := pair(got.data[i], want.data[i])
		line := fmt.Sprintf("%s%s = %s, want %s (%v)", call, want.index(i), g, w, tol)
		if len(want.data) > 1 {
			line += fmt.Sprintf("; %d of %d values differ", got.differing(want, tol), len(want.data))
		}
		return line
	}
	panic("check: numbersLine of equal blocks")
}

func render(v any) string {
	if b, ok := blockOf(v); ok {
		return b.show()
	}
	text := ""
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		text = fmt.Sprintf("%q", v)
	default:
		text = fmt.Sprintf("%v", v)
	}
	if r := []rune(text); len(r) > 400 {
		return string(r[:400]) + "…"
	}
	return text
}
