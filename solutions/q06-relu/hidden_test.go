//go:build hidden

package relu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q06-relu"
	reference "whyhow/solutions/q06-relu"
)

// hiddenDraw returns n values of both signs: every fifth of them exactly 0, some so small that hardly a float64 holds them.
func hiddenDraw(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		switch i % 5 {
		case 4:
		case 3:
			out[i] = rng.NormFloat64() * math.Pow10(-rng.IntN(310))
		default:
			out[i] = 3 * rng.NormFloat64()
		}
	}
	return out
}

// hiddenUnequal holds that backward panics if z and dy differ in length.
func hiddenUnequal(t *testing.T, rng *rand.Rand, name string, backward func(z, dy []float64)) {
	t.Helper()
	for range 10 {
		n, more := rng.IntN(6), 1+rng.IntN(4)
		check.Panics(t, fmt.Sprintf("%s of %d inputs and %d gradients", name, n, n+more), func() { backward(make([]float64, n), make([]float64, n+more)) })
		check.Panics(t, fmt.Sprintf("%s of %d inputs and nil for the gradients", name, more), func() { backward(make([]float64, more), nil) })
		check.Panics(t, fmt.Sprintf("%s of %d inputs and %d gradients", name, n+more, n), func() { backward(make([]float64, n+more), make([]float64, n)) })
	}
}

func TestHiddenReLU(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		z := hiddenDraw(rng, rng.IntN(40))
		passed := check.Copy(z)
		check.Equal(t, "ReLU(z)", learner.ReLU(passed), reference.ReLU(z), check.Exact, check.Kept("z", passed, z))
	}
	a, b := learner.NotLinear()
	sum, parts := reference.ReLU([]float64{a + b})[0], reference.ReLU([]float64{a, b})
	check.Equal(t, fmt.Sprintf("NotLinear() = %v, %v is a witness within ±1e6", a, b),
		math.Abs(a) <= 1e6 && math.Abs(b) <= 1e6 && math.Abs(sum-parts[0]-parts[1]) >= 1e-6, true, check.Exact)
	check.Independent(t, "ReLU(z)", learner.ReLU, check.Args{[]float64{1, -2, rng.Float64()}}, check.Args{[]float64{2, 1, -rng.Float64()}})
	check.Independent(t, "ReLU(positive)", learner.ReLU, check.Args{[]float64{1, 2, rng.Float64()}}, check.Args{[]float64{2, 1, rng.Float64()}})
}

func TestHiddenSlopes(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		n := rng.IntN(40)
		z, dy := hiddenDraw(rng, n), check.Normal(rng, n, 2)
		passed := check.Copy(z)
		check.Equal(t, "ReLUBackward(z, dy)", learner.ReLUBackward(passed, check.Copy(dy)), reference.ReLUBackward(z, dy),
			check.Tol{Rel: 1e-12}, check.Kept("z", passed, z), check.With("dy", dy))
		at := []float64{1, 50, 1000}[rng.IntN(3)] * rng.NormFloat64()
		check.Equal(t, "SigmoidSlope(z)", learner.SigmoidSlope(at), reference.SigmoidSlope(at), check.Abs(1.1e-14), check.With("z", at))
	}
	z, dy := []float64{1, -2, 3, -1 - rng.Float64()}, []float64{-1, rng.Float64(), -3, 2}
	check.Independent(t, "ReLUBackward(z, dy)", learner.ReLUBackward, check.Args{z, dy}, check.Args{dy, z})
	hiddenUnequal(t, rng, "ReLUBackward", func(z, dy []float64) { learner.ReLUBackward(z, dy) })
}

func TestHiddenLeaky(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		n := rng.IntN(40)
		z, dy, slope := hiddenDraw(rng, n), check.Normal(rng, n, 2), []float64{0, rng.Float64(), rng.Float64(), 0.01}[rng.IntN(4)]
		passed := check.Copy(z)
		check.Equal(t, "Leaky(z, slope)", learner.Leaky(passed, slope), reference.Leaky(z, slope),
			check.Tol{Rel: 1e-12, Abs: 1e-320}, check.Kept("z", passed, z), check.With("slope", slope))
		check.Equal(t, "LeakyBackward(z, dy, slope)", learner.LeakyBackward(passed, check.Copy(dy), slope),
			reference.LeakyBackward(z, dy, slope), check.Tol{Rel: 1e-12, Abs: 1e-320}, check.Kept("z", passed, z), check.With("dy", dy), check.With("slope", slope))
	}
	z, dy := []float64{1, -2, 3, -1 - rng.Float64()}, []float64{-1, rng.Float64(), -3, 2}
	check.Independent(t, "Leaky(z, slope)", learner.Leaky, check.Args{z, 0.1}, check.Args{dy, 0.2})
	check.Independent(t, "LeakyBackward(z, dy, slope)", learner.LeakyBackward, check.Args{z, dy, 0.1}, check.Args{dy, z, 0.2})
	hiddenUnequal(t, rng, "LeakyBackward", func(z, dy []float64) { learner.LeakyBackward(z, dy, rng.Float64()) })
}

func TestHiddenInitialStd(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		in, out, less := 1+rng.IntN(5000)*rng.IntN(5)/4, 1+rng.IntN(5000)*rng.IntN(5)/4, -rng.IntN(5)
		check.Equal(t, "HeStd(fanIn)", learner.HeStd(in), reference.HeStd(in), check.Rel(1e-12), check.With("fanIn", in))
		check.Equal(t, "GlorotStd(fanIn, fanOut)", learner.GlorotStd(in, out), reference.GlorotStd(in, out),
			check.Rel(1e-12), check.With("fanIn", in), check.With("fanOut", out))
		check.Panics(t, fmt.Sprintf("HeStd(%d)", less), func() { learner.HeStd(less) })
		check.Panics(t, fmt.Sprintf("GlorotStd(%d, %d)", less, out), func() { learner.GlorotStd(less, out) })
		check.Panics(t, fmt.Sprintf("GlorotStd(%d, %d)", in, less), func() { learner.GlorotStd(in, less) })
	}
}

func TestHiddenDeadFraction(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for k := range 60 {
		rows, units := 1+rng.IntN(5), 1+rng.IntN(12)
		z := mat.NewDense(rows, units, hiddenDraw(rng, rows*units))
		for range rng.IntN(3) {
			z.Set(rng.IntN(rows), rng.IntN(units), []float64{math.NaN(), math.Inf(-1), math.Copysign(0, -1)}[k%3])
		}
		passed := check.Copy(z)
		check.Equal(t, "DeadFraction(z)", learner.DeadFraction(passed), reference.DeadFraction(z), check.Abs(1e-12), check.Kept("z", passed, z))
	}
	check.Panics(t, "DeadFraction of an empty matrix", func() { learner.DeadFraction(new(mat.Dense)) })
}

func TestHiddenSecondMoments(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		layers, width, seed, std := 1+rng.IntN(6), 1+rng.IntN(20), rng.Uint64(), rng.Float64()*float64(rng.IntN(4))
		own, same := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
		check.Equal(t, "SecondMoments(layers, width, std, rng)", learner.SecondMoments(layers, width, std, own), reference.SecondMoments(layers, width, std, same),
			check.Tol{Rel: 1e-9, Abs: 1e-200}, check.With("layers", layers), check.With("width", width), check.With("std", std))
		check.Equal(t, "rng drew no more than the input and the weights", own.Uint64() == same.Uint64(), true, check.Exact)
		less := -rng.IntN(3)
		check.Panics(t, fmt.Sprintf("SecondMoments of %d layers", less), func() { learner.SecondMoments(less, width, std, own) })
		check.Panics(t, fmt.Sprintf("SecondMoments of width %d", less), func() { learner.SecondMoments(layers, less, std, own) })
	}
	check.Independent(t, "SecondMoments(layers, width, std, rng)", learner.SecondMoments,
		check.Args{3, 20, 0.5, check.Seed(rng.Uint64())}, check.Args{2, 21, 0.7, check.Seed(rng.Uint64())})
}
