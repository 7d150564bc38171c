// Package mobile does the same by counting and searching: thresholds instead of a sorted order of positions, two passes
// over a matrix instead of appending, tables of the 256 levels instead of arithmetic.
package mobile

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func must(ok bool, what string) {
	if !ok {
		panic("mobile: " + what)
	}
}

// SeparableRatio counts both convolutions for one input channel and one output pixel.
func SeparableRatio(out, kernel int) float64 {
	must(out > 0 && kernel > 0, "a layer has positive sizes")
	full, separable := out*kernel*kernel, kernel*kernel+out
	return float64(separable) / float64(full)
}

// Speedup compares the time of a frame before and after.
func Speedup(fraction, factor float64) float64 {
	must(fraction >= 0 && fraction <= 1 && factor > 0, "not a part of a frame, or not a speed-up")
	const before = 1.0
	after := before - fraction*before*(1-1/factor)
	return before / after
}

// PruneMask finds the boundary's magnitude, keeps what is above it, and of what lies on it keeps the first ones.
func PruneMask(w *mat.Dense, sparsity float64) *mat.Dense {
	must(sparsity >= 0 && sparsity <= 1, "sparsity is a share")
	var magnitude mat.Dense
	magnitude.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, w)
	sorted := append([]float64(nil), magnitude.RawMatrix().Data...)
	sort.Float64s(sorted)
	kept := len(sorted) - int(math.Floor(sparsity*float64(len(sorted))+1e-9))
	mask := mat.DenseCopyOf(w)
	if kept == 0 {
		mask.Zero()
		return mask
	}
	boundary := sorted[len(sorted)-kept]
	above := len(sorted) - sort.Search(len(sorted), func(i int) bool { return sorted[i] > boundary })
	spare := kept - above
	mask.Apply(func(_, _ int, v float64) float64 {
		switch {
		case v > boundary:
			return 1
		case v == boundary && spare > 0:
			spare--
			return 1
		}
		return 0
	}, &magnitude)
	return mask
}

// Sparsity treats the three parts of the schedule one by one.
func Sparsity(step, begin, end int, initial, final float64) float64 {
	must(begin < end, "a schedule ends after it begins")
	switch {
	case step <= begin:
		return initial
	case step >= end:
		return final
	}
	return initial + (final-initial)*(1-math.Pow(float64(end-step)/float64(end-begin), 3))
}

// MaskedStep works on whole matrices.
func MaskedStep(w, grad, mask *mat.Dense, rate float64) {
	shape := func(m *mat.Dense) [2]int { return [2]int{m.RawMatrix().Rows, m.RawMatrix().Cols} }
	must(shape(w) == shape(grad) && shape(w) == shape(mask), "MaskedStep of different shapes")
	var step mat.Dense
	step.Scale(rate, grad)
	w.Sub(w, &step)
	w.MulElem(w, mask)
}

// CSR is a matrix in compressed sparse row form.
type CSR struct {
	Rows, Cols int
	Ptr        []int
	Col        []int
	Val        []float64
}

// Compress counts the non-zeros of every row first, and then writes each to its place.
func Compress(w *mat.Dense) CSR {
	rows, cols := w.Dims()
	m := CSR{Rows: rows, Cols: cols, Ptr: make([]int, rows+1)}
	for i := range rows {
		m.Ptr[i+1] = m.Ptr[i] + floats.Count(func(v float64) bool { return v != 0 }, mat.Row(nil, i, w))
	}
	m.Col, m.Val = make([]int, m.Ptr[rows]), make([]float64, m.Ptr[rows])
	next := append([]int(nil), m.Ptr...)
	for j := range cols {
		for i := range rows {
			if v := w.At(i, j); v != 0 {
				m.Col[next[i]], m.Val[next[i]] = j, v
				next[i]++
			}
		}
	}
	return m
}

// Bytes counts non-zeros and rows.
func (m CSR) Bytes() int { return 16*len(m.Val) + 8*(m.Rows+1) }

// MulVec gathers the values of x that a row needs, and takes their dot product.
func (m CSR) MulVec(x []float64) []float64 {
	must(len(x) == m.Cols, "as many values as columns")
	y := make([]float64, 0, m.Rows)
	var gathered []float64
	for i := range m.Rows {
		gathered = gathered[:0]
		for _, j := range m.Col[m.Ptr[i]:m.Ptr[i+1]] {
			gathered = append(gathered, x[j])
		}
		y = append(y, floats.Dot(gathered, m.Val[m.Ptr[i]:m.Ptr[i+1]]))
	}
	return y
}

// Quantize looks for the nearest of the 256 levels.
func Quantize(w []float64) ([]int8, float64, int8) {
	q := make([]int8, len(w))
	all := append([]float64{0}, w...)
	low, high := floats.Min(all), floats.Max(all)
	if low == 0 && high == 0 {
		return q, 1, 0
	}
	scale := (high - low) / 255
	zero := int8(math.Floor(-low/scale+0.5) - 128)
	levels := table(scale, zero)
	for i, v := range w {
		q[i] = int8(floats.NearestIdx(levels, v) - 128)
	}
	return q, scale, zero
}

// Dequantize looks every level up.
func Dequantize(q []int8, scale float64, zero int8) []float64 {
	levels := table(scale, zero)
	w := make([]float64, 0, len(q))
	for _, level := range q {
		w = append(w, levels[int(level)+128])
	}
	return w
}

// table is the real value of the levels −128…127.
func table(scale float64, zero int8) []float64 {
	levels := make([]float64, 256)
	for i := range levels {
		levels[i] = scale * float64(i-128-int(zero))
	}
	return levels
}
