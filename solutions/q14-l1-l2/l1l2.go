// Package l1l2 holds the absolute and the squared error: their gradients, and the constants and lines that minimise them.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "l1l2: ".
package l1l2

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// MSE returns the mean squared error (1/n)·Σ rᵢ² of the residuals r = pred − y, without a factor ½.
// It panics if pred and y differ in length or are empty. Source: torch.nn.MSELoss.
func MSE(pred, y []float64) float64 {
	r := residuals(pred, y)
	return floats.Dot(r, r) / float64(len(r))
}

// MSEGrad returns the gradient of MSE with respect to pred, n values. It panics as MSE does.
func MSEGrad(pred, y []float64) []float64 {
	grad := residuals(pred, y)
	floats.Scale(2/float64(len(grad)), grad)
	return grad
}

// MAE returns the mean absolute error (1/n)·Σ |rᵢ| of the residuals r = pred − y.
// It panics if pred and y differ in length or are empty. Source: torch.nn.L1Loss.
func MAE(pred, y []float64) float64 {
	r := residuals(pred, y)
	return floats.Norm(r, 1) / float64(len(r))
}

// MAEGrad returns the gradient of MAE with respect to pred, n values. Where rᵢ = 0 the loss has a kink;
// the entry there is 0, as in PyTorch. It panics as MAE does.
func MAEGrad(pred, y []float64) []float64 {
	grad := residuals(pred, y)
	for i, r := range grad {
		switch {
		case r > 0:
			grad[i] = 1 / float64(len(grad))
		case r < 0:
			grad[i] = -1 / float64(len(grad))
		}
	}
	return grad
}

// Huber returns the mean over the residuals r = pred − y of ½·rᵢ² where |rᵢ| ≤ delta and of
// delta·(|rᵢ| − ½·delta) beyond. delta may be +Inf. It panics if pred and y differ in length or are empty, or if delta is not
// positive, as NaN is. Source: Huber 1964; torch.nn.HuberLoss, which is not torch.nn.SmoothL1Loss.
func Huber(pred, y []float64, delta float64) float64 {
	mustBePositive(delta)
	var sum float64
	r := residuals(pred, y)
	for _, r := range r {
		if math.Abs(r) <= delta {
			sum += r * r / 2
		} else {
			sum += delta * (math.Abs(r) - delta/2)
		}
	}
	return sum / float64(len(r))
}

// HuberGrad returns the gradient of Huber with respect to pred, n values. It panics as Huber does.
func HuberGrad(pred, y []float64, delta float64) []float64 {
	mustBePositive(delta)
	grad := residuals(pred, y)
	for i, r := range grad {
		grad[i] = min(max(r, -delta), delta) / float64(len(grad))
	}
	return grad
}

// BestConstantL2 returns the constant c that minimises Σ (yᵢ − c)². It panics if y is empty.
func BestConstantL2(y []float64) float64 {
	mustNotBeEmpty(y)
	return stat.Mean(y, nil)
}

// BestConstantL1 returns the two ends of the interval of all constants c that minimise Σ |yᵢ − c|; lo = hi where
// there is one only. y may be in any order and is not changed. It panics if y is empty.
func BestConstantL1(y []float64) (lo, hi float64) {
	mustNotBeEmpty(y)
	sorted := slices.Sorted(slices.Values(y))
	return sorted[(len(y)-1)/2], sorted[len(y)/2]
}

// LeastSquares returns the line that minimises Σ (yᵢ − intercept − slope·xᵢ)². It is accurate where x lies far from 0 too:
// years, seconds since 1970. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastSquares(x, y []float64) (intercept, slope float64) {
	mustDefineALine(x, y)
	meanX, meanY := stat.Mean(x, nil), stat.Mean(y, nil)
	var sxx, sxy float64
	for i := range x {
		sxx += (x[i] - meanX) * (x[i] - meanX)
		sxy += (x[i] - meanX) * (y[i] - meanY)
	}
	slope = sxy / sxx
	return meanY - slope*meanX, slope
}

// LeastAbsolute returns a line that minimises Σ |yᵢ − intercept − slope·xᵢ|. Where several lines do, any one of them.
// Time may grow as n³. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastAbsolute(x, y []float64) (intercept, slope float64) {
	mustDefineALine(x, y)
	least := math.Inf(1)
	for i := range x {
		for j := range i {
			if x[i] == x[j] {
				continue
			}
			b := (y[i] - y[j]) / (x[i] - x[j])
			a := y[i] - b*x[i]
			if sum := absoluteErrors(x, y, a, b); sum < least {
				least, intercept, slope = sum, a, b
			}
		}
	}
	return intercept, slope
}

// FlipPair returns a witness that the line of least absolute errors is unstable in x: 3 to 20 points (x[i], y[i]), and
// moved, which is x with one entry changed by between 1e-9 and 1e-6. (x, y) has exactly one best line, (moved, y) has
// exactly one, and the two slopes differ by at least 1. No coordinate exceeds 100 in magnitude, and the entries of x are at
// least 0.1 apart, so that neither line is nearly vertical.
func FlipPair() (x, moved, y []float64) {
	x = []float64{0, 1, 2, 3, 4 - 4e-7}
	moved = []float64{0, 1, 2, 3, 4 + 4e-7}
	y = []float64{0, 6, 4, 6, 1}
	return x, moved, y
}

func residuals(pred, y []float64) []float64 {
	mustNotBeEmpty(y)
	if len(pred) != len(y) {
		panic(fmt.Sprintf("l1l2: %d predictions for %d values", len(pred), len(y)))
	}
	return floats.SubTo(make([]float64, len(y)), pred, y)
}

func absoluteErrors(x, y []float64, intercept, slope float64) float64 {
	var sum float64
	for i := range x {
		sum += math.Abs(y[i] - intercept - slope*x[i])
	}
	return sum
}

func mustNotBeEmpty(y []float64) {
	if len(y) == 0 {
		panic("l1l2: no values")
	}
}

func mustBePositive(delta float64) {
	if !(delta > 0) {
		panic(fmt.Sprintf("l1l2: delta must be positive, got %v", delta))
	}
}

func mustDefineALine(x, y []float64) {
	if len(x) != len(y) {
		panic(fmt.Sprintf("l1l2: %d x for %d y", len(x), len(y)))
	}
	if len(x) == 0 || floats.Max(x) == floats.Min(x) {
		panic("l1l2: a line needs two distinct values of x")
	}
}
