// Package zeroinit trains a network with one hidden ReLU layer, to see what its first weights decide.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "zeroinit: ".
package zeroinit

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Net is a classifier with one hidden layer of ReLU units and a softmax output. A gradient has the same four parts and
// is a Net too.
type Net struct {
	W1 *mat.Dense // in×hidden: column j holds the incoming weights of hidden unit j
	B1 []float64  // a bias a hidden unit
	W2 *mat.Dense // hidden×out: column k holds the incoming weights of class k
	B2 []float64  // a bias a class
}

// PriorLoss returns the entropy of the label frequencies, −Σ f_k ln f_k in nats, where f_k is the share of the labels
// that are k and 0·ln 0 = 0. No guess that ignores the input has a lower mean cross-entropy on these labels.
// It panics if there are no labels or a label is outside 0…classes−1.
// Source: Shannon 1948, section 6.
func PriorLoss(labels []int, classes int) float64 {
	panic("TODO: PriorLoss")
}

// Zero returns a net whose weights and biases are all 0.
func Zero(in, hidden, out int) *Net {
	panic("TODO: Zero")
}

// Constant returns a net whose weights, in both layers, are all c and whose biases are 0.
func Constant(in, hidden, out int, c float64) *Net {
	panic("TODO: Constant")
}

// He returns a net with normally distributed weights of mean 0 and standard deviation √(2/fan-in), where the fan-in is
// the number of inputs of a unit: in for W1, hidden for W2. The biases are 0. Each weight is one rng.NormFloat64()
// times the standard deviation, drawn row by row, first W1, then W2.
// Source: He et al. 2015, equation 10.
func He(in, hidden, out int, rng *rand.Rand) *Net {
	panic("TODO: He")
}

// Forward returns the output of the hidden layer, max(0, x·W1 + B1), N×hidden, and the class probabilities,
// softmax(hidden·W2 + B2) row by row, N×out. x is N×in and is not changed. Logits of ±1000 give finite probabilities.
// It panics if x has other than in columns.
func (n *Net) Forward(x *mat.Dense) (hidden, probs *mat.Dense) {
	panic("TODO: Net.Forward")
}

// Backward returns the mean over the rows of the cross-entropy −ln probs[i][labels[i]], and its gradient with respect
// to every weight and bias of n, in a Net of the same shapes. The slope of ReLU at 0 is 0. x is N×in; x, labels and n
// are not changed. It panics where Forward does, if there is not one label a row, or if a label is not a class.
// Source: Rumelhart, Hinton and Williams 1986.
func (n *Net) Backward(x *mat.Dense, labels []int) (loss float64, grad *Net) {
	panic("TODO: Net.Backward")
}

// Step makes one step of gradient descent: it subtracts rate·grad from every weight and bias of n. grad is not changed.
func (n *Net) Step(grad *Net, rate float64) {
	panic("TODO: Net.Step")
}

// DistinctUnits returns how many different hidden units n has. Two units are the same if their incoming weights, a
// column of W1, and their biases differ by no more than tol in any element; their outgoing weights do not matter.
// A unit counts if it is the same as no unit counted before it.
func DistinctUnits(n *Net, tol float64) int {
	panic("TODO: DistinctUnits")
}
