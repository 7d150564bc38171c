// Package batchsize holds mini-batch gradient descent for least squares, the noise of its gradients, and the budgets by
// which batch sizes are compared.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "batchsize: ".
package batchsize

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Batches returns one epoch: the indices 0…n−1, each exactly once, in a random order drawn from rng, cut into batches of
// size; the last may be shorter. Every order is equally likely, and rng is the only source of randomness.
// It panics if n or size is below 1.
func Batches(n, size int, rng *rand.Rand) [][]int {
	panic("TODO: Batches")
}

// Gradient returns the mean over the given rows of ∇½(xᵢ·w − yᵢ)², the gradient with respect to w, of length D. x is N×D,
// y has length N, w length D. A row that is listed twice counts twice. It panics if rows is empty.
func Gradient(x *mat.Dense, y, w []float64, rows []int) []float64 {
	panic("TODO: Gradient")
}

// EpochGradient combines the gradients of the batches, all at the same w, so that the result equals the gradient over all
// rows listed, whatever the sizes of the batches, none of which is empty. It panics if they list no row.
func EpochGradient(x *mat.Dense, y, w []float64, batches [][]int) []float64 {
	panic("TODO: EpochGradient")
}

// NoiseVariance returns the variance of the mean of a mini-batch of the given size, drawn without replacement from the N
// values of perExample, over all such batches; it is exact, not an estimate, also of values that lie far from 0
// compared with how far they scatter. One example alone (N = 1) gives 0.
// It panics if size is below 1 or above N. Source: the finite population correction, Cochran, Sampling Techniques, chapter 2.
func NoiseVariance(perExample []float64, size int) float64 {
	panic("TODO: NoiseVariance")
}

// Updates returns how many updates SGD makes in the given number of epochs over n examples, in batches of size; a short
// last batch is an update too.
func Updates(n, size, epochs int) int {
	panic("TODO: Updates")
}

// ScaledRate returns the learning rate for batches of size to, by the linear scaling rule, given the rate that suits
// batches of size from. Source: Goyal et al. 2017.
func ScaledRate(rate float64, from, to int) float64 {
	panic("TODO: ScaledRate")
}

// ActivationBytes returns the memory that one forward pass keeps for its backward pass: batch examples, for each the
// values of every layer in widths, 8 bytes a value.
func ActivationBytes(batch int, widths []int) int {
	panic("TODO: ActivationBytes")
}

// SGD minimises the mean of ½(xᵢ·w − yᵢ)² over all rows by mini-batch gradient descent from w, which it leaves unchanged: in each
// epoch a fresh shuffle, then for each batch one update w ← w − rate·(mean gradient of the batch). It returns the weights
// after the last update, and after each epoch the loss over all rows. x is N×D, y has length N, w length D.
// A size above N makes one batch of all rows. rng is the only source of randomness. It panics if size is below 1.
func SGD(x *mat.Dense, y, w []float64, size, epochs int, rate float64, rng *rand.Rand) (w1 []float64, losses []float64) {
	panic("TODO: SGD")
}
