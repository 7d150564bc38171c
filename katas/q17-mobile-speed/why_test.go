package mobile_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	mobile "whyhow/katas/q17-mobile-speed"
)

// TestWhyPruning trains 64-32-10 on 300 digits (batch 10, rate 0.1, 20 epochs, PyTorch's initial weights), prunes each layer, and
// trains ten more epochs with the mask: from one cut, or with the mask redrawn in each of the first five epochs by Sparsity.
func TestWhyPruning(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	train, val := digits.Split(300, rng)
	dense := newNetwork(rng)
	dense.fit(train, 20, rng)

	shares := []float64{0.5, 0.7, 0.8, 0.9, 0.95}
	const nineTenths = 3
	var cut, retrained, gradual []float64
	for _, share := range shares {
		once := dense.clone()
		once.prune(share)
		cut = append(cut, once.accuracy(val))
		once.fit(train, 10, rng)
		retrained = append(retrained, once.accuracy(val))
		require.GreaterOrEqual(t, once.sparsity(), share-0.002, "share of zeros after retraining: pruned weights must stay 0")

		slowly := dense.clone()
		for epoch := range 10 {
			if epoch < 5 {
				slowly.prune(mobile.Sparsity(epoch+1, 0, 5, 0, share))
			}
			slowly.fit(train, 1, rng)
		}
		gradual = append(gradual, slowly.accuracy(val))
	}
	small := dense.clone()
	worst := small.throughInt8()
	before, int8s := dense.accuracy(val), small.accuracy(val)
	longer := dense.clone() // what the ten epochs more are worth by themselves
	longer.fit(train, 10, rng)
	t.Logf("validation accuracy: %.3f dense; 90 %% pruned: %.3f at once, %.3f after ten more epochs, %.3f pruned gradually over five of them",
		before, cut[nineTenths], retrained[nineTenths], gradual[nineTenths])
	t.Logf("without pruning, ten more epochs give %.3f", longer.accuracy(val))
	t.Logf("weights through int8: %.3f; largest error %.3f of a level", int8s, worst)
	figure.Save(t, "pruning", figure.Figure{
		Title: "Nine tenths of the weights can go, if the rest is trained again",
		Caption: "64 pixels, 32 units, 10 classes, trained on 300 digits for 20 epochs; each layer loses its smallest weights. One run: curves a few hundredths apart " +
			"do not differ.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "share of weights pruned"}, Y: figure.Axis{Label: "validation accuracy", Min: new(0.0), Max: new(1.0)},
			Series: []figure.Series{
				{Name: "pruned at once", X: slices.Insert(slices.Clone(shares), 0, 0), Y: slices.Insert(slices.Clone(cut), 0, before), Mark: figure.LinePoints},
				{Name: "then 10 epochs with the mask", X: shares, Y: retrained, Mark: figure.LinePoints},
				{Name: "pruned gradually, 10 epochs", X: shares, Y: gradual, Mark: figure.Dashed},
				{Name: "not pruned, int8 weights", X: []float64{0}, Y: []float64{int8s}, Mark: figure.Points},
			},
		}},
	})
	// Over 80 seeds the cut costs [0.168, 0.662], retraining gives back [0.120, 0.594] of accuracy, pruning gradually [0.126, 0.600];
	// int8 changes it by [−0.004, 0.006].
	require.Greater(t, before-cut[nineTenths], 0.1, "pruning nine tenths at once costs accuracy")
	require.Greater(t, retrained[nineTenths]-cut[nineTenths], 0.06, "retraining with the mask brings accuracy back")
	require.Greater(t, gradual[nineTenths]-cut[nineTenths], 0.06, "so does pruning gradually")
	require.InDelta(t, before, int8s, 0.03, "accuracy with int8 weights")
}

// TestWhyZeros compares a 256×256 layer, dense and as CSR: the bytes of both, and the time of both in this run. Times are shown, not judged.
func TestWhyZeros(t *testing.T) {
	defer check.Rescue(t)
	const size = 256
	rng := check.Rand(t)
	var sparsities, bytes, denseBytes, denseTime, csrTime []float64
	var races []*race
	for _, s := range []float64{0, 0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99} {
		races, sparsities = append(races, newRace(size, s, rng)), append(sparsities, s)
	}
	for range 20 { // in turns, so that all meet the same machine
		for _, r := range races {
			r.round()
		}
	}
	for i, r := range races {
		unit := float64(races[0].dense)
		denseTime, csrTime = append(denseTime, float64(r.dense)/unit), append(csrTime, float64(r.csr)/unit)
		bytes, denseBytes = append(bytes, float64(r.m.Bytes())/1024), append(denseBytes, 8*size*size/1024)
		check.Equal(t, "MulVec(x) of a pruned layer", r.m.MulVec(r.x), r.y.RawVector().Data, check.Tol{Rel: 1e-9, Abs: 1e-9},
			check.With("sparsity", sparsities[i]), check.Why("the dense product of the same weights"))
	}
	figure.Save(t, "zeros", figure.Figure{
		Title:   "Zeros alone save nothing: the dense product takes them along",
		Caption: "A 256×256 layer of float64 times a vector. Times: the fastest of 20 in one run, as multiples of the dense product without zeros.",
		Panels: []figure.Panel{
			{
				Title: "storage", X: figure.Axis{Label: "share of zeros"}, Y: figure.Axis{Label: "KiB", Min: new(0.0)},
				Series: []figure.Series{
					{Name: "dense", X: sparsities, Y: denseBytes, Mark: figure.LinePoints}, {Name: "CSR", X: sparsities, Y: bytes, Mark: figure.LinePoints},
				},
			},
			{
				Title: "time", X: figure.Axis{Label: "share of zeros"}, Y: figure.Axis{Label: "time, dense without zeros = 1", Log: true},
				Series: []figure.Series{
					{Name: "dense", X: sparsities, Y: denseTime, Mark: figure.LinePoints}, {Name: "CSR", X: sparsities, Y: csrTime, Mark: figure.LinePoints},
				},
			},
		},
	})
	t.Logf("time of CSR over dense, this run: %.2f without zeros, %.2f at 0.9, %.2f at 0.99", csrTime[0]/denseTime[0], csrTime[6]/denseTime[6], csrTime[8]/denseTime[8])

	// The fewest zeros a row with which CSR is smaller: 16 bytes a non-zero and 8 a row pointer, one more than there are rows, against 8 a weight.
	smaller := func(rows int) int {
		return sort.Search(size, func(zeros int) bool {
			w := mat.NewDense(rows, size, nil)
			w.Apply(func(_, j int, _ float64) float64 {
				if j < zeros {
					return 0
				}
				return 1
			}, w)
			return mobile.Compress(w).Bytes() < 8*rows*size
		})
	}
	layer, row := smaller(size), smaller(1)
	t.Logf("a %d×%d layer is smaller as CSR from %d zeros a row on (%.3f), a single row from %d", size, size, layer, float64(layer)/size, row)
	check.Equal(t, "zeros a row from which 256×256 weights are smaller as CSR", layer, size/2+1, check.Exact,
		check.Why("256·16·(256 − zeros) + 8·257 < 8·256·256: just over half"))
	check.Equal(t, "zeros from which a single row of 256 is smaller as CSR", row, size/2+2, check.Exact,
		check.Why("16·(256 − zeros) + 16 < 8·256: a single row has two pointers"))
}

// TestWhyBudget counts one layer of MobileNet, 14×14×512 → 512 with 3×3 kernels, and what a cheaper layer is worth for the frame.
func TestWhyBudget(t *testing.T) {
	defer check.Rescue(t)
	const channels, kernel = 512, 3
	full := func(side int) float64 { return float64(side * side * kernel * kernel * channels * channels) }
	ratio := mobile.SeparableRatio(channels, kernel)
	t.Logf("14×14: %.0f multiply-accumulates, separable %.0f: %.2f times fewer", full(14), ratio*full(14), 1/ratio)
	t.Logf("7×7: %.0f, separable %.0f", full(7), ratio*full(7))
	check.Equal(t, "SeparableRatio(512, 3) times the full layer", ratio*full(14), 52_283_392.0, check.Rel(1e-12),
		check.Why("14·14·(9·512 + 512·512); Howard et al. print 52.3 million"))

	var fractions, separable, quarter, limit []float64
	for f := 0.0; f < 0.96; f += 0.05 {
		fractions = append(fractions, f)
		separable = append(separable, mobile.Speedup(f, 1/ratio))
		quarter = append(quarter, mobile.Speedup(f, 4))
		limit = append(limit, mobile.Speedup(f, math.Inf(1)))
	}
	half, most := mobile.Speedup(0.5, 1/ratio), mobile.Speedup(0.9, 1/ratio)
	t.Logf("layers made %.2f times as fast: the frame becomes %.2f times as fast if they took half of its time, %.2f if nine tenths", 1/ratio, half, most)
	sixfold := 0
	for sixfold < 1000 && mobile.Speedup(float64(sixfold)/1000, 1/ratio) < 6 {
		sixfold++
	}
	t.Logf("from five frames a second to thirty, if time followed the multiply-accumulates: these layers must have taken %.3f of the frame", float64(sixfold)/1000)
	check.Equal(t, "thousandths of the frame that make it six times as fast", sixfold, 940, check.Exact, check.Why("(1 − 1/6)/(1 − 1/8.84) = 0.9396"))
	require.Less(t, half, mobile.Speedup(0.5, math.Inf(1)), "half of the frame cannot give more than twice the rate")
	figure.Save(t, "budget", figure.Figure{
		Title:   fmt.Sprintf("Layers %.1f times cheaper make the frame %.1f times as fast if they took half of it", 1/ratio, half),
		Caption: "Left: a 3×3 layer of 512 → 512 channels. Right: Amdahl's law, if time followed the multiply-accumulates; half the side is a quarter of them.",
		Panels: []figure.Panel{
			{
				Title: "one layer", Y: figure.Axis{Label: "million multiply-accumulates"},
				Bars: []figure.Bar{
					{Label: "14×14", Value: full(14) / 1e6, Group: "full"},
					{Label: "14×14", Value: ratio * full(14) / 1e6, Group: "separable"},
					{Label: "7×7", Value: full(7) / 1e6, Group: "full"},
					{Label: "7×7", Value: ratio * full(7) / 1e6, Group: "separable"},
				},
			},
			{
				Title: "the frame", X: figure.Axis{Label: "share of the frame's time in these layers"}, Y: figure.Axis{Label: "new frame rate over old", Log: true},
				Series: []figure.Series{
					{Name: "layers free of cost", X: fractions, Y: limit, Mark: figure.Dashed},
					{Name: "separable layers", X: fractions, Y: separable},
					{Name: "half the side", X: fractions, Y: quarter},
				},
			},
		},
	})
}
