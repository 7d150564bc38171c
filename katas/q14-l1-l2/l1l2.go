// Package l1l2 holds the absolute and the squared error: their gradients, and the constants and lines that minimise them.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "l1l2: ".
package l1l2

// MSE returns the mean squared error (1/n)·Σ rᵢ² of the residuals r = pred − y, without a factor ½.
// It panics if pred and y differ in length or are empty. Source: torch.nn.MSELoss.
func MSE(pred, y []float64) float64 {
	panic("TODO: MSE")
}

// MSEGrad returns the gradient of MSE with respect to pred, n values. It panics as MSE does.
func MSEGrad(pred, y []float64) []float64 {
	panic("TODO: MSEGrad")
}

// MAE returns the mean absolute error (1/n)·Σ |rᵢ| of the residuals r = pred − y.
// It panics if pred and y differ in length or are empty. Source: torch.nn.L1Loss.
func MAE(pred, y []float64) float64 {
	panic("TODO: MAE")
}

// MAEGrad returns the gradient of MAE with respect to pred, n values. Where rᵢ = 0 the loss has a kink;
// the entry there is 0, as in PyTorch. It panics as MAE does.
func MAEGrad(pred, y []float64) []float64 {
	panic("TODO: MAEGrad")
}

// Huber returns the mean over the residuals r = pred − y of ½·rᵢ² where |rᵢ| ≤ delta and of
// delta·(|rᵢ| − ½·delta) beyond. delta may be +Inf. It panics if pred and y differ in length or are empty, or if delta is not
// positive, as NaN is. Source: Huber 1964; torch.nn.HuberLoss, which is not torch.nn.SmoothL1Loss.
func Huber(pred, y []float64, delta float64) float64 {
	panic("TODO: Huber")
}

// HuberGrad returns the gradient of Huber with respect to pred, n values. It panics as Huber does.
func HuberGrad(pred, y []float64, delta float64) []float64 {
	panic("TODO: HuberGrad")
}

// BestConstantL2 returns the constant c that minimises Σ (yᵢ − c)². It panics if y is empty.
func BestConstantL2(y []float64) float64 {
	panic("TODO: BestConstantL2")
}

// BestConstantL1 returns the two ends of the interval of all constants c that minimise Σ |yᵢ − c|; lo = hi where
// there is one only. y may be in any order and is not changed. It panics if y is empty.
func BestConstantL1(y []float64) (lo, hi float64) {
	panic("TODO: BestConstantL1")
}

// LeastSquares returns the line that minimises Σ (yᵢ − intercept − slope·xᵢ)². It is accurate where x lies far from 0 too:
// years, seconds since 1970. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastSquares(x, y []float64) (intercept, slope float64) {
	panic("TODO: LeastSquares")
}

// LeastAbsolute returns a line that minimises Σ |yᵢ − intercept − slope·xᵢ|. Where several lines do, any one of them.
// Time may grow as n³. It panics if x and y differ in length or if x has fewer than two distinct values.
func LeastAbsolute(x, y []float64) (intercept, slope float64) {
	panic("TODO: LeastAbsolute")
}

// FlipPair returns a witness that the line of least absolute errors is unstable in x: 3 to 20 points (x[i], y[i]), and
// moved, which is x with one entry changed by between 1e-9 and 1e-6. (x, y) has exactly one best line, (moved, y) has
// exactly one, and the two slopes differ by at least 1. No coordinate exceeds 100 in magnitude, and the entries of x are at
// least 0.1 apart, so that neither line is nearly vertical.
func FlipPair() (x, moved, y []float64) {
	panic("TODO: FlipPair")
}
