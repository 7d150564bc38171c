package check

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// flatterer is a type as a learner may write it: its methods say what its author would like.
type flatterer struct {
	Gamma  []float64
	Next   *flatterer
	hidden int
}

func (flatterer) Equal(flatterer) bool       { return true }
func (flatterer) Compare(flatterer) int      { return 0 }
func (flatterer) String() string             { return "what you want" }
func (flatterer) GoString() string           { return "what you want" }
func (flatterer) Error() string              { return "what you want" }
func (flatterer) Format(s fmt.State, _ rune) { fmt.Fprint(s, "what you want") }

// level is a number, and angry a pointer, with such methods.
type level int

func (level) Equal(level) bool  { return true }
func (level) String() string    { return "what you want" }
func (l level) Compare(any) int { return 0 }

type angry struct{ N int }

func (*angry) Equal(*angry) bool { panic("Equal was called") }
func (*angry) String() string    { panic("String was called") }
func (*angry) Error() string     { panic("Error was called") }

// The values under test have no say in the verdict, nor in what is shown of them.
func TestMethodsHaveNoSay(t *testing.T) {
	a, b := flatterer{Gamma: []float64{1, 2}}, flatterer{Gamma: []float64{1, 3}}
	for name, c := range map[string]struct {
		got, want any
		says      string
	}{
		"a struct":           {a, b, "F().Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"a pointer":          {&a, &b, "F().Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"in a slice":         {[]flatterer{a, a}, []flatterer{a, b}, "F()[1].Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"in a map":           {map[string]flatterer{"x": a}, map[string]flatterer{"x": b}, "F()[x].Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"in a field":         {flatterer{Next: &a}, flatterer{Next: &b}, "F().Next.Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"in an interface":    {[]any{a}, []any{b}, "F()[0].Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"missing":            {flatterer{}, flatterer{Next: &a}, "F() = {[] <nil> 0}, want {[] &{[1 2] <nil> 0} 0}"},
		"a number":           {level(1), level(2), "F() = 1, want 2"},
		"a key":              {map[level]int{1: 1}, map[level]int{2: 1}, "F() = map[1:1], want map[2:1]"},
		"a pointer's method": {&angry{1}, &angry{2}, "F() = &{1}, want &{2}"},
		"a nil pointer":      {(*angry)(nil), &angry{2}, "F() = <nil>, want &{2}"},
		"an error":           {error(a), error(b), "F().Gamma[1] = 2, want 3 (exactly); 1 of 2 values differ"},
		"nothing":            {nil, a, "F() = nothing (<nil>), want {[1 2] <nil> 0} (check.flatterer)"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.says, said(t, func(t testing.TB) { Equal(t, "F()", c.got, c.want, Exact) }))
		})
	}
	require.Equal(t, "F() = 1, want 2 (exactly)\nwith a = {[1 2] <nil> 0}", said(t, func(t testing.TB) { Equal(t, "F()", 1.0, 2.0, Exact, With("a", a)) }))
	require.NotEmpty(t, said(t, func(t testing.TB) { Equal(t, "F()", 1.0, 1.0, Exact, Kept("a", a, b)) }))
}

func TestComparisonOfOddValues(t *testing.T) {
	nan, zero := math.NaN(), 0.0
	cycle := func(n float64) *flatterer {
		f := &flatterer{Gamma: []float64{n}}
		f.Next = f
		return f
	}
	loop := func(last any) []any {
		s := []any{1, nil, last}
		s[1] = s
		return s
	}
	f := func() {}
	for name, c := range map[string]struct {
		a, b any
		same bool
	}{
		"nil pointers":               {(*angry)(nil), (*angry)(nil), true},
		"nil and a pointer":          {(*angry)(nil), &angry{}, false},
		"nil of two types":           {(*angry)(nil), (*flatterer)(nil), false},
		"nothing":                    {nil, nil, true},
		"nothing and nil":            {nil, (*angry)(nil), false},
		"an unexported field":        {flatterer{hidden: 1}, flatterer{hidden: 2}, true},
		"a NaN key":                  {map[float64]int{nan: 1}, map[float64]int{nan: 1}, true},
		"a NaN key more":             {map[float64]int{nan: 1, 2: 1}, map[float64]int{2: 1}, false},
		"a NaN key for another":      {map[float64]int{nan: 1, 2: 1}, map[float64]int{1: 1, 2: 1}, false},
		"an empty and a nil map":     {map[string]int{}, map[string]int(nil), true},
		"a key more":                 {map[string]int{"a": 0, "b": 0}, map[string]int{"a": 0}, false},
		"a key less":                 {map[string]int{"a": 0}, map[string]int{"a": 0, "b": 0}, false},
		"cycles":                     {cycle(1), cycle(1), true},
		"cycles that differ":         {cycle(1), cycle(2), false},
		"cycles of slices":           {loop(1), loop(1), true},
		"slices' cycles that differ": {loop(1), loop(2), false},
		"+0 and −0":                  {[]float64{zero}, []float64{math.Copysign(0, -1)}, true},
		"NaN in a field":             {struct{ V float64 }{nan}, struct{ V float64 }{nan}, true},
		"a float32":                  {float32(1), float32(2), false},
		"functions":                  {f, f, false},
		"no functions":               {(func())(nil), (func())(nil), true},
		"arrays":                     {[2]int{1, 2}, [2]int{1, 3}, false},
		"errors of two types":        {errors.New("a"), fmt.Errorf("a %w", errors.New("b")), false},
		"errors of one text":         {errors.New("a"), errors.New("a"), false},
		"unexported fields only":     {struct{ n int }{1}, struct{ n int }{1}, false},
		"ragged rows":                {[][]float64{{1}, {1, 2}}, [][]float64{{1}, {1, 3}}, false},
		"ints of two kinds":          {int8(1), int16(1), false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.same, len(compare(c.a, c.b, Exact)) == 0)
			require.Equal(t, c.same, len(compare(c.b, c.a, Exact)) == 0)
			require.NotPanics(t, func() { _ = render(c.a) })
		})
	}
	require.LessOrEqual(t, len([]rune(render(cycle(1)))), longestShown+1)
	require.LessOrEqual(t, len([]rune(render(make([]string, 1<<20)))), longestShown+1)
	require.Equal(t, "map[1:a 2:b 10:c]", render(map[int]string{10: "c", 2: "b", 1: "a"}))
	require.Equal(t, "{2×2 [1 2; 3 4]}", render(struct{ W *mat.Dense }{mat.NewDense(2, 2, []float64{1, 2, 3, 4})}))
}
