// Package batchsize holds mini-batch gradient descent for least squares, the noise of its gradients, and the budgets by
// which batch sizes are compared.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "batchsize: ".
package batchsize

import (
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Batches returns one epoch: the indices 0…n−1, each exactly once, in a random order drawn from rng, cut into batches of
// size; the last may be shorter. Every order is equally likely, and rng is the only source of randomness.
// It panics if n or size is below 1.
func Batches(n, size int, rng *rand.Rand) [][]int {
	if n < 1 || size < 1 {
		panic(fmt.Sprintf("batchsize: batches of %d from %d examples", size, n))
	}
	order := rng.Perm(n)
	var batches [][]int
	for start := 0; start < n; start += size {
		batches = append(batches, order[start:min(start+size, n)])
	}
	return batches
}

// Gradient returns the mean over the given rows of ∇½(xᵢ·w − yᵢ)², the gradient with respect to w, of length D. x is N×D,
// y has length N, w length D. A row that is listed twice counts twice. It panics if rows is empty.
func Gradient(x *mat.Dense, y, w []float64, rows []int) []float64 {
	if len(rows) == 0 {
		panic("batchsize: Gradient of no rows")
	}
	grad := make([]float64, len(w))
	for _, i := range rows {
		residual := floats.Dot(x.RawRowView(i), w) - y[i]
		floats.AddScaled(grad, residual/float64(len(rows)), x.RawRowView(i))
	}
	return grad
}

// EpochGradient combines the gradients of the batches, all at the same w, so that the result equals the gradient over all
// rows listed, whatever the sizes of the batches, none of which is empty. It panics if they list no row.
func EpochGradient(x *mat.Dense, y, w []float64, batches [][]int) []float64 {
	total := 0
	for _, rows := range batches {
		total += len(rows)
	}
	if total == 0 {
		panic("batchsize: EpochGradient of no rows")
	}
	grad := make([]float64, len(w))
	for _, rows := range batches {
		if len(rows) > 0 {
			floats.AddScaled(grad, float64(len(rows))/float64(total), Gradient(x, y, w, rows))
		}
	}
	return grad
}

// NoiseVariance returns the variance of the mean of a mini-batch of the given size, drawn without replacement from the N
// values of perExample, over all such batches; it is exact, not an estimate, also of values that lie far from 0
// compared with how far they scatter. One example alone (N = 1) gives 0.
// It panics if size is below 1 or above N. Source: the finite population correction, Cochran, Sampling Techniques, chapter 2.
func NoiseVariance(perExample []float64, size int) float64 {
	n := float64(len(perExample))
	b := float64(size)
	if size < 1 || size > len(perExample) {
		panic(fmt.Sprintf("batchsize: a batch of %d from %d examples", size, len(perExample)))
	}
	if size == len(perExample) {
		return 0
	}
	return stat.PopVariance(perExample, nil) / b * (n - b) / (n - 1)
}

// Updates returns how many updates SGD makes in the given number of epochs over n examples, in batches of size; a short
// last batch is an update too.
func Updates(n, size, epochs int) int {
	return (n + size - 1) / size * epochs
}

// ScaledRate returns the learning rate for batches of size to, by the linear scaling rule, given the rate that suits
// batches of size from. Source: Goyal et al. 2017.
func ScaledRate(rate float64, from, to int) float64 {
	return rate * float64(to) / float64(from)
}

// ActivationBytes returns the memory that one forward pass keeps for its backward pass: batch examples, for each the
// values of every layer in widths, 8 bytes a value.
func ActivationBytes(batch int, widths []int) int {
	bytes := 0
	for _, width := range widths {
		bytes += 8 * batch * width
	}
	return bytes
}

// SGD minimises the mean of ½(xᵢ·w − yᵢ)² over all rows by mini-batch gradient descent from w, which it leaves unchanged: in each
// epoch a fresh shuffle, then for each batch one update w ← w − rate·(mean gradient of the batch). It returns the weights
// after the last update, and after each epoch the loss over all rows. x is N×D, y has length N, w length D.
// A size above N makes one batch of all rows. rng is the only source of randomness. It panics if size is below 1.
func SGD(x *mat.Dense, y, w []float64, size, epochs int, rate float64, rng *rand.Rand) (w1 []float64, losses []float64) {
	n, _ := x.Dims()
	if size < 1 {
		panic(fmt.Sprintf("batchsize: SGD with batches of %d", size))
	}
	w1 = append(w1, w...)
	for range epochs {
		for _, rows := range Batches(n, size, rng) {
			floats.AddScaled(w1, -rate, Gradient(x, y, w1, rows))
		}
		loss := 0.0
		for i := range n {
			residual := floats.Dot(x.RawRowView(i), w1) - y[i]
			loss += residual * residual / 2 / float64(n)
		}
		losses = append(losses, loss)
	}
	return w1, losses
}
