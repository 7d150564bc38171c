// Package generalization holds data out, measures the gap between validation and training loss, and narrows it: dropout,
// weight decay, shifted images, early stopping.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "generalization: ".
package generalization

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Split divides the indices 0…n−1 at random, with rng alone, into val, which has round(n·validation) of them (halves away from zero), and train,
// which has the rest. No index is in both, and every such division is as likely as any other. It panics if n is negative or validation is not in [0, 1].
func Split(n int, validation float64, rng *rand.Rand) (train, val []int) {
	if n < 0 || validation < 0 || validation > 1 || math.IsNaN(validation) {
		panic(fmt.Sprintf("generalization: Split(%d, %v): n must not be negative, validation lies in [0, 1]", n, validation))
	}
	order := rng.Perm(n)
	held := int(math.Round(float64(n) * validation))
	return order[held:], order[:held:held]
}

// KFold divides the indices 0…n−1 at random, with rng alone, into k folds: each index is in exactly one, the sizes differ by one at most, and every
// division is as likely as any other. It panics
// unless 2 ≤ k ≤ n.
func KFold(n, k int, rng *rand.Rand) [][]int {
	if k < 2 || k > n {
		panic(fmt.Sprintf("generalization: KFold(%d, %d): k lies in 2…n", n, k))
	}
	folds := make([][]int, k)
	for i, index := range rng.Perm(n) {
		folds[i%k] = append(folds[i%k], index)
	}
	return folds
}

// Gap returns the generalization gap of two mean losses, in their unit: positive where the validation loss is the greater.
func Gap(train, validation float64) float64 {
	return validation - train
}

// Dropout returns inverted dropout of x, N×D, drawn with rng alone. In training each value is dropped by itself with probability drop, its mask is 0 and y
// is 0; the others have mask 1 and y is scaled so that its expectation is x. y and mask are N×D. When training is false y is a
// copy of x and mask is nil. x is finite and left as it was. It panics unless 0 ≤ drop < 1. Source: Srivastava et al. 2014; torch.nn.Dropout.
func Dropout(x *mat.Dense, drop float64, training bool, rng *rand.Rand) (y, mask *mat.Dense) {
	checkDrop(drop)
	y = mat.DenseCopyOf(x)
	if !training {
		return y, nil
	}
	mask = mat.DenseCopyOf(x)
	mask.Apply(func(_, _ int, _ float64) float64 {
		if rng.Float64() < drop {
			return 0
		}
		return 1
	}, mask)
	y.MulElem(y, mask)
	y.Scale(1/(1-drop), y)
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
		panic(fmt.Sprintf("generalization: DropoutBackward: dy is %d×%d, mask %d×%d", rows, columns, r, c))
	}
	var dx mat.Dense
	dx.MulElem(dy, mask)
	dx.Scale(1/(1-drop), &dx)
	return &dx
}

// Shift returns image, side×side pixels row by row, moved by dx columns to the right and dy rows down (negative: left and up). What leaves the
// frame is lost and zeros come in. image is left as it was. It panics if image has other than side² values.
func Shift(image []float64, side, dx, dy int) []float64 {
	if len(image) != side*side {
		panic(fmt.Sprintf("generalization: Shift: %d values are not %d×%d", len(image), side, side))
	}
	out := make([]float64, len(image))
	for row := range side {
		for column := range side {
			fromRow, fromColumn := row-dy, column-dx
			if fromRow >= 0 && fromRow < side && fromColumn >= 0 && fromColumn < side {
				out[row*side+column] = image[fromRow*side+fromColumn]
			}
		}
	}
	return out
}

// DecayStep takes one step of gradient descent, in place, on a loss plus the penalty ½·decay·‖w‖². grad is the gradient of the loss alone at w, and is
// left as it was. It panics if w and grad differ in length. Source: Krogh and Hertz 1991; torch.optim.SGD, weight_decay.
func DecayStep(w, grad []float64, rate, decay float64) {
	if len(w) != len(grad) {
		panic(fmt.Sprintf("generalization: DecayStep: %d weights, %d gradients", len(w), len(grad)))
	}
	for i := range w {
		w[i] -= rate * (grad[i] + decay*w[i])
	}
}

// EarlyStopping watches a validation loss, one observation an epoch. EarlyStopping{Patience: 5} is ready for use, and so is the zero value.
type EarlyStopping struct {
	Patience int // observations in a row without an improvement before training stops; 0 stops as 1 does

	observed int     // losses so far
	best     int     // epoch of the last improvement, counted from 1; 0 before the first
	least    float64 // the loss there
	without  int     // observations since
}

// Observe takes the loss of the next epoch. improved says whether it is less than every loss before it: the first is, an equal one is not. NaN is never an
// improvement, and no later loss is compared with it. stop says whether this is at least the Patience-th observation in a row without an
// improvement; it is never true with an improvement.
func (e *EarlyStopping) Observe(loss float64) (improved, stop bool) {
	epoch := e.observed
	e.observed++
	if !math.IsNaN(loss) && (e.best == 0 || loss < e.least) {
		e.best, e.least, e.without = epoch+1, loss, 0
		return true, false
	}
	e.without++
	return false, e.without >= e.Patience
}

// Best returns the epoch of the last improvement, counted from 0, or −1 if there was none.
func (e *EarlyStopping) Best() int {
	return e.best - 1
}
