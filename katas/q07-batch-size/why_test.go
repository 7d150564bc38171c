package batchsize_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/combin"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	batchsize "whyhow/katas/q07-batch-size"
)

// The gradients of 8 examples, one weight of them, and every mini-batch there is, listed.
func TestWhyNoise(t *testing.T) {
	defer check.Rescue(t)
	b := newBowl(8, 3, check.Rand(t))
	w := []float64{0.2, -0.1, 0.4}
	perExample := make([]float64, 8)
	for i := range perExample {
		perExample[i] = batchsize.Gradient(b.x, b.y, w, []int{i})[0]
	}
	full := batchsize.Gradient(b.x, b.y, w, upTo(8))
	one := batchsize.NoiseVariance(perExample, 1)

	var sizes, listed, formula, replaced []float64
	for size := 1; size <= 8; size++ {
		var means []float64
		for _, rows := range combin.Combinations(8, size) {
			means = append(means, batchsize.Gradient(b.x, b.y, w, rows)[0])
		}
		mean, variance := stat.PopMeanVariance(means, nil)
		check.Equal(t, "mean of the gradients of all mini-batches", mean, full[0], check.Rel(1e-9), check.With("size", size),
			check.Why("a mini-batch's gradient is right on average, whatever its size"))
		check.Equal(t, "NoiseVariance against all mini-batches", batchsize.NoiseVariance(perExample, size), variance,
			check.Tol{Rel: 1e-9, Abs: 1e-12 * one}, check.With("size", size))
		sizes = append(sizes, float64(size))
		listed = append(listed, variance/one)
		formula = append(formula, batchsize.NoiseVariance(perExample, size)/one)
		replaced = append(replaced, 1/float64(size))
	}
	t.Logf("variance of the gradient relative to batches of 1: %.4f", listed)
	check.Equal(t, "relative variance for size 2, 4, 8", []float64{formula[1], formula[3], formula[7]}, []float64{3.0 / 7, 1.0 / 7, 0},
		check.Abs(1e-9), check.Why("(8−B)/(7B)"))

	epoch := batchsize.EpochGradient(b.x, b.y, w, batchsize.Batches(8, 3, check.Rand(t)))
	check.Equal(t, "EpochGradient over batches of 3, 3 and 2", epoch, full, check.Rel(1e-9), check.Why("one epoch holds the full gradient"))

	figure.Save(t, "noise", figure.Figure{
		Title:   "Without replacement the noise of a mini-batch gradient falls faster than 1/B, and to 0",
		Caption: "8 examples, one component of the gradient. Points: the variance over all mini-batches, listed one by one.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "batch size"},
			Y: figure.Axis{Label: "variance, relative to batch size 1", Min: new(0.0)},
			Series: []figure.Series{
				{Name: "all mini-batches, listed", X: sizes, Y: listed, Mark: figure.Points},
				{Name: "NoiseVariance", X: sizes, Y: formula},
				{Name: "with replacement: 1/B", X: sizes, Y: replaced, Mark: figure.Dashed},
			},
		}},
	})
}

// Least squares, 120 examples of 6 features, from w = 0. Rate 0.02 unless it is scaled.
const (
	examples = 120
	features = 6
	rate     = 0.02
)

// Batch sizes under three budgets: what is held equal decides which is best.
func TestWhyBudgets(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	b := newBowl(examples, features, rng)
	// run returns the excess loss, a mean over the last epochs.
	run := func(size, epochs int, rate float64, last int) float64 {
		_, losses := batchsize.SGD(b.x, b.y, make([]float64, features), size, epochs, rate, rng)
		require.Len(t, losses, epochs)
		return b.excess(stat.Mean(losses[epochs-last:], nil))
	}

	const equalEpochs, equalUpdates, scaledEpochs = 3, 1200, 5
	sizes := []int{1, 2, 5, 10, 30, 120}
	var x, epochs, updates, scaledRate []float64
	left := map[string]map[int]float64{"epochs": {}, "updates": {}, "scaled": {}}
	for _, size := range sizes {
		e := run(size, equalEpochs, rate, 1)
		u := run(size, equalUpdates/batchsize.Updates(examples, size, 1), rate, 5)
		s := run(size, scaledEpochs, batchsize.ScaledRate(rate, 1, size), 1)
		left["epochs"][size], left["updates"][size], left["scaled"][size] = e, u, s
		t.Logf("batch %3d: %d epochs %.2g left; %d updates %.2g left; %d epochs at rate %.2f %.2g left",
			size, equalEpochs, e, equalUpdates, u, scaledEpochs, batchsize.ScaledRate(rate, 1, size), s)
		x = append(x, float64(size))
		epochs, updates, scaledRate = append(epochs, e), append(updates, math.Max(u, 1e-16)), append(scaledRate, s)
	}
	panel := func(title string, y []float64, low, high float64) figure.Panel {
		return figure.Panel{
			Title:  title,
			X:      figure.Axis{Label: "batch size", Log: true},
			Y:      figure.Axis{Label: "excess loss left (1 = start)", Log: true, Min: &low, Max: &high},
			Series: []figure.Series{{X: x, Y: y, Mark: figure.LinePoints}},
		}
	}
	figure.Save(t, "budgets", figure.Figure{
		Title:   "The best batch size depends on what is held equal: the work, the updates, or the rate per example",
		Caption: "SGD on least squares, 120 examples, 6 features, rate 0.02. Lower is better; above 1 it diverged. Middle: mean of the last 5 epochs. Values below 1e−16 are drawn there.",
		Panels: []figure.Panel{
			panel("3 epochs, one rate: equal work", epochs, 1e-4, 1),
			panel("1,200 updates each: equal steps", updates, 1e-16, 1),
			panel("5 epochs, rate × batch size", scaledRate, 1e-5, 1e5),
		},
	})

	// Over 200 seeds, equal epochs: B=1 [4.7e-5, .009], 10 [.11, .34], 120 [.84, .91].
	require.Less(t, left["epochs"][1], 0.02, "equal epochs: got batches of 1 too far from the minimum")
	require.Greater(t, left["epochs"][10], 0.02, "equal epochs: got batches of 10 as near to the minimum as batches of 1")
	require.Less(t, left["epochs"][10], 0.58, "equal epochs: got batches of 10 as far off as the full batch")
	require.Greater(t, left["epochs"][120], 0.58, "equal epochs: got the full batch too near to the minimum")
	// Equal updates, mean of the last five epochs: B=1 [2.0e-4, .0066], 10 [2.0e-7, 1.2e-5], 120 ≤ 1.8e-12.
	require.Greater(t, left["updates"][1], 5e-5, "equal updates: got batches of 1 below their noise floor")
	require.Less(t, left["updates"][10], 5e-5, "equal updates: got batches of 10 no better than batches of 1")
	require.Greater(t, left["updates"][10], 1e-9, "equal updates: got batches of 10 below their noise floor")
	require.Less(t, left["updates"][120], 1e-9, "equal updates: got the full batch no better than batches of 10")
	// Rate scaled: B=1 [1.0e-4, .010] and 10 [4.3e-5, .013] are alike, nothing is claimed of their order; 120 [4.4, 12000].
	require.Less(t, left["scaled"][10], 0.2, "scaled rate: got batches of 10 that do not keep up")
	require.Greater(t, left["scaled"][120], 1.0, "scaled rate: got a full batch that does not diverge at rate 2.4")
}

// The largest rate of full-batch descent is set by the sharpest direction of the bowl, 2/λmax, and not by the batch size.
func TestWhyDivergence(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	b := newBowl(examples, features, rng)
	limit := 2 / b.sharpest
	descend := func(size, epochs int, rate float64) []float64 {
		_, losses := batchsize.SGD(b.x, b.y, make([]float64, features), size, epochs, rate, rng)
		require.Len(t, losses, epochs)
		for i := range losses {
			losses[i] = math.Max(b.excess(losses[i]), 1e-16)
		}
		return losses
	}

	var series []figure.Series
	for _, f := range []float64{0.5, 0.95, 1.05, 1.1} {
		left := descend(examples, 200, f*limit)
		var x []float64
		for epoch := range 60 {
			x = append(x, float64(epoch+1))
		}
		series = append(series, figure.Series{Name: fmt.Sprintf("rate %v of 2/λmax", f), X: x, Y: left[:60]})
		// Exact for a quadratic: along the sharpest direction an update multiplies the error by 1 − rate·λmax.
		require.Equal(t, f > 1, left[199] > 1, "full batch, 200 epochs at %v of 2/λmax: got %v of the excess loss left", f, left[199])
	}

	var x, largest, scaled []float64
	for _, size := range []int{1, 2, 5, 10, 30, examples} {
		low, high := 0.01, 10.0
		for high/low > 1.02 {
			middle := math.Sqrt(low * high)
			if descend(size, 40, middle)[39] < 1 {
				low = middle
			} else {
				high = middle
			}
		}
		x, largest = append(x, float64(size)), append(largest, low)
		scaled = append(scaled, batchsize.ScaledRate(rate, 1, size))
		t.Logf("batch %3d: the largest rate that does not diverge is %.3f; the linear rule asks for %.2f", size, low, scaled[len(scaled)-1])
	}
	t.Logf("2/λmax = %.3f", limit)
	figure.Save(t, "divergence", figure.Figure{
		Title:   "Descent diverges beyond the rate 2/λmax, and there the linear scaling rule ends",
		Caption: "Least squares, 120 examples, 6 features. Left: the full batch; values below 1e−16 are drawn there. Right: the largest rate that does not diverge within 40 epochs, so it may lie a little above the limit.",
		Panels: []figure.Panel{
			{
				Title:  "full batch, rates around 2/λmax",
				X:      figure.Axis{Label: "epoch"},
				Y:      figure.Axis{Label: "excess loss left (1 = start)", Log: true, Min: new(1e-16), Max: new(1e8)},
				Series: series,
			},
			{
				Title: "largest rate by batch size",
				X:     figure.Axis{Label: "batch size", Log: true},
				Y:     figure.Axis{Label: "learning rate", Log: true},
				Series: []figure.Series{
					{Name: "largest that does not diverge", X: x, Y: largest, Mark: figure.LinePoints},
					{Name: "linear rule: 0.02 × batch size", X: x, Y: scaled, Mark: figure.Dashed},
					{Name: "2/λmax", X: []float64{1, examples}, Y: []float64{limit, limit}, Mark: figure.Dashed},
				},
			},
		},
	})
	// Over 200 seeds, relative to 2/λmax, itself [1.22, 1.89]: B=1 [.13, .23], 10 [.66, .99], 30 [1.02, 1.16], 120 [.99, 1.06].
	check.Equal(t, "the largest rate of the full batch", largest[5], limit, check.Tol{Rel: 0.12}, check.Why("it is 2/λmax"))
	require.Less(t, largest[0], 0.4*limit, "got a largest rate of batches of 1 near that of the full batch")
	require.Less(t, largest[5], 2*largest[4], "got a largest rate that still grows with the batch from 30 to 120")
}
