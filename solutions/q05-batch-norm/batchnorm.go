// Package batchnorm normalises each feature over a batch (Ioffe and Szegedy 2015, arXiv:1502.03167).
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "batchnorm: ".
package batchnorm

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

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
	l := &Layer{
		Gamma: make([]float64, features), Beta: make([]float64, features),
		RunningMean: make([]float64, features), RunningVar: make([]float64, features),
		Momentum: 0.1, Eps: 1e-5,
	}
	for j := range features {
		l.Gamma[j], l.RunningVar[j] = 1, 1
	}
	return l
}

// Stats returns the mean and the biased variance (÷ N) of every column of x, N×D. Both have length D. They keep their
// precision when a column lies far from zero: at an offset of 1e6 the variance is right to nine digits. A NaN makes both NaN
// for its column, and for no other.
// It panics if x has no rows. Source: Ioffe and Szegedy 2015, algorithm 1.
func Stats(x *mat.Dense) (mean, variance []float64) {
	n, d := x.Dims()
	if n == 0 {
		panic("batchnorm: Stats needs a row, got none")
	}
	mean, variance = make([]float64, d), make([]float64, d)
	for j := range d {
		column := mat.Col(nil, j, x)
		mean[j] = floats.Sum(column) / float64(n)
		for _, v := range column {
			variance[j] += (v - mean[j]) * (v - mean[j]) / float64(n)
		}
	}
	return mean, variance
}

// Train returns x, N×D, normalised with the statistics of this batch: y = γ·(x − μ)/√(σ² + eps) + β for each feature,
// μ its mean and σ² its biased variance. Then it updates the running statistics:
//
//	running ← (1 − momentum)·running + momentum·batch
//
// where the batch's variance is the unbiased one (÷ N−1). x is left as it was. It panics if x has fewer than two rows, or
// other than D columns, and leaves the layer as it was then. Source: Ioffe and Szegedy 2015, algorithm 1; torch.nn.BatchNorm1d.
func (l *Layer) Train(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	if n < 2 {
		panic("batchnorm: Train needs two rows or more")
	}
	l.mustFit(d)
	mean, variance := Stats(x)
	y := l.normalise(x, mean, variance)
	unbiased := float64(n) / float64(n-1)
	for j := range d {
		l.RunningMean[j] += l.Momentum * (mean[j] - l.RunningMean[j])
		l.RunningVar[j] += l.Momentum * (unbiased*variance[j] - l.RunningVar[j])
	}
	return y
}

// Infer returns x, N×D, normalised with the running statistics: y = γ·(x − running mean)/√(running variance + eps) + β.
// One row is enough, and a row's output does not depend on the others. It changes neither x nor the layer, and panics if x
// has other than D columns.
func (l *Layer) Infer(x *mat.Dense) *mat.Dense {
	_, d := x.Dims()
	l.mustFit(d)
	return l.normalise(x, l.RunningMean, l.RunningVar)
}

// Backward returns the gradients of a loss L through Train: dx = ∂L/∂x, N×D, dGamma = ∂L/∂γ and dBeta = ∂L/∂β, both of
// length D, given the batch x that Train was called with and dy = ∂L/∂y, N×D. μ and σ² depend on x, and dx counts that.
// It recomputes what it needs from x and changes nothing. It panics where Train would, and if dy has not the shape of x.
// Source: Ioffe and Szegedy 2015.
func (l *Layer) Backward(x, dy *mat.Dense) (dx *mat.Dense, dGamma, dBeta []float64) {
	n, d := x.Dims()
	if n < 2 {
		panic("batchnorm: Backward needs two rows or more")
	}
	l.mustFit(d)
	if rows, cols := dy.Dims(); rows != n || cols != d {
		panic("batchnorm: dy has not the shape of x")
	}
	mean, variance := Stats(x)
	dx, dGamma, dBeta = mat.NewDense(n, d, nil), make([]float64, d), make([]float64, d)
	for j := range d {
		inv := 1 / math.Sqrt(variance[j]+l.Eps)
		for i := range n {
			xhat := (x.At(i, j) - mean[j]) * inv
			dGamma[j] += dy.At(i, j) * xhat
			dBeta[j] += dy.At(i, j)
		}
		for i := range n {
			xhat := (x.At(i, j) - mean[j]) * inv
			dx.Set(i, j, l.Gamma[j]*inv*(dy.At(i, j)-dBeta[j]/float64(n)-xhat*dGamma[j]/float64(n)))
		}
	}
	return dx, dGamma, dBeta
}

// Fold merges l at inference into the dense layer x·w + b before it, w in×D and b of length D. It returns the weights, in×D,
// and the bias, length D, of the one dense layer that gives Infer(x·w + b) for every x. It changes none of its arguments,
// and panics if w has other than D columns or b other than D values.
func Fold(w *mat.Dense, b []float64, l *Layer) (*mat.Dense, []float64) {
	in, d := w.Dims()
	l.mustFit(d)
	l.mustFit(len(b))
	folded, bias := mat.NewDense(in, d, nil), make([]float64, d)
	for j := range d {
		scale := l.Gamma[j] / math.Sqrt(l.RunningVar[j]+l.Eps)
		for i := range in {
			folded.Set(i, j, w.At(i, j)*scale)
		}
		bias[j] = (b[j]-l.RunningMean[j])*scale + l.Beta[j]
	}
	return folded, bias
}

// normalise returns γ·(x − mean)/√(variance + eps) + β.
func (l *Layer) normalise(x *mat.Dense, mean, variance []float64) *mat.Dense {
	y := mat.DenseCopyOf(x)
	y.Apply(func(_, j int, v float64) float64 {
		return l.Gamma[j]*(v-mean[j])/math.Sqrt(variance[j]+l.Eps) + l.Beta[j]
	}, y)
	return y
}

func (l *Layer) mustFit(features int) {
	if features != len(l.Gamma) {
		panic("batchnorm: the layer has another number of features than its input")
	}
}
