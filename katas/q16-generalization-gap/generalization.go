// Package generalization holds data out, measures the gap between validation and training loss, and narrows it: dropout,
// weight decay, shifted images, early stopping.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "generalization: ".
package generalization

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Split divides the indices 0…n−1 at random, with rng alone, into val, which has round(n·validation) of them (halves away from zero), and train,
// which has the rest. No index is in both, and every such division is as likely as any other. It panics if n is negative or validation is not in [0, 1].
func Split(n int, validation float64, rng *rand.Rand) (train, val []int) {
	panic("TODO: Split")
}

// KFold divides the indices 0…n−1 at random, with rng alone, into k folds: each index is in exactly one, the sizes differ by one at most, and every
// division is as likely as any other. It panics
// unless 2 ≤ k ≤ n.
func KFold(n, k int, rng *rand.Rand) [][]int {
	panic("TODO: KFold")
}

// Gap returns the generalization gap of two mean losses, in their unit: positive where the validation loss is the greater.
func Gap(train, validation float64) float64 {
	panic("TODO: Gap")
}

// Dropout returns inverted dropout of x, N×D, drawn with rng alone. In training each value is dropped by itself with probability drop, its mask is 0 and y
// is 0; the others have mask 1 and y is scaled so that its expectation is x. y and mask are N×D. When training is false y is a
// copy of x and mask is nil. x is finite and left as it was. It panics unless 0 ≤ drop < 1. Source: Srivastava et al. 2014; torch.nn.Dropout.
func Dropout(x *mat.Dense, drop float64, training bool, rng *rand.Rand) (y, mask *mat.Dense) {
	panic("TODO: Dropout")
}

// DropoutBackward returns ∂L/∂x, N×D, of the Dropout in training that returned mask, given dy = ∂L/∂y, N×D, and the same drop. dy is finite; it changes neither dy nor
// mask. It panics unless 0 ≤ drop < 1 and the shapes agree.
func DropoutBackward(dy, mask *mat.Dense, drop float64) *mat.Dense {
	panic("TODO: DropoutBackward")
}

// Shift returns image, side×side pixels row by row, moved by dx columns to the right and dy rows down (negative: left and up). What leaves the
// frame is lost and zeros come in. image is left as it was. It panics if image has other than side² values.
func Shift(image []float64, side, dx, dy int) []float64 {
	panic("TODO: Shift")
}

// DecayStep takes one step of gradient descent, in place, on a loss plus the penalty ½·decay·‖w‖². grad is the gradient of the loss alone at w, and is
// left as it was. It panics if w and grad differ in length. Source: Krogh and Hertz 1991; torch.optim.SGD, weight_decay.
func DecayStep(w, grad []float64, rate, decay float64) {
	panic("TODO: DecayStep")
}

// EarlyStopping watches a validation loss, one observation an epoch. EarlyStopping{Patience: 5} is ready for use, and so is the zero value.
type EarlyStopping struct {
	Patience int // observations in a row without an improvement before training stops; 0 stops as 1 does
	// Add the fields that you need.
}

// Observe takes the loss of the next epoch. improved says whether it is less than every loss before it: the first is, an equal one is not. NaN is never an
// improvement, and no later loss is compared with it. stop says whether this is at least the Patience-th observation in a row without an
// improvement; it is never true with an improvement.
func (e *EarlyStopping) Observe(loss float64) (improved, stop bool) {
	panic("TODO: EarlyStopping.Observe")
}

// Best returns the epoch of the last improvement, counted from 0, or −1 if there was none.
func (e *EarlyStopping) Best() int {
	panic("TODO: EarlyStopping.Best")
}
