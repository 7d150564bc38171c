//go:build hidden

package batchnorm_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q05-batch-norm"
	reference "whyhow/solutions/q05-batch-norm"
)

func hiddenNormal(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// hiddenBatch draws rows of features that differ in offset and spread; one is constant, now and then.
func hiddenBatch(rng *rand.Rand, rows, features int) *mat.Dense {
	x := hiddenNormal(rng, rows, features)
	for j := range features {
		offset, spread := 10*rng.NormFloat64(), 0.1+5*rng.Float64()
		if rng.IntN(8) == 0 {
			spread = 0
		}
		for i := range rows {
			x.Set(i, j, offset+spread*x.At(i, j))
		}
	}
	return x
}

// hiddenLayer draws a layer that was trained: nothing in it is as New leaves it. Some have a γ or a momentum of 0.
func hiddenLayer(rng *rand.Rand, features int) *reference.Layer {
	l := &reference.Layer{
		Gamma: check.Normal(rng, features, 2), Beta: check.Normal(rng, features, 2), RunningMean: check.Normal(rng, features, 5),
		Momentum: rng.Float64(), Eps: []float64{1e-5, 1e-2, 1e-3 * rng.Float64()}[rng.IntN(3)],
	}
	for range features {
		l.RunningVar = append(l.RunningVar, 5*rng.Float64())
	}
	if rng.IntN(4) == 0 {
		l.Gamma[rng.IntN(features)] = 0
	}
	if rng.IntN(4) == 0 {
		l.Momentum = float64(rng.IntN(2))
	}
	return l
}

// hiddenOwn is l as a layer of the learner's.
func hiddenOwn(l *reference.Layer) *learner.Layer {
	return &learner.Layer{
		Gamma: check.Copy(l.Gamma), Beta: check.Copy(l.Beta), RunningMean: check.Copy(l.RunningMean), RunningVar: check.Copy(l.RunningVar), Momentum: l.Momentum, Eps: l.Eps,
	}
}

// hiddenUnchanged holds that a layer is as it was.
func hiddenUnchanged(t *testing.T, call string, got *learner.Layer, want *reference.Layer) {
	t.Helper()
	check.Equal(t, "the layer after "+call, *got, *hiddenOwn(want), check.Exact)
}

// hiddenBatches runs f on layers and batches of many sizes.
func hiddenBatches(t *testing.T, n, fewest int, f func(t *testing.T, rng *rand.Rand, l *reference.Layer, x *mat.Dense)) {
	rng := check.Rand(t)
	for k := range n {
		t.Run(fmt.Sprint("batch ", k), func(t *testing.T) {
			defer check.Rescue(t)
			features := 1 + rng.IntN(6)
			l := hiddenLayer(rng, features)
			if rng.IntN(5) == 0 {
				l = reference.New(features)
			}
			f(t, rng, l, hiddenBatch(rng, fewest+rng.IntN(9), features))
		})
	}
}

func TestHiddenStats(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		rows, features := 1+rng.IntN(9), 1+rng.IntN(6)
		x := hiddenBatch(rng, rows, features)
		scale, nan := []float64{1, 1, 1e-15, 1e6}[rng.IntN(4)], rng.IntN(2*features)
		for j := range features {
			far := float64(rng.IntN(3)-1) * 1e6
			for i := range rows {
				x.Set(i, j, scale*x.At(i, j))
				if scale == 1 && rows > 1 && far != 0 {
					x.Set(i, j, far+float64(i)+rng.Float64())
				}
			}
			if j == nan {
				x.Set(rng.IntN(rows), j, math.NaN())
			}
		}
		passed := check.Copy(x)
		mean, variance := reference.Stats(x)
		gotMean, gotVariance := learner.Stats(passed)
		check.Equal(t, "Stats(x) mean", gotMean, mean, check.Tol{Rel: 1e-9, Abs: 1e-12 * scale}, check.Kept("x", passed, x))
		check.Equal(t, "Stats(x) variance", gotVariance, variance, check.Tol{Rel: 2e-9, Abs: 1e-20 * scale * scale}, check.With("x", x))
	}
	check.Independent(t, "Stats(x)", learner.Stats, check.Args{hiddenNormal(rng, 5, 3)}, check.Args{hiddenNormal(rng, 5, 3)})
	check.Panics(t, "Stats of no rows", func() { learner.Stats(new(mat.Dense)) })
}

func TestHiddenTrain(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenBatches(t, 40, 2, func(t *testing.T, rng *rand.Rand, l *reference.Layer, x *mat.Dense) {
		passed, got := check.Copy(x), hiddenOwn(l)
		y := got.Train(passed)
		check.Equal(t, "Train(x)", y, l.Train(x), check.Tol{Rel: 1e-8, Abs: 1e-9}, check.Kept("x", passed, x))

		features := len(l.Gamma)
		before, started := hiddenOwn(l), learner.New(features)
		for call, bad := range map[string]*mat.Dense{
			"one row":      hiddenNormal(rng, 1, features),
			"more columns": hiddenNormal(rng, 4, features+1+rng.IntN(3)),
			"no columns":   new(mat.Dense),
		} {
			check.Panics(t, "Train on "+call, func() { before.Train(bad) })
			hiddenUnchanged(t, "a panic of Train on "+call, before, l)
		}
		check.Equal(t, fmt.Sprintf("New(%d)", features), *started, *hiddenOwn(reference.New(features)), check.Rel(1e-12))
	})
	check.Independent(t, "New(features)", learner.New, check.Args{3}, check.Args{4})
	check.Independent(t, "l.Train(x)", (*learner.Layer).Train, check.Args{hiddenOwn(hiddenLayer(rng, 3)), hiddenNormal(rng, 4, 3)}, check.Args{hiddenOwn(hiddenLayer(rng, 3)), hiddenNormal(rng, 4, 3)}, check.InPlace("l"))
}

func TestHiddenRunning(t *testing.T) {
	defer check.Rescue(t)
	hiddenBatches(t, 40, 2, func(t *testing.T, rng *rand.Rand, l *reference.Layer, x *mat.Dense) {
		got := hiddenOwn(l)
		rows, features := x.Dims()
		for k := range 1 + rng.IntN(3) {
			got.Train(check.Copy(x))
			l.Train(x)
			check.Equal(t, fmt.Sprintf("running mean after %d batches", k+1), got.RunningMean, l.RunningMean, check.Rel(1e-9), check.With("momentum", l.Momentum), check.With("x", x))
			check.Equal(t, fmt.Sprintf("running variance after %d batches", k+1), got.RunningVar, l.RunningVar, check.Rel(1e-9), check.With("momentum", l.Momentum), check.With("x", x))
			x = hiddenBatch(rng, rows, features)
		}
	})
}

func TestHiddenInfer(t *testing.T) {
	defer check.Rescue(t)
	hiddenBatches(t, 40, 1, func(t *testing.T, rng *rand.Rand, l *reference.Layer, x *mat.Dense) {
		features := len(l.Gamma)
		if rng.IntN(4) == 0 {
			l.RunningVar[rng.IntN(features)] = 0
			l.Eps = max(l.Eps, 1e-5)
		}
		passed, got := check.Copy(x), hiddenOwn(l)
		check.Equal(t, "Infer(x)", got.Infer(passed), l.Infer(x), check.Rel(1e-8), check.Kept("x", passed, x))
		hiddenUnchanged(t, "Infer(x)", got, l)
		check.Panics(t, "Infer on more columns", func() { got.Infer(hiddenNormal(rng, 2, features+1+rng.IntN(3))) })
		check.Panics(t, "Infer on no columns", func() { got.Infer(new(mat.Dense)) })
		if features > 1 {
			check.Panics(t, "Infer on fewer columns", func() { got.Infer(hiddenNormal(rng, 2, features-1)) })
		}
	})
	rng := check.Rand(t)
	check.Independent(t, "l.Infer(x)", (*learner.Layer).Infer, check.Args{hiddenOwn(hiddenLayer(rng, 3)), hiddenNormal(rng, 4, 3)}, check.Args{hiddenOwn(hiddenLayer(rng, 3)), hiddenNormal(rng, 4, 3)})
}

func TestHiddenBackward(t *testing.T) {
	defer check.Rescue(t)
	hiddenBatches(t, 40, 2, func(t *testing.T, rng *rand.Rand, l *reference.Layer, x *mat.Dense) {
		rows, features := x.Dims()
		dy := hiddenNormal(rng, rows, features)
		passed, got := check.Copy(x), hiddenOwn(l)
		dx, dGamma, dBeta := l.Backward(x, dy)
		gotX, gotGamma, gotBeta := got.Backward(passed, check.Copy(dy))
		// Terms of this size cancel in dx.
		largest := mat.Norm(dy, 2)
		_, variance := reference.Stats(x)
		scale := 0.0
		for j, g := range l.Gamma {
			scale = max(scale, math.Abs(g)*largest/math.Sqrt(variance[j]+l.Eps))
		}
		check.Equal(t, "Backward(x, dy) dx", gotX, dx, check.Abs(1e-9*scale+1e-300), check.Kept("x", passed, x), check.With("dy", dy))
		check.Equal(t, "Backward(x, dy) dGamma", gotGamma, dGamma, check.Abs(1e-9*float64(rows)), check.With("x", x), check.With("dy", dy))
		check.Equal(t, "Backward(x, dy) dBeta", gotBeta, dBeta, check.Abs(1e-9*float64(rows)), check.With("dy", dy))
		hiddenUnchanged(t, "Backward(x, dy)", got, l)
		for call, bad := range map[string][2]*mat.Dense{
			"one row":                 {hiddenNormal(rng, 1, features), hiddenNormal(rng, 1, features)},
			"more columns":            {hiddenNormal(rng, rows, features+1), hiddenNormal(rng, rows, features+1)},
			"more rows of dy":         {x, hiddenNormal(rng, rows+1+rng.IntN(3), features)},
			"fewer rows of dy":        {x, hiddenNormal(rng, rows-1, features)},
			"more columns of dy":      {x, hiddenNormal(rng, rows, features+1+rng.IntN(3))},
			"no gradient at all":      {x, new(mat.Dense)},
			"fewer rows than columns": {hiddenNormal(rng, features, rows+features), hiddenNormal(rng, features, rows+features)},
		} {
			check.Panics(t, "Backward of "+call, func() { got.Backward(bad[0], bad[1]) })
		}
	})
	rng := check.Rand(t)
	args := func() check.Args {
		return check.Args{hiddenOwn(hiddenLayer(rng, 3)), hiddenNormal(rng, 5, 3), hiddenNormal(rng, 5, 3)}
	}
	check.Independent(t, "l.Backward(x, dy)", (*learner.Layer).Backward, args(), args())
}

func TestHiddenFold(t *testing.T) {
	defer check.Rescue(t)
	hiddenBatches(t, 40, 1, func(t *testing.T, rng *rand.Rand, l *reference.Layer, _ *mat.Dense) {
		features, in := len(l.Gamma), 1+rng.IntN(6)
		if rng.IntN(3) == 0 {
			l.Eps = 0
			floats.AddConst(0.5, l.RunningVar)
		}
		w, b := hiddenNormal(rng, in, features), check.Normal(rng, features, 3)
		passed, passedB, got := check.Copy(w), check.Copy(b), hiddenOwn(l)
		wantW, wantB := reference.Fold(w, b, l)
		folded, bias := learner.Fold(passed, passedB, got)
		check.Equal(t, "Fold(w, b, l) weights", folded, wantW, check.Rel(1e-8), check.Kept("w", passed, w))
		check.Equal(t, "Fold(w, b, l) bias", bias, wantB, check.Tol{Rel: 1e-8, Abs: 1e-9}, check.Kept("b", passedB, b))
		hiddenUnchanged(t, "Fold(w, b, l)", got, l)
		more := 1 + rng.IntN(3)
		for call, bad := range map[string]struct {
			w *mat.Dense
			b []float64
		}{
			"more columns of w":              {hiddenNormal(rng, in, features+more), b},
			"too many biases":                {w, make([]float64, features+more)},
			"no biases":                      {w, nil},
			"more columns and biases":        {hiddenNormal(rng, in, features+more), make([]float64, features+more)},
			"a w with columns for rows":      {hiddenNormal(rng, features, features+more), b},
			"too few biases":                 {w, b[1:]},
			"a w of no rows and columns":     {new(mat.Dense), b},
			"a w of more columns, no biases": {hiddenNormal(rng, in, features+more), nil},
		} {
			check.Panics(t, "Fold of "+call, func() { learner.Fold(bad.w, bad.b, got) })
		}
		if features > 1 {
			check.Panics(t, "Fold of fewer columns and biases", func() { learner.Fold(hiddenNormal(rng, in, features-1), b[1:], got) })
		}
	})
	rng := check.Rand(t)
	args := func() check.Args {
		return check.Args{hiddenNormal(rng, 2, 3), check.Normal(rng, 3, 1), hiddenOwn(hiddenLayer(rng, 3))}
	}
	check.Independent(t, "Fold(w, b, l)", learner.Fold, args(), args())
}
