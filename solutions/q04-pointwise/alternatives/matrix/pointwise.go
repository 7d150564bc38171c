// Package pointwise is another right answer: one matrix product over all pixels, augmented matrices, and a search.
package pointwise

import (
	"slices"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Conv1x1 is the product of the weights with the image as a C×(H·W) matrix.
func Conv1x1(x tensor.CHW, w *mat.Dense, bias []float64) tensor.CHW {
	out, in := w.Dims()
	if in != x.C {
		panic("pointwise: the weights are for another number of channels")
	}
	if bias != nil && len(bias) != out {
		panic("pointwise: one bias an output channel")
	}
	pixels := x.H * x.W
	y := mat.NewDense(out, pixels, nil)
	y.Mul(w, mat.NewDense(in, pixels, slices.Clone(x.Data)))
	if bias != nil {
		ones := mat.NewDense(1, pixels, slices.Repeat([]float64{1}, pixels))
		var shift mat.Dense
		shift.Mul(mat.NewDense(out, 1, slices.Clone(bias)), ones)
		y.Add(&shift, y)
	}
	return tensor.NewCHW(out, x.H, x.W, y.RawMatrix().Data)
}

// Params counts the parameters.
func Params(in, out, kernel int, bias bool) int {
	perFilter := in * kernel * kernel
	if bias {
		perFilter++
	}
	return out * perFilter
}

// MACs counts the multiply-accumulates.
func MACs(h, w, in, out, kernel int) int { return (kernel * h) * (kernel * w) * in * out }

// Squeezed counts those of the pair.
func Squeezed(h, w, in, mid, out, kernel int) int { return mid * h * w * (out*kernel*kernel + in) }

// WidestUsefulMid tries one width after another.
func WidestUsefulMid(in, out, kernel int) int {
	mid := 0
	for Squeezed(1, 1, in, mid+1, out, kernel) < MACs(1, 1, in, out, kernel) {
		mid++
	}
	return mid
}

// Fuse multiplies the affine maps as matrices that carry a last row (0 … 0 1).
func Fuse(w2 *mat.Dense, b2 []float64, w1 *mat.Dense, b1 []float64) (w *mat.Dense, b []float64) {
	affine := func(w *mat.Dense, b []float64) *mat.Dense {
		r, c := w.Dims()
		if len(b) != r {
			panic("pointwise: one bias an output channel")
		}
		m := mat.NewDense(r+1, c+1, nil)
		m.Slice(0, r, 0, c).(*mat.Dense).Copy(w)
		for i, v := range b {
			m.Set(i, c, v)
		}
		m.Set(r, c, 1)
		return m
	}
	if mid, _ := w1.Dims(); mid != w2.RawMatrix().Cols {
		panic("pointwise: the second layer takes another number of channels than the first one gives")
	}
	var both mat.Dense
	both.Mul(affine(w2, b2), affine(w1, b1))
	r, c := both.Dims()
	return both.Slice(0, r-1, 0, c-1).(*mat.Dense), mat.Col(nil, c-1, &both)[:r-1]
}

// PixelXOR has three hidden channels: relu(x₀−x₁), relu(x₁−x₀), and one that nobody uses.
func PixelXOR() (w1 *mat.Dense, b1 []float64, w2 *mat.Dense, b2 []float64) {
	return mat.NewDense(3, 2, []float64{1, -1, -1, 1, 5, 5}), make([]float64, 3), mat.NewDense(1, 3, []float64{1, 1, 0}), make([]float64, 1)
}
