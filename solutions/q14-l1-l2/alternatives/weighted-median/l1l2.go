// Package l1l2 finds the best line through each point as a weighted median of slopes.
package l1l2

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// MSE returns the mean squared error (1/n)·Σ rᵢ² of the residuals r = pred − y, without a factor ½.
// It panics if pred and y differ in length or are empty. Source: torch.nn.MSELoss.
func MSE(pred, y []float64) float64 {
	n := mustMatch(pred, y)
	var mean float64
	for i := range y {
		mean += (pred[i] - y[i]) * (pred[i] - y[i]) / n
	}
	return mean
}

// MSEGrad returns the gradient of MSE with respect to pred, n values. It panics as MSE does.
func MSEGrad(pred, y []float64) []float64 {
	n := mustMatch(pred, y)
	var grad []float64
	for i := range y {
		grad = append(grad, 2*(pred[i]-y[i])/n)
	}
	return grad
}

// MAE returns the mean absolute error (1/n)·Σ |rᵢ| of the residuals r = pred − y.
// It panics if pred and y differ in length or are empty. Source: torch.nn.L1Loss.
func MAE(pred, y []float64) float64 {
	n := mustMatch(pred, y)
	var mean float64
	for i := range y {
		mean += max(pred[i]-y[i], y[i]-pred[i]) / n
	}
	return mean
}

// MAEGrad returns the gradient of MAE with respect to pred, n values. Where rᵢ = 0 the loss has a kink;
// the entry there is 0, as in PyTorch. It panics as MAE does.
func MAEGrad(pred, y []float64) []float64 {
	n := mustMatch(pred, y)
	var grad []float64
	for i := range y {
		grad = append(grad, float64(cmp.Compare(pred[i], y[i]))/n)
	}
	return grad
}

// Huber returns the mean over the residuals r = pred − y of ½·rᵢ² where |rᵢ| ≤ delta and of
// delta·(|rᵢ| − ½·delta) beyond. delta may be +Inf. It panics if pred and y differ in length or are empty, or if delta is not
// positive, as NaN is. Source: Huber 1964; torch.nn.HuberLoss, which is not torch.nn.SmoothL1Loss.
func Huber(pred, y []float64, delta float64) float64 {
	n := mustMatch(pred, y)
	if !(delta > 0) {
		panic("l1l2: delta must be positive")
	}
	var mean float64
	for i := range y {
		distance := math.Abs(pred[i] - y[i])
		within := min(distance, delta) // the part of the distance over which the slope grows
		mean += within * (distance - within/2) / n
	}
	return mean
}

// HuberGrad returns the gradient of Huber with respect to pred, n values. It panics as Huber does.
func HuberGrad(pred, y []float64, delta float64) []float64 {
	n := mustMatch(pred, y)
	if !(delta > 0) {
		panic("l1l2: delta must be positive")
	}
	var grad []float64
	for i := range y {
		r := pred[i] - y[i]
		if distance := math.Abs(r); distance > delta {
			r *= delta / distance
		}
		grad = append(grad, r/n)
	}
	return grad
}

// BestConstantL2 returns the constant c that minimises Σ (yᵢ − c)². It panics if y is empty.
func BestConstantL2(y []float64) float64 {
	n := mustMatch(y, y)
	var mean float64
	for _, v := range y {
		mean += v / n
	}
	return mean
}

// BestConstantL1 returns the two ends of the interval of all constants c that minimise Σ |yᵢ − c|; lo = hi where
// there is one only. y may be in any order and is not changed. It panics if y is empty.
func BestConstantL1(y []float64) (lo, hi float64) {
	n := mustMatch(y, y)
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, c := range y { // c is best if neither side holds more than half of the values
		var below, above float64
		for _, v := range y {
			switch {
			case v < c:
				below++
			case v > c:
				above++
			}
		}
		if below <= n/2 && above <= n/2 {
			lo, hi = min(lo, c), max(hi, c)
		}
	}
	return lo, hi
}

// LeastSquares returns the line that minimises Σ (yᵢ − intercept − slope·xᵢ)². It is accurate where x lies far from 0 too:
// years, seconds since 1970. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastSquares(x, y []float64) (intercept, slope float64) {
	mustDefineALine(x, y)
	return stat.LinearRegression(x, y, nil, false)
}

// LeastAbsolute returns a line that minimises Σ |yᵢ − intercept − slope·xᵢ|. Where several lines do, any one of them.
// Time may grow as n³. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastAbsolute(x, y []float64) (intercept, slope float64) {
	mustDefineALine(x, y)
	least := math.Inf(1)
	for i := range x {
		b := bestSlopeThrough(x, y, i)
		var total float64
		for k := range x {
			total += math.Abs(y[k] - y[i] - b*(x[k]-x[i]))
		}
		if total < least {
			least, intercept, slope = total, y[i]-b*x[i], b
		}
	}
	return intercept, slope
}

// FlipPair returns a witness that the line of least absolute errors is unstable in x: 3 to 20 points (x[i], y[i]), and
// moved, which is x with one entry changed by between 1e-9 and 1e-6. (x, y) has exactly one best line, (moved, y) has
// exactly one, and the two slopes differ by at least 1. No coordinate exceeds 100 in magnitude, and the entries of x are at
// least 0.1 apart, so that neither line is nearly vertical.
func FlipPair() (x, moved, y []float64) {
	x = []float64{5, 3, 1, 9, 7}
	y = []float64{8, 12, 0, 2, 12}
	x[3] -= 8e-7
	moved = []float64{5, 3, 1, 9 + 1e-7, 7}
	return x, moved, y
}

// bestSlopeThrough returns the slope of the best line through point i: the errors are |x[k]−x[i]|·|slope of (i,k) − b|, so that
// it is the median of the slopes, each weighing as much as its distance in x.
func bestSlopeThrough(x, y []float64, i int) float64 {
	type candidate struct{ slope, weight float64 }
	var candidates []candidate
	var half float64
	for k := range x {
		if run := x[k] - x[i]; run != 0 {
			candidates = append(candidates, candidate{(y[k] - y[i]) / run, math.Abs(run)})
			half += math.Abs(run) / 2
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return cmp.Compare(a.slope, b.slope) })
	for _, c := range candidates {
		if half -= c.weight; half <= 0 {
			return c.slope
		}
	}
	panic("l1l2: no slope")
}

// mustMatch returns the number of values.
func mustMatch(pred, y []float64) float64 {
	if len(pred) != len(y) || len(y) == 0 {
		panic("l1l2: as many predictions as values, and at least one")
	}
	return float64(len(y))
}

func mustDefineALine(x, y []float64) {
	if len(x) != len(y) || len(x) == 0 || slices.Max(x) == slices.Min(x) {
		panic("l1l2: a line needs as many x as y, two of them distinct")
	}
}
