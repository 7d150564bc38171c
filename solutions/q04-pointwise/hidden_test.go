//go:build hidden

package pointwise_test

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	learner "whyhow/katas/q04-pointwise"
	reference "whyhow/solutions/q04-pointwise"
)

//kata:nohidden TestPixelXOR because it takes no arguments: the visible test holds its answer on all inputs that there are

func TestHiddenParams(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		h, w, in, out, kernel := 1+rng.IntN(60), 1+rng.IntN(60), 1+rng.IntN(300), 1+rng.IntN(300), 1+rng.IntN(7)
		for _, bias := range []bool{true, false} {
			check.Equal(t, fmt.Sprintf("Params(%d, %d, %d, %t)", in, out, kernel, bias), learner.Params(in, out, kernel, bias), reference.Params(in, out, kernel, bias), check.Exact)
		}
		check.Equal(t, fmt.Sprintf("MACs(%d, %d, %d, %d, %d)", h, w, in, out, kernel), learner.MACs(h, w, in, out, kernel), reference.MACs(h, w, in, out, kernel), check.Exact)
	}
}

func TestHiddenConv1x1(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	tol := check.Tol{Rel: 1e-9, Abs: 1e-11}
	args := func(in, out, h, w int) check.Args {
		return check.Args{tensor.NewCHW(in, h, w, check.Normal(rng, in*h*w, 1)), mat.NewDense(out, in, check.Normal(rng, out*in, 1)), check.Normal(rng, out, 1)}
	}
	for range 100 {
		in, out, h, w := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(5), 1+rng.IntN(5)
		a := args(in, out, h, w)
		x, weights, bias := a[0].(tensor.CHW), a[1].(*mat.Dense), a[2].([]float64)
		call := fmt.Sprintf("Conv1x1(x %d×%d×%d, w %d×%d, bias)", in, h, w, out, in)
		passed := check.Copy(x)
		check.Equal(t, call, learner.Conv1x1(passed, check.Copy(weights), check.Copy(bias)), reference.Conv1x1(x, weights, bias), tol, check.Kept("x", passed, x))
		check.Equal(t, call+" without a bias", learner.Conv1x1(check.Copy(x), check.Copy(weights), nil), reference.Conv1x1(x, weights, nil), tol)

		more := 1 + rng.IntN(3)
		refused := func(what string, w *mat.Dense, bias []float64) {
			t.Helper()
			check.Panics(t, call+" with "+what, func() { learner.Conv1x1(x, w, bias) })
		}
		refused("more columns", mat.NewDense(out, in+more, nil), bias)
		refused("too long a bias", weights, make([]float64, out+more))
		refused("an empty bias", weights, []float64{})
		if in > 1 {
			refused("fewer columns", mat.NewDense(out, in-1, nil), bias)
		}
		if out > 1 {
			refused("too short a bias", weights, bias[1:])
		}
	}
	check.Independent(t, "Conv1x1(x, w, bias)", learner.Conv1x1, args(3, 2, 4, 5), args(3, 2, 4, 5))
	check.Independent(t, "Conv1x1(pixel, w, bias)", learner.Conv1x1, args(2, 3, 1, 1), args(2, 3, 1, 1))
}

func TestHiddenSqueezed(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		h, w, in, mid, out, kernel := 1+rng.IntN(40), 1+rng.IntN(40), 1+rng.IntN(300), 1+rng.IntN(300), 1+rng.IntN(300), 1+rng.IntN(7)
		if rng.IntN(3) == 0 { // few channels: none may be few enough
			in, out, kernel = 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(2)
		}
		check.Equal(t, fmt.Sprintf("Squeezed(%d, %d, %d, %d, %d, %d)", h, w, in, mid, out, kernel),
			learner.Squeezed(h, w, in, mid, out, kernel), reference.Squeezed(h, w, in, mid, out, kernel), check.Exact)
		check.Equal(t, fmt.Sprintf("WidestUsefulMid(%d, %d, %d)", in, out, kernel), learner.WidestUsefulMid(in, out, kernel), reference.WidestUsefulMid(in, out, kernel), check.Exact)
		// k²·in·out = mid·(in + k²·out) for in = k²·out: half of in is one too many.
		in = kernel * kernel * out
		check.Equal(t, fmt.Sprintf("WidestUsefulMid(%d, %d, %d)", in, out, kernel), learner.WidestUsefulMid(in, out, kernel), reference.WidestUsefulMid(in, out, kernel), check.Exact)
	}
}

func TestHiddenFuse(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	args := func(in, mid, out int) check.Args {
		return check.Args{mat.NewDense(out, mid, check.Normal(rng, out*mid, 1)), check.Normal(rng, out, 1), mat.NewDense(mid, in, check.Normal(rng, mid*in, 1)), check.Normal(rng, mid, 1)}
	}
	for range 100 {
		in, mid, out := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(6)
		a := args(in, mid, out)
		w2, b2, w1, b1 := a[0].(*mat.Dense), a[1].([]float64), a[2].(*mat.Dense), a[3].([]float64)
		call := fmt.Sprintf("Fuse(w2 %d×%d, b2, w1 %d×%d, b1)", out, mid, mid, in)
		gotW, gotB := learner.Fuse(check.Copy(w2), check.Copy(b2), check.Copy(w1), check.Copy(b1))
		wantW, wantB := reference.Fuse(w2, b2, w1, b1)
		check.Equal(t, call+" w", gotW, wantW, check.Tol{Rel: 1e-9, Abs: 1e-11})
		check.Equal(t, call+" b", gotB, wantB, check.Tol{Rel: 1e-9, Abs: 1e-11})

		more := 1 + rng.IntN(3)
		refused := func(what string, w2 *mat.Dense, b2, b1 []float64) {
			t.Helper()
			check.Panics(t, call+" with "+what, func() { learner.Fuse(w2, b2, w1, b1) })
		}
		refused("more columns of w2", mat.NewDense(out, mid+more, nil), b2, b1)
		refused("no b1", w2, b2, nil)
		refused("no b2", w2, nil, b1)
		refused("too long a b1", w2, b2, make([]float64, mid+more))
		refused("too long a b2", w2, make([]float64, out+more), b1)
		refused("too short a b1", w2, b2, b1[1:])
		refused("too short a b2", w2, b2[1:], b1)
		if mid > 1 {
			refused("fewer columns of w2", mat.NewDense(out, mid-1, nil), b2, b1)
		}
	}
	check.Independent(t, "Fuse(w2, b2, w1, b1)", learner.Fuse, args(3, 2, 4), args(3, 2, 4))
}
