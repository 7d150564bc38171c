package check

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// Equal checks got against want and says whether they agree. call names what was called, and which result it is:
// "Train(x)", "Stats(x) variance". Numbers (float64, slices of it, *mat.Dense, tensors) agree within tol, element by element; everything
// else agrees if its exported fields and its elements do, nil being the same as empty. No method of the values is called, neither to compare
// nor to show them. With a bool, call is the condition: "the order is shuffled".
func Equal(t testing.TB, call string, got, want any, tol Tol, opts ...Option) bool {
	t.Helper()
	s := settle(opts)
	test, _, _ := strings.Cut(t.Name(), "/")
	function, _, _ := strings.Cut(call, "(")
	s.at = test + " " + function
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
	return places(call, diffs, tol)
}

// places lists the first places that differ, a line each.
func places(call string, diffs []difference, tol Tol) string {
	const most = 5
	var lines []string
	for _, d := range diffs[:min(len(diffs), most)] {
		lines = append(lines, place(call+d.path, d, tol))
	}
	if len(diffs) > most {
		lines = append(lines, fmt.Sprintf("… %d places differ", len(diffs)))
	}
	return strings.Join(lines, "\n")
}

// place is a line on one difference. Of two slices whose lengths differ it shows the first elements that do.
func place(name string, d difference, tol Tol) string {
	const longest = 100
	g, w := reflect.ValueOf(d.got), reflect.ValueOf(d.want)
	if !g.IsValid() || !w.IsValid() || g.Kind() != reflect.Slice || g.Type() != w.Type() || g.Len() == w.Len() {
		return fmt.Sprintf("%s = %s, want %s", name, cut(render(d.got), longest), cut(render(d.want), longest))
	}
	line := fmt.Sprintf("%s has %d elements, want %d", name, g.Len(), w.Len())
	both := min(g.Len(), w.Len())
	if inner := compare(g.Slice(0, both).Interface(), w.Slice(0, both).Interface(), tol); len(inner) > 0 {
		line += "; " + place(inner[0].path, inner[0], tol)
	}
	return line
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
