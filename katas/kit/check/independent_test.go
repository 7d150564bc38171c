package check

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// scale is the right function of these tests: a·x row by row, plus bias.
func scale(x *mat.Dense, bias []float64, a float64) *mat.Dense {
	y := mat.DenseCopyOf(x)
	y.Apply(func(_, j int, v float64) float64 { return a*v + bias[j] }, y)
	return y
}

var (
	scaleArgs  = Args{mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), []float64{1, 2, 3}, 2}
	scaleOther = Args{mat.NewDense(2, 3, []float64{7, 2, 3, 4, 5, 1}), []float64{4, 2, 3}, 3}
)

// held returns what Independent says of f; names are its arguments.
func held(t *testing.T, call string, f any, args, others Args, opts ...Option) string {
	t.Helper()
	r := &recorder{TB: t}
	newCalls(call, f, settle(opts)).hold(r, args, others)
	return r.out.String()
}

func TestIndependentNamesTheMistake(t *testing.T) {
	const call = "Scale(x, bias, a)"
	says := func(f any) string { return held(t, call, f, scaleArgs, scaleOther) }
	require.Empty(t, says(scale))

	var kept *mat.Dense
	var total float64
	var kernel []float64
	var sized []float64
	buffer := mat.NewDense(2, 3, nil)
	byInput := map[float64]*mat.Dense{}
	for _, c := range []struct {
		name string
		f    any
		says string
	}{
		{"in place", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			x.Scale(a, x)
			return scale(x, bias, 1)
		}, "you wrote into x: work on a copy"},
		{"in place in a slice", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			bias[0]++
			return scale(x, bias, a)
		}, "you wrote into bias: work on a copy"},
		{"sorted", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			y := scale(x, bias, a)
			slices.Reverse(bias)
			return y
		}, "you wrote into bias: work on a copy"},
		{"appended", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			return scale(x, append(bias, 0), a)
		}, "you appended to bias itself"},
		{"the argument itself", func(x *mat.Dense, bias []float64, a float64) *mat.Dense { return x }, "you returned x, or a part of it"},
		{"a view", func(x *mat.Dense, bias []float64, a float64) *mat.Dense { return x.Slice(0, 1, 1, 2).(*mat.Dense) }, "you returned x, or a part of it"},
		{"a row", func(x *mat.Dense, bias []float64, a float64) []float64 { return x.RawRowView(1) }, "you returned x, or a part of it"},
		{"a slice of the slice", func(x *mat.Dense, bias []float64, a float64) []float64 { return bias[1:] }, "you returned bias, or a part of it"},
		{"one for two", func(x *mat.Dense, bias []float64, a float64) (y, mask *mat.Dense) {
			y = scale(x, bias, a)
			return y, y
		}, "you returned the same slice or matrix twice"},
		{"one row for two", func(x *mat.Dense, bias []float64, a float64) [][]float64 {
			row := mat.Row(nil, 0, scale(x, bias, a))
			return [][]float64{row, row}
		}, "you returned the same slice or matrix twice"},
		{"one matrix for two", func(x *mat.Dense, bias []float64, a float64) map[string]*mat.Dense {
			y := scale(x, bias, a)
			return map[string]*mat.Dense{"y": y, "top": y.Slice(0, 1, 0, 3).(*mat.Dense)}
		}, "you returned the same slice or matrix twice"},
		{"a package buffer", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			buffer.Copy(scale(x, bias, a))
			return buffer
		}, "you return memory that outlives the call"},
		{"a package buffer for each size", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			if len(sized) != int(a) {
				sized = make([]float64, int(a))
			}
			return mat.NewDense(1, int(a), sized)
		}, "you return memory that outlives the call"},
		{"a cache", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			if byInput[x.At(0, 0)] == nil {
				byInput[x.At(0, 0)] = scale(x, bias, a)
			}
			return byInput[x.At(0, 0)]
		}, "you return memory that outlives the call"},
		{"a sum that goes on", func(x *mat.Dense, bias []float64, a float64) float64 {
			total += mat.Sum(scale(x, bias, a))
			return total
		}, "you keep something from one call for the next"},
		{"a kernel remembered", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			if len(kernel) != len(bias) {
				kernel = slices.Clone(bias)
			}
			return scale(x, kernel, a)
		}, "you keep bias, or what you made of it, from an earlier call"},
		{"a result remembered", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			if kept == nil {
				kept = scale(x, bias, a)
			}
			return mat.DenseCopyOf(kept)
		}, "you keep x, or what you made of it"},
		{"an argument ignored", func(x *mat.Dense, bias []float64, a float64) *mat.Dense { return scale(x, bias, 2) }, "you keep a, or what you made of it"},
		{"the stride ignored", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			r, c := x.Dims()
			y := mat.NewDense(r, c, nil)
			for i := range r * c {
				y.Set(i/c, i%c, a*x.RawMatrix().Data[i]+bias[i%c])
			}
			return y
		}, "you read or wrote RawMatrix().Data as if rows had no stride"},
		{"a matrix made of the data", func(x *mat.Dense, bias []float64, a float64) *mat.Dense {
			r, c := x.Dims()
			return scale(mat.NewDense(r, c, slices.Clone(x.RawMatrix().Data)), bias, a)
		}, "you read or wrote RawMatrix().Data as if rows had no stride"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Contains(t, says(c.f), "your mistake may be: "+c.says) })
	}
}

func TestIndependentInPlace(t *testing.T) {
	w, grad := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6}), mat.NewDense(2, 3, []float64{1, 1, 2, 2, 3, 3})
	args, others := Args{w, grad, 0.5}, Args{grad, w, 0.25}
	says := func(f func(w, grad *mat.Dense, rate float64)) string {
		return held(t, "Step(w, grad, rate)", f, args, others, InPlace("w"))
	}
	require.Empty(t, says(func(w, grad *mat.Dense, rate float64) {
		w.Apply(func(i, j int, v float64) float64 { return v - rate*grad.At(i, j) }, w)
	}))
	require.Contains(t, says(func(w, grad *mat.Dense, rate float64) {
		grad.Scale(rate, grad)
		w.Sub(w, grad)
	}), "you wrote into grad")
	require.Contains(t, says(func(w, grad *mat.Dense, rate float64) {
		for i := range w.RawMatrix().Cols * w.RawMatrix().Rows {
			w.RawMatrix().Data[i] -= rate * grad.At(i/3, i%3)
		}
	}), "as if rows had no stride")
	type net struct{ W []float64 }
	set := func(n *net, v []float64) { n.W = v }
	require.Contains(t, held(t, "n.Set(v)", set, Args{&net{[]float64{1}}, []float64{2, 3}}, Args{&net{[]float64{1}}, []float64{4, 5}}, InPlace("n")),
		"you kept v, or a part of it, in n")
	require.Empty(t, held(t, "n.Set(v)", func(n *net, v []float64) { n.W = slices.Clone(v) }, Args{&net{[]float64{1}}, []float64{2, 3}}, Args{&net{[]float64{1}}, []float64{4, 5}}, InPlace("n")))
}

func TestIndependentRandom(t *testing.T) {
	draw := func(n int, rng *rand.Rand) []int { return rng.Perm(n) }
	args, others := Args{9, Seed(1)}, Args{9, Seed(2)}
	require.Empty(t, held(t, "Draw(n, rng)", draw, args, others))
	require.Contains(t, held(t, "Draw(n, rng)", func(n int, _ *rand.Rand) []int { return rand.Perm(n) }, args, others), "you drew from another source than rng")
	require.Contains(t, held(t, "Draw(n, rng)", func(n int, _ *rand.Rand) []int { return make([]int, n) }, args, others), "you keep rng")
}

func TestIndependentOptions(t *testing.T) {
	shared := []float64{1, 2}
	witness := func() []float64 { return shared }
	require.Contains(t, held(t, "Witness()", witness, nil, nil, AnyAnswer()), "you return memory that outlives the call")
	require.Empty(t, held(t, "Witness()", func() []float64 { return []float64{rand.Float64()} }, nil, nil, AnyAnswer()))

	type node struct{ name string }
	a, b := &node{"a"}, &node{"b"}
	order := func(nodes []*node) []*node { return slices.Clone(nodes) }
	args, others := Args{[]*node{a, b}}, Args{[]*node{b, a}}
	require.Empty(t, held(t, "Order(nodes)", order, args, others, Opaque[*node](), AnyAnswer()))
	require.Contains(t, held(t, "Order(nodes)", func(nodes []*node) []*node { return nodes }, args, others, Opaque[*node](), AnyAnswer()), "you returned nodes")

	// An error, a function as an argument, and a variadic function.
	apply := func(f func(float64) float64, x ...float64) ([]float64, error) {
		var y []float64
		for _, v := range x {
			y = append(y, f(v))
		}
		return y, nil
	}
	double := func(v float64) float64 { return 2 * v }
	require.Empty(t, held(t, "Apply(f, x, y)", apply, Args{double, 1, 2}, Args{double, 3, 4}))

	// One error is as good as another, also the same one twice; where it was none to return, nothing else is said.
	fails := func(n int) (int, error) { return 0, fmt.Errorf("no %d", n) }
	said := held(t, "Fails(n)", fails, Args{1}, Args{2})
	require.Contains(t, said, "Fails(n) returned an error: no 1")
	require.NotContains(t, said, "your mistake may be")
	require.Empty(t, held(t, "Fails(n)", fails, Args{1}, Args{1}, AnyAnswer()))
	none := errors.New("none")
	require.Empty(t, held(t, "Fails(n)", func(int) (int, error) { return 0, none }, Args{1}, Args{1}))

	// Sharing that was there before, in a field that is not exported, is its owner's affair.
	type table struct {
		V     []float64
		index []float64
	}
	index := []float64{1}
	require.Empty(t, held(t, "New(n)", func(n int) table { return table{make([]float64, n), index} }, Args{2}, Args{3}))
}

// A stub in it is a stub, and a step that has failed before hears nothing of arguments that are ignored.
func TestIndependentIsAPartOfItsOwn(t *testing.T) {
	c := newCalls("Scale(x, bias, a)", func(x *mat.Dense, _ []float64, _ float64) *mat.Dense { return mat.DenseCopyOf(x) }, settle(nil))
	c.wrongAlready = true
	require.Empty(t, said(t, func(t testing.TB) { c.hold(t, scaleArgs, scaleOther) }))
	require.PanicsWithValue(t, "TODO: Scale", func() {
		held(t, "Scale()", func() { panic("TODO: Scale") }, nil, nil)
	})
	Independent(t, "Scale(x, bias, a)", scale, scaleArgs, scaleOther)
}

func TestCopyIsAViewNowAndThen(t *testing.T) {
	views, again := 0, 0
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		m := mat.NewDense(3, 4, Normal(rng, 12, 1))
		c := Copy(m)
		require.True(t, mat.Equal(m, c))
		require.Equal(t, c.RawMatrix().Stride, Copy(m).RawMatrix().Stride)
		if c.RawMatrix().Stride > 4 {
			views++
		}
		if Copy(c).RawMatrix().Stride > 4 {
			again++
		}
	}
	require.InDelta(t, 300./8, views, 20)
	require.Equal(t, views, again)
}
