// Package pointwise asks what 1×1 convolutions are, and how they help.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "pointwise: ".
package pointwise

import (
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Conv1x1 returns the 1×1 convolution of x, C×H×W: y[o][i][j] = bias[o] + Σ_c w[o][c]·x[c][i][j], an O×H×W image. w is O×C;
// bias has length O, or is nil for none. It panics if w has other than C columns, or if
// bias is neither nil nor of length O. Source: Lin, Chen and Yan 2013.
func Conv1x1(x tensor.CHW, w *mat.Dense, bias []float64) tensor.CHW {
	panic("TODO: Conv1x1")
}

// Params returns the number of parameters of a kernel×kernel convolution from in to out channels, with one bias an output channel or none.
func Params(in, out, kernel int, bias bool) int {
	panic("TODO: Params")
}

// MACs returns the multiply-accumulates of a kernel×kernel convolution from in to out channels whose output map is h×w, bias not counted.
func MACs(h, w, in, out, kernel int) int {
	panic("TODO: MACs")
}

// Squeezed returns the MACs of a 1×1 convolution from in to mid channels followed by a kernel×kernel convolution from mid to out channels. Both
// output maps are h×w.
func Squeezed(h, w, in, mid, out, kernel int) int {
	panic("TODO: Squeezed")
}

// WidestUsefulMid returns the largest mid for which Squeezed costs strictly less than the kernel×kernel convolution from in to out channels, whatever
// the map; 0 if there is none.
func WidestUsefulMid(in, out, kernel int) int {
	panic("TODO: WidestUsefulMid")
}

// Fuse returns the weights and biases of the one 1×1 convolution that equals two in a row, the first with w1 (M×C) and b1, the second
// with w2 (O×M) and b2, without an activation between. b1 has length M, b2 has length O. w is O×C, b has length O. It panics if
// w2 has other than M columns, b1 other than M values, or b2 other than O values.
func Fuse(w2 *mat.Dense, b2 []float64, w1 *mat.Dense, b1 []float64) (w *mat.Dense, b []float64) {
	panic("TODO: Fuse")
}

// PixelXOR returns two 1×1 convolutions which, with ReLU between them, compute the XOR of two channels of zeros and ones at every pixel, to 1e-9. w1 is
// M×2 and w2 is 1×M for an M of your choice; b1 and b2 have lengths M and 1.
func PixelXOR() (w1 *mat.Dense, b1 []float64, w2 *mat.Dense, b2 []float64) {
	panic("TODO: PixelXOR")
}
