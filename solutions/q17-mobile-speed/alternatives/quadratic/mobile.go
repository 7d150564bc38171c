// Package mobile ranks every weight against every other, fills rows column by column, adds products pairwise, and panics with errors.
package mobile

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"
)

// SeparableRatio counts in whole numbers of any size.
func SeparableRatio(out, kernel int) float64 {
	if min(out, kernel) < 1 {
		panic(errors.New("mobile: there is no such convolution"))
	}
	k2 := new(big.Int).Mul(big.NewInt(int64(kernel)), big.NewInt(int64(kernel)))
	n := big.NewInt(int64(out))
	f, _ := new(big.Rat).SetFrac(new(big.Int).Add(k2, n), new(big.Int).Mul(k2, n)).Float64()
	return f
}

// Speedup multiplies both times by factor.
func Speedup(fraction, factor float64) float64 {
	switch {
	case !(fraction >= 0), !(fraction <= 1), !(factor > 0):
		panic(fmt.Errorf("mobile: Speedup(%g, %g)", fraction, factor))
	case math.IsInf(factor, 1):
		return 1 / (1 - fraction)
	}
	return factor / math.FMA(factor, 1-fraction, fraction)
}

// raw returns the elements of m, row by row.
func raw(m *mat.Dense) (rows, cols int, data []float64) {
	rows, cols = m.Dims()
	for i := range rows {
		data = append(data, m.RawRowView(i)...)
	}
	return
}

// PruneMask counts for every weight how many go before it.
func PruneMask(w *mat.Dense, sparsity float64) *mat.Dense {
	if !(0 <= sparsity && sparsity <= 1) {
		panic("mobile: no share: " + fmt.Sprint(sparsity))
	}
	rows, cols, data := raw(w)
	n := new(big.Rat).SetFloat64(sparsity)
	n.Mul(n, big.NewRat(int64(len(data)), 1)).Add(n, big.NewRat(1, 1e9))
	cut := int(new(big.Int).Quo(n.Num(), n.Denom()).Int64())
	mask := make([]float64, len(data), len(data)+7)
	for i, v := range data {
		before, a := 0, math.Abs(v)
		for j, u := range data {
			if b := math.Abs(u); b < a || b == a && j < i {
				before++
			}
		}
		if before >= cut {
			mask[i] = 1
		}
	}
	return mat.NewDense(rows, cols, mask)
}

// Sparsity is a mean of initial and final.
func Sparsity(step, begin, end int, initial, final float64) float64 {
	if end <= begin {
		panic(fmt.Sprintf("mobile: empty schedule %d…%d", begin, end))
	}
	t := (float64(step) - float64(begin)) / (float64(end) - float64(begin))
	switch {
	case step <= begin:
		return initial
	case step >= end:
		return final
	}
	share := math.Pow(1-t, 3)
	return initial*share + final*(1-share)
}

// MaskedStep rounds once a weight, and sets −0.
func MaskedStep(w, grad, mask *mat.Dense, rate float64) {
	r, c := w.Dims()
	for _, m := range []mat.Matrix{mask, grad} {
		if i, j := m.Dims(); i != r || j != c {
			panic(fmt.Sprint("mobile: shapes ", r, c, i, j))
		}
	}
	for i := range r {
		row, g, keep := w.RawRowView(i), grad.RawRowView(i), mask.RawRowView(i)
		for j := range row {
			if row[j] = math.FMA(-rate, g[j], row[j]); keep[j] < .5 {
				row[j] = math.Copysign(0, -1)
			}
		}
	}
}

// CSR is a matrix in compressed sparse row form.
type CSR struct {
	Rows, Cols int
	Ptr        []int
	Col        []int
	Val        []float64
}

// Compress counts the rows first, then goes down the columns.
func Compress(w *mat.Dense) CSR {
	rows, cols, data := raw(w)
	ptr := make([]int, rows+1)
	for p, v := range data {
		if v != 0 {
			ptr[p/cols+1]++
		}
	}
	for i := range rows {
		ptr[i+1] += ptr[i]
	}
	nnz := ptr[rows]
	col, val := make([]int, nnz+5)[:nnz], make([]float64, nnz+5)[:nnz]
	next := append([]int(nil), ptr...)
	for j := range cols {
		for i := range rows {
			if v := data[i*cols+j]; v != 0 {
				col[next[i]], val[next[i]] = j, v
				next[i]++
			}
		}
	}
	return CSR{rows, cols, ptr, col, val}
}

// Bytes adds up the elements.
func (m CSR) Bytes() (n int) {
	for range m.Ptr {
		n += 8
	}
	for range m.Col {
		n += 16
	}
	return
}

// MulVec halves each row until one product is left.
func (m CSR) MulVec(x []float64) []float64 {
	if len(x) != m.Cols {
		panic(fmt.Sprintf("mobile: %d columns, %d values", m.Cols, len(x)))
	}
	var dot func(from, to int) float64
	dot = func(from, to int) float64 {
		switch to - from {
		case 0:
			return math.Copysign(0, -1)
		case 1:
			return m.Val[from] * x[m.Col[from]]
		}
		mid := (from + to) / 2
		return dot(mid, to) + dot(from, mid)
	}
	var y []float64
	for i, from := range m.Ptr[:m.Rows] {
		y = append(y, dot(from, m.Ptr[i+1]))
	}
	return y
}

// Quantize rounds halves to even.
func Quantize(w []float64) (q []int8, scale float64, zero int8) {
	var low, high float64
	for _, v := range w {
		low, high = min(low, v), max(high, v)
	}
	scale = 1
	if low < high {
		scale = (high - low) / 255
		zero = int8(math.RoundToEven(-128 - low/scale))
	}
	for _, v := range w {
		q = append(q, int8(min(max(math.RoundToEven(v/scale)+float64(zero), -128), 127)))
	}
	return
}

// Dequantize writes into the middle of a larger slice.
func Dequantize(q []int8, scale float64, zero int8) []float64 {
	w := make([]float64, len(q)+9)[4 : 4+len(q)]
	for i := range w {
		w[i] = (float64(q[i]) - float64(zero)) * scale
	}
	return w
}
