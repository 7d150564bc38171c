package batchnorm_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	batchnorm "whyhow/katas/q05-batch-norm"
)

func TestStats(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[struct {
		Name              string
		X, Mean, Variance check.Array
	}](t, "stats") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Dense()
			passed := check.Copy(x)
			rowMean, rowVariance := columnStats(mat.DenseCopyOf(x.T()))
			mean, variance := batchnorm.Stats(passed)
			if !check.Equal(t, "Stats(x) mean", mean, c.Mean.Floats(), check.Rel(1e-10),
				check.Kept("x", passed, x), check.Why("a feature is a column: its mean runs over the rows"),
				check.Mistake(rowMean, "you took the statistics of each row; a feature is a column"),
				check.Mistake(sample(c.Mean.Floats(), x), "you divided the sum by N−1: a mean is ÷ N"),
				check.Mistake(columnSums(x), "you did not divide the sum by N"),
				check.Mistake(times(columnSums(x), 1/float64(len(c.Mean.Data))), "you divided by the number of columns: a mean over the rows is ÷ N"),
				check.Mistake(c.Variance.Floats(), "you returned the variance first: the mean comes first")) {
				return // the variance would repeat it
			}
			check.Equal(t, "Stats(x) variance", variance, c.Variance.Floats(), check.Rel(1e-10),
				check.With("x", x), check.Why("the biased variance is the mean squared distance from the mean"),
				check.Mistake(sample(c.Variance.Floats(), x), "you divided by N−1: that is the sample variance; batch norm takes the biased one, ÷ N"),
				check.Mistake(roots(c.Variance.Floats(), 0), "you returned the standard deviation: the variance is its square"),
				check.Mistake(times(columnSums(product(x, x)), 1/float64(c.X.Shape[0])), "you did not subtract the mean before you squared"),
				check.Mistake(times(columnSums(mapped(x, func(i, j int) float64 { return math.Abs(x.At(i, j) - c.Mean.Data[j]) })), 1/float64(c.X.Shape[0])),
					"you took the mean distance from the mean: the variance is the mean of its square"),
				check.Mistake(rowVariance, "you took the statistics of each row; a feature is a column"))
		})
	}
	t.Run("far from zero", func(t *testing.T) {
		defer check.Rescue(t)
		// 10⁶ + 0…5: the mean of 0…5 is 5/2, their variance (6²−1)/12. Squares and their sums are exact in float64, so that
		// E[x²] − E[x]² loses the same digits in any order of summation.
		x := mat.NewDense(6, 1, []float64{1e6 + 4, 1e6, 1e6 + 5, 1e6 + 1, 1e6 + 3, 1e6 + 2})
		_, variance := batchnorm.Stats(check.Copy(x))
		sum, square, mean, meanSquare := 0.0, 0.0, 0.0, 0.0
		for _, v := range x.RawMatrix().Data {
			sum, square, mean, meanSquare = sum+v, square+v*v, mean+v/6, meanSquare+v*v/6
		}
		const lossy = "you computed E[x²] − E[x]²: at an offset of 10⁶ both are 10¹² and their difference keeps four digits; " +
			"subtract the mean before you square"
		if !check.Equal(t, "Stats(x) variance", variance, []float64{35.0 / 12}, check.Rel(1e-9),
			check.With("x", "one column, 10⁶ + (4, 0, 5, 1, 3, 2)"), check.Why("an offset changes no variance, and must not cost its digits"),
			check.Mistake([]float64{square/6 - sum/6*(sum/6)}, lossy),
			check.Mistake([]float64{meanSquare - mean*mean}, lossy)) {
			return
		}
		// Where the mean is no float64, other forms lose digits too, and where each column lies elsewhere, one shift for all.
		near := []float64{0.3, 17.1, 4.7, 29.9, 11.3, 23.7, 8.9}
		far := []float64{1e6, -1e6, 0}
		x = mapped(mat.NewDense(7, 3, nil), func(i, j int) float64 { return far[j] + near[i] })
		_, want := columnStats(mapped(x, func(i, j int) float64 { return x.At(i, j) - far[j] })) // exact differences
		_, variance = batchnorm.Stats(check.Copy(x))
		check.Equal(t, "Stats(x) variance", variance, want, check.Rel(1e-9),
			check.With("x", "10⁶, −10⁶ and 0, each + (0.3, 17.1, 4.7, 29.9, 11.3, 23.7, 8.9)"), check.Why("the mean squared distance from the mean"))
	})
	t.Run("small values", func(t *testing.T) {
		defer check.Rescue(t)
		mean, variance := batchnorm.Stats(mat.NewDense(3, 1, []float64{-1e-20, 0, 4e-20}))
		check.Equal(t, "Stats of (−10⁻²⁰, 0, 4·10⁻²⁰) mean", mean, []float64{1e-20}, check.Tol{Rel: 1e-9})
		check.Equal(t, "Stats of (−10⁻²⁰, 0, 4·10⁻²⁰) variance", variance, []float64{14e-40 / 3}, check.Tol{Rel: 1e-9},
			check.Why("eps is added where the variance is used; here it is as small as it is"))
	})
	t.Run("many rows", func(t *testing.T) {
		defer check.Rescue(t)
		x := mapped(mat.NewDense(300, 2, nil), func(i, j int) float64 { return float64(i + 1000*j) })
		mean, variance := batchnorm.Stats(x)
		check.Equal(t, "Stats of 0…299 and 1000…1299 mean", mean, []float64{149.5, 1149.5}, check.Rel(1e-10))
		check.Equal(t, "Stats of 0…299 and 1000…1299 variance", variance, []float64{89999.0 / 12, 89999.0 / 12}, check.Rel(1e-10),
			check.Why("(N² − 1)/12 is the variance of N whole numbers in a row"))
	})
	t.Run("a NaN", func(t *testing.T) {
		defer check.Rescue(t)
		mean, variance := batchnorm.Stats(mat.NewDense(3, 2, []float64{1, 4, math.NaN(), 4, 3, 7}))
		check.Equal(t, "Stats of the columns (1, NaN, 3) and (4, 4, 7) mean and variance", append(mean, variance...), []float64{math.NaN(), 5, math.NaN(), 2}, check.Rel(1e-9),
			check.Why("a NaN makes its column's statistics NaN, and no other's"),
			check.Mistake([]float64{2, 5, 1, 2}, "you left the NaN out: it must be seen, not hidden"))
	})
	t.Run("one row", func(t *testing.T) {
		defer check.Rescue(t)
		mean, variance := batchnorm.Stats(mat.NewDense(1, 2, []float64{4, -7}))
		check.Equal(t, "Stats of the one row (4, −7) mean", mean, []float64{4, -7}, check.Rel(1e-12))
		check.Equal(t, "Stats of the one row (4, −7) variance", variance, []float64{0, 0}, check.Abs(1e-12))
	})
	check.Panics(t, "Stats of no rows", func() { batchnorm.Stats(&mat.Dense{}) })
	args, others := drawnArgs(t)
	check.Independent(t, "Stats(x)", batchnorm.Stats, args[1:2], others[1:2])
}

func TestTrain(t *testing.T) {
	defer check.Rescue(t)
	start := func(runningVar, momentum, eps float64) batchnorm.Layer {
		return batchnorm.Layer{
			Gamma: []float64{1, 1}, Beta: []float64{0, 0}, RunningMean: []float64{0, 0}, RunningVar: []float64{runningVar, runningVar},
			Momentum: momentum, Eps: eps,
		}
	}
	check.Equal(t, "New(2)", *batchnorm.New(2), start(1, 0.1, 1e-5), check.Rel(1e-12),
		check.Why("a new layer only normalises: γ = 1, β = 0, running mean 0, running variance 1"),
		check.Mistake(start(0, 0.1, 1e-5), "you started the running variance at 0: it starts at 1"),
		check.Mistake(start(1, 0.9, 1e-5), "you took the momentum for the weight of the old value: here it is the new value's, 0.1"),
		check.Mistake(start(1, 0.99, 1e-3), "you took the defaults of Keras: PyTorch's are momentum 0.1 and eps 1e-5"),
		check.Mistake(start(1, 0.1, 1e-3), "you took Keras's eps: PyTorch's is 1e-5"),
		check.Mistake(start(1, 0, 0), "you left momentum and eps at 0: they are 0.1 and 1e-5"))
	for _, c := range check.Golden[trainCase](t, "train") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Dense()
			passed := check.Copy(x)
			mean, variance := columnStats(x)
			got := c.layer().Train(passed)
			check.Equal(t, "Train(x)", got, c.Y.Dense(), check.Rel(1e-8),
				check.Kept("x", passed, x),
				check.With("γ", c.Gamma.Floats()), check.With("β", c.Beta.Floats()), check.With("eps", c.Eps),
				check.Why("y = γ·(x − μ)/√(σ² + eps) + β, with μ and the biased σ² of this batch"),
				check.Mistake(c.normalised(x, mean, roots(sample(variance, x), c.Eps)),
					"you divided by N−1: that is the sample variance; batch norm normalises with the biased one, ÷ N"),
				check.Mistake(c.normalised(x, mean, plus(roots(variance, 0), c.Eps)),
					"you added eps outside the root, to σ: it is √(σ² + eps)"),
				check.Mistake(c.normalised(x, mean, roots(variance, 0)), unseenEps((*batchnorm.Layer).Train)),
				fixedEps(c.Eps, func(eps float64) any { return c.normalised(x, mean, roots(variance, eps)) }),
				check.Mistake(c.normalised(x, mean, plus(variance, c.Eps)), "you divided by the variance: take its root"),
				check.Mistake(c.withoutGamma().normalised(x, mean, roots(variance, c.Eps)), "you left γ out: scale before you add β"),
				check.Mistake(c.normalised(x, c.RunningMean.Floats(), roots(c.RunningVar.Floats(), c.Eps)),
					"you normalised with the running statistics: those are for inference; training uses the batch's own"),
				check.Mistake(c.normalised(x, c.NextMean.Floats(), roots(c.NextVar.Floats(), c.Eps)),
					"you updated the running statistics and normalised with those: training uses the batch's own"),
				check.Mistake(c.normalised(x, times(mean, 0), roots(variance, c.Eps)), "you did not subtract the mean of the batch"),
				check.Mistake(c.betaFirst().normalised(x, mean, roots(variance, c.Eps)), "you added β before you scaled: γ multiplies x̂ alone"),
				check.Mistake(c.rowwise(x), "you normalised each row, as layer norm does: batch norm normalises each column"),
				check.Known("γ", c.Gamma.Floats()), check.Known("β", c.Beta.Floats()))
		})
	}
	t.Run("a constant feature", func(t *testing.T) {
		defer check.Rescue(t)
		l := batchnorm.New(2)
		l.Gamma, l.Beta = []float64{3, 1}, []float64{-0.5, 0}
		y := l.Train(mat.NewDense(3, 2, []float64{7, -2, 7, 0, 7, 2}))
		s := math.Sqrt(8.0/3 + 1e-5)
		check.Equal(t, "Train(x) of the columns (7, 7, 7) and (−2, 0, 2)", y, mat.NewDense(3, 2, []float64{-0.5, -2 / s, -0.5, 0, -0.5, 2 / s}), check.Rel(1e-9),
			check.Why("x − μ is 0 in the first: it gives β, and eps keeps it from 0/0"),
			check.Mistake(mat.NewDense(3, 2, []float64{7, -2 / s, 7, 0, 7, 2 / s}), "you left a feature whose variance is 0 as it was"))
	})
	takesEps := !t.Failed()
	t.Run("zeros that are meant", func(t *testing.T) {
		defer check.Rescue(t)
		y := zeros().Train(mat.NewDense(2, 2, []float64{3, 0.01, 1, -0.01})) // σ² is 1 and 1e-4
		small := 2 * 0.01 / math.Sqrt(1e-4+1e-5)
		check.Equal(t, "Train(x) of the columns (3, 1) and (0.01, −0.01), γ (0, −2), β (5, 0), eps 0", y, mat.NewDense(2, 2, []float64{5, -2, 5, 2}), check.Rel(1e-9),
			append(epsUnset(takesEps, mat.NewDense(2, 2, []float64{5, -small, 5, small})),
				check.Why("0 is a value like any other: γ = 0 leaves β alone, and eps = 0 adds nothing"),
				check.Mistake(mat.NewDense(2, 2, []float64{6, -2, 4, 2}), gammaUnset))...)
	})
	t.Run("refused batches", func(t *testing.T) {
		defer check.Rescue(t)
		for _, x := range []*mat.Dense{mat.NewDense(1, 2, []float64{8, 9}), mat.NewDense(2, 3, []float64{8, 9, 1, 7, 3, 3}), mat.NewDense(3, 1, []float64{8, 9, 1})} {
			l := zeros()
			rows, columns := x.Dims()
			call := fmt.Sprintf("Train of a layer of 2 features on %d×%d", rows, columns)
			check.Panics(t, call, func() { l.Train(check.Copy(x)) })
			check.Equal(t, "the layer after a panic of "+call, *l, *zeros(), check.Rel(1e-12), check.Why("a batch that is refused leaves no trace in the running statistics"))
		}
	})
	check.Panics(t, "Train on no rows", func() { batchnorm.New(3).Train(&mat.Dense{}) })
	check.Panics(t, "Train on one row", func() { batchnorm.New(3).Train(mat.NewDense(1, 3, nil)) })
	check.Panics(t, "New(3).Train on 4 columns", func() { batchnorm.New(3).Train(mat.NewDense(5, 4, nil)) })
	check.Panics(t, "New(3).Train on 2 columns", func() { batchnorm.New(3).Train(mat.NewDense(5, 2, nil)) })
	check.Independent(t, "New(features)", batchnorm.New, check.Args{3}, check.Args{4})
	args, others := drawnArgs(t)
	check.Independent(t, "l.Train(x)", (*batchnorm.Layer).Train, args[:2], others[:2], check.InPlace("l"))
}

func TestRunning(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[trainCase](t, "train") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Dense()
			mean, variance := columnStats(x)
			unbiased := sample(variance, x)
			n, _ := x.Dims()
			oldMean, oldVar := c.RunningMean.Floats(), c.RunningVar.Floats()
			l := c.layer()
			l.Train(check.Copy(x))
			const flipped = "you put momentum on the old value: here it is the weight of the new batch, as in PyTorch"
			const unchanged = "you left the running statistics as they were"
			const replaced = "you stored the batch's statistics: mix them with the old ones"
			var fixedMean, fixedVar []check.Option
			if c.Momentum != 0.1 {
				const fixed = "you used 0.1 in place of the layer's Momentum"
				fixedMean = append(fixedMean, check.Mistake(mix(oldMean, mean, 0.1), fixed))
				fixedVar = append(fixedVar, check.Mistake(mix(oldVar, unbiased, 0.1), fixed))
			}
			check.Equal(t, "running mean after Train(x)", l.RunningMean, c.NextMean.Floats(), check.Rel(1e-9), append(fixedMean,
				check.With("old running mean", oldMean), check.With("mean of x", mean), check.With("momentum", c.Momentum),
				check.Why("running ← (1 − momentum)·running + momentum·batch"),
				check.Mistake(mix(oldMean, mean, 1-c.Momentum), flipped),
				check.Mistake(oldMean, unchanged),
				check.Mistake(mean, replaced))...)
			check.Equal(t, "running variance after Train(x)", l.RunningVar, c.NextVar.Floats(), check.Rel(1e-9), append(fixedVar,
				check.With("old running variance", oldVar), check.With("unbiased variance of x", unbiased), check.With("momentum", c.Momentum),
				check.Why("running ← (1 − momentum)·running + momentum·batch, where the batch's variance is unbiased"),
				check.Mistake(mix(oldVar, variance, c.Momentum),
					"you averaged the biased variance: PyTorch keeps the unbiased one, ÷ (N−1), for inference (ONNX keeps the biased one)"),
				check.Mistake(mix(oldVar, sample(unbiased, x), c.Momentum), "you corrected for N−1 twice: Stats gives the biased variance, one factor N/(N−1) makes it unbiased"),
				check.Mistake(mix(oldVar, times(variance, float64(n-1)/float64(n)), c.Momentum), "you multiplied by (N−1)/N: the unbiased variance is the larger one"),
				check.Mistake(mix(oldVar, unbiased, 1-c.Momentum), flipped),
				check.Mistake(mix(oldVar, variance, 1-c.Momentum), "you put momentum on the old value, and averaged the biased variance"),
				check.Mistake(mix(oldVar, roots(variance, c.Eps), c.Momentum), "you averaged the standard deviation: it is the variance that is kept"),
				check.Mistake(mix(oldVar, plus(unbiased, c.Eps), c.Momentum), "you averaged σ² + eps: eps belongs to the root, not to what is kept"),
				check.Mistake(oldVar, unchanged),
				check.Mistake(mix(oldVar, roots(unbiased, 0), c.Momentum), "you averaged the standard deviation: it is the variance that is kept"),
				check.Mistake(unbiased, replaced))...)
		})
	}
	t.Run("batch after batch", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		l := batchnorm.New(3)
		type statistics struct{ Mean, Var []float64 }
		var got, want, first, mean, corrected []statistics
		then := func(so []statistics, m float64, with statistics) []statistics {
			last := statistics{make([]float64, 3), []float64{1, 1, 1}}
			if len(so) > 0 {
				last = so[len(so)-1]
			}
			return append(so, statistics{mix(last.Mean, with.Mean, m), mix(last.Var, with.Var, m)})
		}
		for k := range 4 {
			x := mapped(mat.NewDense(5, 3, nil), func(_, j int) float64 { return float64(j+1) + 2*rng.NormFloat64() })
			l.Train(check.Copy(x))
			got = append(got, statistics{slices.Clone(l.RunningMean), slices.Clone(l.RunningVar)})
			mu, biased := columnStats(x)
			batch := statistics{mu, sample(biased, x)}
			want = then(want, 0.1, batch)
			mean = then(mean, 1/float64(k+1), batch)
			m := 0.1
			if k == 0 {
				m = 1
			}
			first = then(first, m, batch)
			corrected = append(corrected, statistics{times(want[k].Mean, 1/(1-math.Pow(0.9, float64(k+1)))), want[k].Var})
		}
		check.Equal(t, "running statistics of New(3) after each of four batches", got, want, check.Rel(1e-9),
			check.Why("running ← (1 − momentum)·running + momentum·batch, for the first batch as for the others: before it running is 0 and 1"),
			check.Mistake(first, "you took the first batch's statistics as they are: it is mixed with 0 and 1 like every other"),
			check.Mistake(mean, "you took the mean of all batches: an old one counts less and less"),
			check.Mistake(corrected, "you corrected the running mean for its start at 0, as Adam does: batch norm does not"))
	})
	usesMomentum := !t.Failed()
	for _, momentum := range []float64{0, 1} {
		t.Run(fmt.Sprintf("momentum %v", momentum), func(t *testing.T) {
			defer check.Rescue(t)
			l := batchnorm.New(1)
			l.Momentum, l.RunningMean[0], l.RunningVar[0] = momentum, 3, 5
			l.Train(mat.NewDense(3, 1, []float64{-2, 0, 8}))
			byDefault := func(value float64) []check.Option {
				if usesMomentum {
					return []check.Option{check.Mistake([]float64{value}, "you took a momentum of 0 for none, and used 0.1")}
				}
				return nil
			}
			check.Equal(t, fmt.Sprintf("running mean 3 after the batch (−2, 0, 8), momentum %v", momentum), l.RunningMean, []float64{3 - momentum}, check.Rel(1e-12), byDefault(2.9)...)
			check.Equal(t, fmt.Sprintf("running variance 5 after the batch (−2, 0, 8), momentum %v", momentum), l.RunningVar, []float64{5 + 23*momentum}, check.Rel(1e-12), byDefault(7.3)...)
		})
	}
	t.Run("a constant feature", func(t *testing.T) {
		defer check.Rescue(t)
		l := batchnorm.New(1)
		l.Momentum, l.RunningMean[0], l.RunningVar[0] = 0.25, 3, 5
		l.Train(mat.NewDense(3, 1, []float64{7, 7, 7}))
		why := []check.Option{check.Why("a variance of 0 is mixed in like any other")}
		if usesMomentum {
			why = append(why, check.Mistake([]float64{3, 5}, "you left the running statistics of a constant feature as they were"))
		}
		check.Equal(t, "running mean 3 and variance 5 after the batch (7, 7, 7), momentum ¼", append(slices.Clone(l.RunningMean), l.RunningVar...), []float64{4, 3.75}, check.Rel(1e-12), why...)
	})
}

func TestInfer(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[inferCase](t, "infer") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Dense()
			passed := check.Copy(x)
			mean, variance := columnStats(x)
			rm, rv := c.RunningMean.Floats(), c.RunningVar.Floats()
			l := c.layer()
			got := l.Infer(passed)
			check.Equal(t, "Infer(x)", got, c.Y.Dense(), check.Rel(1e-9),
				check.Kept("x", passed, x),
				check.With("running mean", rm), check.With("running variance", rv), check.With("eps", c.Eps),
				check.Why("y = γ·(x − running mean)/√(running variance + eps) + β"),
				check.Mistake(c.normalised(x, mean, roots(variance, c.Eps)),
					"you normalised with this batch's statistics: at inference a row must not depend on its neighbours"),
				check.Mistake(c.normalised(x, rm, plus(roots(rv, 0), c.Eps)), "you added eps outside the root, to σ: it is √(σ² + eps)"),
				check.Mistake(c.normalised(x, rm, rv), "you divided by the running variance: take its root"),
				check.Mistake(c.withoutGamma().normalised(x, rm, roots(rv, c.Eps)), "you left γ out: scale before you add β"),
				check.Mistake(c.betaFirst().normalised(x, rm, roots(rv, c.Eps)), "you added β before you scaled: γ multiplies x̂ alone"),
				check.Mistake(c.normalised(x, rm, roots(rv, 0)), unseenEps((*batchnorm.Layer).Infer)),
				fixedEps(c.Eps, func(eps float64) any { return c.normalised(x, rm, roots(rv, eps)) }),
				check.Mistake(c.normalised(x, times(rm, 0), roots(rv, c.Eps)), "you did not subtract the running mean"),
				check.Mistake(c.normalised(x, rm, roots(sample(rv, x), c.Eps)), "you corrected the running variance for N−1: it is unbiased already"),
				check.Mistake(c.normalised(x, rm, roots(variance, c.Eps)), "you took the mean from the running statistics and the variance from this batch: both are the running ones"),
				check.Mistake(c.normalised(x, mean, roots(rv, c.Eps)), "you took the mean from this batch: both statistics are the running ones"),
				check.Known("γ", c.Gamma.Floats()), check.Known("β", c.Beta.Floats()))
			check.Equal(t, "the layer after Infer(x)", *l, *c.layer(), check.Rel(1e-12),
				check.Why("inference changes nothing: an answer must not depend on what was asked before"),
				check.Mistake(c.afterTrain(x), "you updated the running statistics in Infer: only Train does"))
			one := c.layer().Infer(mat.NewDense(1, len(rm), mat.Row(nil, 1, x)))
			check.Equal(t, "Infer of row 1 of x alone", one, mat.NewDense(1, len(rm), mat.Row(nil, 1, c.Y.Dense())), check.Rel(1e-9),
				check.Why("a row alone gives what it gives in a batch"))
		})
	}
	takesEps := !t.Failed()
	t.Run("zeros that are meant", func(t *testing.T) {
		defer check.Rescue(t)
		y := zeros().Infer(mat.NewDense(1, 2, []float64{3, 1.02})) // running mean 1 and 1, running variance 4 and 4e-4
		check.Equal(t, "Infer((3, 1.02)) with γ (0, −2), β (5, 0), running mean (1, 1), running variance (4, 0.0004), eps 0", y, mat.NewDense(1, 2, []float64{5, -2}), check.Rel(1e-9),
			append(epsUnset(takesEps, mat.NewDense(1, 2, []float64{5, -2 * 0.02 / math.Sqrt(4e-4+1e-5)})),
				check.Why("0 is a value like any other: γ = 0 leaves β alone, and eps = 0 adds nothing"),
				check.Mistake(mat.NewDense(1, 2, []float64{6, -2}), gammaUnset))...)
	})
	t.Run("a running variance of 0", func(t *testing.T) {
		defer check.Rescue(t)
		l := batchnorm.New(1)
		l.RunningMean[0], l.RunningVar[0], l.Eps = 1, 0, 0.25
		check.Equal(t, "Infer((1), (3)) with running mean 1, running variance 0, eps ¼", l.Infer(mat.NewDense(2, 1, []float64{1, 3})), mat.NewDense(2, 1, []float64{0, 4}), check.Rel(1e-9),
			check.Why("a feature that was constant in training is divided by √eps"))
	})
	check.Panics(t, "New(3).Infer on no columns", func() { batchnorm.New(3).Infer(&mat.Dense{}) })
	check.Panics(t, "New(3).Infer on 4 columns", func() { batchnorm.New(3).Infer(mat.NewDense(5, 4, nil)) })
	check.Panics(t, "New(3).Infer on 2 columns", func() { batchnorm.New(3).Infer(mat.NewDense(5, 2, nil)) })
	args, others := drawnArgs(t)
	check.Independent(t, "l.Infer(x)", (*batchnorm.Layer).Infer, args[:2], others[:2])
}

func TestBackward(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[backwardCase](t, "backward") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := c.X.Dense(), c.DY.Dense()
			passedX, passedDY := check.Copy(x), check.Copy(dy)
			l := c.layer()
			dx, dGamma, dBeta := l.Backward(passedX, passedDY)
			given := []check.Option{check.Kept("x", passedX, x), check.Kept("dy", passedDY, dy)}

			mean, variance := columnStats(x)
			n, _ := x.Dims()
			xhat := mapped(x, func(i, j int) float64 { return (x.At(i, j) - mean[j]) / math.Sqrt(variance[j]+c.Eps) })
			centred := mapped(x, func(i, j int) float64 { return x.At(i, j) - mean[j] })
			inferred := mapped(x, func(i, j int) float64 {
				return (x.At(i, j) - c.RunningMean.Data[j]) / math.Sqrt(c.RunningVar.Data[j]+c.Eps)
			})
			first := check.Equal(t, "Backward(x, dy) dBeta", dBeta, c.DBeta.Floats(), check.Rel(1e-8), append(given,
				check.Why("β is added to every row: its gradient is the sum of dy over the rows"),
				check.Mistake(times(c.DBeta.Floats(), 1/float64(n)), "you took the mean over the rows: the gradient is the sum"),
				check.Mistake(c.DGamma.Floats(), "you exchanged dGamma and dBeta: dGamma comes first"),
				check.Mistake(columnSums(mapped(dy, func(i, j int) float64 { return c.Gamma.Data[j] * dy.At(i, j) })), "you multiplied by γ: β is added behind it"))...)
			var alone []check.Option
			if first { // else the two may have changed places
				alone = append(alone, check.Mistake(c.DBeta.Floats(), "you summed dy alone: γ multiplies x̂, so sum dy·x̂"))
			}
			check.Equal(t, "Backward(x, dy) dGamma", dGamma, c.DGamma.Floats(), check.Rel(1e-8), append(append(alone, given...),
				check.Why("γ multiplies x̂ in every row: its gradient is the sum of dy·x̂ over the rows"),
				check.Mistake(columnSums(product(dy, x)), "you summed dy·x: γ multiplies the normalised x̂"),
				check.Mistake(columnSums(product(dy, centred)), "you summed dy·(x − μ): x̂ is that divided by √(σ² + eps)"),
				check.Mistake(columnSums(product(dy, inferred)), "you took x̂ from the running statistics: Train normalises with those of the batch"),
				check.Mistake(columnSums(product(dy, mapped(x, func(i, j int) float64 { return c.Gamma.Data[j]*xhat.At(i, j) + c.Beta.Data[j] }))), "you summed dy·y: γ multiplies x̂, before β is added"),
				check.Mistake(columnSums(product(dy, mapped(x, func(i, j int) float64 { return centred.At(i, j) / (math.Sqrt(variance[j]) + c.Eps) }))),
					"you added eps outside the root, to σ: it is √(σ² + eps)"),
				check.Mistake(columnSums(product(dy, mapped(x, func(i, j int) float64 { return centred.At(i, j) / math.Sqrt(variance[j]*float64(n)/float64(n-1)+c.Eps) }))),
					"you divided by N−1: that is the sample variance; batch norm normalises with the biased one, ÷ N"),
				check.Mistake(columnSums(mapped(x, func(i, j int) float64 { return c.Gamma.Data[j] * xhat.At(i, j) * dy.At(i, j) })), "you multiplied by γ: it is γ that the gradient is of"),
				check.Mistake(times(c.DGamma.Floats(), 1/float64(n)), "you took the mean over the rows: the gradient is the sum"))...)

			// dx = γ/√(σ² + eps) · (dy − a·mean(dy) − b·x̂·mean(dy·x̂)) with a = b = 1; a mistake has other a, b.
			wrong := func(a, b float64) *mat.Dense {
				return mapped(x, func(i, j int) float64 {
					return c.Gamma.Data[j] / math.Sqrt(variance[j]+c.Eps) *
						(dy.At(i, j) - a*c.DBeta.Data[j]/float64(n) - b*xhat.At(i, j)*c.DGamma.Data[j]/float64(n))
				})
			}
			// The nearly constant feature has by far the largest gradients, and of two rows digits cancel: hence the scale.
			check.Equal(t, "Backward(x, dy) dx", dx, c.DX.Dense(), check.Abs(1e-10*largest(c.DX.Data)), append(given,
				check.Why("μ and σ depend on every x of the column, so dx has a term for each"),
				check.Mistake(wrong(0, 0), "you took μ and σ for constants, dx = γ·dy/σ: both depend on x"),
				check.Mistake(wrong(0, 1), "you forgot the way through μ: subtract the mean of dy"),
				check.Mistake(wrong(1, 0), "you forgot the way through σ: subtract x̂ times the mean of dy·x̂"),
				check.Mistake(wrong(1, 0.5), "you lost a factor 2 on the way through σ²: the slope of (x − μ)² is 2·(x − μ)"),
				check.Mistake(wrong(1, float64(n)/float64(n-1)), "you divided by N−1 on the way through σ²: Train normalises with the biased one, ÷ N"),
				check.Mistake(wrong(float64(n), float64(n)), "you subtracted sums: it is the mean of dy, and the mean of dy·x̂"),
				check.Mistake(mapped(x, func(i, j int) float64 {
					return c.Gamma.Data[j] / math.Sqrt(c.RunningVar.Data[j]+c.Eps) * dy.At(i, j)
				}), "you gave the gradient of Infer: Train normalises with the batch's statistics, which depend on x"),
				check.Known("γ", c.Gamma.Floats()), check.Known("√(σ² + eps)", roots(variance, c.Eps)))...)
			check.Equal(t, "the layer after Backward(x, dy)", *l, *c.layer(), check.Rel(1e-12),
				check.Why("Backward changes nothing"),
				check.Mistake(c.afterTrain(x), "you called Train, which moves the running statistics a second time: take the Stats of x"))
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		draw := func(offset, spread float64) func(i, j int) float64 {
			return func(_, j int) float64 { return offset*float64(j+1) + spread*rng.NormFloat64() }
		}
		x := mapped(mat.NewDense(6, 5, nil), draw(3, 1.5))
		dy := mapped(x, draw(0.3, 1))
		l := batchnorm.New(5)
		l.Gamma, l.Beta, l.Eps = []float64{0.7, -1.3, 2, 1.6, 0}, []float64{0.5, -2, 1, 3, 0}, 1e-3
		dx, dGamma, dBeta := l.Backward(check.Copy(x), check.Copy(dy))
		loss := func() float64 {
			mean, variance := columnStats(x)
			s := state{Gamma: check.Array{Data: l.Gamma}, Beta: check.Array{Data: l.Beta}}
			return mat.Sum(product(dy, s.normalised(x, mean, roots(variance, l.Eps))))
		}
		check.Gradient(t, "Backward(x, dy) dx", dx, x, loss)
		check.Gradient(t, "Backward(x, dy) dGamma", dGamma, l.Gamma, loss)
		check.Gradient(t, "Backward(x, dy) dBeta", dBeta, l.Beta, loss)
	})
	t.Run("a constant feature", func(t *testing.T) {
		defer check.Rescue(t)
		l := batchnorm.New(1)
		l.Gamma, l.Eps = []float64{3}, 0.25
		dx, dGamma, dBeta := l.Backward(mat.NewDense(3, 1, []float64{7, 7, 7}), mat.NewDense(3, 1, []float64{1, 2, 6}))
		check.Equal(t, "Backward(x, dy) dx of x (7, 7, 7), dy (1, 2, 6), γ 3, eps ¼", dx, mat.NewDense(3, 1, []float64{-12, -6, 18}), check.Rel(1e-9),
			check.Why("σ is 0: γ/√eps is 6, and dy less its mean is (−2, −1, 3)"))
		check.Equal(t, "Backward(x, dy) dGamma and dBeta of x (7, 7, 7), dy (1, 2, 6)", append(dGamma, dBeta...), []float64{0, 9}, check.Tol{Rel: 1e-9, Abs: 1e-12})
	})
	takesEps := !t.Failed()
	t.Run("zeros that are meant", func(t *testing.T) {
		defer check.Rescue(t)
		// σ² is 2/3·10⁻⁴: with dy = (1, 0, 0), x̂ = (−1, 0, 1)·√1.5, dx = γ/σ·(dy − 1/3 − x̂·x̂₀/3) = γ/σ·(1/6, −1/3, 1/6)
		dx := func(gamma, eps float64) *mat.Dense {
			v := 2e-4/3 + eps
			s, b := math.Sqrt(v), 1e-4/v/3
			return mat.NewDense(3, 2, []float64{gamma / s * (2.0/3 - b), -2 / s * (2.0/3 - b), -gamma / s / 3, 2 / s / 3, gamma / s * (b - 1.0/3), -2 / s * (b - 1.0/3)})
		}
		got, _, _ := zeros().Backward(mat.NewDense(3, 2, []float64{-0.01, -0.01, 0, 0, 0.01, 0.01}), mat.NewDense(3, 2, []float64{1, 1, 0, 0, 0, 0}))
		check.Equal(t, "Backward(x, dy) dx of two columns (−0.01, 0, 0.01), dy (1, 0, 0) in both, γ (0, −2), eps 0", got, dx(0, 0), check.Rel(1e-9),
			append(epsUnset(takesEps, dx(0, 1e-5)),
				check.Why("0 is a value like any other: γ = 0 lets nothing through, and eps = 0 adds nothing"),
				check.Mistake(dx(1, 0), gammaUnset))...)
	})
	check.Panics(t, "Backward on no rows", func() { batchnorm.New(3).Backward(&mat.Dense{}, &mat.Dense{}) })
	check.Panics(t, "Backward on one row", func() { batchnorm.New(3).Backward(mat.NewDense(1, 3, nil), mat.NewDense(1, 3, nil)) })
	check.Panics(t, "New(3).Backward on 4 columns", func() { batchnorm.New(3).Backward(mat.NewDense(4, 4, nil), mat.NewDense(4, 4, nil)) })
	check.Panics(t, "New(3).Backward on 2 columns", func() { batchnorm.New(3).Backward(mat.NewDense(4, 2, nil), mat.NewDense(4, 2, nil)) })
	check.Panics(t, "Backward of x 4×3 and dy 3×3", func() { batchnorm.New(3).Backward(mat.NewDense(4, 3, nil), mat.NewDense(3, 3, nil)) })
	check.Panics(t, "Backward of x 4×3 and dy 5×3", func() { batchnorm.New(3).Backward(mat.NewDense(4, 3, nil), mat.NewDense(5, 3, nil)) })
	check.Panics(t, "Backward of x 4×3 and dy 4×2", func() { batchnorm.New(3).Backward(mat.NewDense(4, 3, nil), mat.NewDense(4, 2, nil)) })
	check.Panics(t, "Backward of x 4×3 and dy 4×4", func() { batchnorm.New(3).Backward(mat.NewDense(4, 3, nil), mat.NewDense(4, 4, nil)) })
	args, others := drawnArgs(t)
	check.Independent(t, "l.Backward(x, dy)", (*batchnorm.Layer).Backward, args, others)
}

func TestFold(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[foldCase](t, "fold") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w, b := c.W.Dense(), c.B.Floats()
			passedW, passedB := check.Copy(w), check.Copy(b)
			l := c.layer()
			folded, bias := batchnorm.Fold(passedW, passedB, l)
			check.Equal(t, "Fold(w, b, l) weights", folded, c.Folded.Dense(), check.Rel(1e-9),
				check.Kept("w", passedW, w), check.Kept("b", passedB, b),
				check.Why("Infer(x·w + b) is affine in x: the weights are what multiplies x"),
				check.Mistake(w, "you left w as it was: each column is scaled"),
				fixedEps(c.Eps, func(eps float64) any { return scaled(w, c.Gamma.Floats(), roots(c.RunningVar.Floats(), eps)) }),
				check.Mistake(scaled(w, c.Gamma.Floats(), roots(c.RunningVar.Floats(), 0)), unseenEps(func(l *batchnorm.Layer, x *mat.Dense) *mat.Dense {
					w, _ := batchnorm.Fold(check.Copy(x), []float64{0}, l)
					return w
				})),
				check.Mistake(scaled(w, c.Gamma.Floats(), plus(c.RunningVar.Floats(), c.Eps)), "you divided by the variance: take its root"),
				check.Mistake(scaled(w, c.Gamma.Floats(), plus(roots(c.RunningVar.Floats(), 0), c.Eps)), "you added eps outside the root, to σ: it is √(running variance + eps)"),
				check.Mistake(scaled(w, roots(c.RunningVar.Floats(), c.Eps), c.Gamma.Floats()), "you multiplied by √(running variance + eps) and divided by γ: it is the other way round"),
				check.Known("γ", c.Gamma.Floats()), check.Known("√(running variance + eps)", roots(c.RunningVar.Floats(), c.Eps)))
			s := make([]float64, len(b))
			unscaled, uncentred, noBeta := make([]float64, len(b)), make([]float64, len(b)), make([]float64, len(b))
			noBias, scaledBeta, neither := make([]float64, len(b)), make([]float64, len(b)), make([]float64, len(b))
			meanAdded, meanUnscaled := make([]float64, len(b)), make([]float64, len(b))
			for j := range s {
				s[j] = c.Gamma.Data[j] / math.Sqrt(c.RunningVar.Data[j]+c.Eps)
				unscaled[j] = b[j] - c.RunningMean.Data[j]*s[j] + c.Beta.Data[j]
				uncentred[j] = b[j]*s[j] + c.Beta.Data[j]
				noBeta[j] = (b[j] - c.RunningMean.Data[j]) * s[j]
				noBias[j] = -c.RunningMean.Data[j]*s[j] + c.Beta.Data[j]
				scaledBeta[j] = (b[j] - c.RunningMean.Data[j] + c.Beta.Data[j]) * s[j]
				neither[j] = b[j] + c.Beta.Data[j]
				meanAdded[j] = (b[j]+c.RunningMean.Data[j])*s[j] + c.Beta.Data[j]
				meanUnscaled[j] = b[j]*s[j] - c.RunningMean.Data[j] + c.Beta.Data[j]
			}
			check.Equal(t, "Fold(w, b, l) bias", bias, c.Bias.Floats(), check.Rel(1e-9),
				check.With("b", b), check.With("running mean", c.RunningMean.Floats()), check.With("γ/√(running variance + eps)", s), check.With("β", c.Beta.Floats()),
				check.Why("the bias is Infer(x·w + b) at x = 0"),
				check.Mistake(unscaled, "you did not scale b: batch norm multiplies x·w + b, not x·w alone"),
				check.Mistake(uncentred, "you did not subtract the running mean"),
				check.Mistake(noBias, "you dropped b: it goes through the normalisation too"),
				check.Mistake(scaledBeta, "you scaled β too: it is added after the scaling"),
				check.Mistake(meanAdded, "you added the running mean: it is subtracted"),
				check.Mistake(meanUnscaled, "you did not scale the running mean: it is subtracted first, so it is scaled with b"),
				check.Mistake(neither, "you added β to b: b is centred and scaled first"),
				check.Mistake(noBeta, "you left β out"))
			check.Equal(t, "the layer after Fold(w, b, l)", *l, *c.layer(), check.Rel(1e-12), check.Why("folding changes none of its arguments"))
		})
	}
	takesEps := !t.Failed()
	t.Run("zeros that are meant", func(t *testing.T) {
		defer check.Rescue(t)
		w, b := batchnorm.Fold(mat.NewDense(1, 2, []float64{3, 0.01}), []float64{3, 1.02}, zeros()) // running mean 1 and 1, running variance 4 and 4e-4
		s := 1 / math.Sqrt(4e-4+1e-5)
		check.Equal(t, "Fold of w (3, 0.01), b (3, 1.02) with γ (0, −2), β (5, 0), running mean (1, 1), running variance (4, 0.0004), eps 0: weights, then bias",
			append(mat.Row(nil, 0, w), b...), []float64{0, -1, 5, -2}, check.Rel(1e-9),
			append(epsUnset(takesEps, []float64{0, -0.02 * s, 5, -0.04 * s}),
				check.Why("0 is a value like any other: γ = 0 leaves β alone, and eps = 0 adds nothing"),
				check.Mistake([]float64{1.5, -1, 6, -2}, gammaUnset))...)
	})
	folds := !t.Failed()
	t.Run("a new layer", func(t *testing.T) {
		defer check.Rescue(t)
		why := []check.Option{check.Why("a new layer divides by √(1 + eps)")}
		if folds {
			why = append(why, check.Mistake([]float64{3, -2, 1, 4}, "you left w and b as they were before a new layer"))
		}
		w, b := batchnorm.Fold(mat.NewDense(1, 2, []float64{3, -2}), []float64{1, 4}, batchnorm.New(2))
		s := 1 / math.Sqrt(1+1e-5)
		check.Equal(t, "Fold of w (3, −2), b (1, 4) and New(2): weights, then bias", append(mat.Row(nil, 0, w), b...), []float64{3 * s, -2 * s, s, 4 * s}, check.Rel(1e-9), why...)
	})
	check.Panics(t, "Fold of an empty w and a layer of 3 features", func() { batchnorm.Fold(&mat.Dense{}, make([]float64, 3), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 3×2, 3 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(3, 2, nil), make([]float64, 3), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 3×4, 3 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(3, 4, nil), make([]float64, 3), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 4×2, 2 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 2, nil), make([]float64, 2), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 4×4, 4 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 4, nil), make([]float64, 4), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 4×2 and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 2, nil), make([]float64, 3), batchnorm.New(3)) })
	check.Panics(t, "Fold of w 4×4 and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 4, nil), make([]float64, 3), batchnorm.New(3)) })
	check.Panics(t, "Fold of no biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 3, nil), nil, batchnorm.New(3)) })
	check.Panics(t, "Fold of 4 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 3, nil), make([]float64, 4), batchnorm.New(3)) })
	args, others := drawnArgs(t)
	check.Independent(t, "Fold(w, b, l)", batchnorm.Fold,
		check.Args{args[1], mat.Row(nil, 1, args[2].(*mat.Dense)), args[0]}, check.Args{others[1], mat.Row(nil, 1, others[2].(*mat.Dense)), others[0]})
	check.Panics(t, "Fold of 2 biases and a layer of 3 features", func() { batchnorm.Fold(mat.NewDense(4, 3, nil), make([]float64, 2), batchnorm.New(3)) })
}

// unseenEps says what f did with eps if it has no effect where eps is small: left it out, or added it only to what is smaller.
func unseenEps(f func(*batchnorm.Layer, *mat.Dense) *mat.Dense) string {
	l := &batchnorm.Layer{Gamma: []float64{1}, Beta: []float64{0}, RunningMean: []float64{0}, RunningVar: []float64{1}, Momentum: 0.5, Eps: 10}
	if y := f(l, mat.NewDense(2, 1, []float64{-1, 1})); y.At(1, 0) < 0.9 { // 1/√10 in place of 1/√1
		return "you took eps for a floor: it is added to σ², however large σ² is"
	}
	return "you left eps out of √(σ² + eps)"
}

// zeros is a layer whose zeros are meant: γ is 0 for the first feature, and eps is 0.
func zeros() *batchnorm.Layer {
	return &batchnorm.Layer{Gamma: []float64{0, -2}, Beta: []float64{5, 0}, RunningMean: []float64{1, 1}, RunningVar: []float64{4, 4e-4}, Momentum: 0.1}
}

const gammaUnset = "you took a γ of 0 for none, and used 1"

// epsUnset names the value of an eps of 0 that is taken for none, once it is clear that every other eps is used.
func epsUnset(takesEps bool, value any) []check.Option {
	if !takesEps {
		return nil
	}
	return []check.Option{check.Mistake(value, "you took an eps of 0 for none, and used 1e-5")}
}

// fixedEps names the value with another eps than the layer's: PyTorch's, or where the layer has that, Keras's.
func fixedEps(eps float64, value func(eps float64) any) check.Option {
	if eps == 1e-5 {
		return check.Mistake(value(1e-3), "you used 1e-3 in place of the layer's Eps")
	}
	return check.Mistake(value(1e-5), "you used 1e-5 in place of the layer's Eps")
}

// drawnArgs returns a layer of 3 features, a batch of 4 rows and an upstream gradient, and others of the same shapes.
func drawnArgs(t *testing.T) (args, others check.Args) {
	rng := check.Rand(t)
	draw := func() check.Args {
		l := &batchnorm.Layer{
			Gamma: check.Normal(rng, 3, 1), Beta: check.Normal(rng, 3, 1), RunningMean: check.Normal(rng, 3, 1), RunningVar: []float64{0.5, 2, 1 + rng.Float64()},
			Momentum: 0.25, Eps: 1e-3,
		}
		return check.Args{l, mat.NewDense(4, 3, check.Normal(rng, 12, 1)), mat.NewDense(4, 3, check.Normal(rng, 12, 1))}
	}
	return draw(), draw()
}

// state is a layer as PyTorch had it.
type state struct {
	Name                                 string
	Gamma, Beta, RunningMean, RunningVar check.Array
	Momentum, Eps                        float64
}

type trainCase struct {
	state
	X, Y, NextMean, NextVar check.Array
}

type inferCase struct {
	state
	X, Y check.Array
}

type backwardCase struct {
	state
	X, DY, DX, DGamma, DBeta check.Array
}

type foldCase struct {
	state
	W, B, Folded, Bias check.Array
}

func (s *state) layer() *batchnorm.Layer {
	return &batchnorm.Layer{
		Gamma: s.Gamma.Floats(), Beta: s.Beta.Floats(), RunningMean: s.RunningMean.Floats(), RunningVar: s.RunningVar.Floats(),
		Momentum: s.Momentum, Eps: s.Eps,
	}
}

func (s *state) withoutGamma() *state {
	out := *s
	out.Gamma = check.Array{Shape: s.Gamma.Shape, Data: each(s.Gamma.Data, func(float64) float64 { return 1 })}
	return &out
}

// betaFirst is s where β is added before the scaling: γ·β in its place.
func (s *state) betaFirst() *state {
	out := *s
	out.Beta = check.Array{Shape: s.Beta.Shape, Data: s.Beta.Floats()}
	floats.Mul(out.Beta.Data, s.Gamma.Data)
	return &out
}

// rowwise normalises the rows of x in place of its columns.
func (s *state) rowwise(x *mat.Dense) *mat.Dense {
	mean, variance := columnStats(mat.DenseCopyOf(x.T()))
	return mapped(x, func(i, j int) float64 {
		return s.Gamma.Data[j]*(x.At(i, j)-mean[i])/math.Sqrt(variance[i]+s.Eps) + s.Beta.Data[j]
	})
}

// normalised returns γ·(x − mean)/divisor + β.
func (s *state) normalised(x *mat.Dense, mean, divisor []float64) *mat.Dense {
	return mapped(x, func(i, j int) float64 { return s.Gamma.Data[j]*(x.At(i, j)-mean[j])/divisor[j] + s.Beta.Data[j] })
}

// afterTrain returns the layer as Train(x) leaves it.
func (s *state) afterTrain(x *mat.Dense) batchnorm.Layer {
	l := s.layer()
	mean, variance := columnStats(x)
	l.RunningMean, l.RunningVar = mix(l.RunningMean, mean, l.Momentum), mix(l.RunningVar, sample(variance, x), l.Momentum)
	return *l
}

// columnStats returns the mean and the biased variance of every column.
func columnStats(x *mat.Dense) (mean, variance []float64) {
	_, d := x.Dims()
	for j := range d {
		m, v := stat.PopMeanVariance(mat.Col(nil, j, x), nil)
		mean, variance = append(mean, m), append(variance, v)
	}
	return mean, variance
}

// sample makes biased variances of the columns of x unbiased.
func sample(biased []float64, x *mat.Dense) []float64 {
	n, _ := x.Dims()
	return times(biased, float64(n)/float64(n-1))
}

func roots(variance []float64, eps float64) []float64 {
	return each(variance, func(v float64) float64 { return math.Sqrt(v + eps) })
}

func plus(a []float64, c float64) []float64 {
	return each(a, func(v float64) float64 { return v + c })
}

func times(a []float64, c float64) []float64 {
	return each(a, func(v float64) float64 { return v * c })
}

func each(a []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(a))
	for i, v := range a {
		out[i] = f(v)
	}
	return out
}

// mix returns (1 − m)·old + m·batch.
func mix(old, batch []float64, m float64) []float64 {
	out := make([]float64, len(old))
	for i := range out {
		out[i] = (1-m)*old[i] + m*batch[i]
	}
	return out
}

// mapped returns a matrix of the shape of like.
func mapped(like *mat.Dense, f func(i, j int) float64) *mat.Dense {
	out := mat.DenseCopyOf(like)
	out.Apply(func(i, j int, _ float64) float64 { return f(i, j) }, out)
	return out
}

func largest(a []float64) float64 { return floats.Norm(a, math.Inf(1)) }

func product(a, b *mat.Dense) *mat.Dense {
	var p mat.Dense
	p.MulElem(a, b)
	return &p
}

func columnSums(x *mat.Dense) []float64 {
	_, d := x.Dims()
	sums := make([]float64, d)
	for j := range d {
		sums[j] = mat.Sum(x.ColView(j))
	}
	return sums
}

// scaled returns w with column j times over[j]/under[j].
func scaled(w *mat.Dense, over, under []float64) *mat.Dense {
	return mapped(w, func(i, j int) float64 { return w.At(i, j) * over[j] / under[j] })
}
