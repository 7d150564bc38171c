// Package batchsize answers with matrices: a batch is a matrix of its rows, a gradient one product.
package batchsize

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Batches swaps from the back (Fisher–Yates) and cuts with slices.Chunk.
func Batches(n, size int, rng *rand.Rand) [][]int {
	if n <= 0 || size <= 0 {
		panic("batchsize: need at least one example and a batch size of at least 1")
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	for last := n - 1; last > 0; last-- {
		j := rng.IntN(last + 1)
		order[last], order[j] = order[j], order[last]
	}
	return slices.Collect(slices.Chunk(order, size))
}

// residuals returns the rows listed as a matrix, and x·w − y of them.
func residuals(x *mat.Dense, y, w []float64, rows []int) (*mat.Dense, *mat.VecDense) {
	batch := mat.NewDense(len(rows), len(w), nil)
	targets := mat.NewVecDense(len(rows), nil)
	for k, i := range rows {
		batch.SetRow(k, x.RawRowView(i))
		targets.SetVec(k, y[i])
	}
	var r mat.VecDense
	r.MulVec(batch, mat.NewVecDense(len(w), w))
	r.SubVec(&r, targets)
	return batch, &r
}

// Gradient is Xᵀ(Xw − y)/b.
func Gradient(x *mat.Dense, y, w []float64, rows []int) []float64 {
	if len(rows) == 0 {
		panic("batchsize: an empty batch has no gradient")
	}
	batch, r := residuals(x, y, w, rows)
	var grad mat.VecDense
	grad.MulVec(batch.T(), r)
	grad.ScaleVec(1/float64(len(rows)), &grad)
	return grad.RawVector().Data
}

// EpochGradient keeps a running mean, which a batch of b moves by b of all rows seen so far.
func EpochGradient(x *mat.Dense, y, w []float64, batches [][]int) []float64 {
	mean := mat.NewVecDense(len(w), nil)
	seen := 0
	for _, rows := range batches {
		seen += len(rows)
		step := mat.NewVecDense(len(w), Gradient(x, y, w, rows))
		step.SubVec(step, mean)
		mean.AddScaledVec(mean, float64(len(rows))/float64(seen), step)
	}
	if seen == 0 {
		panic("batchsize: an epoch without rows")
	}
	return mean.RawVector().Data
}

// NoiseVariance is s²/B·(1 − B/N) with the sample variance s², from the pairwise differences.
func NoiseVariance(perExample []float64, size int) float64 {
	n := len(perExample)
	if size <= 0 || size > n {
		panic("batchsize: no such batch")
	}
	if n == 1 {
		return 0
	}
	sample := 0.0
	for i, a := range perExample {
		for _, b := range perExample[:i] {
			sample += (a - b) * (a - b) / float64(n*(n-1))
		}
	}
	return sample * (1/float64(size) - 1/float64(n))
}

// Updates adds one for a remainder.
func Updates(n, size, epochs int) int {
	perEpoch := n / size
	if n%size > 0 {
		perEpoch++
	}
	return epochs * perEpoch
}

// ScaledRate multiplies by the ratio of the batch sizes.
func ScaledRate(rate float64, from, to int) float64 {
	return float64(to) / float64(from) * rate
}

// ActivationBytes adds the widths up first.
func ActivationBytes(batch int, widths []int) int {
	values := 0
	for _, width := range widths {
		values += width
	}
	return values * batch * 8
}

// SGD walks the batches of each epoch.
func SGD(x *mat.Dense, y, w []float64, size, epochs int, rate float64, rng *rand.Rand) ([]float64, []float64) {
	n, _ := x.Dims()
	if size < 1 {
		panic("batchsize: no batch is smaller than one example")
	}
	w = slices.Clone(w)
	current := mat.NewVecDense(len(w), w)
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	losses := make([]float64, epochs)
	for e := range losses {
		for _, rows := range Batches(n, size, rng) {
			current.AddScaledVec(current, -rate, mat.NewVecDense(len(w), Gradient(x, y, w, rows)))
		}
		_, r := residuals(x, y, w, all)
		losses[e] = mat.Dot(r, r) / float64(2*n)
	}
	return w, losses
}
