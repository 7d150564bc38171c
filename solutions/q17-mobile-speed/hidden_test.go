//go:build hidden

package mobile_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q17-mobile-speed"
	reference "whyhow/solutions/q17-mobile-speed"
)

func hiddenMatrix(rng *rand.Rand, rows, cols int) *mat.Dense {
	return mat.NewDense(rows, cols, check.Normal(rng, rows*cols, 1))
}

// hiddenSparse draws a matrix of which a share is 0, whole rows and columns too.
func hiddenSparse(rng *rand.Rand) *mat.Dense {
	w, share := hiddenMatrix(rng, 1+rng.IntN(9), 1+rng.IntN(9)), rng.Float64()
	row, column := rng.IntN(10), rng.IntN(10)
	w.Apply(func(i, j int, v float64) float64 {
		if rng.Float64() < share || i == row || j == column {
			return 0
		}
		return v * math.Pow10(-rng.IntN(2)*rng.IntN(20))
	}, w)
	return w
}

func TestHiddenSpeedup(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		out, kernel, share, factor := 1+rng.IntN(600), 1+rng.IntN(7)*(1+rng.IntN(2)*rng.IntN(20_000)), []float64{0, 1, rng.Float64(), rng.Float64()}[rng.IntN(4)], 0.1+9*rng.Float64()
		if rng.IntN(5) == 0 {
			share, factor = rng.Float64(), math.Inf(1)
		}
		check.Equal(t, fmt.Sprintf("SeparableRatio(%d, %d)", out, kernel), learner.SeparableRatio(out, kernel), reference.SeparableRatio(out, kernel), check.Rel(1e-9))
		check.Equal(t, fmt.Sprintf("Speedup(%v, %v)", share, factor), learner.Speedup(share, factor), reference.Speedup(share, factor), check.Rel(1e-9))
		less := rng.IntN(4)
		check.Panics(t, fmt.Sprintf("SeparableRatio(%d, %d)", -less, kernel), func() { learner.SeparableRatio(-less, kernel) })
		check.Panics(t, fmt.Sprintf("SeparableRatio(%d, %d)", out, -less), func() { learner.SeparableRatio(out, -less) })
		for _, bad := range [][2]float64{{-0.01 - share, factor}, {1.01 + share, factor}, {math.NaN(), factor}, {share, 0}, {share, -factor}, {share, math.NaN()}} {
			check.Panics(t, fmt.Sprintf("Speedup(%v)", bad), func() { learner.Speedup(bad[0], bad[1]) })
		}
	}
}

func TestHiddenPruneMask(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for k := range 100 {
		rows, cols := 1+rng.IntN(9), 1+rng.IntN(9)
		if rng.IntN(2) == 0 {
			rows, cols = 10, 10 // 0.29·100 is below 29
		}
		whole := float64(1+rng.IntN(rows*cols)) / float64(rows*cols)
		offset, share := float64(k%3-1)*4*rng.Float64(), []float64{0, 1, rng.Float64(), whole, whole, whole - 1e-7}[rng.IntN(6)]
		size := []float64{1, 1, 1e-200}[rng.IntN(3)]
		w := hiddenMatrix(rng, rows, cols)
		alike := rng.IntN(3) == 0
		w.Apply(func(_, _ int, v float64) float64 {
			if alike { // of those of a size any may go
				return size * math.Round(2*v)
			}
			return size * (offset + v)
		}, w)
		passed := check.Copy(w)
		mask, want := learner.PruneMask(passed, share), reference.PruneMask(w, share)
		call := fmt.Sprintf("PruneMask(w, %v)", share)
		if !alike {
			check.Equal(t, call, mask, want, check.Exact, check.Kept("w", passed, w))
		} else if r, c := mask.Dims(); check.Equal(t, call+" shape", []int{r, c}, []int{rows, cols}, check.Exact, check.Kept("w", passed, w)) {
			kept := func(mask *mat.Dense) (sizes []float64) { // and the number of other values, which is 0
				other := 0
				for i := range rows {
					for j := range cols {
						switch mask.At(i, j) {
						case 1:
							sizes = append(sizes, math.Abs(w.At(i, j)))
						case 0:
						default:
							other++
						}
					}
				}
				slices.Sort(sizes)
				return append(sizes, float64(other))
			}
			check.Equal(t, "the magnitudes that are left by "+call, kept(mask), kept(want), check.Exact, check.With("w", w))
		}
		for _, bad := range []float64{-0.01 - share, 1.01 + share, math.NaN()} {
			check.Panics(t, fmt.Sprintf("PruneMask(w, %v)", bad), func() { learner.PruneMask(w, bad) })
		}
	}
	check.Independent(t, "PruneMask(w, sparsity)", learner.PruneMask, check.Args{hiddenMatrix(rng, 5, 6), 0.5}, check.Args{hiddenMatrix(rng, 5, 6), 0.25})
}

func TestHiddenRetrain(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		step, begin, initial, final := rng.IntN(60)-10, rng.IntN(20), rng.Float64(), rng.Float64()
		end := begin + 1 + rng.IntN(20)
		check.Equal(t, fmt.Sprintf("Sparsity(%d, %d, %d, %v, %v)", step, begin, end, initial, final), learner.Sparsity(step, begin, end, initial, final),
			reference.Sparsity(step, begin, end, initial, final), check.Tol{Rel: 1e-9, Abs: 1e-12})
		less := rng.IntN(5)
		check.Panics(t, fmt.Sprintf("Sparsity(%d, %d, %d, 0, 1)", step, begin, begin-less), func() { learner.Sparsity(step, begin, begin-less, 0, 1) })

		rows, cols, rate := 1+rng.IntN(9), 1+rng.IntN(9), rng.Float64()
		w, grad := hiddenMatrix(rng, rows, cols), hiddenMatrix(rng, rows, cols)
		w.Set(rng.IntN(rows), rng.IntN(cols), 0)
		mask := reference.PruneMask(hiddenMatrix(rng, rows, cols), rng.Float64())
		got, want, passed, passedMask := check.Copy(w), check.Copy(w), check.Copy(grad), check.Copy(mask)
		learner.MaskedStep(got, passed, passedMask, rate)
		reference.MaskedStep(want, grad, mask, rate)
		check.Equal(t, fmt.Sprintf("w after MaskedStep(w, grad, mask, %v)", rate), got, want, check.Tol{Rel: 1e-9, Abs: 1e-12}, check.Kept("grad", passed, grad), check.Kept("mask", passedMask, mask))
		for _, bad := range []*mat.Dense{hiddenMatrix(rng, rows+1+less, cols), hiddenMatrix(rng, rows, cols+1+less)} {
			check.Panics(t, "MaskedStep of a larger gradient", func() { learner.MaskedStep(w, bad, mask, rate) })
			check.Panics(t, "MaskedStep of a larger mask", func() { learner.MaskedStep(w, grad, bad, rate) })
			check.Panics(t, "MaskedStep of a smaller gradient", func() { learner.MaskedStep(bad, grad, check.Copy(bad), rate) })
			check.Panics(t, "MaskedStep of a smaller mask", func() { learner.MaskedStep(bad, check.Copy(bad), mask, rate) })
		}
	}
	args := func(rate float64) check.Args {
		mask := hiddenMatrix(rng, 4, 5)
		mask.Apply(func(_, _ int, v float64) float64 { return math.Abs(math.Copysign(1, v)+1) / 2 }, mask)
		mask.Set(0, 0, 1)
		mask.Set(0, 1, rate-0.5)
		return check.Args{hiddenMatrix(rng, 4, 5), hiddenMatrix(rng, 4, 5), mask, rate}
	}
	check.Independent(t, "MaskedStep(w, grad, mask, rate)", learner.MaskedStep, args(0.5), args(1.5), check.InPlace("w"))
}

func TestHiddenCompress(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		w := hiddenSparse(rng)
		if rng.IntN(5) == 0 {
			w.Set(0, 0, math.NaN())
		}
		passed := check.Copy(w)
		want := reference.Compress(w)
		check.Equal(t, "Compress(w)", learner.Compress(passed), learner.CSR(want), check.Exact, check.Kept("w", passed, w))
		check.Equal(t, "Bytes()", learner.CSR(want).Bytes(), want.Bytes(), check.Exact, check.With("w", w))
	}
	check.Independent(t, "Compress(w)", learner.Compress, check.Args{hiddenMatrix(rng, 3, 4)}, check.Args{hiddenMatrix(rng, 3, 4)})
}

func TestHiddenMulVec(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		w := hiddenSparse(rng)
		rows, cols := w.Dims()
		row, column := rng.IntN(rows), rng.IntN(cols)
		times := rng.IntN(5) == 0 // 0 times a weight that is not finite is NaN
		if times {
			w.Set(row, column, math.Inf(1))
		}
		m, x := reference.Compress(w), check.Normal(rng, cols, 1)
		if times {
			x[column] = 0
		}
		for j := range x {
			if mat.Norm(w.ColView(j), 1) == 0 {
				x[j] = math.NaN() // nobody reads it
			}
		}
		own := check.Copy(learner.CSR(m))
		passed := check.Copy(x)
		check.Equal(t, fmt.Sprintf("MulVec(x) of %d×%d", rows, cols), own.MulVec(passed), m.MulVec(x), check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("x", passed, x))
		check.Equal(t, "the matrix after MulVec(x)", own, learner.CSR(m), check.Exact)
		more := 1 + rng.IntN(3)
		check.Panics(t, fmt.Sprintf("MulVec of %d values for %d columns", cols+more, cols), func() { own.MulVec(make([]float64, cols+more)) })
		check.Panics(t, fmt.Sprintf("MulVec of %d values for %d columns", cols-1, cols), func() { own.MulVec(make([]float64, cols-1)) })
	}
	args := func() check.Args {
		return check.Args{learner.CSR(reference.Compress(hiddenMatrix(rng, 3, 4))), check.Normal(rng, 4, 1)}
	}
	check.Independent(t, "m.MulVec(x)", learner.CSR.MulVec, args(), args())
}

func TestHiddenQuantize(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for k := range 100 {
		n, size := rng.IntN(60)*rng.IntN(2)+rng.IntN(2), []float64{math.Pow10(rng.IntN(9) - 4), 1e-250}[rng.IntN(2)]
		w := check.Normal(rng, n, size)
		for i := range w {
			w[i] += float64(k%3-1) * 4 * size // of one sign, or both
		}
		if rng.IntN(9) == 0 {
			clear(w)
		}
		passed := check.Copy(w)
		q, scale, zero := reference.Quantize(w)
		gotQ, gotScale, gotZero := learner.Quantize(passed)
		check.Equal(t, "Quantize(w) q", gotQ, q, check.Exact, check.Kept("w", passed, w))
		check.Equal(t, "Quantize(w) scale", gotScale, scale, check.Tol{Rel: 1e-9}, check.With("w", w))
		check.Equal(t, "Quantize(w) zero", gotZero, zero, check.Exact, check.With("w", w))

		levels := make([]int8, rng.IntN(30))
		for i := range levels {
			levels[i] = int8(rng.IntN(256) - 128)
		}
		scale, zero = size*rng.Float64(), int8(rng.IntN(256)-128)
		passedLevels := check.Copy(levels)
		check.Equal(t, fmt.Sprintf("Dequantize(%v, %v, %d)", levels, scale, zero), learner.Dequantize(passedLevels, scale, zero), reference.Dequantize(levels, scale, zero),
			check.Tol{Rel: 1e-9}, check.Kept("q", passedLevels, levels))
	}
	check.Independent(t, "Quantize(w)", learner.Quantize, check.Args{check.Normal(rng, 9, 1)}, check.Args{check.Normal(rng, 9, 2)})
	check.Independent(t, "Dequantize(q, scale, zero)", learner.Dequantize, check.Args{[]int8{3, -7, 120}, rng.Float64(), int8(3)}, check.Args{[]int8{-128, 4, 9}, 1 + rng.Float64(), int8(-5)})
}
