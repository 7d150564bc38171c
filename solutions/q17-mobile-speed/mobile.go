// Package mobile makes networks smaller and counts what that saves: separable convolutions, pruning, sparse storage, int8.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "mobile: ".
package mobile

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// SeparableRatio returns the multiply-accumulates of a depthwise separable convolution, divided by those of the full
// convolution that it replaces. out is the number of output channels, and the kernel is kernel×kernel; the number of
// input channels does not matter. It panics if out or kernel is below 1. Source: Howard et al. 2017.
func SeparableRatio(out, kernel int) float64 {
	if out < 1 || kernel < 1 {
		panic(fmt.Sprintf("mobile: SeparableRatio needs positive sizes, got %d and %d", out, kernel))
	}
	return 1/float64(out) + 1/float64(kernel*kernel)
}

// Speedup returns how many times faster a whole frame is when a part that took the given fraction of its time becomes
// factor times as fast and the rest stays as it was. factor may be +Inf; below 1 it is a slowdown.
// It panics if fraction is outside 0…1 or factor is not positive, as NaN is. Source: Amdahl 1967.
func Speedup(fraction, factor float64) float64 {
	if !(fraction >= 0 && fraction <= 1 && factor > 0) {
		panic(fmt.Sprintf("mobile: Speedup of a fraction %g by a factor %g", fraction, factor))
	}
	return 1 / (1 - fraction + fraction/factor)
}

// PruneMask returns a matrix of the shape of w that is 0 for the ⌊sparsity·n + 1e-9⌋ weights of smallest magnitude, where n is the
// number of weights, and 1 for all others. Of weights of equal magnitude at the boundary any may go, but exactly that many
// in all. w is finite and not changed. It panics if sparsity is outside 0…1, as NaN is. Source: Han et al. 2015.
func PruneMask(w *mat.Dense, sparsity float64) *mat.Dense {
	if !(sparsity >= 0 && sparsity <= 1) {
		panic(fmt.Sprintf("mobile: PruneMask of sparsity %g, outside 0…1", sparsity))
	}
	rows, cols := w.Dims()
	order := make([]int, rows*cols) // positions, row by row, by magnitude
	for i := range order {
		order[i] = i
	}
	size := func(i int) float64 { return math.Abs(w.At(i/cols, i%cols)) }
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(size(a), size(b)) })

	mask := mat.NewDense(rows, cols, nil)
	pruned := int(sparsity*float64(len(order)) + 1e-9)
	for _, i := range order[pruned:] {
		mask.Set(i/cols, i%cols, 1)
	}
	return mask
}

// Sparsity returns the share of weights to have pruned at a step: initial up to step begin, final from step end on, and between
// them final + (initial − final)·(1 − (step − begin)/(end − begin))³. It panics unless begin < end.
// Source: Zhu and Gupta 2017, equation 1.
func Sparsity(step, begin, end int, initial, final float64) float64 {
	if begin >= end {
		panic(fmt.Sprintf("mobile: Sparsity from step %d to step %d", begin, end))
	}
	left := 1 - float64(step-begin)/float64(end-begin)
	left = min(max(left, 0), 1)
	return final + (initial-final)*left*left*left
}

// MaskedStep makes one step of gradient descent on w, in place: it subtracts rate·grad, and sets to 0 every weight whose mask is 0,
// whatever it was before. w, grad and rate·grad are finite, mask is 0 or 1; grad and mask are not changed. It panics if grad or mask has
// not the shape of w.
func MaskedStep(w, grad, mask *mat.Dense, rate float64) {
	rows, cols := w.Dims()
	for _, m := range []*mat.Dense{grad, mask} {
		if r, c := m.Dims(); r != rows || c != cols {
			panic(fmt.Sprintf("mobile: MaskedStep on %d×%d weights with a %d×%d gradient or mask", rows, cols, r, c))
		}
	}
	for i := range rows {
		weights, g, keep := w.RawRowView(i), grad.RawRowView(i), mask.RawRowView(i)
		for j := range weights {
			weights[j] = (weights[j] - rate*g[j]) * keep[j]
		}
	}
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
	rows, cols := w.Dims()
	m := CSR{Rows: rows, Cols: cols, Ptr: make([]int, 1, rows+1)}
	for i := range rows {
		for j, v := range w.RawRowView(i) {
			if v != 0 {
				m.Col = append(m.Col, j)
				m.Val = append(m.Val, v)
			}
		}
		m.Ptr = append(m.Ptr, len(m.Val))
	}
	return m
}

// Bytes returns the size of the numbers in m: 8 bytes for each element of Ptr, Col and Val.
func (m CSR) Bytes() int {
	return 8 * (len(m.Ptr) + len(m.Col) + len(m.Val))
}

// MulVec returns m·x, of length Rows. x has length Cols and is not changed. Only the non-zeros of m are read.
// It panics if x has another length.
func (m CSR) MulVec(x []float64) []float64 {
	if len(x) != m.Cols {
		panic(fmt.Sprintf("mobile: MulVec of %d columns with %d values", m.Cols, len(x)))
	}
	y := make([]float64, m.Rows)
	for i := range y {
		for k := m.Ptr[i]; k < m.Ptr[i+1]; k++ {
			y[i] += m.Val[k] * x[m.Col[k]]
		}
	}
	return y
}

// Quantize returns w in int8: q = round(w/scale) + zero, clamped to −128…127. With low the smallest of the weights and 0, and
// high the largest of the weights and 0, scale is (high − low)/255 and zero is round(−128 − low/scale). If all weights
// are 0, scale is 1 and zero is 0. w is finite and not changed. Source: Jacob et al. 2018, sections 2.1 and 3.
func Quantize(w []float64) (q []int8, scale float64, zero int8) {
	var low, high float64
	for _, v := range w {
		low, high = min(low, v), max(high, v)
	}
	q = make([]int8, len(w))
	if low == high {
		return q, 1, 0
	}
	scale = (high - low) / 255
	shift := math.RoundToEven(-128 - low/scale)
	for i, v := range w {
		level := math.RoundToEven(v/scale) + shift
		q[i] = int8(min(max(level, -128), 127))
	}
	return q, scale, int8(shift)
}

// Dequantize returns the real values scale·(q − zero). What Quantize made of w comes back with an error of at most
// scale/2, and 0 comes back as exactly 0. Source: Jacob et al. 2018, equation 1.
func Dequantize(q []int8, scale float64, zero int8) []float64 {
	w := make([]float64, len(q))
	for i, level := range q {
		w[i] = scale * (float64(level) - float64(zero))
	}
	return w
}
