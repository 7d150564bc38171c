//go:build hidden

package zeroinit_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q10-zero-init"
	reference "whyhow/solutions/q10-zero-init"
)

func hiddenNormal(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// hiddenNet draws a net whose biases are not 0.
func hiddenNet(rng *rand.Rand, in, hidden, out int) *reference.Net {
	return &reference.Net{W1: hiddenNormal(rng, in, hidden), B1: check.Normal(rng, hidden, 1), W2: hiddenNormal(rng, hidden, out), B2: check.Normal(rng, out, 1)}
}

// hiddenOwn is n as a net of the learner's.
func hiddenOwn(n *reference.Net) *learner.Net {
	return &learner.Net{W1: check.Copy(n.W1), B1: check.Copy(n.B1), W2: check.Copy(n.W2), B2: check.Copy(n.B2)}
}

func hiddenEqual(t *testing.T, call string, got *learner.Net, want *reference.Net, tol check.Tol) {
	t.Helper()
	check.Equal(t, call+": W1", got.W1, want.W1, tol)
	check.Equal(t, call+": B1", got.B1, want.B1, tol)
	check.Equal(t, call+": W2", got.W2, want.W2, tol)
	check.Equal(t, call+": B2", got.B2, want.B2, tol)
}

// hiddenSizes draws the sizes of a net.
func hiddenSizes(rng *rand.Rand) (in, hidden, out int, shape string) {
	in, hidden, out = 1+rng.IntN(8), 1+rng.IntN(8), 1+rng.IntN(6)
	return in, hidden, out, fmt.Sprintf("%d-%d-%d net", in, hidden, out)
}

func hiddenLabels(rng *rand.Rand, n, classes int) []int {
	labels := make([]int, n)
	for i := range labels {
		labels[i] = rng.IntN(classes)
	}
	return labels
}

func TestHiddenPriorLoss(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		classes := 1 + rng.IntN(12)
		labels := hiddenLabels(rng, 1+rng.IntN(20), 1+rng.IntN(classes))
		passed := check.Copy(labels)
		check.Equal(t, fmt.Sprintf("PriorLoss(%v, %d)", labels, classes), learner.PriorLoss(passed, classes), reference.PriorLoss(labels, classes), check.Tol{Rel: 1e-9, Abs: 1e-14}, check.Kept("labels", passed, labels))
		for _, bad := range []int{-1 - rng.IntN(3), classes + rng.IntN(3)} {
			labels[rng.IntN(len(labels))] = bad
			check.Panics(t, fmt.Sprintf("PriorLoss(%v, %d)", labels, classes), func() { learner.PriorLoss(labels, classes) })
			labels = hiddenLabels(rng, len(labels), classes)
		}
		check.Panics(t, fmt.Sprintf("PriorLoss of no labels of %d classes", classes), func() { learner.PriorLoss(nil, classes) })
	}
}

func TestHiddenInit(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		in, hidden, out, shape := hiddenSizes(rng)
		c, seed := rng.NormFloat64(), rng.Uint64()
		hiddenEqual(t, "Zero, "+shape, learner.Zero(in, hidden, out), reference.Zero(in, hidden, out), check.Exact)
		hiddenEqual(t, "Constant, "+shape, learner.Constant(in, hidden, out, c), reference.Constant(in, hidden, out, c), check.Exact)
		own, same := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 1))
		hiddenEqual(t, "He, "+shape, learner.He(in, hidden, out, own), reference.He(in, hidden, out, same), check.Tol{Rel: 1e-12})
	}
	check.Independent(t, "Zero(in, hidden, out)", learner.Zero, check.Args{2, 3, 4}, check.Args{3, 4, 5})
	check.Independent(t, "Constant(in, hidden, out, c)", learner.Constant, check.Args{2, 3, 4, 1 + rng.Float64()}, check.Args{3, 4, 5, -rng.Float64()})
	check.Independent(t, "He(in, hidden, out, rng)", learner.He, check.Args{2, 3, 4, check.Seed(rng.Uint64())}, check.Args{3, 4, 5, check.Seed(rng.Uint64())})
}

func TestHiddenForward(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		in, hidden, out, shape := hiddenSizes(rng)
		n, x := hiddenNet(rng, in, hidden, out), hiddenNormal(rng, 1+rng.IntN(9), in)
		if rng.IntN(3) == 0 { // logits of hundreds
			n.W2.Scale(300, n.W2)
		}
		own, passed := hiddenOwn(n), check.Copy(x)
		units, probs := n.Forward(x)
		gotUnits, gotProbs := own.Forward(passed)
		check.Equal(t, "Forward hidden, "+shape, gotUnits, units, check.Rel(1e-9), check.Kept("x", passed, x))
		check.Equal(t, "Forward probs, "+shape, gotProbs, probs, check.Rel(1e-9))
		hiddenEqual(t, "the net after Forward, "+shape, own, n, check.Exact)
		check.Panics(t, fmt.Sprintf("Forward of %d columns, %s", in+1, shape), func() { own.Forward(hiddenNormal(rng, 2, in+1)) })
		if in > 1 {
			check.Panics(t, fmt.Sprintf("Forward of %d columns, %s", in-1, shape), func() { own.Forward(hiddenNormal(rng, 2, in-1)) })
		}
	}
	args := func() check.Args { return check.Args{hiddenOwn(hiddenNet(rng, 3, 4, 3)), hiddenNormal(rng, 5, 3)} }
	check.Independent(t, "n.Forward(x)", (*learner.Net).Forward, args(), args())
}

func TestHiddenBackward(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		in, hidden, out, shape := hiddenSizes(rng)
		rows := 1 + rng.IntN(9)
		n, x, labels := hiddenNet(rng, in, hidden, out), hiddenNormal(rng, rows, in), hiddenLabels(rng, rows, out)
		if rng.IntN(4) == 0 { // units that get exactly 0
			n.W1.Zero()
			clear(n.B1)
		}
		own, passed, passedLabels := hiddenOwn(n), check.Copy(x), check.Copy(labels)
		loss, grad := n.Backward(x, labels)
		gotLoss, gotGrad := own.Backward(passed, passedLabels)
		check.Equal(t, "Backward loss, "+shape, gotLoss, loss, check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("x", passed, x), check.Kept("labels", passedLabels, labels))
		hiddenEqual(t, "Backward gradient, "+shape, gotGrad, grad, check.Tol{Rel: 1e-9, Abs: 1e-11})
		hiddenEqual(t, "the net after Backward, "+shape, own, n, check.Exact)

		check.Panics(t, "Backward of another number of columns, "+shape, func() { own.Backward(hiddenNormal(rng, rows, in+1), labels) })
		check.Panics(t, "Backward of too many labels, "+shape, func() { own.Backward(x, append(check.Copy(labels), 0)) })
		check.Panics(t, "Backward of too few labels, "+shape, func() { own.Backward(x, labels[1:]) })
		for _, bad := range []int{-1 - rng.IntN(3), out + rng.IntN(3)} {
			wrong := check.Copy(labels)
			wrong[rng.IntN(rows)] = bad
			check.Panics(t, fmt.Sprintf("Backward of the label %d, %s", bad, shape), func() { own.Backward(x, wrong) })
		}
	}
	args := func(labels ...int) check.Args {
		return check.Args{hiddenOwn(hiddenNet(rng, 3, 4, 3)), hiddenNormal(rng, 5, 3), labels}
	}
	check.Independent(t, "n.Backward(x, labels)", (*learner.Net).Backward, args(0, 2, 1, 1, 0), args(1, 0, 2, 0, 2))
}

func TestHiddenStep(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		in, hidden, out, shape := hiddenSizes(rng)
		n, grad, rate := hiddenNet(rng, in, hidden, out), hiddenNet(rng, in, hidden, out), rng.NormFloat64()
		own, passed := hiddenOwn(n), hiddenOwn(grad)
		for range 3 {
			n.Step(grad, rate)
			own.Step(passed, rate)
		}
		hiddenEqual(t, fmt.Sprintf("three steps of rate %v, %s", rate, shape), own, n, check.Tol{Rel: 1e-9, Abs: 1e-12})
		hiddenEqual(t, "the gradient after Step, "+shape, passed, grad, check.Exact)
	}
	args := func(rate float64) check.Args {
		return check.Args{hiddenOwn(hiddenNet(rng, 3, 4, 2)), hiddenOwn(hiddenNet(rng, 3, 4, 2)), rate}
	}
	check.Independent(t, "n.Step(grad, rate)", (*learner.Net).Step, args(0.1), args(0.5), check.InPlace("n"))
}

func TestHiddenDistinctUnits(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		in, hidden := 1+rng.IntN(3), 1+rng.IntN(8)
		// Few values, so that units meet: neighbours are the same to 0.1, and to 1 only if they are 0.7 apart, not 1.4.
		step, tol := 1.0, 0.1
		if rng.IntN(2) == 0 {
			step, tol = 0.7, 1
		}
		n := hiddenNet(rng, in, hidden, 2)
		value := func() float64 { return step * float64(rng.IntN(4)-1) }
		for j := range hidden {
			n.B1[j] = value()
			for i := range in {
				n.W1.Set(i, j, value())
			}
		}
		own := hiddenOwn(n)
		check.Equal(t, fmt.Sprintf("DistinctUnits(n, %v)", tol), learner.DistinctUnits(own, tol), reference.DistinctUnits(n, tol), check.Exact, check.With("W1", n.W1), check.With("B1", n.B1))
		check.Equal(t, "DistinctUnits(n, 0)", learner.DistinctUnits(own, 0), reference.DistinctUnits(n, 0), check.Exact, check.With("W1", n.W1), check.With("B1", n.B1))
		hiddenEqual(t, "the net after DistinctUnits", own, n, check.Exact)
	}
}
