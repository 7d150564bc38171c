package mobile_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	mobile "whyhow/katas/q17-mobile-speed"
)

func TestSpeedup(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		name        string
		out, kernel int
		want        float64 // multiply-accumulates counted for one input channel and one output pixel
	}{
		{"512 channels, 3×3", 512, 3, (9. + 512) / (9 * 512)},
		{"6 channels, 5×5", 6, 5, (25. + 6) / (25 * 6)},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			n, k := float64(c.out), float64(c.kernel)
			check.Equal(t, "SeparableRatio(out, kernel)", mobile.SeparableRatio(c.out, c.kernel), c.want, check.Rel(1e-12),
				check.With("out", c.out), check.With("kernel", c.kernel),
				check.Why("a depthwise pass costs kernel² and a pointwise pass out, where the full convolution costs kernel²·out"),
				check.Mistake(0.0, "you divided integers, which cuts the share to 0: convert to float64 first"),
				check.Mistake(1/c.want, "you inverted the ratio: the separable convolution is the cheaper one, below 1"),
				check.Mistake(1/n+1/k, "you took 1/kernel: a kernel has kernel² taps"),
				check.Mistake(1/k/k, "you left 1/out out: that is the depthwise pass alone, and the pointwise pass costs too"),
				check.Mistake(1/n, "you left 1/kernel² out: the depthwise pass costs too"))
		})
	}
	for _, c := range []struct {
		name                   string
		fraction, factor, want float64 // by hand
		why                    string
	}{
		{"three fifths of the frame, four times faster", 0.6, 4, 1 / 0.55, "0.4 + 0.15 = 0.55 of the time"},
		{"nine tenths, three times faster", 0.9, 3, 2.5, "0.1 + 0.3 = 0.4 of the time"},
		{"a fifth, twice as slow", 0.2, 0.5, 1 / 1.2, "0.8 + 0.4 = 1.2 of the time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			f, by := c.fraction, c.factor
			check.Equal(t, "Speedup(fraction, factor)", mobile.Speedup(f, by), c.want, check.Rel(1e-12),
				check.With("fraction", f), check.With("factor", by), check.Why(c.why),
				check.Mistake(1/c.want, "you returned the time that is left: the speed-up is one over it"),
				check.Mistake(by/f, "you left the rest of the frame out: it takes its time as before"),
				check.Mistake(1-f+f*by, "you averaged the speeds: add up the times"),
				check.Mistake(1/(1-f+f*by), "you multiplied the part's time by factor: it becomes factor times shorter"),
				check.Mistake(1/(f+(1-f)/by), "you sped up the rest: fraction is the part that becomes faster"))
		})
	}
	edges := map[string]float64{"Speedup(1, 4)": mobile.Speedup(1, 4), "Speedup(0, 4)": mobile.Speedup(0, 4), "Speedup(0, +Inf)": mobile.Speedup(0, math.Inf(1)), "Speedup(1, +Inf)": mobile.Speedup(1, math.Inf(1)), "SeparableRatio(1, 3)": mobile.SeparableRatio(1, 3), "SeparableRatio(8, 1)": mobile.SeparableRatio(8, 1)}
	check.Equal(t, "the smallest and largest arguments", edges, map[string]float64{
		"Speedup(1, 4)": 4, "Speedup(0, 4)": 1, "Speedup(0, +Inf)": 1, "Speedup(1, +Inf)": math.Inf(1), "SeparableRatio(1, 3)": 10. / 9, "SeparableRatio(8, 1)": 1.125,
	}, check.Rel(1e-12), check.Why("a fraction may be 0 or 1, a factor infinite, a size 1"))
	check.Equal(t, "Speedup(0.75, +Inf)", mobile.Speedup(0.75, math.Inf(1)), 4.0, check.Rel(1e-12),
		check.Why("a part that takes no time at all leaves the other quarter"))
	check.Panics(t, "SeparableRatio(0, 3)", func() { mobile.SeparableRatio(0, 3) })
	check.Panics(t, "SeparableRatio(8, 0)", func() { mobile.SeparableRatio(8, 0) })
	check.Panics(t, "Speedup(1.5, 2)", func() { mobile.Speedup(1.5, 2) })
	check.Panics(t, "Speedup(-0.5, 2)", func() { mobile.Speedup(-0.5, 2) })
	check.Panics(t, "Speedup(0.5, -2)", func() { mobile.Speedup(0.5, -2) })
	check.Panics(t, "Speedup(0.5, 0)", func() { mobile.Speedup(0.5, 0) })
	check.Panics(t, "Speedup(NaN, 2)", func() { mobile.Speedup(math.NaN(), 2) })
	check.Panics(t, "Speedup(0.5, NaN)", func() { mobile.Speedup(0.5, math.NaN()) })
	check.Independent(t, "SeparableRatio(out, kernel)", mobile.SeparableRatio, check.Args{8, 3}, check.Args{16, 5})
	check.Independent(t, "Speedup(fraction, factor)", mobile.Speedup, check.Args{0.5, 2}, check.Args{0.75, 4})
}

func TestPruneMask(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[struct {
		Name     string
		W, Mask  check.Array
		Sparsity float64
		Pruned   int
	}](t, "mask") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w, want := c.W.Dense(), c.Mask.Dense()
			passed := mat.DenseCopyOf(w) // no view: one case alone tells some mistakes
			opts := []check.Option{
				check.Why("0 for the smallest magnitudes, 1 for the others"), check.With("sparsity", c.Sparsity), check.Kept("w", passed, w),
			}
			if n := len(c.W.Data); 0 < c.Pruned && c.Pruned < n {
				var pruned mat.Dense
				pruned.MulElem(w, want)
				opts = append(opts,
					check.Mistake(smallest(w, c.Pruned, func(v float64) float64 { return v }),
						"you ranked the weights by value: a large negative weight matters as much as a large positive one"),
					check.Mistake(smallest(w, c.Pruned, func(v float64) float64 { return -math.Abs(v) }), "you pruned the largest weights"),
					check.Mistake(smallest(w, n-c.Pruned, math.Abs), "you kept the share that was to go: sparsity is the share of zeros"),
					check.Mistake(smallest(w, c.Pruned-1, math.Abs),
						"you pruned one too few: ⌊sparsity·n⌋ can lose a whole weight to rounding (0.29·100 is 28.999999999999996), therefore + 1e-9"),
					check.Mistake(smallest(w, c.Pruned+1, math.Abs), "you pruned one too many: sparsity·n is cut, not rounded"),
					check.Mistake(inverted(want), "you swapped 0 and 1: the mask is 1 where a weight stays"),
					check.Mistake(&pruned, "you returned the pruned weights: the mask is 0 or 1"),
					check.Mistake(smallestOfRows(w, c.Sparsity), "you pruned each row by itself: the smallest of the whole matrix go, whatever their row"))
				ofLargest := above(w, c.Sparsity*mat.Max(magnitudes(w)))
				if gone := zeros(ofLargest); gone < c.Pruned-1 || gone > c.Pruned+1 {
					opts = append(opts, check.Mistake(ofLargest, "you cut at a share of the largest magnitude: sparsity is a share of the number of weights"))
				}
			}
			check.Equal(t, "PruneMask(w, sparsity)", mobile.PruneMask(passed, c.Sparsity), want, check.Exact, opts...)
		})
	}
	t.Run("equal magnitudes", func(t *testing.T) {
		defer check.Rescue(t)
		w := mat.NewDense(3, 4, []float64{2, -1, 3, 2, -2, 5, 2, 0, 2, -4, -2, 6}) // 0, 1, six of magnitude 2, 3, 4, 5, 6
		mask := mobile.PruneMask(check.Copy(w), 0.45)                              // ⌊5.4⌋ = 5: 0, 1 and three of the six
		require.Equal(t, []int{3, 4}, dims(mask), "shape of the mask")
		largestGone, smallestKept := 0.0, math.Inf(1)
		for i := range 3 {
			for j := range 4 {
				if v := math.Abs(w.At(i, j)); mask.At(i, j) == 0 {
					largestGone = max(largestGone, v)
				} else {
					smallestKept = min(smallestKept, v)
				}
			}
		}
		check.Equal(t, "zeros in PruneMask(w, 0.45)", zeros(mask), 5, check.Exact,
			check.With("w", w), check.Why("⌊0.45·12⌋ = 5 weights go, whichever of the equal ones"),
			check.Mistake(8, "you pruned all weights at the boundary: of six equal ones only three had to go"),
			check.Mistake(2, "you pruned none of the weights at the boundary: of six equal ones three had to go"))
		require.LessOrEqual(t, largestGone, smallestKept, "a pruned weight is larger than one that was kept")
	})
	t.Run("hardly below a whole number", func(t *testing.T) {
		defer check.Rescue(t)
		count := func(rows, cols int, sparsity float64) int {
			w := mat.NewDense(rows, cols, nil)
			for i := range rows {
				for j := range cols {
					w.Set(i, j, float64(i*cols+j+1))
				}
			}
			return zeros(mobile.PruneMask(w, sparsity))
		}
		got := map[string]int{"64 weights, 1 − 2⁻³⁰": count(8, 8, 1-0x1p-30), "4 weights, 0.5 − 3.75e-10": count(2, 2, 0.5-3.75e-10), "100 weights, 0.29": count(10, 10, 0.29), "10 weights, 0.57": count(2, 5, 0.57), "4 weights, 1": count(2, 2, 1), "4 weights, 0": count(2, 2, 0)}
		check.Equal(t, "zeros in PruneMask(w, sparsity)", got, map[string]int{
			"64 weights, 1 − 2⁻³⁰": 63, "4 weights, 0.5 − 3.75e-10": 1, "100 weights, 0.29": 29, "10 weights, 0.57": 5, "4 weights, 1": 4, "4 weights, 0": 0,
		}, check.Exact, check.Why("⌊sparsity·n + 1e-9⌋ weights go: 64 − 6e-8, and 2 − 1.5e-9, are cut to 63 and 1, 28.999999999999996 is 29"),
			check.Mistake(map[string]int{
				"64 weights, 1 − 2⁻³⁰": 64, "4 weights, 0.5 − 3.75e-10": 2, "100 weights, 0.29": 29, "10 weights, 0.57": 5, "4 weights, 1": 4, "4 weights, 0": 0,
			}, "you added more than 1e-9 before you cut"))
	})
	check.Panics(t, "PruneMask(w, −0.1)", func() { mobile.PruneMask(mat.NewDense(2, 2, nil), -0.1) })
	check.Panics(t, "PruneMask(w, 1.1)", func() { mobile.PruneMask(mat.NewDense(2, 2, nil), 1.1) })
	check.Panics(t, "PruneMask(w, NaN)", func() { mobile.PruneMask(mat.NewDense(2, 2, nil), math.NaN()) })
	rng := check.Rand(t)
	draw := func(sparsity float64) check.Args {
		return check.Args{mat.NewDense(3, 4, check.Normal(rng, 12, 1)), sparsity}
	}
	check.Independent(t, "PruneMask(w, sparsity)", mobile.PruneMask, draw(0.5), draw(0.25))
}

func TestRetrain(t *testing.T) {
	defer check.Rescue(t)
	t.Run("Sparsity", func(t *testing.T) {
		defer check.Rescue(t)
		for _, c := range []struct {
			step, begin, end     int
			initial, final, want float64 // by hand
		}{
			{10, 0, 100, 0, 0.875, 0.237125},
			{25, 0, 100, 0, 0.875, 0.505859375},
			{75, 0, 100, 0, 0.875, 0.861328125},
			{40, 20, 60, 0.3, 0.7, 0.65},
		} {
			done := float64(c.step-c.begin) / float64(c.end-c.begin)
			between := func(left float64) float64 { return c.final + (c.initial-c.final)*left }
			mistakes := []check.Option{
				check.Mistake(between(1-done), "you left the exponent out: that is a straight line, not a cubic"),
				check.Mistake(between(1-done*done*done), "you cubed the share that is done: cube the share that is left, so that pruning is fast at first"),
				check.Mistake(between(1), "you divided integers, and 0 of the schedule is done until its end: convert to float64 first"),
			}
			if done != 0.5 {
				mistakes = append(mistakes, check.Mistake(between(done*done*done), "you went from final to initial: at begin the whole schedule is left, not done"))
			}
			if c.begin > 0 {
				fromZero := 1 - float64(c.step)/float64(c.end)
				mistakes = append(mistakes, check.Mistake(between(fromZero*fromZero*fromZero), "you counted from step 0: the schedule starts at begin"))
			}
			check.Equal(t, "Sparsity(step, begin, end, initial, final)", mobile.Sparsity(c.step, c.begin, c.end, c.initial, c.final), c.want,
				check.Rel(1e-12), append(mistakes, check.With("step, begin, end", []int{c.step, c.begin, c.end}),
					check.With("initial, final", []float64{c.initial, c.final}),
					check.Why("cubic: fast at first, where there is much to prune"))...)
		}
		const (
			early = "you did not clamp the schedule: before its first step the sparsity is the initial one"
			late  = "you did not clamp the schedule: after its last step the sparsity stays final"
		)
		check.Equal(t, "Sparsity(5, 20, 60, 0.3, 0.7)", mobile.Sparsity(5, 20, 60, 0.3, 0.7), 0.3, check.Abs(1e-12),
			check.Mistake(0.7-0.4*math.Pow(1.375, 3), early), check.Mistake(0.0, "you pruned nothing before the first step: initial may be above 0"))
		check.Equal(t, "Sparsity(20, 20, 60, 0.3, 0.7)", mobile.Sparsity(20, 20, 60, 0.3, 0.7), 0.3, check.Abs(1e-12))
		check.Equal(t, "Sparsity(60, 20, 60, 0.3, 0.7)", mobile.Sparsity(60, 20, 60, 0.3, 0.7), 0.7, check.Abs(1e-12))
		check.Equal(t, "Sparsity(100, 20, 60, 0.3, 0.7)", mobile.Sparsity(100, 20, 60, 0.3, 0.7), 0.7, check.Abs(1e-12),
			check.Mistake(1.1, late))
		check.Panics(t, "Sparsity from step 9 to step 9", func() { mobile.Sparsity(9, 9, 9, 0, 0.5) })
		check.Panics(t, "Sparsity from step 9 to step 5", func() { mobile.Sparsity(7, 9, 5, 0, 0.5) })
		check.Independent(t, "Sparsity(step, begin, end, initial, final)", mobile.Sparsity, check.Args{5, 2, 10, 0.1, 0.9}, check.Args{7, 3, 12, 0.2, 0.8})
	})
	for _, c := range check.Golden[struct {
		Name                string
		W, Grad, Mask, Next check.Array
		Rate                float64
	}](t, "step") {
		t.Run("MaskedStep "+c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w, grad, mask := c.W.Dense(), c.Grad.Dense(), c.Mask.Dense()
			got, passedGrad, passedMask := check.Copy(w), check.Copy(grad), check.Copy(mask)
			after := func(rate float64, m *mat.Dense) *mat.Dense { // w − rate·grad·m
				var step mat.Dense
				step.MulElem(grad, m)
				step.Scale(rate, &step)
				step.Sub(w, &step)
				return &step
			}
			ones := mat.NewDense(c.W.Shape[0], c.W.Shape[1], nil)
			ones.Apply(func(_, _ int, _ float64) float64 { return 1 }, ones)
			masked := func(m *mat.Dense) *mat.Dense { m.MulElem(m, mask); return m }
			var maskedFirst, swapped mat.Dense
			maskedFirst.Sub(after(c.Rate, ones), w)
			maskedFirst.Add(&maskedFirst, masked(mat.DenseCopyOf(w)))
			swapped.MulElem(after(c.Rate, ones), inverted(mask))
			want := c.Next.Dense()
			want.Add(want, mat.NewDense(c.W.Shape[0], c.W.Shape[1], nil)) // PyTorch's −0 becomes 0
			mobile.MaskedStep(got, passedGrad, passedMask, c.Rate)
			check.Equal(t, "w after MaskedStep(w, grad, mask, rate)", got, want, check.Rel(1e-12),
				check.With("w", w), check.With("rate", c.Rate), check.Kept("grad", passedGrad, grad), check.Kept("mask", passedMask, mask),
				check.Why("a weight whose mask is 0 is 0, the others follow the gradient"),
				check.Mistake(after(c.Rate, mask), "you masked the gradient only: a weight that was not 0 before stays where it was"),
				check.Mistake(after(c.Rate, ones), "you did not apply the mask: pruned weights grow back"),
				check.Mistake(masked(after(-c.Rate, ones)), "you added the gradient: descent subtracts it"),
				check.Mistake(&maskedFirst, "you masked before the step: the gradient then moves the pruned weights away from 0"),
				check.Mistake(&swapped, "you swapped the cases: a weight stays where its mask is 1"),
				check.Mistake(masked(after(1, ones)), "you left the rate out"),
				check.Mistake(masked(after(0, ones)), "you masked the weights and made no step"),
				check.Mistake(w, "you left w as it was: MaskedStep works in place"))
		})
	}
	t.Run("MaskedStep of weights that are 0", func(t *testing.T) {
		defer check.Rescue(t)
		w, grad, mask := mat.NewDense(2, 2, []float64{0, 0, 2, 4}), mat.NewDense(2, 2, []float64{1, -3, 5, 7}), mat.NewDense(2, 2, []float64{1, 0, 0, 1})
		mobile.MaskedStep(w, check.Copy(grad), check.Copy(mask), 0.5)
		check.Equal(t, "w after MaskedStep(w, grad, mask, 0.5)", w, mat.NewDense(2, 2, []float64{-0.5, 0, 0, 0.5}), check.Rel(1e-12),
			check.With("w before", mat.NewDense(2, 2, []float64{0, 0, 2, 4})), check.With("grad", grad), check.With("mask", mask),
			check.Why("the mask says which weights go, not the weights: a weight that is 0 under a mask of 1 learns"),
			check.Mistake(mat.NewDense(2, 2, []float64{0, 0, 0, 0.5}), "you left a weight that is 0 at 0, whatever its mask"),
			check.Mistake(mat.NewDense(2, 2, []float64{0, 0, -0.5, 0.5}), "you took the zeros of w for the mask"))
	})
	for _, s := range [][2]int{{2, 2}, {2, 4}, {1, 3}, {3, 3}, {3, 2}} {
		check.Panics(t, fmt.Sprintf("MaskedStep of 2×3 weights with a %d×%d mask", s[0], s[1]), func() {
			mobile.MaskedStep(mat.NewDense(2, 3, nil), mat.NewDense(2, 3, nil), mat.NewDense(s[0], s[1], nil), 0.1)
		})
		check.Panics(t, fmt.Sprintf("MaskedStep of 2×3 weights with a %d×%d gradient", s[0], s[1]), func() {
			mobile.MaskedStep(mat.NewDense(2, 3, nil), mat.NewDense(s[0], s[1], nil), mat.NewDense(2, 3, nil), 0.1)
		})
	}
	rng := check.Rand(t)
	draw := func(mask []float64, rate float64) check.Args {
		return check.Args{mat.NewDense(2, 3, check.Normal(rng, 6, 1)), mat.NewDense(2, 3, check.Normal(rng, 6, 1)), mat.NewDense(2, 3, mask), rate}
	}
	check.Independent(t, "MaskedStep(w, grad, mask, rate)", mobile.MaskedStep,
		draw([]float64{1, 0, 1, 1, 0, 1}, 0.1), draw([]float64{0, 1, 1, 0, 1, 1}, 0.2), check.InPlace("w"))
}

type csrCase struct {
	Name     string
	W, X, Y  check.Array
	Ptr, Col []int
	Val      check.Array
}

func (c csrCase) matrix() mobile.CSR {
	return mobile.CSR{Rows: c.W.Shape[0], Cols: c.W.Shape[1], Ptr: slices.Clone(c.Ptr), Col: slices.Clone(c.Col), Val: c.Val.Floats()}
}

func TestCompress(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[csrCase](t, "csr") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w := c.W.Dense()
			passed := check.Copy(w)
			rows, cols := w.Dims()
			var rowOf, counts []int
			for i := range rows {
				for range c.Ptr[i+1] - c.Ptr[i] {
					rowOf = append(rowOf, i)
				}
				counts = append(counts, c.Ptr[i+1]-c.Ptr[i])
			}
			full := len(c.Col) == rows*cols
			byColumn := mat.DenseCopyOf(w.T())
			var columnVal []float64
			for _, v := range byColumn.RawMatrix().Data {
				if v != 0 {
					columnVal = append(columnVal, v)
				}
			}

			var positive []float64
			for _, v := range c.Val.Data {
				if v > 0 {
					positive = append(positive, v)
				}
			}
			positions := slices.Clone(c.Col)
			for k, i := range rowOf {
				positions[k] += i * cols
			}

			m := mobile.Compress(passed)
			check.Equal(t, "Compress(w) Rows, Cols", []int{m.Rows, m.Cols}, []int{rows, cols}, check.Exact, check.Why("the shape of w"),
				check.Mistake([]int{0, 0}, "you did not set Rows and Cols: MulVec needs them"),
				check.Mistake([]int{cols, rows}, "you swapped Rows and Cols"))
			valOpts := []check.Option{
				check.Why("the non-zeros, row by row"), check.Kept("w", passed, w),
				check.Mistake(positive, "you kept the positive weights only: negative ones are not 0 either"),
				check.Mistake(columnVal, "you went down the columns: that is compressed sparse column form"),
			}
			ptrOpts := []check.Option{
				check.Why("where each row starts in Val; an empty row starts where the next one does"), check.With("w", w),
				check.Mistake(rowOf, "you stored the row of every non-zero: Ptr has one entry a row, and one more, where the row starts"),
				check.Mistake(counts, "you stored how many non-zeros each row has: Ptr adds them up, from 0"),
				check.Mistake(append([]int{0}, counts...), "you stored how many non-zeros each row has: Ptr adds them up, from 0"),
				check.Mistake(c.Ptr[:rows], "you left the last entry out: Ptr[Rows] is the number of non-zeros, where the last row ends"),
				check.Mistake(c.Ptr[1:], "you left the first entry out: row 0 starts at 0"),
				check.Mistake(append([]int{0}, firstCols(c.Ptr, c.Col)...), "you stored columns in Ptr: it counts non-zeros, and Col holds their columns"),
			}
			colOpts := []check.Option{
				check.Why("a column a non-zero, in the order of Val"), check.With("w", w),
				check.Mistake(rowOf, "you stored the row of each non-zero in Col: rows are in Ptr"),
				check.Mistake(positions, "you stored positions in the whole matrix: Col counts within the row"),
			}
			if compact := slices.Compact(slices.Clone(c.Ptr)); len(compact) < len(c.Ptr) {
				ptrOpts = append(ptrOpts, check.Mistake(compact, "you gave empty rows no entry: every row has one"))
			}
			if !full {
				valOpts = append(valOpts, check.Mistake(c.W.Floats(), "you stored the zeros too"))
			}
			check.Equal(t, "Compress(w).Val", m.Val, c.Val.Floats(), check.Exact, valOpts...)
			check.Equal(t, "Compress(w).Ptr", m.Ptr, c.Ptr, check.Exact, ptrOpts...)
			check.Equal(t, "Compress(w).Col", m.Col, c.Col, check.Exact, colOpts...)

			n := len(c.Col)
			check.Equal(t, "Bytes()", c.matrix().Bytes(), 16*n+8*(rows+1), check.Exact,
				check.With("non-zeros", n), check.With("rows", rows), check.Why("8 bytes an element of Ptr, Col and Val"),
				check.Mistake(8*n, "you counted Val only: each non-zero needs its column too, and each row a pointer"),
				check.Mistake(16*n, "you left out Ptr: it has Rows + 1 elements"),
				check.Mistake(16*n+8*rows, "you gave Ptr an element a row: it has one more"),
				check.Mistake(2*n+rows+1, "you counted elements: each takes 8 bytes"),
				check.Mistake(16*n+8*(rows+1)+16, "you counted Rows and Cols too: only the three slices count"),
				check.Mistake(8*n+8*(rows+1), "you left out Col: each non-zero needs its column"))
		})
	}
	t.Run("small weights", func(t *testing.T) {
		defer check.Rescue(t)
		w := mat.NewDense(1, 3, []float64{1e-12, 0, -1e-300})
		if !check.Equal(t, "Compress([1e-12 0 -1e-300]).Val", mobile.Compress(w).Val, []float64{1e-12, -1e-300}, check.Exact,
			check.Why("only 0 is left out"),
			check.Mistake([]float64{}, "you left small weights out: what may go is for PruneMask to say"),
			check.Mistake([]float64{1e-12}, "you left small weights out: what may go is for PruneMask to say")) {
			return
		}
		check.Equal(t, "Compress([NaN 0 −Inf]).Val", mobile.Compress(mat.NewDense(1, 3, []float64{math.NaN(), 0, math.Inf(-1)})).Val, []float64{math.NaN(), math.Inf(-1)}, check.Exact,
			check.Why("NaN is not 0: who leaves it out hides that training broke"),
			check.Mistake([]float64{math.Inf(-1)}, "you left NaN out: it is neither above nor below 0, and not 0 either"))
	})
	w, other := mat.NewDense(2, 3, []float64{0, 1, 2, 3, 0, 0}), mat.NewDense(2, 3, []float64{4, 0, 0, 0, 5, 0})
	check.Independent(t, "Compress(w)", mobile.Compress, check.Args{w}, check.Args{other})
	m, second := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 1, 2}, Col: []int{2, 0}, Val: []float64{4, -3}}, mobile.CSR{Rows: 1, Cols: 3, Ptr: []int{0, 1}, Col: []int{1}, Val: []float64{2}}
	check.Independent(t, "m.Bytes()", mobile.CSR.Bytes, check.Args{m}, check.Args{second})
}

// firstCols is the column of the first non-zero of each row; of an empty row 0.
func firstCols(ptr, col []int) []int {
	first := make([]int, len(ptr)-1)
	for i := range first {
		if ptr[i] < ptr[i+1] {
			first[i] = col[ptr[i]]
		}
	}
	return first
}

func TestMulVec(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[csrCase](t, "csr") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.Floats()
			m, passed := c.matrix(), check.Copy(x)
			// product is what the loop would give with another index into x.
			product := func(index func(row, k int) int) []float64 {
				y := make([]float64, m.Rows)
				for i := range y {
					for k := c.Ptr[i]; k < c.Ptr[i+1]; k++ {
						if j := index(i, k); j < len(x) {
							y[i] += c.Val.Data[k] * x[j]
						}
					}
				}
				return y
			}
			opts := []check.Option{
				check.With("m", c.matrix()), check.Kept("x", passed, x),
				check.Why("y[i] sums Val[k]·x[Col[k]] over the k from Ptr[i] to before Ptr[i+1]"),
				check.Mistake(product(func(row, _ int) int { return row }), "you multiplied by x[i] of the row: each non-zero meets the x of its column"),
			}
			last := make([]float64, m.Rows)
			for i := range last {
				if end := c.Ptr[i+1]; c.Ptr[i] < end {
					last[i] = c.Val.Data[end-1] * x[c.Col[end-1]]
				}
			}
			opts = append(opts, check.Mistake(last, "you kept the last product of each row: add all of them up"))
			if len(c.Col) < len(c.W.Data) {
				opts = append(opts, check.Mistake(product(func(row, k int) int { return k - c.Ptr[row] }),
					"you took the k-th x for the k-th non-zero of a row: its column is Col[k]"))
			}
			check.Equal(t, "MulVec(x)", m.MulVec(passed), c.Y.Floats(), check.Tol{Rel: 1e-9, Abs: 1e-12}, opts...)
		})
	}
	t.Run("only the non-zeros", func(t *testing.T) {
		defer check.Rescue(t)
		m := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 1, 2}, Col: []int{2, 0}, Val: []float64{4, -3}}
		check.Equal(t, "MulVec([5 NaN 2])", m.MulVec([]float64{5, math.NaN(), 2}), []float64{8, -15}, check.Rel(1e-12),
			check.Why("column 1 has no non-zero, so nothing reads x[1]"),
			check.Mistake([]float64{math.NaN(), math.NaN()}, "you multiplied the zeros too: 0·NaN is NaN, and it costs the time that was to be saved"))
		check.Panics(t, "MulVec of 3 columns with 4 values", func() { m.MulVec(make([]float64, 4)) })
		check.Panics(t, "MulVec of 3 columns with 2 values", func() { m.MulVec(make([]float64, 2)) })
	})
	m := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 1, 2}, Col: []int{2, 0}, Val: []float64{4, -3}}
	other := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 2, 3}, Col: []int{0, 1, 2}, Val: []float64{1, 2, 5}}
	check.Independent(t, "m.MulVec(x)", mobile.CSR.MulVec, check.Args{m, []float64{1, 2, 3}}, check.Args{other, []float64{3, -1, 2}})
}

func TestQuantize(t *testing.T) {
	defer check.Rescue(t)
	const singles = "you computed in float32: it keeps 24 bits"
	for _, c := range check.Golden[struct {
		Name    string
		W, Back check.Array
		Q       []int8
		Scale   float64
		Zero    int8
	}](t, "int8") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w := c.W.Floats()
			passed := check.Copy(w)
			low, high := slices.Min(w), slices.Max(w)
			wide, largest := max(high, 0)-min(low, 0), max(high, -low)
			// levels is what w becomes with another scale, zero or rounding.
			levels := func(scale, zero float64, round func(float64) float64) []int8 {
				q := make([]int8, len(w))
				for i, v := range w {
					q[i] = int8(min(max(round(v/scale)+zero, -128), 127))
				}
				return q
			}
			const (
				narrow    = "you did not widen the range to hold 0: without it 0 has no level, and a zero weight comes back as another"
				symmetric = "you made it symmetric, with scale max|w|/127 and no zero point: here the range is from min to max"
			)
			q, scale, zero := mobile.Quantize(passed)
			scaleOpts := []check.Option{
				check.Kept("w", passed, w), check.Why("256 levels have 255 gaps between the smallest and the largest weight, 0 included"),
				check.Mistake(wide/256, "you divided by 256: 256 levels have 255 gaps"),
				check.Mistake(largest/127, symmetric),
			}
			zeroOpts := []check.Option{
				check.With("w", w), check.Why("the smallest weight, or 0 if that is smaller, becomes −128"),
			}
			if c.Zero != 0 {
				zeroOpts = append(zeroOpts, check.Mistake(int8(0), "you left the zero point at 0: then most of one side is clamped"))
			}
			if c.Zero != -128 {
				zeroOpts = append(zeroOpts, check.Mistake(int8(int(c.Zero)+128), "you laid the range over 0…255: an int8 goes from −128 to 127"))
			}
			if low > 0 || high < 0 {
				scaleOpts = append(scaleOpts, check.Mistake((high-low)/255, narrow))
			}
			qOpts := []check.Option{
				check.With("w", w), check.With("scale", c.Scale), check.With("zero", c.Zero), check.Why("round(w/scale) + zero, clamped to −128…127"),
				check.Mistake(levels(c.Scale, float64(c.Zero), math.Trunc), "you cut w/scale instead of rounding it: the error grows to a whole level"),
				check.Mistake(levels(c.Scale, 0, math.Round), "you did not add zero"),
				check.Mistake(levels(c.Scale, -float64(c.Zero), math.Round), "you subtracted zero: it is added here, and subtracted on the way back"),
			}
			if low < 0 {
				qOpts = append(qOpts, check.Mistake(levels(c.Scale, float64(c.Zero), math.Floor), "you rounded w/scale down: round to the nearest level"))
			}
			if low < 0 && high > 0 {
				unrounded := func(v float64) float64 { return math.Round(v - 128 - low/c.Scale) }
				qOpts = append(qOpts, check.Mistake(levels(c.Scale, 0, unrounded), "you added zero before it was rounded: 0 then has no level of its own"))
			}
			check.Equal(t, "Quantize(w) scale", scale, c.Scale, check.Rel(1e-6), scaleOpts...)
			check.Equal(t, "Quantize(w) zero", zero, c.Zero, check.Exact, zeroOpts...)
			check.Equal(t, "Quantize(w) q", q, c.Q, check.Exact, qOpts...)

			passedQ := slices.Clone(c.Q)
			wrapped, added := make([]float64, len(w)), make([]float64, len(w))
			kept, late := make([]float64, len(w)), make([]float64, len(w))
			for i, level := range c.Q {
				wrapped[i] = c.Scale * float64(level-c.Zero)
				added[i] = c.Scale * (float64(level) + float64(c.Zero))
				kept[i] = c.Scale * float64(level)
				late[i] = c.Scale*float64(level) - float64(c.Zero)
			}
			backOpts := []check.Option{
				check.With("scale", c.Scale), check.With("zero", c.Zero), check.Kept("q", passedQ, c.Q), check.Why("scale·(q − zero)"),
				check.Mistake(kept, "you did not subtract zero: it is the level of 0"),
				check.Mistake(late, "you subtracted zero after scaling: zero is a level, so subtract it from q"),
				check.Mistake(added, "you added zero: it was added on the way there"),
			}
			if !slices.EqualFunc(wrapped, c.Back.Data, func(a, b float64) bool { return math.Abs(a-b) < c.Scale }) {
				backOpts = append(backOpts, check.Mistake(wrapped, "you subtracted in int8, where 127 − (−128) is −1: convert first"))
			}
			check.Equal(t, "Dequantize(q, scale, zero)", mobile.Dequantize(passedQ, c.Scale, c.Zero), c.Back.Floats(), check.Rel(1e-6), backOpts...)
		})
	}
	t.Run("no weight but 0", func(t *testing.T) {
		defer check.Rescue(t)
		q, scale, zero := mobile.Quantize(make([]float64, 3))
		check.Equal(t, "Quantize([0 0 0]) scale", scale, 1.0, check.Exact, check.Why("any scale does, but 0 would divide 0 by 0"),
			check.Mistake(0.0, "you returned scale 0: then w/scale is 0/0"))
		check.Equal(t, "Quantize([0 0 0]) zero", zero, int8(0), check.Exact)
		check.Equal(t, "Quantize([0 0 0]) q", q, []int8{0, 0, 0}, check.Exact)
	})
	t.Run("by hand", func(t *testing.T) {
		defer check.Rescue(t)
		q, scale, zero := mobile.Quantize(nil)
		check.Equal(t, "Quantize(nil) scale, zero and len(q)", []float64{scale, float64(zero), float64(len(q))}, []float64{1, 0, 0}, check.Exact, check.Why("no weight is not 0"))
		_, scale, _ = mobile.Quantize([]float64{-0.1, 0.7})
		check.Equal(t, "Quantize([-0.1 0.7]) scale", scale, 0.8/255, check.Rel(1e-12), check.Mistake(float64(float32(0.8/255)), singles))
		const hair = 0x1p-24
		q, scale, zero = mobile.Quantize([]float64{-72.5 - hair, 182.5 - hair, 10.5 + hair})
		check.Equal(t, "Quantize([-72.5−2⁻²⁴ 182.5−2⁻²⁴ 10.5+2⁻²⁴]) scale", scale, 1.0, check.Rel(1e-12))
		check.Equal(t, "Quantize([-72.5−2⁻²⁴ 182.5−2⁻²⁴ 10.5+2⁻²⁴]) zero and q[2]", []int{int(zero), int(q[2])}, []int{-55, -44}, check.Exact,
			check.Why("−128 + 72.5 + 2⁻²⁴ is nearest to −55, and 10.5 + 2⁻²⁴ to 11"),
			check.Mistake([]int{-56, -46}, singles), check.Mistake([]int{-55, -45}, "you rounded 10.5 + 2⁻²⁴ to 10"))
		check.Equal(t, "Dequantize([3 -7], 0.1, 5)", mobile.Dequantize([]int8{3, -7}, 0.1, 5), []float64{-0.2, -1.2}, check.Rel(1e-12),
			check.Mistake([]float64{float64(float32(-0.2)), float64(float32(-1.2))}, singles))
	})
	t.Run("halfway between levels", func(t *testing.T) {
		defer check.Rescue(t)
		_, _, zero := mobile.Quantize([]float64{-200.75, 54.25})
		check.Equal(t, "Quantize([-200.75 54.25]) zero", zero, int8(73), check.Exact, check.Why("scale is 1, and −128 + 200.75 = 72.75"),
			check.Mistake(int8(72), "you cut zero instead of rounding it"))
		q, scale, zero := mobile.Quantize([]float64{-201.5, 53.5, 0})
		check.Equal(t, "Dequantize(Quantize([-201.5 53.5 0]))", mobile.Dequantize(q, scale, zero), []float64{-201.5, 53.5, 0}, check.Abs(0.5+1e-9),
			check.With("q", q), check.With("scale", scale), check.With("zero", zero), check.Why("54 + 74 = 128 is clamped to 127"),
			check.Mistake([]float64{-202, -202, 0}, "you did not clamp: 128 in an int8 wraps around to −128"))
		q, scale, zero = mobile.Quantize([]float64{-72.5, 182.5, 0})
		check.Equal(t, "Dequantize(Quantize([-72.5 182.5 0]))", mobile.Dequantize(q, scale, zero), []float64{-72.5, 182.5, 0}, check.Abs(0.5+1e-9),
			check.With("q", q), check.With("scale", scale), check.With("zero", zero),
			check.Why("math.Round gives −73 and −56: −129 is clamped to −128"),
			check.Mistake([]float64{183, 183, 0}, "you clamped above only: −129 in an int8 wraps around to 127"))
	})
	t.Run("there and back", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		for range 20 {
			w := make([]float64, 50)
			offset := 2 * rng.NormFloat64()
			for i := range w {
				w[i] = offset + rng.NormFloat64()
			}
			w[7] = 0
			q, scale, zero := mobile.Quantize(check.Copy(w))
			back := mobile.Dequantize(q, scale, zero)
			if !check.Equal(t, "Dequantize(Quantize(w))", back, w, check.Abs(scale/2*(1+1e-9)), check.Why("the error is at most scale/2")) ||
				!check.Equal(t, "Dequantize(Quantize(w)) where w is 0", back[7], 0.0, check.Exact, check.Why("0 has a level of its own")) {
				return
			}
		}
	})
	check.Independent(t, "Quantize(w)", mobile.Quantize, check.Args{[]float64{1, -2, 0.5}}, check.Args{[]float64{0.25, 3, -1}})
	check.Independent(t, "Dequantize(q, scale, zero)", mobile.Dequantize, check.Args{[]int8{3, -7, 120}, 0.5, int8(3)}, check.Args{[]int8{-128, 4, 9}, 0.25, int8(-5)})
}

// smallest is the mask that is 0 for the n weights of lowest rank.
func smallest(w *mat.Dense, n int, rank func(float64) float64) *mat.Dense {
	mask := mat.DenseCopyOf(w)
	for i := range mask.RawMatrix().Data {
		below := 0
		for _, v := range w.RawMatrix().Data {
			if rank(v) < rank(w.RawMatrix().Data[i]) {
				below++
			}
		}
		mask.RawMatrix().Data[i] = 0
		if below >= n {
			mask.RawMatrix().Data[i] = 1
		}
	}
	return mask
}

// smallestOfRows prunes the given share of each row instead of the whole matrix.
func smallestOfRows(w *mat.Dense, sparsity float64) *mat.Dense {
	rows, cols := w.Dims()
	mask := mat.NewDense(rows, cols, nil)
	for i := range rows {
		row := mat.DenseCopyOf(w.Slice(i, i+1, 0, cols))
		mask.SetRow(i, smallest(row, int(sparsity*float64(cols)+1e-9), math.Abs).RawRowView(0))
	}
	return mask
}

// above is the mask of the weights whose magnitude is above a threshold.
func above(w *mat.Dense, threshold float64) *mat.Dense {
	mask := magnitudes(w)
	mask.Apply(func(_, _ int, v float64) float64 {
		if v > threshold {
			return 1
		}
		return 0
	}, mask)
	return mask
}

func magnitudes(w *mat.Dense) *mat.Dense {
	out := mat.DenseCopyOf(w)
	out.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, out)
	return out
}

func inverted(mask *mat.Dense) *mat.Dense {
	out := mat.DenseCopyOf(mask)
	out.Apply(func(_, _ int, v float64) float64 { return 1 - v }, out)
	return out
}

func dims(m *mat.Dense) []int {
	rows, cols := m.Dims()
	return []int{rows, cols}
}

func zeros(m *mat.Dense) int {
	rows, cols := m.Dims()
	n := 0
	for i := range rows {
		for j := range cols {
			if m.At(i, j) == 0 {
				n++
			}
		}
	}
	return n
}
