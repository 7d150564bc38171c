// Package batchnorm normalises each feature over a batch (Ioffe and Szegedy 2015, arXiv:1502.03167).
package batchnorm

import (
	"math"
	"slices"

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
	ones := func() []float64 { return slices.Repeat([]float64{1}, features) }
	zeros := func() []float64 { return make([]float64, features) }
	return &Layer{ones(), zeros(), zeros(), ones(), 0.1, 1e-5}
}

// Stats returns the mean and the biased variance (÷ N) of every column of x, N×D. Both have length D. They keep their
// precision when a column lies far from zero: at an offset of 1e6 the variance is right to nine digits.
// It panics if x has no rows. Source: Ioffe and Szegedy 2015, algorithm 1.
func Stats(x *mat.Dense) (mean, variance []float64) {
	if x.IsEmpty() {
		panic("batchnorm: no rows")
	}
	// Welford's update: one pass, no cancellation.
	_, d := x.Dims()
	mean, variance = make([]float64, d), make([]float64, d)
	count := 0.0
	for i := range x.RawMatrix().Rows {
		count++
		for j, v := range x.RawRowView(i) {
			before := v - mean[j]
			mean[j] += before / count
			variance[j] += (before*(v-mean[j]) - variance[j]) / count
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
// other than D columns. Source: Ioffe and Szegedy 2015, algorithm 1; torch.nn.BatchNorm1d.
func (l *Layer) Train(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	if n < 2 || d != len(l.Gamma) {
		panic("batchnorm: Train of a batch that does not fit")
	}
	mean, variance := Stats(x)
	y := mat.NewDense(n, d, nil)
	for j := range d {
		scale := l.Gamma[j] / math.Sqrt(variance[j]+l.Eps)
		shift := l.Beta[j] - scale*mean[j]
		for i := range n {
			y.Set(i, j, scale*x.At(i, j)+shift)
		}
	}
	for j := range d {
		l.RunningMean[j] = (1-l.Momentum)*l.RunningMean[j] + l.Momentum*mean[j]
		l.RunningVar[j] = (1-l.Momentum)*l.RunningVar[j] + l.Momentum*variance[j]*float64(n)/float64(n-1)
	}
	return y
}

// Infer returns x, N×D, normalised with the running statistics: y = γ·(x − running mean)/√(running variance + eps) + β.
// One row is enough, and a row's output does not depend on the others. It changes neither x nor the layer, and panics if x
// has other than D columns.
func (l *Layer) Infer(x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	if d != len(l.Gamma) {
		panic("batchnorm: Infer of rows that do not fit")
	}
	eye := mat.NewDense(d, d, nil)
	for j := range d {
		eye.Set(j, j, 1)
	}
	w, b := Fold(eye, make([]float64, d), l)
	y := mat.NewDense(n, d, nil)
	y.Mul(x, w)
	for i := range n {
		floats.Add(y.RawRowView(i), b)
	}
	return y
}

// Backward returns the gradients of a loss L through Train: dx = ∂L/∂x, N×D, dGamma = ∂L/∂γ and dBeta = ∂L/∂β, both of
// length D, given the batch x that Train was called with and dy = ∂L/∂y, N×D. μ and σ² depend on x, and dx counts that.
// It recomputes what it needs from x and changes nothing. It panics where Train would, and if dy has not the shape of x.
// Source: Ioffe and Szegedy 2015.
func (l *Layer) Backward(x, dy *mat.Dense) (dx *mat.Dense, dGamma, dBeta []float64) {
	n, d := x.Dims()
	if n < 2 || d != len(l.Gamma) {
		panic("batchnorm: Backward of a batch that does not fit")
	}
	if rows, cols := dy.Dims(); rows != n || cols != d {
		panic("batchnorm: Backward of x and dy of different shapes")
	}
	mean, variance := Stats(x)
	m := float64(n)
	dx, dGamma, dBeta = mat.NewDense(n, d, nil), make([]float64, d), make([]float64, d)
	for j := range d {
		// The chain rule, variable by variable, in the order of the paper.
		col, up := mat.Col(nil, j, x), mat.Col(nil, j, dy)
		floats.AddConst(-mean[j], col)
		inv := 1 / math.Sqrt(variance[j]+l.Eps)
		dBeta[j], dGamma[j] = floats.Sum(up), inv*floats.Dot(up, col)
		floats.Scale(l.Gamma[j], up) // now ∂L/∂x̂
		dVariance := -0.5 * floats.Dot(up, col) * inv * inv * inv
		dMean := -inv*floats.Sum(up) - 2*dVariance*floats.Sum(col)/m
		for i := range n {
			dx.Set(i, j, up[i]*inv+dVariance*2*col[i]/m+dMean/m)
		}
	}
	return dx, dGamma, dBeta
}

// Fold merges l at inference into the dense layer x·w + b before it, w in×D and b of length D. It returns the weights, in×D,
// and the bias, length D, of the one dense layer that gives Infer(x·w + b) for every x. It changes none of its arguments,
// and panics if w has other than D columns or b other than D values.
func Fold(w *mat.Dense, b []float64, l *Layer) (*mat.Dense, []float64) {
	in, d := w.Dims()
	if d != len(b) || d != len(l.Gamma) {
		panic("batchnorm: Fold of sizes that do not fit")
	}
	scale := make([]float64, d)
	for j := range d {
		scale[j] = l.Gamma[j] / math.Sqrt(l.RunningVar[j]+l.Eps)
	}
	folded := mat.NewDense(in, d, nil)
	folded.Mul(w, mat.NewDiagDense(d, scale))
	bias := slices.Clone(b)
	floats.Sub(bias, l.RunningMean)
	floats.Mul(bias, scale)
	floats.Add(bias, l.Beta)
	return folded, bias
}
