//go:build hidden

package l1l2_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q14-l1-l2"
	reference "whyhow/solutions/q14-l1-l2"
)

//kata:nohidden TestFlipPair because it takes no arguments: the visible test holds all that is asked of a pair

// hiddenPredictions draws values and predictions, of which some are exact.
func hiddenPredictions(rng *rand.Rand, n int) (pred, y []float64) {
	pred, y = make([]float64, n), check.Normal(rng, n, 10)
	for i := range y {
		pred[i] = y[i] + []float64{0, 1, 2, 1e-9}[rng.IntN(4)]*rng.NormFloat64()
	}
	return pred, y
}

// hiddenLoss compares a loss and its gradient with the reference's on predictions of many sizes, and holds that both refuse what is no prediction.
func hiddenLoss(t *testing.T, rng *rand.Rand, name string, loss, wantLoss func(pred, y []float64) float64, grad, wantGrad func(pred, y []float64) []float64) {
	t.Helper()
	for k := range 50 {
		n := 1 + k*rng.IntN(2)
		pred, y := hiddenPredictions(rng, n)
		passed, passedY := check.Copy(pred), check.Copy(y)
		kept := []check.Option{check.Kept("pred", passed, pred), check.Kept("y", passedY, y)}
		call := fmt.Sprintf(" of %d values", n)
		check.Equal(t, name+call, loss(passed, passedY), wantLoss(pred, y), check.Rel(1e-10), kept...)
		check.Equal(t, name+"Grad"+call, grad(passed, passedY), wantGrad(pred, y), check.Rel(1e-10), kept...)
	}
	for range 5 {
		pred, y := hiddenPredictions(rng, 2+rng.IntN(5))
		for what, bad := range map[string][2][]float64{"too few predictions": {pred[1:], y}, "too few values": {pred, y[1:]}, "nothing": {nil, nil}, "no predictions": {nil, y}, "no values": {pred, nil}} {
			check.Panics(t, name+" of "+what, func() { loss(bad[0], bad[1]) })
			check.Panics(t, name+"Grad of "+what, func() { grad(bad[0], bad[1]) })
		}
	}
	args := func() check.Args { return check.Args{check.Normal(rng, 5, 1), check.Normal(rng, 5, 1)} }
	check.Independent(t, name+"(pred, y)", loss, args(), args())
}

func TestHiddenSquared(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenLoss(t, rng, "MSE", learner.MSE, reference.MSE, learner.MSEGrad, reference.MSEGrad)
	check.Independent(t, "MSEGrad(pred, y)", learner.MSEGrad, check.Args{check.Normal(rng, 5, 1), check.Normal(rng, 5, 1)}, check.Args{check.Normal(rng, 5, 1), check.Normal(rng, 5, 1)})
}

func TestHiddenAbsolute(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenLoss(t, rng, "MAE", learner.MAE, reference.MAE, learner.MAEGrad, reference.MAEGrad)
	pred := check.Normal(rng, 4, 1)
	check.Independent(t, "MAEGrad(pred, y)", learner.MAEGrad, check.Args{pred, []float64{9, -9, 9, -9}}, check.Args{pred, []float64{-9, 9, 9, -9}})
}

func TestHiddenHuber(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for k := range 4 {
		delta := []float64{0.2 + 2*rng.Float64(), 0.2 + 2*rng.Float64(), 0.01 * (1 + rng.Float64()), math.Inf(1)}[k]
		hiddenLoss(t, rng, "Huber", func(pred, y []float64) float64 { return learner.Huber(pred, y, delta) }, func(pred, y []float64) float64 { return reference.Huber(pred, y, delta) },
			func(pred, y []float64) []float64 { return learner.HuberGrad(pred, y, delta) }, func(pred, y []float64) []float64 { return reference.HuberGrad(pred, y, delta) })
	}
	for range 10 {
		pred, y := hiddenPredictions(rng, 1+rng.IntN(4))
		for _, delta := range []float64{0, -rng.ExpFloat64(), math.Inf(-1), math.NaN()} {
			check.Panics(t, fmt.Sprintf("Huber with delta %v", delta), func() { learner.Huber(pred, y, delta) })
			check.Panics(t, fmt.Sprintf("HuberGrad with delta %v", delta), func() { learner.HuberGrad(pred, y, delta) })
		}
	}
	args := func(delta float64) check.Args {
		return check.Args{check.Normal(rng, 5, 1), check.Normal(rng, 5, 1), delta}
	}
	check.Independent(t, "HuberGrad(pred, y, delta)", learner.HuberGrad, args(90), args(90))
}

// TestHiddenBestConstant runs the constants on whole numbers, where repeated values are common.
func TestHiddenBestConstant(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for n := 1; n <= 60; n++ {
		y := make([]float64, n)
		for i := range y {
			y[i] = float64(rng.IntN(30)) + float64(n%3-1)*100
		}
		passed := check.Copy(y)
		check.Equal(t, fmt.Sprintf("BestConstantL2(%v)", y), learner.BestConstantL2(passed), reference.BestConstantL2(y), check.Rel(1e-10), check.Kept("y", passed, y))
		lo, hi := learner.BestConstantL1(passed)
		wantLo, wantHi := reference.BestConstantL1(y)
		check.Equal(t, fmt.Sprintf("BestConstantL1(%v)", y), []float64{lo, hi}, []float64{wantLo, wantHi}, check.Exact, check.Kept("y", passed, y))
	}
	check.Panics(t, "BestConstantL2 of nothing", func() { learner.BestConstantL2(nil) })
	check.Panics(t, "BestConstantL1 of nothing", func() { learner.BestConstantL1(nil) })
}

// hiddenPoints draws points on whole numbers, where repeated values and several best lines are common.
func hiddenPoints(rng *rand.Rand, n int) (x, y []float64) {
	x, y = make([]float64, n), make([]float64, n)
	for i := range y {
		x[i], y[i] = float64(rng.IntN(2*n)), float64(rng.IntN(30))
	}
	x[0] = float64(2 * n)
	if n > 2 && rng.IntN(2) == 0 {
		x[n-1], x[1] = x[0], x[0]-1
	}
	return x, y
}

// hiddenLines holds that fit refuses points that do not define a line.
func hiddenLines(t *testing.T, rng *rand.Rand, name string, fit func(x, y []float64) (intercept, slope float64)) {
	t.Helper()
	for range 10 {
		x, y := hiddenPoints(rng, 3+rng.IntN(5))
		for what, bad := range map[string][2][]float64{
			"too few x": {x[1:], y}, "too few y": {x, y[1:]}, "no points": {nil, nil}, "one point": {x[:1], y[:1]}, "no y": {x, nil}, "one x alone": {slices.Repeat(x[:1], len(y)), y},
		} {
			check.Panics(t, name+" of "+what, func() { fit(bad[0], bad[1]) })
		}
	}
	args := func() check.Args { return check.Args{check.Normal(rng, 5, 1), check.Normal(rng, 5, 1)} }
	check.Independent(t, name+"(x, y)", fit, args(), args())
}

func TestHiddenLeastSquares(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for n := 2; n <= 40; n++ {
		x, y := hiddenPoints(rng, n)
		tol := check.Tol{Rel: 1e-8, Abs: 1e-10}
		if n > 8 && n%3 == 0 { // Seconds since 1970, and a slope that is not near 0. What subtracts the mean from y alone is off by a millionth, what does from neither by more than all.
			start, slope := float64(1_600_000_000+rng.IntN(100_000_000)), 5+5*rng.Float64()
			for i := range x {
				y[i] += slope * x[i]
				x[i] += start
			}
			tol = check.Rel(1e-4)
		}
		passed, passedY := check.Copy(x), check.Copy(y)
		intercept, slope := learner.LeastSquares(passed, passedY)
		wantIntercept, wantSlope := reference.LeastSquares(x, y)
		check.Equal(t, fmt.Sprintf("LeastSquares of %d points", n), []float64{intercept, slope}, []float64{wantIntercept, wantSlope}, tol,
			check.Kept("x", passed, x), check.Kept("y", passedY, y))
	}
	hiddenLines(t, rng, "LeastSquares", learner.LeastSquares)
}

func TestHiddenLeastAbsolute(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for n := 2; n <= 20; n++ {
		x, y := hiddenPoints(rng, n)
		if n%2 == 0 {
			copy(y, check.Normal(rng, n, 10))
		}
		if n%5 == 0 {
			floats.Scale(1e-9, x)
		}
		total := func(intercept, slope float64) float64 {
			var sum float64
			for i := range x {
				sum += math.Abs(y[i] - intercept - slope*x[i])
			}
			return sum
		}
		passed, passedY := check.Copy(x), check.Copy(y)
		intercept, slope := learner.LeastAbsolute(passed, passedY)
		check.Equal(t, fmt.Sprintf("the sum of absolute errors of LeastAbsolute of %d points", n), total(intercept, slope), total(reference.LeastAbsolute(x, y)), check.Tol{Rel: 1e-9, Abs: 1e-10},
			check.Kept("x", passed, x), check.Kept("y", passedY, y))
	}
	hiddenLines(t, rng, "LeastAbsolute", learner.LeastAbsolute)
}
