// Package mobile makes networks smaller and counts what that saves: separable convolutions, pruning, sparse storage, int8.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "mobile: ".
package mobile

import "gonum.org/v1/gonum/mat"

// SeparableRatio returns the multiply-accumulates of a depthwise separable convolution, divided by those of the full
// convolution that it replaces. out is the number of output channels, and the kernel is kernel×kernel; the number of
// input channels does not matter. It panics if out or kernel is below 1. Source: Howard et al. 2017.
func SeparableRatio(out, kernel int) float64 {
	panic("TODO: SeparableRatio")
}

// Speedup returns how many times faster a whole frame is when a part that took the given fraction of its time becomes
// factor times as fast and the rest stays as it was. factor may be +Inf; below 1 it is a slowdown.
// It panics if fraction is outside 0…1 or factor is not positive, as NaN is. Source: Amdahl 1967.
func Speedup(fraction, factor float64) float64 {
	panic("TODO: Speedup")
}

// PruneMask returns a matrix of the shape of w that is 0 for the ⌊sparsity·n + 1e-9⌋ weights of smallest magnitude, where n is the
// number of weights, and 1 for all others. Of weights of equal magnitude at the boundary any may go, but exactly that many
// in all. w is finite and not changed. It panics if sparsity is outside 0…1, as NaN is. Source: Han et al. 2015.
func PruneMask(w *mat.Dense, sparsity float64) *mat.Dense {
	panic("TODO: PruneMask")
}

// Sparsity returns the share of weights to have pruned at a step: initial up to step begin, final from step end on, and between
// them final + (initial − final)·(1 − (step − begin)/(end − begin))³. It panics unless begin < end.
// Source: Zhu and Gupta 2017, equation 1.
func Sparsity(step, begin, end int, initial, final float64) float64 {
	panic("TODO: Sparsity")
}

// MaskedStep makes one step of gradient descent on w, in place: it subtracts rate·grad, and sets to 0 every weight whose mask is 0,
// whatever it was before. w, grad and rate·grad are finite, mask is 0 or 1; grad and mask are not changed. It panics if grad or mask has
// not the shape of w.
func MaskedStep(w, grad, mask *mat.Dense, rate float64) {
	panic("TODO: MaskedStep")
}

// CSR is a matrix in compressed sparse row form. The non-zeros are listed row by row, and within a row by column.
// Those of row i are Val[Ptr[i]:Ptr[i+1]], in the columns Col[Ptr[i]:Ptr[i+1]].
type CSR struct {
	Rows, Cols int
	Ptr        []int     // Rows+1: where each row starts; Ptr[0] is 0, Ptr[Rows] is the number of non-zeros
	Col        []int     // a column a non-zero
	Val        []float64 // the non-zeros
}

// Compress returns the non-zeros of w in compressed sparse row form. Only 0 is left out; NaN is not 0. w is not changed.
// Source: Saad, Iterative Methods for Sparse Linear Systems, 2003.
func Compress(w *mat.Dense) CSR {
	panic("TODO: Compress")
}

// Bytes returns the size of the numbers in m: 8 bytes for each element of Ptr, Col and Val.
func (m CSR) Bytes() int {
	panic("TODO: CSR.Bytes")
}

// MulVec returns m·x, of length Rows. x has length Cols and is not changed. Only the non-zeros of m are read.
// It panics if x has another length.
func (m CSR) MulVec(x []float64) []float64 {
	panic("TODO: CSR.MulVec")
}

// Quantize returns w in int8: q = round(w/scale) + zero, clamped to −128…127. With low the smallest of the weights and 0, and
// high the largest of the weights and 0, scale is (high − low)/255 and zero is round(−128 − low/scale). If all weights
// are 0, scale is 1 and zero is 0. w is finite and not changed. Source: Jacob et al. 2018, sections 2.1 and 3.
func Quantize(w []float64) (q []int8, scale float64, zero int8) {
	panic("TODO: Quantize")
}

// Dequantize returns the real values scale·(q − zero). What Quantize made of w comes back with an error of at most
// scale/2, and 0 comes back as exactly 0. Source: Jacob et al. 2018, equation 1.
func Dequantize(q []int8, scale float64, zero int8) []float64 {
	panic("TODO: Dequantize")
}
