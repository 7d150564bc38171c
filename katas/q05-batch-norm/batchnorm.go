// Package batchnorm normalises each feature over a batch (Ioffe and Szegedy 2015, arXiv:1502.03167).
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "batchnorm: ".
package batchnorm

import "gonum.org/v1/gonum/mat"

// Layer is batch norm over D features. Every slice has length D.
type Layer struct {
	Gamma, Beta []float64 // the learned scale and shift
	RunningMean []float64 // moving average of the batch means
	RunningVar  []float64 // moving average of the unbiased batch variances (÷ N−1)
	Momentum    float64   // the weight of the newest batch in both averages
	Eps         float64   // added to a variance, inside the root
}

// New returns a layer over features features as PyTorch starts it: γ = 1, β = 0, running mean 0, running variance 1,
// momentum 0.1, eps 1e-5.
func New(features int) *Layer {
	panic("TODO: New")
}

// Stats returns the mean and the biased variance (÷ N) of every column of x, N×D. Both have length D. They keep their
// precision when a column lies far from zero: at an offset of 1e6 the variance is right to nine digits. A NaN makes both NaN
// for its column, and for no other.
// It panics if x has no rows. Source: Ioffe and Szegedy 2015, algorithm 1.
func Stats(x *mat.Dense) (mean, variance []float64) {
	panic("TODO: Stats")
}

// Train returns x, N×D, normalised with the statistics of this batch: y = γ·(x − μ)/√(σ² + eps) + β for each feature,
// μ its mean and σ² its biased variance. Then it updates the running statistics:
//
//	running ← (1 − momentum)·running + momentum·batch
//
// where the batch's variance is the unbiased one (÷ N−1). x is left as it was. It panics if x has fewer than two rows, or
// other than D columns, and leaves the layer as it was then. Source: Ioffe and Szegedy 2015, algorithm 1; torch.nn.BatchNorm1d.
func (l *Layer) Train(x *mat.Dense) *mat.Dense {
	panic("TODO: Layer.Train")
}

// Infer returns x, N×D, normalised with the running statistics: y = γ·(x − running mean)/√(running variance + eps) + β.
// One row is enough, and a row's output does not depend on the others. It changes neither x nor the layer, and panics if x
// has other than D columns.
func (l *Layer) Infer(x *mat.Dense) *mat.Dense {
	panic("TODO: Layer.Infer")
}

// Backward returns the gradients of a loss L through Train: dx = ∂L/∂x, N×D, dGamma = ∂L/∂γ and dBeta = ∂L/∂β, both of
// length D, given the batch x that Train was called with and dy = ∂L/∂y, N×D. μ and σ² depend on x, and dx counts that.
// It recomputes what it needs from x and changes nothing. It panics where Train would, and if dy has not the shape of x.
// Source: Ioffe and Szegedy 2015.
func (l *Layer) Backward(x, dy *mat.Dense) (dx *mat.Dense, dGamma, dBeta []float64) {
	panic("TODO: Layer.Backward")
}

// Fold merges l at inference into the dense layer x·w + b before it, w in×D and b of length D. It returns the weights, in×D,
// and the bias, length D, of the one dense layer that gives Infer(x·w + b) for every x. It changes none of its arguments,
// and panics if w has other than D columns or b other than D values.
func Fold(w *mat.Dense, b []float64, l *Layer) (*mat.Dense, []float64) {
	panic("TODO: Fold")
}
