package check

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// recorder stands in for the *testing.T of a kata's test and keeps what was reported to it.
type recorder struct {
	testing.TB
	out    strings.Builder
	failed bool
	attrs  map[string]string
}

func (r *recorder) Helper()                   {}
func (r *recorder) Error(args ...any)         { r.failed = true; fmt.Fprintln(&r.out, args...) }
func (r *recorder) Errorf(f string, a ...any) { r.failed = true; fmt.Fprintf(&r.out, f+"\n", a...) }
func (r *recorder) Fail()                     { r.failed = true }
func (r *recorder) Failed() bool              { return r.failed }
func (r *recorder) Attr(key, value string) {
	if r.attrs == nil {
		r.attrs = map[string]string{}
	}
	r.attrs[key] = value
}
func (r *recorder) Output() io.Writer { return &r.out }

// said runs f with a recorder and returns what it reported; the empty string if it did not fail.
func said(t *testing.T, f func(t testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	f(r)
	require.Equal(t, r.failed, r.out.Len() > 0, "a failure and a message go together")
	return strings.TrimSpace(r.out.String())
}

var m23 = mat.NewDense(2, 3, []float64{1, 2, 3, 5, 7, 11})

type pairOf struct {
	Name    string
	Weights *mat.Dense
	Sizes   []int
	private int
}

func TestEqualAgrees(t *testing.T) {
	for name, c := range map[string]struct {
		got, want any
		tol       Tol
	}{
		"within the relative tolerance":           {1 + 5e-10, 1.0, Rel(1e-9)},
		"within the absolute tolerance":           {1e-16, 0.0, Abs(1e-15)},
		"NaN is NaN":                              {math.NaN(), math.NaN(), Exact},
		"an infinity is itself":                   {math.Inf(1), math.Inf(1), Rel(1e-9)},
		"nil is empty":                            {[]float64(nil), []float64{}, Exact},
		"nil is empty for ints":                   {[]int(nil), []int{}, Exact},
		"nil is empty in a slice of slices":       {[][]int{nil, {1}}, [][]int{{}, {1}}, Exact},
		"matrices":                                {mat.DenseCopyOf(m23), m23, Exact},
		"a view of a matrix":                      {m23.Slice(0, 2, 1, 3).(*mat.Dense), mat.NewDense(2, 2, []float64{2, 3, 7, 11}), Exact},
		"tensors":                                 {tensor.NewCHW(1, 1, 2, []float64{1, 2}), tensor.NewCHW(1, 1, 2, []float64{1, 2 + 1e-12}), Rel(1e-9)},
		"structs, but for their unexported field": {pairOf{"a", m23, nil, 1}, pairOf{"a", mat.DenseCopyOf(m23), []int{}, 2}, Exact},
		"pointers to structs":                     {&pairOf{Name: "a"}, &pairOf{Name: "a"}, Exact},
		"slices of matrices":                      {[]*mat.Dense{m23}, []*mat.Dense{mat.DenseCopyOf(m23)}, Exact},
	} {
		t.Run(name, func(t *testing.T) {
			require.Empty(t, said(t, func(t testing.TB) { Equal(t, "F()", c.got, c.want, c.tol) }))
		})
	}
}

func TestEqualSays(t *testing.T) {
	for name, c := range map[string]struct {
		got, want any
		tol       Tol
		opts      []Option
		says      string
	}{
		"a scalar":                           {1.5, 1.25, Rel(1e-9), nil, "F() = 1.5, want 1.25 (rel 1e-09)"},
		"enough digits to tell":              {1.0000001, 1.0, Rel(1e-9), nil, "F() = 1.0000001, want 1 (rel 1e-09)"},
		"why and arguments":                  {2.0, 1.0, Exact, []Option{Why("it is one"), With("x", []float64{1, 2})}, "F() = 2, want 1 (exactly)\nwhy: it is one\nwith x = [1 2]"},
		"the first of a matrix that differs": {mat.NewDense(2, 3, []float64{1, 2, 3, 5, 8, 12}), m23, Rel(1e-9), nil, "F()[1][1] = 8, want 7 (rel 1e-09); 2 of 6 values differ"},
		"a shape":                            {mat.NewDense(3, 2, nil), m23, Exact, nil, "F() has shape 3×2, want 2×3"},
		"a nil matrix":                       {(*mat.Dense)(nil), m23, Exact, nil, "F() has shape 0×0, want 2×3"},
		"a length":                           {[]float64{1, 2}, []float64{1, 2, 3}, Exact, nil, "F() has 2 values, want 3: got [1 2], want [1 2 3]"},
		"a tensor that lies":                 {tensor.CHW{C: 1, H: 1, W: 2}, tensor.NewCHW(1, 1, 2, nil), Exact, nil, "F() has shape 1×1×2 but 0 values"},
		"ints":                               {[]int{1, 2}, []int{2, 1}, Exact, nil, "F() = [1 2], want [2 1]"},
		"a field":                            {pairOf{Name: "a", Weights: mat.NewDense(2, 3, []float64{1, 2, 3, 5, 7, 12})}, pairOf{Name: "a", Weights: m23}, Exact, nil, "F().Weights[1][2] = 12, want 11 (exactly); 1 of 6 values differ"},
		"a condition":                        {false, true, Exact, []Option{Mistake(false, "you sorted it")}, "F(): no, want yes\nyour mistake may be: you sorted it"},
		"another type":                       {1, 1.0, Exact, nil, "F() = 1 (int), want 1 (float64)"},
		"NaN among numbers":                  {[]float64{1, math.NaN()}, []float64{1, 2}, Exact, nil, "F()[1] = NaN, want 2 (exactly); 1 of 2 values differ\nyour mistake may be: 1 of 2 values are NaN: look for 0/0, 0·∞, ∞−∞, ∞/∞, the root or logarithm of a negative number, or a NaN that an argument holds"},
		"a mistake":                          {3.0, 1.0, Exact, []Option{Mistake(2.0, "you counted two"), Mistake(3.0, "you counted three")}, "F() = 3, want 1 (exactly)\nyour mistake may be: you counted three"},
		"a mistake in ints":                  {[]int{3}, []int{1}, Exact, []Option{Mistake([]int{3}, "you counted three")}, "F() = [3], want [1]\nyour mistake may be: you counted three"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.says, said(t, func(t testing.TB) { Equal(t, "F()", c.got, c.want, c.tol, c.opts...) }))
		})
	}
}

func TestEqualShowsLongDifferences(t *testing.T) {
	got, want := make([]int, 60), make([]int, 60)
	want[30] = 7
	require.Equal(t, "F()[30] = 0, want 7", said(t, func(t testing.TB) { Equal(t, "F()", got, want, Exact) }))
	for i := range want {
		want[i] = 1
	}
	require.Equal(t, "F()[0] = 0, want 1\nF()[1] = 0, want 1\nF()[2] = 0, want 1\nF()[3] = 0, want 1\nF()[4] = 0, want 1\n… 60 places differ",
		said(t, func(t testing.TB) { Equal(t, "F()", got, want, Exact) }))
	require.Contains(t, said(t, func(t testing.TB) { Equal(t, "F()", got, want[:59], Exact) }), "F() has 60 elements, want 59; [0] = 0, want 1")
}

// One side an array of rows of one length and the other none: go-cmp panics, now and then, on an option that takes the two for different.
func TestEqualOnRowsOfOneSide(t *testing.T) {
	want := [][]float64{{1, 2}, {3, 4}}
	for name, got := range map[string][][]float64{"nil": nil, "empty": {}, "ragged": {{1}, {3, 4}}} {
		for range 100 {
			require.NotPanics(t, func() {
				require.Contains(t, said(t, func(r testing.TB) { Equal(r, "Split(x)", got, want, Exact) }), "Split(x)", name)
			}, name)
		}
	}
}

func TestKept(t *testing.T) {
	x := []float64{1, 2, 3}
	passed := Copy(x)
	passed[1] = 9
	require.Equal(t, "F(x) changed its input x: work on a copy",
		said(t, func(t testing.TB) { Equal(t, "F(x)", 1.0, 1.0, Exact, Kept("x", passed, x)) }))
	require.Empty(t, said(t, func(t testing.TB) { Equal(t, "F(x)", 1.0, 1.0, Exact, Kept("x", Copy(x), x)) }))
}

func TestMistakesMustBeTold(t *testing.T) {
	require.Contains(t, said(t, func(t testing.TB) { Equal(t, "F()", 1.0, 1.0, Rel(1e-3), Mistake(1.05, "you did A")) }),
		`"you did A" cannot be told from the right answer`)
	require.Contains(t, said(t, func(t testing.TB) {
		Equal(t, "F()", 1.0, 1.0, Rel(1e-3), Mistake(2.0, "you did A"), Mistake(2.05, "you did B"))
	}), `"you did B" and "you did A" cannot be told apart`)
	require.Empty(t, said(t, func(t testing.TB) {
		Equal(t, "F()", 1.0, 1.0, Rel(1e-3), Mistake(2.0, "you did A"), Mistake(2.0, "you did A"), Mistake([]float64{1}, "you did B"))
	}))
}

func TestRecognisers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	vector := func(f func(i int, w float64) float64) func([]float64) any {
		return func(w []float64) any {
			out := make([]float64, len(w))
			for i, v := range w {
				out[i] = f(i, v)
			}
			return out
		}
	}
	matrix := func(f func(i, j int, w float64) float64) func(*mat.Dense) any {
		return func(w *mat.Dense) any {
			out := mat.DenseCopyOf(w)
			out.Apply(f, w)
			return out
		}
	}
	gamma, beta := []float64{.5, 2, 3}, []float64{1, -2, .25}
	known := []Option{Known("γ", gamma), Known("β", beta)}
	v := make([]float64, 12)
	m := mat.NewDense(4, 3, nil)
	for i := range v {
		v[i] = rng.NormFloat64()
		m.Set(i/3, i%3, rng.NormFloat64())
	}
	square := mat.NewDense(3, 3, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9})
	flipped := make([]float64, 12)
	for i := range v {
		flipped[i] = v[len(v)-1-i]
	}
	late := append([]float64{8}, v[:11]...)
	early := append(Copy(v[1:]), 8)
	transposedOf := func(m *mat.Dense) any { return mat.DenseCopyOf(m.T()) }
	rolled := mat.NewDense(4, 3, nil)
	for i := range 4 {
		rolled.SetRow(i, mat.Row(nil, (i+3)%4, m))
	}
	for name, c := range map[string]struct {
		got, want any
		says      string
	}{
		"sign":                   {vector(func(_ int, w float64) float64 { return -w })(v), v, "the sign is flipped"},
		"twice":                  {vector(func(_ int, w float64) float64 { return 2 * w })(v), v, "every value is 2 times the right one"},
		"a third":                {vector(func(_ int, w float64) float64 { return w / 3 })(v), v, "every value is 1/3 times the right one"},
		"a root":                 {vector(func(_ int, w float64) float64 { return w * math.Sqrt(2./3) })(v), v, "every value is √(2/3) times the right one"},
		"an odd factor":          {vector(func(_ int, w float64) float64 { return w * 1.2345678 })(v), v, "every value is 1.2346 times the right one"},
		"zero":                   {make([]float64, 12), v, "every value is 0"},
		"reversed":               {flipped, v, "reverse order"},
		"late":                   {late, v, "each stands one too late"},
		"early":                  {early, v, "each stands one too early"},
		"rows late":              {rolled, m, "shifted by one row: each stands one too late"},
		"transposed":             {transposedOf(m), m, "transposed"},
		"transposed square":      {transposedOf(square), square, "transposed"},
		"γ twice":                {matrix(func(_, j int, w float64) float64 { return w * gamma[j] })(m), m, "multiplied by γ once too often"},
		"γ lost":                 {matrix(func(_, j int, w float64) float64 { return w / gamma[j] })(m), m, "lacks the factor γ"},
		"β twice":                {matrix(func(_, j int, w float64) float64 { return w + beta[j] })(m), m, "β is added once too often"},
		"β lost":                 {matrix(func(_, j int, w float64) float64 { return w - beta[j] })(m), m, "β is not added"},
		"a factor a column":      {matrix(func(_, j int, w float64) float64 { return w * float64(j+2) })(m), m, "off by a constant factor of its own"},
		"a constant a column":    {matrix(func(_, j int, w float64) float64 { return w + float64(j+2) })(m), m, "off by a constant of its own"},
		"infinite":               {[]float64{1, math.Inf(1)}, []float64{1, 2}, "1 of 2 values are infinite"},
		"a tensor times 2":       {tensor.NewCHW(1, 4, 3, Copy(mat.DenseCopyOf(scaled(m, 2)).RawMatrix().Data)), tensor.NewCHW(1, 4, 3, Copy(m.RawMatrix().Data)), "every value is 2 times"},
		"a kernel flipped":       {tensor.NewOIHW(1, 1, 3, 4, flipped), tensor.NewOIHW(1, 1, 3, 4, v), "reversed, first for last, along every axis"},
		"in a field of a struct": {pairOf{Weights: scaled(m, 2)}, pairOf{Weights: m}, "every value is 2 times"},
	} {
		t.Run(name, func(t *testing.T) {
			says := said(t, func(t testing.TB) { Equal(t, "F()", c.got, c.want, Rel(1e-9), known...) })
			require.Contains(t, says, "your mistake may be: ")
			require.Contains(t, says, c.says)
			require.Empty(t, said(t, func(t testing.TB) { Equal(t, "F()", c.want, c.want, Rel(1e-9), known...) }), "a right answer")
		})
	}
}

func scaled(m *mat.Dense, c float64) *mat.Dense {
	var out mat.Dense
	out.Scale(c, m)
	return &out
}

// An offset needs two cases that show it.
func TestOffsetsOfTwoCases(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	shift := func(call string, want []float64, by float64) string {
		got := Copy(want)
		for i := range got {
			got[i] += by
		}
		return said(t, func(t testing.TB) { Equal(t, call, got, want, Rel(1e-9)) })
	}
	first, second := Normal(rng, 8, 1), Normal(rng, 6, 1)
	require.NotContains(t, shift("F(x)", first, 0.5), "your mistake may be")
	require.NotContains(t, shift("F(x)", first, 0.5), "your mistake may be", "the same case again")
	require.NotContains(t, shift("G(x)", second, 0.5), "your mistake may be", "another function")
	require.NotContains(t, shift("F(x)", second, 0.25), "your mistake may be", "another offset")
	require.Contains(t, shift("F(y)", second, 0.5), "your mistake may be: every value is 0.5 too large")
	require.Contains(t, shift("G(y)", first, 0.5), "your mistake may be: every value is 0.5 too large")
	require.NotContains(t, shift("H(x)", first, -0.5), "your mistake may be")
	require.Contains(t, shift("H(y)", second, -0.5), "your mistake may be: every value is 0.5 too small")
}

// What is nearly right, nearly nothing, or beyond reason is no factor and no offset.
func TestNoiseHasNoName(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, tol := range []Tol{Rel(1e-12), Rel(1e-9), Rel(1e-6), Abs(1e-12), Abs(1e-6), {Rel: 1e-14}} {
		for range 200 {
			v := Normal(rng, 12, math.Pow(10, float64(rng.IntN(7)-3)))
			for _, change := range []func(w float64) float64{
				func(w float64) float64 { return w * (1 + 3*tol.Rel + 1e-13) },
				func(w float64) float64 { return w * (1 - 1e-6) },
				func(w float64) float64 { return w * (1 + 1e-8*rng.NormFloat64()) },
				func(w float64) float64 { return w + 5*tol.Abs + 1e-13 },
				func(w float64) float64 { return w * -6.6e-15 },
				func(w float64) float64 { return w * 1e15 },
				func(w float64) float64 { return 1e-17 * rng.NormFloat64() },
				func(w float64) float64 { return w + 1e12 },
			} {
				got := make([]float64, len(v))
				for i, w := range v {
					got[i] = change(w)
				}
				for _, shape := range [][]int{{12}, {4, 3}, {2, 2, 3}} {
					g, w := block{shape, got}, block{shape, v}
					if says := recognise(g, w, tol, nil, always); !g.agree(w, tol) && says != "" && says != "every value is 0" {
						t.Fatalf("%v, %v: %v for %v is named %q", tol, shape, got, v, says)
					}
				}
			}
		}
	}
}

func always(float64) bool { return true }

// A recogniser must keep silent where few or like values would make any answer fit.
func TestRecognisersKeepSilent(t *testing.T) {
	for name, c := range map[string]struct{ got, want any }{
		"a scalar":              {2.0, 1.0},
		"five values":           {[]float64{2, 4, 6, 8, 10}, []float64{1, 2, 3, 4, 5}},
		"two magnitudes":        {[]float64{2, 4, 2, 4, 2, 4}, []float64{1, 2, 1, -2, 1, 2}},
		"ints":                  {[]int{2, 4, 6, 8, 10, 12}, []int{1, 2, 3, 4, 5, 6}},
		"all but one value fit": {[]float64{2, 4, 6, 8, 10, 12.1}, []float64{1, 2, 3, 4, 5, 6}},
		"zeros":                 {[]float64{1, 1, 1, 1, 1, 1}, []float64{0, 0, 0, 0, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotContains(t, said(t, func(t testing.TB) { Equal(t, "F()", c.got, c.want, Rel(1e-9)) }), "your mistake may be")
		})
	}
}

// Random wrong answers, in the shapes and magnitudes that katas have, must hardly ever be given a name, scalars never.
func TestFalseNames(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	draws := map[string]func() float64{
		"normal":          rng.NormFloat64,
		"small integers":  func() float64 { return float64(rng.IntN(10)) },
		"signed integers": func() float64 { return float64(rng.IntN(7) - 3) },
		"pixels":          func() float64 { return float64(rng.IntN(17)) / 16 },
		"zeros and ones":  func() float64 { return float64(rng.IntN(2)) },
		"mostly zeros":    func() float64 { return max(rng.NormFloat64()-1, 0) },
		"all magnitudes":  func() float64 { return rng.NormFloat64() * math.Pow(10, float64(rng.IntN(40)-20)) },
		"near a number":   func() float64 { return 1e6 + float64(rng.IntN(3)) },
		"rounding of 0":   func() float64 { return 1e-16 * rng.NormFloat64() },
		"probabilities":   rng.Float64,
	}
	tolerances := []Tol{Exact, Rel(1e-12), Rel(1e-9), Rel(1e-6), Abs(1e-9)}
	for name, draw := range draws {
		for other, wrong := range draws {
			t.Run(name+" for "+other, func(t *testing.T) {
				const trials = 1000
				named, scalars := map[string]int{}, 0
				total := 0
				for i := range trials {
					tol := tolerances[i%len(tolerances)]
					shape := []int{1 + rng.IntN(5), 1 + rng.IntN(5)}
					n := shape[0] * shape[1]
					got, want, k := make([]float64, n), make([]float64, n), make([]float64, shape[1])
					for i := range got {
						want[i], got[i] = draw(), wrong()
					}
					for j := range k {
						k[j] = draw()
					}
					if rng.IntN(3) == 0 {
						shape = []int{n}
					}
					g, w := block{shape, got}, block{shape, want}
					if says := recognise(g, w, tol, []known{{"k", block{[]int{len(k)}, k}}}, always); !g.agree(w, tol) && says != "" && says != "every value is 0" {
						named[says]++
						total++
					}
					a, _ := blockOf(draw())
					b, _ := blockOf(wrong())
					if recognise(a, b, tol, nil, always) != "" {
						scalars++
					}
				}
				require.LessOrEqual(t, float64(total)/trials, 0.005, "%v", named)
				require.Zero(t, scalars)
			})
		}
	}
}
