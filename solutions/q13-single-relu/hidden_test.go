//go:build hidden

package singlerelu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q13-single-relu"
	reference "whyhow/solutions/q13-single-relu"
)

// hiddenWhole draws whole numbers, so that both sides compute exactly.
func hiddenWhole(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(rng.IntN(9) - 4)
	}
	return out
}

func TestHiddenClassify(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		d := rng.IntN(5)
		w, x, b := hiddenWhole(rng, d), hiddenWhole(rng, d), hiddenWhole(rng, 2)
		passed := check.Copy(w)
		args := fmt.Sprintf("(%v, %v, %v)", w, b, x)
		check.Equal(t, "Unit"+args, learner.Unit(passed, b[0], check.Copy(x)), reference.Unit(w, b[0], x), check.Rel(1e-12), check.Kept("w", passed, w))
		check.Equal(t, "Classify"+args, learner.Classify(passed, b[0], b[1], check.Copy(x)), reference.Classify(w, b[0], b[1], x), check.Exact, check.Kept("w", passed, w))
	}
	for range 10 {
		d, more := rng.IntN(4), 1+rng.IntN(3)
		check.Panics(t, "Unit of too few inputs", func() { learner.Unit(make([]float64, d+more), 1, make([]float64, d)) })
		check.Panics(t, "Unit of too many inputs", func() { learner.Unit(make([]float64, d), 1, make([]float64, d+more)) })
		check.Panics(t, "Classify of too few inputs", func() { learner.Classify(make([]float64, d+more), 1, 0, make([]float64, d)) })
		check.Panics(t, "Classify of too many inputs", func() { learner.Classify(make([]float64, d), 1, 0, make([]float64, d+more)) })
	}
}

func TestHiddenLinear(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		d := 1 + rng.IntN(4)
		w, b := hiddenWhole(rng, d), hiddenWhole(rng, 3)
		passed := check.Copy(w)
		w1, b1 := learner.AsLinear(passed, b[0], b[1])
		w2, b2 := learner.AsHalfspace(passed, b[0], b[1], b[2])
		linear, halfspace := fmt.Sprintf("AsLinear(%v, %v, %v)", w, b[0], b[1]), fmt.Sprintf("AsHalfspace(%v, %v, %v, %v)", w, b[0], b[1], b[2])
		if !check.Equal(t, "the lengths of the w1 of "+linear+" and "+halfspace, []int{len(w1), len(w2)}, []int{d, d}, check.Exact, check.Kept("w", passed, w)) {
			continue
		}
		for range 10 {
			x := hiddenWhole(rng, d)
			floats.Scale([]float64{1, 1e9}[rng.IntN(2)], x)
			check.Equal(t, fmt.Sprintf("%s at %v", linear, x), floats.Dot(w1, x)+b1 > 0, reference.Classify(w, b[0], b[1], x), check.Exact)
			check.Equal(t, fmt.Sprintf("%s at %v", halfspace, x), floats.Dot(w2, x)+b2 > 0, b[1]*reference.Unit(w, b[0], x)+b[2] > 0, check.Exact)
		}
	}
	w, other := check.Normal(rng, 3, 1), check.Normal(rng, 3, 1)
	check.Independent(t, "AsLinear(w, b, 0)", learner.AsLinear, check.Args{w, 0.5, 0}, check.Args{other, 0.75, 0})
	check.Independent(t, "AsLinear(w, b, -1)", learner.AsLinear, check.Args{w, 0.5, -1}, check.Args{other, 0.75, -1}, check.AnyAnswer())
	check.Independent(t, "AsHalfspace(w, b, 1, c)", learner.AsHalfspace, check.Args{w, 0.5, 1, -1}, check.Args{other, 0.75, 1, -0.5})
	check.Independent(t, "AsHalfspace(w, b, -1, c)", learner.AsHalfspace, check.Args{w, 0.5, -1, -2}, check.Args{other, 0.75, -1, -3}, check.AnyAnswer())
}

func TestHiddenPerceptron(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	type answer struct {
		W         []float64
		B         float64
		Separated bool
	}
	for range 200 {
		n, d, epochs := 1+rng.IntN(8), 1+rng.IntN(4), 1+rng.IntN(8)
		x, labels := mat.NewDense(n, d, hiddenWhole(rng, n*d)), make([]bool, n)
		for i := range labels {
			labels[i] = rng.IntN(2) == 0
		}
		var got, want answer
		passed := check.Copy(x)
		got.W, got.B, got.Separated = learner.Perceptron(passed, check.Copy(labels), epochs)
		want.W, want.B, want.Separated = reference.Perceptron(x, labels, epochs)
		check.Equal(t, fmt.Sprintf("Perceptron(x, %v, %d)", labels, epochs), got, want, check.Exact, check.Kept("x", passed, x))
		check.Panics(t, "Perceptron of too few labels", func() { learner.Perceptron(x, labels[1:], epochs) })
		check.Panics(t, "Perceptron of too many labels", func() { learner.Perceptron(x, append(check.Copy(labels), true), epochs) })
	}
	args := func(labels ...bool) check.Args {
		return check.Args{mat.NewDense(5, 3, check.Normal(rng, 15, 1)), labels, 3}
	}
	check.Independent(t, "Perceptron(x, labels, 3)", learner.Perceptron, args(true, false, true, true, false), args(false, false, true, false, true))
}

func TestHiddenTwoUnits(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		z := rng.NormFloat64() * math.Pow10(rng.IntN(13)-6)
		check.Equal(t, fmt.Sprintf("Identity(%v)", z), learner.Identity(z), z, check.Tol{Rel: 1e-12})
	}
	check.Independent(t, "XORNet()", learner.XORNet, nil, nil, check.AnyAnswer())
	w1, b1, w2, b2 := learner.XORNet()
	for _, in := range [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		y := b2
		for j := range w2 {
			y += w2[j] * reference.Unit([]float64{w1.At(0, j), w1.At(1, j)}, b1[j], in)
		}
		check.Equal(t, fmt.Sprintf("XORNet() at %v", in), y, math.Abs(in[0]-in[1]), check.Abs(1e-9))
	}
}

func TestHiddenRegions(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		n := rng.IntN(9)
		w, b := hiddenWhole(rng, n), hiddenWhole(rng, n)
		for i := range w {
			w[i] = []float64{0, 1, -1, 2, -2, 4}[rng.IntN(6)] // exact quotients
			b[i] += float64(rng.IntN(2)) / (1 << 30)
		}
		passed, passedB := check.Copy(w), check.Copy(b)
		check.Equal(t, fmt.Sprintf("Regions(%v, %v)", w, b), learner.Regions(passed, passedB), reference.Regions(w, b), check.Exact, check.Kept("w", passed, w), check.Kept("b", passedB, b))
		more := 1 + rng.IntN(3)
		check.Panics(t, "Regions of too few biases", func() { learner.Regions(make([]float64, n+more), b) })
		check.Panics(t, "Regions of too many biases", func() { learner.Regions(w, make([]float64, n+more)) })
	}
}
