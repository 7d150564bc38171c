package mobile_test

import (
	"cmp"
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
	t.Run("SeparableRatio", func(t *testing.T) {
		defer check.Rescue(t)
		type sizes struct{ out, kernel int }
		each := func(f func(c sizes) float64) map[string]float64 {
			all := map[string]float64{}
			for _, c := range []sizes{{512, 3}, {6, 5}, {1, 3}, {8, 1}, {1 << 20, 1 << 16}} {
				all[fmt.Sprintf("SeparableRatio(%d, %d)", c.out, c.kernel)] = f(c)
			}
			return all
		}
		of := func(f func(n, k float64) float64) map[string]float64 {
			return each(func(c sizes) float64 { return f(float64(c.out), float64(c.kernel)) })
		}
		beyond := of(func(n, k float64) float64 { return (k*k + n) / (k * k * n) })
		beyond[fmt.Sprintf("SeparableRatio(%d, %d)", 1<<20, 1<<16)] = math.Inf(1)
		// multiply-accumulates counted for one input channel and one output pixel
		check.Equal(t, "SeparableRatio(out, kernel)", each(func(c sizes) float64 { return mobile.SeparableRatio(c.out, c.kernel) }),
			of(func(n, k float64) float64 { return (k*k + n) / (k * k * n) }), check.Rel(1e-12),
			check.Mistake(each(func(c sizes) float64 {
				return float64(1/c.out + 1/(c.kernel*c.kernel))
			}), "you divided integers, which cuts the share to 0: convert to float64 first"),
			check.Mistake(of(func(n, k float64) float64 { return 1 / (1/n + 1/k/k) }), "you inverted the ratio: the separable convolution is the cheaper one, below 1"),
			check.Mistake(of(func(n, k float64) float64 { return 1/n + 1/k }), "you took 1/kernel: a kernel has kernel² taps"),
			check.Mistake(of(func(n, k float64) float64 { return 1/n + 2/k }), "you took 2/kernel: the depthwise kernel stays kernel×kernel, it is not a column times a row"),
			check.Mistake(of(func(n, k float64) float64 { return 1 / n / k / k }), "you multiplied the costs of the two passes: they are made one after the other, and add up"),
			check.Mistake(of(func(_, k float64) float64 { return 1 / k / k }), "you left 1/out out: that is the depthwise pass alone, and the pointwise pass costs too"),
			check.Mistake(of(func(n, _ float64) float64 { return 1 / n }), "you left 1/kernel² out: the depthwise pass costs too"),
			check.Mistake(beyond, "you multiplied in 32 bits: they hold numbers below 2³¹"),
			check.Why("a depthwise pass costs kernel² and a pointwise pass out, where the full convolution costs kernel²·out"))
	})
	t.Run("Speedup", func(t *testing.T) {
		defer check.Rescue(t)
		cases := []struct{ fraction, factor, want float64 }{ // by hand
			{0.6, 4, 1 / 0.55}, // 0.4 + 0.15 of the time
			{0.9, 3, 2.5},      // 0.1 + 0.3
			{0.2, 0.5, 1 / 1.2},
			{1, 4, 4},
			{0, 4, 1},
			{0, math.Inf(1), 1},
			{1, math.Inf(1), math.Inf(1)},
			{0.75, math.Inf(1), 4},
		}
		each := func(f func(i int) float64) map[string]float64 {
			all := map[string]float64{}
			for i, c := range cases {
				all[fmt.Sprintf("Speedup(%v, %v)", c.fraction, c.factor)] = f(i)
			}
			return all
		}
		of := func(f func(fraction, factor float64) float64) map[string]float64 {
			return each(func(i int) float64 { return f(cases[i].fraction, cases[i].factor) })
		}
		check.Equal(t, "Speedup(fraction, factor)", of(mobile.Speedup), each(func(i int) float64 { return cases[i].want }), check.Rel(1e-12),
			check.Mistake(each(func(i int) float64 { return 1 / cases[i].want }), "you returned the time that is left: the speed-up is one over it"),
			check.Mistake(of(func(f, by float64) float64 { return 1 / (f / by) }), "you left the rest of the frame out: it takes its time as before"),
			check.Mistake(of(func(f, by float64) float64 { return 1 - f + f*by }), "you averaged the speeds: add up the times"),
			check.Mistake(of(func(f, by float64) float64 { return 1 / (1 - f + f*by) }), "you multiplied the part's time by factor: it becomes factor times shorter"),
			check.Mistake(of(func(f, by float64) float64 { return 1 / (f + (1-f)/by) }), "you sped up the rest: fraction is the part that becomes faster"),
			check.Why("the part takes fraction/factor of the time, the rest 1 − fraction as before; a fraction may be 0 or 1, a factor infinite"))
	})
	check.Panics(t, "SeparableRatio(0, 3)", func() { mobile.SeparableRatio(0, 3) })
	check.Panics(t, "SeparableRatio(8, 0)", func() { mobile.SeparableRatio(8, 0) })
	check.Panics(t, "SeparableRatio(-8, 3)", func() { mobile.SeparableRatio(-8, 3) })
	check.Panics(t, "SeparableRatio(8, -3)", func() { mobile.SeparableRatio(8, -3) })
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
	type maskCase struct {
		Name     string
		W, Mask  check.Array
		Sparsity float64
		Pruned   int
	}
	golden := check.Golden[maskCase](t, "mask")
	right := t.Run("masks", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(c maskCase, w *mat.Dense) *mat.Dense) map[string]*mat.Dense {
			all := map[string]*mat.Dense{}
			for _, c := range golden {
				all[c.Name] = f(c, c.W.Dense())
			}
			return all
		}
		// going is what is left if another number of weights goes.
		going := func(number func(c maskCase, product float64) float64) map[string]*mat.Dense {
			return each(func(c maskCase, w *mat.Dense) *mat.Dense {
				return smallest(w, int(number(c, c.Sparsity*float64(len(c.W.Data)))), math.Abs)
			})
		}
		var opts []check.Option
		got := each(func(c maskCase, w *mat.Dense) *mat.Dense {
			passed := mat.DenseCopyOf(w) // no view: where one argument is, no mistake is named
			opts = append(opts, check.Kept("w", passed, w))
			return mobile.PruneMask(passed, c.Sparsity)
		})
		const (
			many = "you pruned one too many: sparsity·n is cut, not rounded"
			stay = "you kept the share that was to go: sparsity is the share of zeros"
		)
		check.Equal(t, "PruneMask(w, sparsity)", got, each(func(c maskCase, _ *mat.Dense) *mat.Dense { return c.Mask.Dense() }), check.Exact, append(append(opts,
			check.Mistake(each(func(c maskCase, w *mat.Dense) *mat.Dense {
				return smallest(w, c.Pruned, func(v float64) float64 { return v })
			}), "you ranked the weights by value: a large negative weight matters as much as a large positive one"),
			check.Mistake(each(func(c maskCase, w *mat.Dense) *mat.Dense {
				return smallest(w, c.Pruned, func(v float64) float64 { return -math.Abs(v) })
			}), "you pruned the largest weights"),
			check.Mistake(going(func(c maskCase, _ float64) float64 { return float64(len(c.W.Data) - c.Pruned) }), stay),
			check.Mistake(going(func(c maskCase, product float64) float64 { return float64(len(c.W.Data)) - product + 1e-9 }), stay),
			check.Mistake(going(func(_ maskCase, product float64) float64 { return product }),
				"you pruned one too few: ⌊sparsity·n⌋ can lose a whole weight to rounding (0.29·100 is 28.999999999999996), therefore + 1e-9"),
			check.Mistake(going(func(_ maskCase, product float64) float64 { return math.Round(product) }), many),
			check.Mistake(each(func(c maskCase, _ *mat.Dense) *mat.Dense { return inverted(c.Mask.Dense()) }), "you swapped 0 and 1: the mask is 1 where a weight stays"),
			check.Mistake(each(func(c maskCase, w *mat.Dense) *mat.Dense { w.MulElem(w, c.Mask.Dense()); return w }), "you returned the pruned weights: the mask is 0 or 1"),
			check.Mistake(each(func(c maskCase, w *mat.Dense) *mat.Dense {
				return smallestOfRows(w, c.Sparsity)
			}), "you pruned each row by itself: the smallest of the whole matrix go, whatever their row"),
			check.Mistake(each(func(c maskCase, w *mat.Dense) *mat.Dense {
				return above(w, c.Sparsity*mat.Max(magnitudes(w)))
			}), "you cut at a share of the largest magnitude: sparsity is a share of the number of weights")), check.Why("0 for the smallest magnitudes, 1 for the others"))...)
	})
	t.Run("very small and very large", func(t *testing.T) {
		defer check.Rescue(t)
		w := []float64{3e-200, -1e-200, 2e-200, 3e200, -1e200, 2e200, 1 + 2e-12, -1, 1 + 1e-12}
		got := map[string]*mat.Dense{}
		for n := range len(w) + 1 {
			got[fmt.Sprintf("PruneMask(w, %d/9)", n)] = mobile.PruneMask(mat.NewDense(3, 3, slices.Clone(w)), float64(n)/9)
		}
		// ranked is what goes if weights that another measure cannot tell apart stay in order.
		ranked := func(measure func(v float64) float64) map[string]*mat.Dense {
			masks, order := map[string]*mat.Dense{}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(measure(w[a]), measure(w[b])) })
			for n := range len(w) + 1 {
				mask := inverted(mat.NewDense(3, 3, nil))
				for _, gone := range order[:n] {
					mask.Set(gone/3, gone%3, 0)
				}
				masks[fmt.Sprintf("PruneMask(w, %d/9)", n)] = mask
			}
			return masks
		}
		check.Equal(t, "the masks", got, ranked(math.Abs), check.Exact, check.With("w", w), check.Why("the smallest magnitudes go, whatever their range"),
			check.Mistake(ranked(func(v float64) float64 { return v * v }), "you compared the squares: of 1e-200 the square is 0, of 1e200 infinite"),
			check.Mistake(ranked(func(v float64) float64 { return float64(float32(math.Abs(v))) }), "you compared in float32: it holds 1 + 1e-12 for 1, and 1e-200 for 0"))
	})
	t.Run("a share of less than one weight", func(t *testing.T) {
		defer check.Rescue(t)
		w := mat.NewDense(2, 2, []float64{5, 2, 3, -4})
		opts := []check.Option{check.With("w", w), check.Why("0.1·4 is 0.4, cut to 0")}
		if right {
			opts = append(opts, check.Mistake(mat.NewDense(2, 2, []float64{1, 0, 1, 1}), "you pruned one weight at least: ⌊sparsity·n⌋ may be 0"))
		}
		check.Equal(t, "PruneMask(w, 0.1)", mobile.PruneMask(check.Copy(w), 0.1), mat.NewDense(2, 2, []float64{1, 1, 1, 1}), check.Exact, opts...)
		w.Set(0, 1, math.Copysign(0, -1))
		check.Equal(t, "PruneMask(w, 0.25)", mobile.PruneMask(check.Copy(w), 0.25), mat.NewDense(2, 2, []float64{1, 0, 1, 1}), check.Exact, check.With("w", w),
			check.Why("the magnitude of −0 is 0"))
	})
	t.Run("equal magnitudes", func(t *testing.T) {
		defer check.Rescue(t)
		w := mat.NewDense(3, 4, []float64{2, -1, 3, 2, -2, 5, 2, 0, 2, -4, -2, 6})  // 0, 1, six of magnitude 2, 3, 4, 5, 6
		half := mat.NewDense(3, 4, []float64{0, 1, 0, -2, 0, 0, 3, 0, 0, -4, 5, 0}) // seven zeros
		masks := map[string]*mat.Dense{"0.45 of w": mobile.PruneMask(check.Copy(w), 0.45), "0.25 of zeros": mobile.PruneMask(check.Copy(half), 0.25), "0 of zeros": mobile.PruneMask(check.Copy(half), 0)}
		largestGone, smallestKept := 0.0, math.Inf(1)
		counts := map[string]int{}
		for name, mask := range masks {
			require.Equal(t, []int{3, 4}, dims(mask), "shape of the mask")
			counts[name] = zeros(mask)
			require.Equal(t, 12, counts[name]+ones(mask), "how many values of the mask are 0 or 1")
		}
		for i := range 3 {
			for j := range 4 {
				if v := math.Abs(w.At(i, j)); masks["0.45 of w"].At(i, j) == 0 {
					largestGone = max(largestGone, v)
				} else {
					smallestKept = min(smallestKept, v)
				}
			}
		}
		check.Equal(t, "zeros in PruneMask(w, sparsity)", counts, map[string]int{"0.45 of w": 5, "0.25 of zeros": 3, "0 of zeros": 0}, check.Exact,
			check.With("w", w), check.With("zeros", half), check.Why("⌊0.45·12⌋ = 5, ⌊0.25·12⌋ = 3 and no weights go, whichever of the equal ones"),
			check.Mistake(map[string]int{"0.45 of w": 8, "0.25 of zeros": 7, "0 of zeros": 0}, "you pruned all weights at the boundary: of six equal ones only three had to go"),
			check.Mistake(map[string]int{"0.45 of w": 2, "0.25 of zeros": 0, "0 of zeros": 0}, "you pruned none of the weights at the boundary: of six equal ones three had to go"),
			check.Mistake(map[string]int{"0.45 of w": 5, "0.25 of zeros": 7, "0 of zeros": 7}, "you gave every weight that is 0 a mask of 0: exactly ⌊sparsity·n + 1e-9⌋ go"))
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
		cases := []struct {
			step, begin, end     int
			initial, final, want float64 // by hand
		}{
			{10, 0, 100, 0, 0.875, 0.237125},
			{25, 0, 100, 0, 0.875, 0.505859375},
			{75, 0, 100, 0, 0.875, 0.861328125},
			{40, 20, 60, 0.3, 0.7, 0.65},
			{21, 20, 60, 0.3, 0.7, 0.32925625},
			{59, 20, 60, 0.3, 0.7, 0.69999375},
			{30, 20, 60, 0.8, 0.4, 0.56875},
			{0, -10, 30, 0.25, 0.75, 0.5390625},
			{4e6, 0, 16e6, 0.25, 0.75, 0.5390625},
		}
		call := func(i int) string {
			c := cases[i]
			return fmt.Sprintf("Sparsity(%d, %d, %d, %v, %v)", c.step, c.begin, c.end, c.initial, c.final)
		}
		each := func(f func(i int) float64) map[string]float64 {
			all := map[string]float64{}
			for i := range cases {
				all[call(i)] = f(i)
			}
			return all
		}
		// between is the sparsity where another share of initial is left.
		between := func(left func(done, step, begin, end float64) float64) map[string]float64 {
			return each(func(i int) float64 {
				c := cases[i]
				step, begin, end := float64(c.step), float64(c.begin), float64(c.end)
				return c.final + (c.initial-c.final)*left((step-begin)/(end-begin), step, begin, end)
			})
		}
		cube := func(v float64) float64 { return v * v * v }
		inside := check.Equal(t, "Sparsity(step, begin, end, initial, final)", each(func(i int) float64 {
			c := cases[i]
			return mobile.Sparsity(c.step, c.begin, c.end, c.initial, c.final)
		}), each(func(i int) float64 { return cases[i].want }), check.Rel(1e-12),
			check.Mistake(between(func(done, _, _, _ float64) float64 { return 1 - done }), "you left the exponent out: that is a straight line, not a cubic"),
			check.Mistake(between(func(done, _, _, _ float64) float64 { return (1 - done) * (1 - done) }), "you squared the share that is left: the schedule is a cubic"),
			check.Mistake(between(func(done, _, _, _ float64) float64 { return 1 - cube(done) }), "you cubed the share that is done: cube the share that is left, so that pruning is fast at first"),
			check.Mistake(between(func(done, _, _, _ float64) float64 { return cube(done) }), "you went from final to initial: at begin the whole schedule is left, not done"),
			check.Mistake(between(func(done, _, _, _ float64) float64 { return 1 - cube(1-done) }), "you exchanged initial and final"),
			check.Mistake(each(func(i int) float64 {
				c := cases[i]
				left, whole := c.end-c.step, c.end-c.begin
				return c.final + (c.initial-c.final)*float64(left*left*left)/float64(whole*whole*whole)
			}), "you cubed whole numbers: beyond two million steps the cube does not fit into an int, convert to float64 first"),
			check.Mistake(between(func(_, _, _, _ float64) float64 { return 1 }), "you divided integers, and 0 of the schedule is done until its end: convert to float64 first"),
			check.Mistake(between(func(_, _, _, _ float64) float64 { return 0 }), "you divided integers, and 0 of the schedule is left once it has begun: convert to float64 first"),
			check.Mistake(between(func(_, step, _, end float64) float64 { return cube(1 - step/end) }), "you counted from step 0: the schedule starts at begin"),
			check.Mistake(between(func(_, step, begin, end float64) float64 { return cube(1 - step/(end-begin)) }), "you counted from step 0: the schedule starts at begin"),
			check.Why("cubic: fast at first, where there is much to prune"))
		if inside {
			const (
				early = "you did not clamp the schedule: before its first step the sparsity is the initial one"
				late  = "you did not clamp the schedule: after its last step the sparsity stays final"

				nothing = "you pruned nothing before the first step: initial may be above 0"
			)
			at := map[string]float64{}
			for _, step := range []int{5, 20, 60, 100} {
				at[fmt.Sprintf("Sparsity(%d, 20, 60, 0.3, 0.7)", step)] = mobile.Sparsity(step, 20, 60, 0.3, 0.7)
			}
			ends := func(before, begin, after float64) map[string]float64 {
				return map[string]float64{
					"Sparsity(5, 20, 60, 0.3, 0.7)": before, "Sparsity(20, 20, 60, 0.3, 0.7)": begin,
					"Sparsity(60, 20, 60, 0.3, 0.7)": 0.7, "Sparsity(100, 20, 60, 0.3, 0.7)": after,
				}
			}
			none := 0.7 - 0.4*math.Pow(1.375, 3)
			check.Equal(t, "Sparsity before, at and after the ends", at, ends(0.3, 0.3, 0.7), check.Abs(1e-12),
				check.Why("initial up to step begin, final from step end on"),
				check.Mistake(ends(none, 0.3, 0.7), early), check.Mistake(ends(0.3, 0.3, 1.1), late),
				check.Mistake(ends(none, 0.3, 1.1), "you did not clamp the schedule: before begin and after end the cubic runs on"),
				check.Mistake(ends(0, 0.3, 0.7), nothing), check.Mistake(ends(0, 0, 0.7), nothing))
		}
		check.Panics(t, "Sparsity from step 9 to step 9", func() { mobile.Sparsity(9, 9, 9, 0, 0.5) })
		check.Panics(t, "Sparsity from step 9 to step 5", func() { mobile.Sparsity(7, 9, 5, 0, 0.5) })
		check.Independent(t, "Sparsity(step, begin, end, initial, final)", mobile.Sparsity, check.Args{5, 2, 10, 0.1, 0.9}, check.Args{7, 3, 12, 0.2, 0.8})
	})
	t.Run("MaskedStep", func(t *testing.T) {
		defer check.Rescue(t)
		type stepCase struct {
			Name                string
			W, Grad, Mask, Next check.Array
			Rate                float64
		}
		square := func(values ...float64) check.Array { return check.Array{Shape: []int{2, 2}, Data: values} }
		cases := append(check.Golden[stepCase](t, "step"),
			stepCase{"weights that are 0", square(0, 0, 2, 4), square(1, -3, 5, 7), square(1, 0, 0, 1), square(-0.5, 0, 0, 0.5), 0.5},
			stepCase{"rate 0", square(1, 2, 3, 4), square(1, -3, 5, 7), square(1, 0, 0, 1), square(1, 0, 0, 4), 0},
			stepCase{"rate −2", square(1, 2, 3, 4), square(1, -3, 5, 7), square(0, 1, 1, 0), square(0, -4, 13, 0), -2})
		each := func(f func(c stepCase, i, j int) float64) map[string]*mat.Dense {
			all := map[string]*mat.Dense{}
			for _, c := range cases {
				m := mat.NewDense(c.W.Shape[0], c.W.Shape[1], nil)
				m.Apply(func(i, j int, _ float64) float64 { return f(c, i, j) }, m)
				all[c.Name] = m
			}
			return all
		}
		// of is w after a step that makes another weight of weight, gradient, mask and rate.
		of := func(f func(w, g, keep, rate float64) float64) map[string]*mat.Dense {
			return each(func(c stepCase, i, j int) float64 {
				return f(c.W.Dense().At(i, j), c.Grad.Dense().At(i, j), c.Mask.Dense().At(i, j), c.Rate)
			})
		}
		got := map[string]*mat.Dense{}
		var opts []check.Option
		for _, c := range cases {
			grad, mask := c.Grad.Dense(), c.Mask.Dense()
			got[c.Name] = c.W.Dense()
			mobile.MaskedStep(got[c.Name], grad, mask, c.Rate)
			opts = append(opts, check.Kept("grad", grad, c.Grad.Dense()), check.Kept("mask", mask, c.Mask.Dense()))
		}
		check.Equal(t, "w after MaskedStep(w, grad, mask, rate)", got, each(func(c stepCase, i, j int) float64 { return c.Next.Dense().At(i, j) + 0 }), check.Rel(1e-12), append(append(opts,
			check.Mistake(of(func(w, g, keep, rate float64) float64 { return w - rate*g*keep }), "you masked the gradient only: a weight that was not 0 before stays where it was"),
			check.Mistake(of(func(w, g, _, rate float64) float64 { return w - rate*g }), "you did not apply the mask: pruned weights grow back"),
			check.Mistake(of(func(w, g, keep, rate float64) float64 { return (w + rate*g) * keep }), "you added the gradient: descent subtracts it"),
			check.Mistake(of(func(w, g, keep, rate float64) float64 { return w*keep - rate*g }), "you masked before the step: the gradient then moves the pruned weights away from 0"),
			check.Mistake(of(func(w, g, keep, rate float64) float64 { return (w - rate*g) * (1 - keep) }), "you swapped the cases: a weight stays where its mask is 1"),
			check.Mistake(of(func(w, g, keep, _ float64) float64 { return (w - g) * keep }), "you left the rate out"),
			check.Mistake(of(func(w, _, keep, _ float64) float64 { return w * keep }), "you masked the weights and made no step"),
			check.Mistake(of(func(w, _, _, _ float64) float64 { return w }), "you left w as it was: MaskedStep works in place"),
			check.Mistake(of(func(w, g, keep, rate float64) float64 {
				if w == 0 {
					return 0
				}
				return (w - rate*g) * keep
			}), "you left a weight that is 0 at 0, whatever its mask"),
			check.Mistake(of(func(w, g, _, rate float64) float64 {
				if w == 0 {
					return 0
				}
				return w - rate*g
			}), "you took the zeros of w for the mask")), check.Why("a weight whose mask is 0 is 0, the others follow the gradient; the mask says which weights go, not the weights"))...)
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

// kept is w in compressed rows, of the weights that keep takes.
func kept(w *mat.Dense, keep func(v float64) bool) mobile.CSR {
	m := mobile.CSR{Ptr: []int{0}}
	m.Rows, m.Cols = w.Dims()
	for i := range m.Rows {
		for j := range m.Cols {
			if v := w.At(i, j); keep(v) {
				m.Col, m.Val = append(m.Col, j), append(m.Val, v)
			}
		}
		m.Ptr = append(m.Ptr, len(m.Val))
	}
	return m
}

// rowsOf is the row of every non-zero.
func rowsOf(m mobile.CSR) (rows []int) {
	for i := range m.Rows {
		for range m.Ptr[i+1] - m.Ptr[i] {
			rows = append(rows, i)
		}
	}
	return rows
}

// countsOf is how many non-zeros each row has.
func countsOf(m mobile.CSR) (counts []int) {
	for i := range m.Rows {
		counts = append(counts, m.Ptr[i+1]-m.Ptr[i])
	}
	return counts
}

func TestCompress(t *testing.T) {
	defer check.Rescue(t)
	golden := check.Golden[csrCase](t, "csr")
	t.Run("Compress", func(t *testing.T) {
		defer check.Rescue(t)
		matrices := map[string]*mat.Dense{
			"1e-12, 0, −1e-300":       mat.NewDense(1, 3, []float64{1e-12, 0, -1e-300}),
			"NaN, 0, −Inf":            mat.NewDense(1, 3, []float64{math.NaN(), 0, math.Inf(-1)}),
			"3×4, empty at all edges": mat.NewDense(3, 4, []float64{0, 0, 0, 0, 0, 2, -1, 0, 0, 0, 0, 0}),
			"2×3, nothing but 0":      mat.NewDense(2, 3, nil),
		}
		right := map[string]mobile.CSR{
			"1e-12, 0, −1e-300":       {Rows: 1, Cols: 3, Ptr: []int{0, 2}, Col: []int{0, 2}, Val: []float64{1e-12, -1e-300}},
			"NaN, 0, −Inf":            {Rows: 1, Cols: 3, Ptr: []int{0, 2}, Col: []int{0, 2}, Val: []float64{math.NaN(), math.Inf(-1)}},
			"3×4, empty at all edges": {Rows: 3, Cols: 4, Ptr: []int{0, 0, 2, 2}, Col: []int{1, 2}, Val: []float64{2, -1}},
			"2×3, nothing but 0":      {Rows: 2, Cols: 3, Ptr: []int{0, 0, 0}},
		}
		for _, c := range golden {
			matrices[c.Name], right[c.Name] = c.W.Dense(), c.matrix()
		}
		each := func(f func(w *mat.Dense) mobile.CSR) map[string]mobile.CSR {
			all := map[string]mobile.CSR{}
			for name, w := range matrices {
				all[name] = f(w)
			}
			return all
		}
		keeping := func(keep func(v float64) bool) map[string]mobile.CSR {
			return each(func(w *mat.Dense) mobile.CSR { return kept(w, keep) })
		}
		// but is what comes out right but for a change.
		but := func(change func(m *mobile.CSR)) map[string]mobile.CSR {
			all := map[string]mobile.CSR{}
			for name, m := range right {
				m.Ptr, m.Col, m.Val = slices.Clone(m.Ptr), slices.Clone(m.Col), slices.Clone(m.Val)
				change(&m)
				all[name] = m
			}
			return all
		}
		var opts []check.Option
		got := each(func(w *mat.Dense) mobile.CSR {
			passed := mat.DenseCopyOf(w)
			opts = append(opts, check.Kept("w", passed, w))
			return mobile.Compress(passed)
		})
		const (
			small  = "you left small weights out: what may go is for PruneMask to say"
			counts = "you stored how many non-zeros each row has: Ptr adds them up, from 0"
			start  = "you stored the row of every non-zero: Ptr has one entry a row, and one more, where the row starts"
		)
		check.Equal(t, "Compress(w)", got, right, check.Exact, append(append(opts,
			check.Mistake(but(func(m *mobile.CSR) { m.Rows, m.Cols = 0, 0 }), "you did not set Rows and Cols: MulVec needs them"),
			check.Mistake(but(func(m *mobile.CSR) {
				m.Cols = 0
				for _, j := range m.Col {
					m.Cols = max(m.Cols, j+1)
				}
			}), "you took the last column in use for the last one: Cols is the width of w"),
			check.Mistake(but(func(m *mobile.CSR) { m.Rows, m.Cols = m.Cols, m.Rows }), "you swapped Rows and Cols"),
			check.Mistake(keeping(func(v float64) bool { return v > 0 }), "you kept the positive weights only: negative ones are not 0 either"),
			check.Mistake(keeping(func(float64) bool { return true }), "you stored the zeros too"),
			check.Mistake(keeping(func(v float64) bool { return !math.IsNaN(v) }), "you stored the zeros too"),
			check.Mistake(keeping(func(v float64) bool { return math.Abs(v) > 1e-9 }), small),
			check.Mistake(keeping(func(v float64) bool { return !(math.Abs(v) <= 1e-9) }), small),
			check.Mistake(keeping(func(v float64) bool { return v*v != 0 }), small),
			check.Mistake(keeping(func(v float64) bool { return v < 0 || v > 0 }), "you left NaN out: it is neither above nor below 0, and not 0 either"),
			check.Mistake(each(func(w *mat.Dense) mobile.CSR {
				m := kept(mat.DenseCopyOf(w.T()), func(v float64) bool { return v != 0 })
				m.Rows, m.Cols = w.Dims()
				return m
			}), "you went down the columns: that is compressed sparse column form"),
			check.Mistake(but(func(m *mobile.CSR) {
				for i := range m.Rows {
					slices.Reverse(m.Col[m.Ptr[i]:m.Ptr[i+1]])
					slices.Reverse(m.Val[m.Ptr[i]:m.Ptr[i+1]])
				}
			}), "you went through each row from its end: within a row the columns ascend"),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = rowsOf(*m) }), start),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = append([]int{0}, rowsOf(*m)...) }), start),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = countsOf(*m) }), counts),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = append([]int{0}, countsOf(*m)...) }), counts),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = m.Ptr[:m.Rows] }), "you left the last entry out: Ptr[Rows] is the number of non-zeros, where the last row ends"),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = m.Ptr[1:] }), "you left the first entry out: row 0 starts at 0"),
			check.Mistake(but(func(m *mobile.CSR) { m.Ptr = slices.Compact(m.Ptr) }), "you gave empty rows no entry: every row has one"),
			check.Mistake(but(func(m *mobile.CSR) {
				m.Ptr = append([]int{0}, firstCols(m.Ptr, m.Col)...)
			}), "you stored columns in Ptr: it counts non-zeros, and Col holds their columns"),
			check.Mistake(but(func(m *mobile.CSR) { m.Col = rowsOf(*m) }), "you stored the row of each non-zero in Col: rows are in Ptr"),
			check.Mistake(but(func(m *mobile.CSR) {
				for k := range m.Col {
					m.Col[k]++
				}
			}), "you counted columns from 1"),
			check.Mistake(but(func(m *mobile.CSR) {
				for k, i := range rowsOf(*m) {
					m.Col[k] += i * m.Cols
				}
			}), "you stored positions in the whole matrix: Col counts within the row")), check.Why("the non-zeros, row by row, and their columns; Ptr[i] is where row i starts in both, an empty row starts where the next one does"))...)
	})
	t.Run("Bytes", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(m mobile.CSR) int) map[string]int {
			all := map[string]int{}
			for _, c := range golden {
				all[c.Name] = f(c.matrix())
			}
			all["2×3, nothing but 0"] = f(mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 0, 0}})
			return all
		}
		of := func(f func(n, rows int) int) map[string]int {
			return each(func(m mobile.CSR) int { return f(len(m.Val), m.Rows) })
		}
		check.Equal(t, "Bytes()", each(mobile.CSR.Bytes), of(func(n, rows int) int { return 16*n + 8*(rows+1) }), check.Exact,
			check.Mistake(of(func(n, _ int) int { return 8 * n }), "you counted Val only: each non-zero needs its column too, and each row a pointer"),
			check.Mistake(of(func(n, _ int) int { return 16 * n }), "you left out Ptr: it has Rows + 1 elements"),
			check.Mistake(of(func(n, rows int) int { return 16*n + 8*rows }), "you gave Ptr an element a row: it has one more"),
			check.Mistake(of(func(n, rows int) int { return 2*n + rows + 1 }), "you counted elements: each takes 8 bytes"),
			check.Mistake(of(func(n, rows int) int { return 16*n + 8*(rows+1) + 16 }), "you counted Rows and Cols too: only the three slices count"),
			check.Mistake(of(func(n, rows int) int { return 12*n + 4*(rows+1) }), "you counted 4 bytes for each whole number: an int counts 8 here"),
			check.Mistake(of(func(n, rows int) int { return 8*n + 8*(rows+1) }), "you left out Col: each non-zero needs its column"),
			check.Mistake(each(func(m mobile.CSR) int { return 8 * m.Rows * m.Cols }), "you counted the dense matrix: only what is stored takes space"),
			check.Why("8 bytes an element of Ptr, Col and Val"))
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
	t.Run("products", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(c csrCase) []float64) map[string][]float64 {
			all := map[string][]float64{}
			for _, c := range check.Golden[csrCase](t, "csr") {
				all[c.Name] = f(c)
			}
			return all
		}
		// reading is what the loop gives with another index into x.
		reading := func(index func(c csrCase, row, k int) int) map[string][]float64 {
			return each(func(c csrCase) []float64 {
				y := make([]float64, len(c.Ptr)-1)
				for i := range y {
					for k := c.Ptr[i]; k < c.Ptr[i+1]; k++ {
						if j := index(c, i, k); j < len(c.X.Data) {
							y[i] += c.Val.Data[k] * c.X.Data[j]
						}
					}
				}
				return y
			})
		}
		var opts []check.Option
		got := each(func(c csrCase) []float64 {
			passed := c.X.Floats()
			opts = append(opts, check.Kept("x", passed, c.X.Floats()))
			return c.matrix().MulVec(passed)
		})
		check.Equal(t, "MulVec(x)", got, each(func(c csrCase) []float64 { return c.Y.Floats() }), check.Tol{Rel: 1e-9, Abs: 1e-12}, append(append(opts,
			check.Mistake(reading(func(_ csrCase, row, _ int) int { return row }), "you multiplied by x[i] of the row: each non-zero meets the x of its column"),
			check.Mistake(reading(func(c csrCase, row, _ int) int { return min(row, len(c.X.Data)-1) }), "you multiplied by x[i] of the row: each non-zero meets the x of its column"),
			check.Mistake(reading(func(c csrCase, row, k int) int { return k - c.Ptr[row] }), "you took the k-th x for the k-th non-zero of a row: its column is Col[k]"),
			check.Mistake(each(func(c csrCase) []float64 {
				last := make([]float64, len(c.Ptr)-1)
				for i := range last {
					if end := c.Ptr[i+1]; c.Ptr[i] < end {
						last[i] = c.Val.Data[end-1] * c.X.Data[c.Col[end-1]]
					}
				}
				return last
			}), "you kept the last product of each row: add all of them up"),
			check.Mistake(each(func(c csrCase) []float64 {
				sums, sum := c.Y.Floats(), 0.0
				for i, v := range sums {
					sum += v
					sums[i] = sum
				}
				return sums
			}), "you went on with the sum of the row before: every row begins with 0")), check.Why("y[i] sums Val[k]·x[Col[k]] over the k from Ptr[i] to before Ptr[i+1]"))...)
	})
	t.Run("no non-zeros", func(t *testing.T) {
		defer check.Rescue(t)
		m := mobile.CSR{Rows: 3, Cols: 2, Ptr: []int{0, 0, 0, 0}}
		check.Equal(t, "MulVec([1 2]) of a 3×2 matrix of zeros", m.MulVec([]float64{1, 2}), []float64{0, 0, 0}, check.Exact, check.Why("the result has length Rows"))
	})
	t.Run("only the non-zeros", func(t *testing.T) {
		defer check.Rescue(t)
		nan := math.NaN()
		m := mobile.CSR{Rows: 3, Cols: 5, Ptr: []int{0, 1, 2, 2}, Col: []int{3, 1}, Val: []float64{4, -3}}
		broken := mobile.CSR{Rows: 1, Cols: 2, Ptr: []int{0, 1}, Col: []int{0}, Val: []float64{math.Inf(1)}}
		answers := func(y ...[]float64) map[string][]float64 {
			return map[string][]float64{"m.MulVec([NaN 5 NaN 2 NaN])": y[0], "[+Inf 0].MulVec([0 1])": y[1]}
		}
		check.Equal(t, "MulVec", answers(m.MulVec([]float64{nan, 5, nan, 2, nan}), broken.MulVec([]float64{0, 1})), answers([]float64{8, -15, 0}, []float64{nan}), check.Rel(1e-12),
			check.With("m", m), check.Why("columns 0, 2 and 4 of m have no non-zero, so nothing reads their x; a weight that is stored is multiplied, whatever its x: +Inf·0 is NaN"),
			check.Mistake(answers([]float64{nan, nan, nan}, []float64{nan}), "you multiplied the zeros too: 0·NaN is NaN, and it costs the time that was to be saved"),
			check.Mistake(answers([]float64{8, -15, 0}, []float64{0}), "you skipped where x is 0: an infinite weight or NaN then goes unseen"))
		check.Panics(t, "MulVec of 5 columns with 6 values", func() { m.MulVec(make([]float64, 6)) })
		check.Panics(t, "MulVec of 5 columns with 4 values", func() { m.MulVec(make([]float64, 4)) })
	})
	m := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 1, 2}, Col: []int{2, 0}, Val: []float64{4, -3}}
	other := mobile.CSR{Rows: 2, Cols: 3, Ptr: []int{0, 2, 3}, Col: []int{0, 1, 2}, Val: []float64{1, 2, 5}}
	check.Independent(t, "m.MulVec(x)", mobile.CSR.MulVec, check.Args{m, []float64{1, 2, 3}}, check.Args{other, []float64{3, -1, 2}})
}

type quantised struct {
	Q     []int8
	Scale float64
	Zero  int8
}

func (a quantised) q() []int8      { return a.Q }
func (a quantised) scale() float64 { return a.Scale }
func (a quantised) zero() int8     { return a.Zero }

// each is one part of all answers.
func each[T any](all map[string]quantised, part func(quantised) T) map[string]T {
	parts := map[string]T{}
	for name, a := range all {
		parts[name] = part(a)
	}
	return parts
}

func TestQuantize(t *testing.T) {
	defer check.Rescue(t)
	const singles = "you computed in float32: it keeps 24 bits"
	type int8Case struct {
		Name    string
		W, Back check.Array
		Q       []int8
		Scale   float64
		Zero    int8
	}
	golden := check.Golden[int8Case](t, "int8")
	quantize := t.Run("Quantize", func(t *testing.T) {
		defer check.Rescue(t)
		want := map[string]quantised{"1e-20 or less": {[]int8{127, -69, -128}, 1.3e-20 / 255, -69}, "-200.75 and 54.25": {[]int8{-128, 127}, 1, 73}}
		weights := map[string][]float64{"1e-20 or less": {1e-20, 0, -0.3e-20}, "-200.75 and 54.25": {-200.75, 54.25}}
		for _, c := range golden {
			weights[c.Name], want[c.Name] = c.W.Floats(), quantised{c.Q, c.Scale, c.Zero}
		}
		got := map[string]quantised{}
		var unchanged []check.Option
		for name, w := range weights {
			passed := check.Copy(w)
			q, scale, zero := mobile.Quantize(passed)
			got[name], unchanged = quantised{q, scale, zero}, append(unchanged, check.Kept("w", passed, w))
		}
		// What is wrong with the scale is wrong with zero, and both with q: only the first of them is named.
		scales := func(f func(low, high float64) float64) map[string]float64 {
			all := map[string]float64{}
			for name, w := range weights {
				all[name] = f(slices.Min(w), slices.Max(w))
			}
			return all
		}
		const (
			narrow    = "you did not widen the range to hold 0: without it 0 has no level, and a zero weight comes back as another"
			symmetric = "you made it symmetric, from −max|w| to max|w|: here the range goes from min to max"
		)
		if !check.Equal(t, "Quantize(w) scale", each(got, quantised.scale), each(want, quantised.scale), check.Rel(1e-6), append(append(unchanged,
			check.Mistake(scales(func(low, high float64) float64 { return (max(high, 0) - min(low, 0)) / 256 }), "you divided by 256: 256 levels have 255 gaps"),
			check.Mistake(scales(func(low, high float64) float64 { return (high - low) / 255 }), narrow),
			check.Mistake(scales(func(low, high float64) float64 { return (high - min(low, 0)) / 255 }), narrow),
			check.Mistake(scales(func(low, high float64) float64 { return (max(high, 0) - low) / 255 }), narrow),
			check.Mistake(scales(func(low, high float64) float64 {
				if high-low < 1e-12 {
					return 1
				}
				return (max(high, 0) - min(low, 0)) / 255
			}), "you took small weights for zeros: scale is 1 only where all are 0"),
			check.Mistake(scales(func(low, high float64) float64 { return max(high, -low) / 127 }), symmetric),
			check.Mistake(scales(func(low, high float64) float64 { return max(high, -low) / 127.5 }), symmetric)),
			check.Why("256 levels have 255 gaps from the smallest to the largest weight, 0 included"))...) {
			return
		}
		zeros := func(f func(zero float64) float64) map[string]int8 {
			all := map[string]int8{}
			for name, w := range weights {
				all[name] = int8(int(f(-128 - min(slices.Min(w), 0)/want[name].Scale)))
			}
			return all
		}
		const (
			shifted  = "you laid the range over 0…255: an int8 goes from −128 to 127"
			zeroCut  = "you cut zero instead of rounding it"
			rounding = "you rounded 10.5 + 2⁻²⁴ to 10"
		)
		if !check.Equal(t, "Quantize(w) zero", each(got, quantised.zero), each(want, quantised.zero), check.Exact,
			check.Mistake(zeros(func(float64) float64 { return 0 }), "you left the zero point at 0: then most of one side is clamped"),
			check.Mistake(zeros(func(zero float64) float64 { return math.Round(zero + 128) }), shifted),
			check.Mistake(zeros(func(zero float64) float64 { return min(math.Round(zero+128), 127) }), shifted),
			check.Mistake(zeros(math.Trunc), zeroCut),
			check.Mistake(zeros(math.Floor), zeroCut), check.Why("the smallest weight, or 0 if that is smaller, becomes −128")) {
			return
		}
		levels := func(f func(v, zero, unrounded float64) float64) map[string][]int8 {
			all := map[string][]int8{}
			for name, w := range weights {
				for _, v := range w {
					scale := want[name].Scale
					level := f(v/scale, float64(want[name].Zero), -128-min(slices.Min(w), 0)/scale)
					all[name] = append(all[name], int8(min(max(level, -128), 127)))
				}
			}
			return all
		}
		if !check.Equal(t, "Quantize(w) q", each(got, quantised.q), each(want, quantised.q), check.Exact,
			check.Mistake(levels(func(v, zero, _ float64) float64 { return math.Trunc(v) + zero }), "you cut w/scale instead of rounding it: the error grows to a whole level"),
			check.Mistake(levels(func(v, zero, _ float64) float64 { return math.Floor(v) + zero }), "you rounded w/scale down: round to the nearest level"),
			check.Mistake(levels(func(v, zero, _ float64) float64 { return math.Trunc(v+0.5) + zero }), "you added 0.5 and cut: below 0 that is not the nearest level"),
			check.Mistake(levels(func(v, _, _ float64) float64 { return math.Round(v) }), "you did not add zero"),
			check.Mistake(levels(func(v, zero, _ float64) float64 { return math.Round(v) - zero }), "you subtracted zero: it is added here, and subtracted on the way back"),
			check.Mistake(levels(func(v, _, unrounded float64) float64 { return math.Round(v + unrounded) }), "you added zero before it was rounded: 0 then has no level of its own"),
			check.Why("round(w/scale) + zero, clamped to −128…127")) {
			return
		}
		alike := map[string]quantised{}
		for name, w := range map[string][]float64{"[0 0 0]": {0, 0, 0}, "nil": nil, "[5 5 5]": {5, 5, 5}, "[-5]": {-5}} {
			q, scale, zero := mobile.Quantize(w)
			alike[name] = quantised{q, scale, zero}
		}
		of := func(zeros, fives float64) map[string]float64 {
			return map[string]float64{"[0 0 0]": zeros, "nil": zeros, "[5 5 5]": fives, "[-5]": fives}
		}
		if !check.Equal(t, "Quantize(w) scale", each(alike, quantised.scale), of(1, 5./255), check.Rel(1e-12),
			check.Why("no weight is not 0: any scale does, but 0 would divide 0 by 0"),
			check.Mistake(of(0, 5./255), "you returned scale 0: then w/scale is 0/0"),
			check.Mistake(of(1, float64(float32(5./255))), singles),
			check.Mistake(map[string]float64{"[0 0 0]": 1, "nil": 1, "[5 5 5]": 5. / 255, "[-5]": -5. / 255}, "you took the sign of a weight into the scale"),
			check.Mistake(of(1, 1), "you took equal weights for zeros: the range goes from 0 to them")) {
			return
		}
		check.Equal(t, "Quantize(w)", alike, map[string]quantised{"[0 0 0]": {[]int8{0, 0, 0}, 1, 0}, "nil": {nil, 1, 0}, "[5 5 5]": {[]int8{127, 127, 127}, 5. / 255, -128}, "[-5]": {[]int8{-128}, 5. / 255, 127}}, check.Rel(1e-12))

		const hair = 0x1p-24
		_, scale, _ := mobile.Quantize([]float64{-0.1, 0.7})
		q, one, zero := mobile.Quantize([]float64{-72.5 - hair, 182.5 - hair, 10.5 + hair})
		precise := func(scale, one, zero, level float64) map[string]float64 {
			return map[string]float64{
				"scale of [-0.1 0.7]": scale, "scale of [-72.5−2⁻²⁴ 182.5−2⁻²⁴ 10.5+2⁻²⁴]": one,
				"zero of [-72.5−2⁻²⁴ 182.5−2⁻²⁴ 10.5+2⁻²⁴]": zero, "q[2] of [-72.5−2⁻²⁴ 182.5−2⁻²⁴ 10.5+2⁻²⁴]": level,
			}
		}
		single := float64(float32(0.8) / 255)
		check.Equal(t, "Quantize(w)", precise(scale, one, float64(zero), float64(q[2])), precise(0.8/255, 1, -55, -44), check.Rel(1e-12),
			check.Why("−128 + 72.5 + 2⁻²⁴ is nearest to −55, and 10.5 + 2⁻²⁴ to 11"),
			check.Mistake(precise(single, 1, -56, -46), singles), check.Mistake(precise(single, 1, -55, -44), singles), check.Mistake(precise(float64(float32(0.8/255)), 1, -55, -44), singles),
			check.Mistake(precise(0.8/255, 1, -55, -45), rounding))
	})
	dequantize := t.Run("Dequantize", func(t *testing.T) {
		defer check.Rescue(t)
		each := func(f func(level, zero int8, scale float64) float64) map[string][]float64 {
			all := map[string][]float64{}
			for _, c := range golden {
				for _, level := range c.Q {
					all[c.Name] = append(all[c.Name], f(level, c.Zero, c.Scale))
				}
			}
			return all
		}
		got, want := map[string][]float64{}, map[string][]float64{}
		var opts []check.Option
		for _, c := range golden {
			passed := slices.Clone(c.Q)
			opts = append(opts, check.Kept("q", passed, c.Q))
			got[c.Name], want[c.Name] = mobile.Dequantize(passed, c.Scale, c.Zero), c.Back.Floats()
		}
		if check.Equal(t, "Dequantize(q, scale, zero)", got, want, check.Rel(1e-6), append(append(opts,
			check.Mistake(each(func(level, _ int8, scale float64) float64 { return scale * float64(level) }), "you did not subtract zero: it is the level of 0"),
			check.Mistake(each(func(level, zero int8, scale float64) float64 { return scale*float64(level) - float64(zero) }), "you subtracted zero after scaling: zero is a level, so subtract it from q"),
			check.Mistake(each(func(level, zero int8, scale float64) float64 { return scale * (float64(level) + float64(zero)) }), "you added zero: it was added on the way there"),
			check.Mistake(each(func(level, zero int8, scale float64) float64 { return (float64(level) - float64(zero)) / scale }), "you divided by scale: it was divided by on the way there"),
			check.Mistake(each(func(level, zero int8, scale float64) float64 { return scale * float64(level-zero) }), "you subtracted in int8, where 127 − (−128) is −1: convert first")),
			check.Why("scale·(q − zero)"))...) {
			check.Equal(t, "Dequantize([3 -7], 0.1, 5)", mobile.Dequantize([]int8{3, -7}, 0.1, 5), []float64{-0.2, -1.2}, check.Rel(1e-12),
				check.Mistake([]float64{float64(float32(-0.2)), float64(float32(-1.2))}, singles))
		}
	})
	t.Run("there and back", func(t *testing.T) {
		defer check.Rescue(t)
		back := func(w []float64) []float64 {
			q, scale, zero := mobile.Quantize(check.Copy(w))
			return mobile.Dequantize(q, scale, zero)
		}
		const above, below = "Dequantize(Quantize([-201.5 53.5 0]))", "Dequantize(Quantize([-72.5 182.5 0]))"
		both := func(a, b []float64) map[string][]float64 { return map[string][]float64{above: a, below: b} }
		var opts []check.Option
		if quantize && dequantize { // a wrong level tells nothing of the clamp
			const unclamped = "you did not clamp: 128 in an int8 wraps around to −128"
			opts = []check.Option{
				check.Mistake(both([]float64{-202, -202, 0}, []float64{183, 183, 0}), unclamped), check.Mistake(both([]float64{-202, -202, 0}, []float64{-72, 182, 0}), unclamped),
				check.Mistake(both([]float64{-202, 53, 0}, []float64{183, 183, 0}), "you clamped above only: −129 in an int8 wraps around to 127"),
			}
		}
		if !check.Equal(t, "there and back", both(back([]float64{-201.5, 53.5, 0}), back([]float64{-72.5, 182.5, 0})), both([]float64{-201.5, 53.5, 0}, []float64{-72.5, 182.5, 0}),
			check.Abs(0.5+1e-9), append(opts, check.Why("scale is 1: 54 + 74 = 128 is clamped to 127, and where −72.5 and −55.5 are rounded to −73 and −56, −129 to −128"))...) {
			return
		}
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

func zeros(m *mat.Dense) int { return count(m, 0) }

func ones(m *mat.Dense) int { return count(m, 1) }

func count(m *mat.Dense, value float64) (n int) {
	rows, cols := m.Dims()
	for i := range rows {
		for j := range cols {
			if m.At(i, j) == value {
				n++
			}
		}
	}
	return n
}
