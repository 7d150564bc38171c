// Package generalization holds data out, measures the gap between validation and training loss, and narrows it: dropout,
// weight decay, shifted images, early stopping.
package generalization

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Split divides the indices 0…n−1 at random, with rng alone, into val, which has round(n·validation) of them (halves away from zero), and train,
// which has the rest. No index is in both, and every such division is as likely as any other. It panics if n is negative or validation is not in [0, 1].
func Split(n int, validation float64, rng *rand.Rand) (train, val []int) {
	if n < 0 || !(0 <= validation && validation <= 1) {
		panic("generalization: Split: n must not be negative, validation lies in [0, 1]")
	}
	// Selection sampling (Knuth, algorithm 3.4.2 S): both halves come out in ascending order.
	need := int(float64(n)*validation + 0.5)
	for i := range n {
		if rng.IntN(n-i) < need-len(val) {
			val = append(val, i)
		} else {
			train = append(train, i)
		}
	}
	return train, val
}

// KFold divides the indices 0…n−1 at random, with rng alone, into k folds: each index is in exactly one, the sizes differ by one at most, and every
// division is as likely as any other. It panics
// unless 2 ≤ k ≤ n.
func KFold(n, k int, rng *rand.Rand) [][]int {
	if k < 2 || k > n {
		panic("generalization: KFold: k lies in 2…n")
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	var folds [][]int
	for f := range k {
		folds = append(folds, order[n*f/k:n*(f+1)/k])
	}
	return folds
}

// Gap returns the generalization gap of two mean losses, in their unit: positive where the validation loss is the greater.
func Gap(train, validation float64) float64 {
	return -(train - validation)
}

// Dropout returns inverted dropout of x, N×D, drawn with rng alone. In training each value is dropped by itself with probability drop, its mask is 0 and y
// is 0; the others have mask 1 and y is scaled so that its expectation is x. y and mask are N×D. When training is false y is a
// copy of x and mask is nil. x is finite and left as it was. It panics unless 0 ≤ drop < 1. Source: Srivastava et al. 2014; torch.nn.Dropout.
func Dropout(x *mat.Dense, drop float64, training bool, rng *rand.Rand) (y, mask *mat.Dense) {
	checkDrop(drop)
	rows, columns := x.Dims()
	y = mat.NewDense(rows, columns, nil)
	if !training {
		y.Copy(x)
		return y, nil
	}
	mask = mat.NewDense(rows, columns, nil)
	for i := range rows {
		for j := range columns {
			if rng.Float64() < 1-drop {
				mask.Set(i, j, 1)
				y.Set(i, j, x.At(i, j)/(1-drop))
			}
		}
	}
	return y, mask
}

func checkDrop(drop float64) {
	if !(drop >= 0 && drop < 1) {
		panic(fmt.Sprintf("generalization: drop is %v, it lies in [0, 1)", drop))
	}
}

// DropoutBackward returns ∂L/∂x, N×D, of the Dropout in training that returned mask, given dy = ∂L/∂y, N×D, and the same drop. dy is finite; it changes neither dy nor
// mask. It panics unless 0 ≤ drop < 1 and the shapes agree.
func DropoutBackward(dy, mask *mat.Dense, drop float64) *mat.Dense {
	checkDrop(drop)
	rows, columns := dy.Dims()
	if r, c := mask.Dims(); r != rows || c != columns {
		panic("generalization: DropoutBackward: dy and mask differ in shape")
	}
	dx := mat.NewDense(rows, columns, nil)
	dx.Apply(func(i, j int, g float64) float64 { return g * mask.At(i, j) / (1 - drop) }, dy)
	return dx
}

// Shift returns image, side×side pixels row by row, moved by dx columns to the right and dy rows down (negative: left and up). What leaves the
// frame is lost and zeros come in. image is left as it was. It panics if image has other than side² values.
func Shift(image []float64, side, dx, dy int) []float64 {
	if len(image) != side*side {
		panic("generalization: Shift: the image is not square")
	}
	out := make([]float64, len(image))
	width := side - max(dx, -dx)
	if width <= 0 {
		return out
	}
	from, to := max(-dx, 0), max(dx, 0)
	for row := max(-dy, 0); row < min(side-dy, side); row++ {
		copy(out[(row+dy)*side+to:][:width], image[row*side+from:])
	}
	return out
}

// DecayStep takes one step of gradient descent, in place, on a loss plus the penalty ½·decay·‖w‖². grad is the gradient of the loss alone at w, and is
// left as it was. It panics if w and grad differ in length. Source: Krogh and Hertz 1991; torch.optim.SGD, weight_decay.
func DecayStep(w, grad []float64, rate, decay float64) {
	if len(w) != len(grad) {
		panic("generalization: DecayStep: w and grad differ in length")
	}
	floats.Scale(1-rate*decay, w)
	floats.AddScaled(w, -rate, grad)
}

// EarlyStopping watches a validation loss, one observation an epoch. EarlyStopping{Patience: 5} is ready for use, and so is the zero value.
type EarlyStopping struct {
	Patience int // observations in a row without an improvement before training stops; 0 stops as 1 does
	losses   []float64
}

// Observe takes the loss of the next epoch. improved says whether it is less than every loss before it: the first is, an equal one is not. NaN is never an
// improvement, and no later loss is compared with it. stop says whether this is at least the Patience-th observation in a row without an
// improvement; it is never true with an improvement.
func (e *EarlyStopping) Observe(loss float64) (improved, stop bool) {
	before := e.Best()
	e.losses = append(e.losses, loss)
	if e.Best() != before {
		return true, false
	}
	return false, len(e.losses)-1-before >= max(e.Patience, 1)
}

// Best returns the epoch of the last improvement, counted from 0, or −1 if there was none.
func (e *EarlyStopping) Best() int {
	best := -1
	for i, loss := range e.losses {
		if !math.IsNaN(loss) && (best < 0 || loss < e.losses[best]) {
			best = i
		}
	}
	return best
}
