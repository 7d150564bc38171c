// Package singlerelu asks whether a network with a single ReLU can act as a linear classifier.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "singlerelu: ".
package singlerelu

import "gonum.org/v1/gonum/mat"

// Unit returns the output of one hidden unit, relu(w·x+b), with relu(z) = max(z, 0). It panics if w and x differ in length.
func Unit(w []float64, b float64, x []float64) float64 {
	panic("TODO: Unit")
}

// Classify says whether the unit answers yes: relu(w·x+b) > threshold, strictly. It panics if w and x differ in length.
func Classify(w []float64, b, threshold float64, x []float64) bool {
	panic("TODO: Classify")
}

// AsLinear returns the linear classifier, yes where w1·x+b1 > 0, that decides every x as Classify(w, b, threshold, x) does.
// The threshold may be any number; below 0 the unit always answers yes. w1 has the length of w, which stays as it is.
func AsLinear(w []float64, b, threshold float64) (w1 []float64, b1 float64) {
	panic("TODO: AsLinear")
}

// AsHalfspace returns the linear classifier, yes where w1·x+b1 > 0, that decides every x as the network with one hidden
// ReLU does, yes where v·relu(w·x+b)+c > 0. For other signs of v and c that is another half-space, every x, or none.
// w1 has the length of w, which stays as it is.
func AsHalfspace(w []float64, b, v, c float64) (w1 []float64, b1 float64) {
	panic("TODO: AsHalfspace")
}

// Perceptron runs Rosenblatt's rule over the rows of x, N×D, in their order, from w = 0 and b = 0. A row whose label is true counts as
// y = +1, one whose label is false as y = −1; where y·(w·x+b) ≤ 0, w grows by y·x and b by y. It stops after a pass without a correction, which is
// what separated reports, or after epochs passes. It panics if there is not one label a row. Source: Rosenblatt 1958; Novikoff 1962 for its convergence.
func Perceptron(x *mat.Dense, labels []bool, epochs int) (w []float64, b float64, separated bool) {
	panic("TODO: Perceptron")
}

// Identity returns z, computed from the outputs of two ReLU units of the single input z and nothing else.
func Identity(z float64) float64 {
	panic("TODO: Identity")
}

// Disagree returns two or more class scores, all finite, whose largest is at another index once ReLU has been applied to each. Where
// several are largest, the first counts.
func Disagree() []float64 {
	panic("TODO: Disagree")
}

// XORNet returns the weights of a network with two hidden ReLUs, relu(x·w1+b1)·w2+b2, that is 1 at (0,1) and (1,0) and 0 at (0,0) and
// (1,1), to 1e-9. w1 is 2×2, inputs×hidden; b1 and w2 have length 2.
func XORNet() (w1 *mat.Dense, b1, w2 []float64, b2 float64) {
	panic("TODO: XORNet")
}

// Regions counts the linear pieces of the vector (relu(w₁x+b₁), …, relu(wₙx+bₙ)) as x runs over the real line. Units that bend at the same x share one
// kink; a unit with w = 0 has none. It panics if w and b differ in length.
func Regions(w, b []float64) int {
	panic("TODO: Regions")
}
