package batchsize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/combin"

	"whyhow/katas/kit/check"
	batchsize "whyhow/katas/q07-batch-size"
)

// joined returns the indices of all batches in one slice.
func joined(batches [][]int) []int {
	return slices.Concat(batches...)
}

func lengths(batches [][]int) []int {
	out := make([]int, len(batches))
	for i, rows := range batches {
		out[i] = len(rows)
	}
	return out
}

// same says whether a and b are one number; NaN is one too.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// upTo returns 0…n−1.
func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestBatches(t *testing.T) {
	defer check.Rescue(t)
	const twice = "you drew an index twice: put all of them in a random order, then cut"
	const evened = "you evened the batches out: all but the last have the length size"
	cases := [][2]int{{10, 3}, {12, 4}, {11, 6}, {5, 8}, {4, 1}, {6, 6}, {1, 1}, {1, 3}, {9, 2}, {9, 4}}
	each := func(f func(n, size int) []int) map[string][]int {
		out := map[string][]int{}
		for _, c := range cases {
			out[fmt.Sprintf("Batches(%d, %d, rng)", c[0], c[1])] = f(c[0], c[1])
		}
		return out
	}
	t.Run("lengths", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		check.Equal(t, "lengths of the batches", each(func(n, size int) []int { return lengths(batchsize.Batches(n, size, rng)) }), each(cut), check.Exact,
			check.Why("full batches, and a shorter one for what is left"),
			check.Mistake(each(func(n, size int) []int { return slices.Repeat([]int{size}, n/size) }),
				"you dropped the short last batch: every example belongs to the epoch"),
			check.Mistake(each(func(n, size int) []int { return slices.Repeat([]int{size}, (n+size-1)/size) }),
				"you filled the last batch up: it may be shorter"),
			check.Mistake(each(func(n, size int) []int {
				if n%size == 0 {
					return append(cut(n, size), 0)
				}
				return cut(n, size)
			}), "you added an empty batch where the last one is full"),
			check.Mistake(each(func(n, size int) []int {
				lengths := cut(n, size)
				if full := n / size; full > 0 {
					lengths = lengths[:full]
					lengths[full-1] += n % size
				}
				return lengths
			}), "you joined what is left to the last full batch: it is a batch of its own"),
			check.Mistake(each(func(n, size int) []int {
				lengths := cut(n, size)
				slices.Reverse(lengths)
				return lengths
			}), "you put the short batch first: it is the last"),
			check.Mistake(each(func(n, size int) []int {
				var lengths []int
				for k := range (n + size - 1) / size {
					batches := (n + size - 1) / size
					lengths = append(lengths, n*(k+1)/batches-n*k/batches)
				}
				return lengths
			}), evened),
			check.Mistake(each(func(n, size int) []int {
				batches := (n + size - 1) / size
				return cut(n, (n+batches-1)/batches)
			}), evened),
			check.Mistake(each(func(n, size int) []int { return cut(n, (n+size-1)/size) }),
				"you cut into size batches: size is the length of a batch"))
	})
	for _, c := range cases {
		t.Run(fmt.Sprintf("%d in batches of %d", c[0], c[1]), func(t *testing.T) {
			defer check.Rescue(t)
			sorted := joined(batchsize.Batches(c[0], c[1], check.Rand(t)))
			slices.Sort(sorted)
			opts := []check.Option{
				check.Why("an epoch visits each example exactly once"),
				check.Mistake(fromOne(c[0]), "you counted from 1: the indices are 0…n−1"),
			}
			if len(sorted) == c[0] && len(slices.Compact(slices.Clone(sorted))) < len(sorted) {
				opts = append(opts, check.Mistake(sorted, twice))
			}
			check.Equal(t, fmt.Sprintf("Batches(%d, %d, rng) indices, sorted", c[0], c[1]), sorted, upTo(c[0]), check.Exact, opts...)
		})
	}
	shuffled := true
	t.Run("order", func(t *testing.T) {
		defer check.Rescue(t)
		seed := check.Rand(t).Uint64()
		rng := rand.New(rand.NewPCG(seed, 7))
		first, second := joined(batchsize.Batches(40, 6, rng)), joined(batchsize.Batches(40, 6, rng))
		again := joined(batchsize.Batches(40, 6, rand.New(rand.NewPCG(seed, 7))))
		// 40 examples have 40! orders: two equal ones are no accident.
		shuffled = check.Equal(t, "the order is shuffled", !slices.IsSorted(first), true, check.Exact,
			check.Mistake(false, "you left the examples in their own order"))
		if shuffled {
			check.Equal(t, "two epochs in a row have different orders", !slices.Equal(first, second), true, check.Exact,
				check.Mistake(false, "you gave the same order twice: draw it from rng, which moves on"))
		}
		check.Equal(t, "the same seed gives the same order", slices.Equal(first, again), true, check.Exact,
			check.Mistake(false, "you drew from another source of randomness than rng"))
	})
	t.Run("every order is equally likely", func(t *testing.T) {
		defer check.Rescue(t)
		if !shuffled {
			return // the last part has said so
		}
		rng := check.Rand(t)
		const draws = 30_000
		counts := map[[3]int]int{}
		for range draws {
			order := joined(batchsize.Batches(3, 2, rng))
			require.Len(t, order, 3, "Batches(3, 2, rng): got another number of indices than 3")
			counts[[3]int(order)]++
		}
		off := 0.0
		for _, count := range counts {
			off = math.Max(off, math.Abs(float64(count)-draws/6.0))
		}
		opts := []check.Option{check.With("counts", fmt.Sprint(counts)), check.Why("a fair shuffle favours none of the 6 orders")}
		switch {
		case len(counts) < 6:
			opts = append(opts, check.Mistake(false, "some orders never come: shuffle all examples, then cut"))
		case len(counts) > 6:
			opts = append(opts, check.Mistake(false, twice))
		default:
			opts = append(opts, check.Mistake(false, "you favour some orders: swap with a position that is still open (Fisher–Yates), or use rng.Perm"))
		}
		// The largest deviation over 300 seeds: [24, 267] for a fair shuffle, [505, 766] for swaps with any position.
		check.Equal(t, "each of the 6 orders of 3 examples comes 5,000 ± 350 times in 30,000", len(counts) == 6 && off < 350, true, check.Exact, opts...)
	})
	t.Run("every example comes at every place", func(t *testing.T) {
		defer check.Rescue(t)
		if !shuffled {
			return
		}
		rng := check.Rand(t)
		const n, draws = 25, 4000
		var counts [n][n]int // place, example
		for range draws {
			for place, i := range joined(batchsize.Batches(n, 4, rng)) {
				counts[place][i]++
			}
		}
		off := 0.0
		for _, row := range counts {
			for _, count := range row {
				off = math.Max(off, math.Abs(float64(count)-draws/n))
			}
		}
		// The largest deviation: [33, 57] over 300 seeds for a fair shuffle, [1460, 1521] over 20 where the first ten are not shuffled among themselves.
		check.Equal(t, "each of 25 examples comes 160 ± 80 times at each place in 4,000", off < 80, true, check.Exact, check.With("counts", fmt.Sprint(counts)),
			check.Why("a fair shuffle favours no place"))
	})
	t.Run("nothing to cut", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		check.Panics(t, "Batches(5, 0, rng)", func() { batchsize.Batches(5, 0, rng) })
		check.Panics(t, "Batches(0, 5, rng)", func() { batchsize.Batches(0, 5, rng) })
		check.Panics(t, "Batches(-5, 2, rng)", func() { batchsize.Batches(-5, 2, rng) })
		check.Panics(t, "Batches(5, -2, rng)", func() { batchsize.Batches(5, -2, rng) })
	})
	if !t.Failed() { // else it is said already what is wrong with the order
		t.Run("one batch of all", func(t *testing.T) {
			defer check.Rescue(t)
			rng := check.Rand(t)
			for _, size := range []int{40, 64} {
				check.Equal(t, fmt.Sprintf("the order of Batches(40, %d, rng) is shuffled", size), !slices.IsSorted(joined(batchsize.Batches(40, size, rng))), true, check.Exact,
					check.Mistake(false, "you shuffled nothing where one batch holds all examples"))
			}
		})
	}
	check.Independent(t, "Batches(n, size, rng)", batchsize.Batches, check.Args{9, 4, check.Seed(1)}, check.Args{11, 2, check.Seed(2)})
}

// fromOne returns 1…n.
func fromOne(n int) []int {
	out := upTo(n)
	for i := range out {
		out[i]++
	}
	return out
}

// upToFloats returns 0…n−1 as floats.
func upToFloats(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i)
	}
	return out
}

type gradientCase struct {
	Name    string
	X, Y, W check.Array
	Rows    []int
	Grad    check.Array
}

// sumGradient is the sum over rows of ∇½(xᵢ·w − yᵢ)².
func sumGradient(x *mat.Dense, y, w []float64, rows []int) []float64 {
	grad := make([]float64, len(w))
	for _, i := range rows {
		floats.AddScaled(grad, floats.Dot(x.RawRowView(i), w)-y[i], x.RawRowView(i))
	}
	return grad
}

// scaled returns c·v.
func scaled(c float64, v []float64) []float64 {
	return floats.ScaleTo(make([]float64, len(v)), c, v)
}

// gradientHolds says whether Gradient is right over all rows, or panics: then nothing that gives an answer rests on it.
func gradientHolds(x *mat.Dense, y, w []float64) (holds bool) {
	defer func() { holds = holds || recover() != nil }()
	got := batchsize.Gradient(check.Copy(x), check.Copy(y), check.Copy(w), upTo(len(y)))
	return floats.EqualApprox(got, scaled(1/float64(len(y)), sumGradient(x, y, w, upTo(len(y)))), 1e-9)
}

// cut returns the lengths of the batches of n examples.
func cut(n, size int) []int {
	lengths := slices.Repeat([]int{size}, n/size)
	if n%size > 0 {
		lengths = append(lengths, n%size)
	}
	return lengths
}

// batchesHold says whether Batches cuts n examples as it should, and not always in the same way where there are others; or panics.
func batchesHold(n, size int, rng *rand.Rand) (holds bool) {
	defer func() { holds = holds || recover() != nil }()
	ways := map[string]bool{}
	for range 20 {
		batches := batchsize.Batches(n, size, rng)
		if !slices.Equal(lengths(batches), cut(n, size)) {
			return false
		}
		for _, rows := range batches {
			if slices.Contains(rows, 0) {
				ways[fmt.Sprint(slices.Sorted(slices.Values(rows)))] = true
			}
		}
	}
	return len(ways) > 1 || size == 1 || size >= n
}

func loss(x *mat.Dense, y, w []float64, rows []int) float64 {
	sum := 0.0
	for _, i := range rows {
		sum += math.Pow(floats.Dot(x.RawRowView(i), w)-y[i], 2) / 2
	}
	return sum / float64(len(rows))
}

func TestGradient(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[gradientCase](t, "gradient")
	names := check.Consistent(cases, check.Rel(1e-9),
		func(c gradientCase) []float64 {
			return batchsize.Gradient(c.X.Dense(), c.Y.Floats(), c.W.Floats(), slices.Clone(c.Rows))
		},
		func(c gradientCase) []float64 { return c.Grad.Floats() },
		func(c gradientCase) []check.Reading[[]float64] {
			x, y, w := c.X.Dense(), c.Y.Floats(), c.W.Floats()
			n, b := float64(len(y)), float64(len(c.Rows))
			sum := sumGradient(x, y, w, c.Rows)
			return []check.Reading[[]float64]{
				check.Reads(sum, "you summed over the rows: the mean is asked for"),
				check.Reads(scaled(2/b, sum), "you kept a factor of 2: the ½ of the loss takes it away"),
				check.Reads(scaled(-1/b, sum), "you took y − x·w for x·w − y: the sign is flipped"),
				check.Reads(scaled(1/b, sumGradient(x, make([]float64, len(y)), w, c.Rows)), "you left y out: it is the error x·w − y that counts"),
				check.Reads(scaled(1/(b-1), sum), "you divided by one row less than there are"),
				check.Reads(scaled(1/n, sum), "you divided by all N: divide by the number of rows in the batch"),
				check.Reads(scaled(1/n, sumGradient(x, y, w, upTo(len(y)))), "you went through all of x: only the rows listed count"),
				check.Reads(scaled(1/b, sumGradient(x, y, w, upTo(len(c.Rows)))),
					"you took the first rows of x: range gives the positions in rows first, the row numbers second"),
			}
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, y, w := c.X.Dense(), c.Y.Floats(), c.W.Floats()
			px, py, pw, prows := check.Copy(x), check.Copy(y), check.Copy(w), slices.Clone(c.Rows)
			got := batchsize.Gradient(px, py, pw, prows)
			check.Equal(t, "Gradient(x, y, w, rows)", got, c.Grad.Floats(), check.Rel(1e-9), append(names[i],
				check.With("rows", c.Rows), check.Kept("x", px, x), check.Kept("y", py, y), check.Kept("w", pw, w), check.Kept("rows", prows, c.Rows),
				check.Why("the mean over the rows of (xᵢ·w − yᵢ)·xᵢ"))...)
			at := check.Copy(w)
			check.Gradient(t, "Gradient(x, y, w, rows)", got, at, func() float64 { return loss(x, y, at, c.Rows) })
		})
	}
	t.Run("no rows", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Gradient of no rows", func() {
			batchsize.Gradient(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 2}, []float64{1}, nil)
		})
		check.Panics(t, "Gradient of an empty slice of rows", func() {
			batchsize.Gradient(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 2}, []float64{1}, []int{})
		})
	})
	args, others := problems(t)
	check.Independent(t, "Gradient(x, y, w, rows)", batchsize.Gradient, append(args, []int{4, 1, 3}), append(others, []int{0, 3, 5}))
}

type epochCase struct {
	Name    string
	X, Y, W check.Array
	Batches [][]int
	Grad    check.Array
}

func TestEpochGradient(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[epochCase](t, "epoch")
	names := check.Consistent(cases, check.Rel(1e-9),
		func(c epochCase) []float64 {
			return batchsize.EpochGradient(c.X.Dense(), c.Y.Floats(), c.W.Floats(), check.Copy(c.Batches))
		},
		func(c epochCase) []float64 { return c.Grad.Floats() },
		func(c epochCase) []check.Reading[[]float64] {
			x, y, w := c.X.Dense(), c.Y.Floats(), c.W.Floats()
			rows, kept := joined(c.Batches), joined(c.Batches[:len(c.Batches)-1])
			sums := make([]float64, len(w))
			for _, batch := range c.Batches {
				floats.AddScaled(sums, 1/float64(len(batch)), sumGradient(x, y, w, batch))
			}
			return []check.Reading[[]float64]{
				check.Reads(scaled(1/float64(len(c.Batches)), sums), "you gave every batch the same weight: a short one holds fewer examples"),
				check.Reads(sums, "you added the gradients of the batches up: they are means, weigh them"),
				check.Reads(sumGradient(x, y, w, rows), "you weighed by the sizes of the batches, but did not divide by the number of rows"),
				check.Reads(scaled(1/float64(len(kept)), sumGradient(x, y, w, kept)), "you left the last batch out"),
				check.Reads(scaled(1/float64(len(y)), sumGradient(x, y, w, rows)), "you divided by all N: divide by the number of rows listed"),
				check.Reads(scaled(1/float64(len(y)), sumGradient(x, y, w, upTo(len(y)))), "you went through all of x: only the rows listed count"),
			}
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, y, w := c.X.Dense(), c.Y.Floats(), c.W.Floats()
			px, pw := check.Copy(x), check.Copy(w)
			got := batchsize.EpochGradient(px, check.Copy(y), pw, check.Copy(c.Batches))
			options := []check.Option{
				check.With("batches", fmt.Sprint(c.Batches)), check.Kept("x", px, x), check.Kept("w", pw, w),
				check.Why("the gradient of the mean loss over all rows listed"),
			}
			if gradientHolds(x, y, w) {
				options = append(options, names[i]...)
			}
			check.Equal(t, "EpochGradient(x, y, w, batches)", got, c.Grad.Floats(), check.Rel(1e-9), options...)
		})
	}
	t.Run("a row in two batches", func(t *testing.T) {
		defer check.Rescue(t)
		args, _ := problems(t)
		x, y, w := args[0].(*mat.Dense), args[1].([]float64), args[2].([]float64)
		got := batchsize.EpochGradient(check.Copy(x), check.Copy(y), check.Copy(w), [][]int{{4, 1, 3}, {1}, {5, 5}})
		check.Equal(t, "EpochGradient(x, y, w, [[4 1 3] [1] [5 5]])", got, scaled(1.0/6, sumGradient(x, y, w, []int{4, 1, 3, 1, 5, 5})), check.Rel(1e-9),
			check.Why("a row that is listed twice counts twice"),
			check.Mistake(scaled(1.0/4, sumGradient(x, y, w, []int{1, 3, 4, 5})), "you counted every row once: one that is listed twice counts twice"))
	})
	t.Run("no rows", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "EpochGradient of no batches", func() {
			batchsize.EpochGradient(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 2}, []float64{1}, nil)
		})
		check.Panics(t, "EpochGradient of an empty slice of batches", func() {
			batchsize.EpochGradient(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 2}, []float64{1}, [][]int{})
		})
		check.Panics(t, "EpochGradient of an empty batch", func() {
			batchsize.EpochGradient(mat.NewDense(2, 1, []float64{1, 2}), []float64{1, 2}, []float64{1}, [][]int{{}})
		})
	})
	args, others := problems(t)
	check.Independent(t, "EpochGradient(x, y, w, batches)", batchsize.EpochGradient,
		append(args, [][]int{{4, 1, 3}, {0, 2}}), append(others, [][]int{{0, 3, 5}, {1, 4}}))
}

type noiseCase struct {
	Name              string
	Values, Variances check.Array
}

func TestNoiseVariance(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[noiseCase](t, "noise") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			values := c.Values.Floats()
			n := float64(len(values))
			passed := check.Copy(values)
			var got []float64
			for size := 1; size <= len(values); size++ {
				got = append(got, batchsize.NoiseVariance(passed, size))
			}
			mean, variance := stat.Mean(values, nil), stat.PopVariance(values, nil)
			bySize := func(f func(b float64) float64) []float64 {
				var out []float64
				for size := range upTo(len(values)) {
					out = append(out, f(float64(size+1)))
				}
				return out
			}
			check.Equal(t, "NoiseVariance(perExample, size) for size 1…N", got, c.Variances.Floats(), check.Rel(1e-9),
				check.With("perExample", values), check.Kept("perExample", passed, values),
				check.Why("the variance of the means of all mini-batches of that size, listed one by one"),
				check.Mistake(bySize(func(b float64) float64 { return variance / b }),
					"you drew with replacement: without, a batch of all examples has no noise at all"),
				check.Mistake(bySize(func(b float64) float64 { return variance / b * (n - b) / n }),
					"you corrected by (N−B)/N with the variance ÷ N: a batch of 1 must have the variance of the examples"),
				check.Mistake(bySize(func(b float64) float64 { return variance * n / (n - 1) / b * (n - b) / (n - 1) }),
					"you took the sample variance (÷ N−1): here σ² divides by N, these are all the examples there are"),
				check.Mistake(bySize(func(b float64) float64 { return (variance + mean*mean) / b * (n - b) / (n - 1) }),
					"you took the mean of the squares: take the mean off before you square"),
				check.Mistake(bySize(func(b float64) float64 { return math.Sqrt(variance / b * (n - b) / (n - 1)) }),
					"you took the root: the variance is asked for, not the standard deviation"),
				check.Mistake(bySize(func(b float64) float64 { return variance / (b * b) * (n - b) / (n - 1) }),
					"you divided by B²: a mean of B has 1/B of the variance"),
				check.Mistake(bySize(func(b float64) float64 { return variance * b * (n - b) / (n - 1) }),
					"you returned the variance of the sum: a mean is a B-th of it"),
				check.Mistake(bySize(func(b float64) float64 { return variance * (n - b) / (n - 1) }),
					"you left the batch size out: a mean of B has 1/B of the variance"))
		})
	}
	t.Run("one example", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "NoiseVariance([3], 1)", batchsize.NoiseVariance([]float64{3}, 1), 0.0, check.Abs(1e-12),
			check.Why("there is only one batch, so its mean does not vary; mind 0/0"))
	})
	t.Run("two examples", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "NoiseVariance([1 4], 1)", batchsize.NoiseVariance([]float64{1, 4}, 1), 2.25, check.Rel(1e-12), check.Why("a batch of 1 has the variance of the examples"))
		check.Equal(t, "NoiseVariance([1 4], 2)", batchsize.NoiseVariance([]float64{1, 4}, 2), 0.0, check.Abs(1e-12), check.Why("there is only one batch"))
	})
	t.Run("far from 0", func(t *testing.T) {
		defer check.Rescue(t)
		// The squares are above 2⁵³: the mean of the squares less the square of the mean is 4.5 ± a few.
		const offset, want = 1e8, 1.5
		near := []float64{2, -1, 4, -1}
		far := slices.Clone(near)
		floats.AddConst(offset, far)
		got := batchsize.NoiseVariance(far, 2)
		opts := []check.Option{check.Why("a constant that is added to all values changes no variance: 4.5/2·(4−2)/(4−1)")}
		if atZero := batchsize.NoiseVariance(near, 2); math.Abs(atZero-want) < 1e-9 && math.Abs(got-want) > 1e-6 {
			opts = append(opts, check.Mistake(got, "you lost the digits that tell the values apart: take the mean off before you square"))
		}
		check.Equal(t, "NoiseVariance([100000002 99999999 100000004 99999999], 2)", got, want, check.Rel(1e-9), opts...)
	})
	t.Run("no such batch", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "NoiseVariance of 3 values, size 4", func() { batchsize.NoiseVariance([]float64{1, 2, 4}, 4) })
		check.Panics(t, "NoiseVariance of 1 value, size 2", func() { batchsize.NoiseVariance([]float64{3}, 2) })
		check.Panics(t, "NoiseVariance of 1 value, size 0", func() { batchsize.NoiseVariance([]float64{3}, 0) })
		check.Panics(t, "NoiseVariance of no values, size 0", func() { batchsize.NoiseVariance(nil, 0) })
		check.Panics(t, "NoiseVariance of 3 values, size −1", func() { batchsize.NoiseVariance([]float64{1, 2, 4}, -1) })
		check.Panics(t, "NoiseVariance of 3 values, size 0", func() { batchsize.NoiseVariance([]float64{1, 2, 4}, 0) })
	})
	check.Independent(t, "NoiseVariance(perExample, size)", batchsize.NoiseVariance, check.Args{[]float64{4, 1, 3, 2}, 2}, check.Args{[]float64{1, 9, 3, 5}, 3})
}

func TestBudgets(t *testing.T) {
	defer check.Rescue(t)
	updates := func(f func(n, size, epochs int) int) map[string]int {
		out := map[string]int{}
		for _, c := range [][3]int{{120, 50, 2}, {7, 3, 4}, {1797, 64, 10}, {5, 8, 2}, {120, 10, 3}, {9, 9, 1}, {8, 3, 1}, {4, 3, 0}, {10_001, 10_000, 2}, {1<<24 + 1, 1 << 24, 1}} {
			out[fmt.Sprintf("Updates(%d, %d, %d)", c[0], c[1], c[2])] = f(c[0], c[1], c[2])
		}
		return out
	}
	perEpoch := func(n, size int) int { return (n + size - 1) / size }
	check.Equal(t, "number of updates", updates(batchsize.Updates), updates(func(n, size, epochs int) int { return perEpoch(n, size) * epochs }), check.Exact,
		check.Why("a short last batch is an update too, in every epoch"),
		check.Mistake(updates(func(n, size, epochs int) int { return n / size * epochs }), "you did not count the short last batch of an epoch"),
		check.Mistake(updates(func(n, size, epochs int) int { return perEpoch(n*epochs, size) }), "you let a batch run on into the next epoch: each epoch ends with its own short batch"),
		check.Mistake(updates(func(n, size, epochs int) int { return n * epochs / size }), "you let a batch run on into the next epoch, and rounded down: each epoch ends with its own short batch"),
		check.Mistake(updates(func(n, size, epochs int) int { return perEpoch(n, size) }), "you counted one epoch only"),
		check.Mistake(updates(func(n, size, epochs int) int { return (n/size + 1) * epochs }), "you counted a short last batch where there is none"),
		check.Mistake(updates(func(n, size, epochs int) int { return n * epochs }), "you counted an update an example: there is one a batch"))

	check.Equal(t, "ScaledRate(0.1, 256, 8192)", batchsize.ScaledRate(0.1, 256, 8192), 3.2, check.Rel(1e-12),
		check.Why("k times the batch, k times the rate"),
		check.Mistake(0.1*math.Sqrt(32), "you scaled by √k: the linear rule scales by k"),
		check.Mistake(0.1/32, "you turned the ratio round: a larger batch takes a larger rate"))
	check.Equal(t, "ScaledRate(0.4, 64, 24)", batchsize.ScaledRate(0.4, 64, 24), 0.15, check.Rel(1e-12),
		check.Why("the rule holds for smaller batches too"),
		check.Mistake(0.4*math.Sqrt(24.0/64), "you scaled by √k: the linear rule scales by k"),
		check.Mistake(0.4*64/24, "you turned the ratio round: a larger batch takes a larger rate"),
		check.Mistake(0.0, "you divided whole numbers: 24/64 is 0 among ints"))

	bytes := func(f func(batch int, widths []int) int) map[string]int {
		out := map[string]int{}
		for _, c := range []struct {
			batch  int
			widths []int
		}{{32, []int{784, 300, 100, 10}}, {3, []int{4, 7, 2}}, {1, []int{5, 1}}, {4096, []int{100_000, 1000}}} {
			out[fmt.Sprintf("ActivationBytes(%d, %v)", c.batch, c.widths)] = f(c.batch, slices.Clone(c.widths))
		}
		return out
	}
	sum := func(widths []int) (total int) {
		for _, width := range widths {
			total += width
		}
		return total
	}
	check.Equal(t, "bytes kept for the backward pass", bytes(batchsize.ActivationBytes), bytes(func(batch int, widths []int) int { return 8 * batch * sum(widths) }), check.Exact,
		check.Why("every example keeps every value of every layer, 8 bytes each"),
		check.Mistake(bytes(func(_ int, widths []int) int { return 8 * sum(widths) }), "you counted one example: every example of the batch keeps its own activations"),
		check.Mistake(bytes(func(batch int, widths []int) int { return 4 * batch * sum(widths) }), "you took 4 bytes a value: a float64 has 8"),
		check.Mistake(bytes(func(batch int, widths []int) int { return batch * sum(widths) }), "you counted values: bytes are asked for"),
		check.Mistake(bytes(func(batch int, widths []int) int { return 64 * batch * sum(widths) }), "you counted bits: bytes are asked for"),
		check.Mistake(bytes(func(batch int, widths []int) int {
			product := 8 * batch
			for _, width := range widths {
				product *= width
			}
			return product
		}), "you multiplied the widths: the layers' values add up"),
		check.Mistake(bytes(func(_ int, widths []int) int {
			weights := 0
			for l := range len(widths) - 1 {
				weights += widths[l] * widths[l+1]
			}
			return 8 * weights
		}), "you counted the weights: they do not grow with the batch, the activations do"),
		check.Mistake(bytes(func(batch int, widths []int) int { return 8 * batch * sum(widths[1:]) }), "you left the first layer out: all layers of widths count"),
		check.Mistake(bytes(func(batch int, widths []int) int { return 8 * batch * sum(widths[:len(widths)-1]) }), "you left the last layer out: all layers of widths count"),
		check.Mistake(bytes(func(batch int, widths []int) int { return 8 * batch * slices.Max(widths) }), "you counted the widest layer: the backward pass needs all of them"))
	check.Equal(t, "ScaledRate(0, 64, 24)", batchsize.ScaledRate(0, 64, 24), 0.0, check.Exact, check.Why("a rate of 0 stays 0"))
	check.Equal(t, "ActivationBytes(0, [5, 1])", batchsize.ActivationBytes(0, []int{5, 1}), 0, check.Exact, check.Why("no example keeps anything"))
	check.Equal(t, "ActivationBytes(5, [])", batchsize.ActivationBytes(5, nil), 0, check.Exact, check.Why("no layer is listed"))
	check.Independent(t, "Updates(n, size, epochs)", batchsize.Updates, check.Args{120, 50, 2}, check.Args{70, 30, 4})
	check.Independent(t, "ScaledRate(rate, from, to)", batchsize.ScaledRate, check.Args{0.1, 256, 512}, check.Args{0.4, 64, 128})
	check.Independent(t, "ActivationBytes(batch, widths)", batchsize.ActivationBytes, check.Args{3, []int{9, 7, 2}}, check.Args{5, []int{6, 4, 1}})
}

// problems returns x, y and w of a least-squares problem of 6 rows, and of another one.
func problems(t *testing.T) (args, others check.Args) {
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{mat.NewDense(6, 3, check.Normal(rng, 18, 1)), check.Normal(rng, 6, 1), check.Normal(rng, 3, 1)}
	}
	return draw(), draw()
}

type sgdCase struct {
	Name         string
	X, Y, W      check.Array
	Size, Epochs int
	Rate         float64
	W1, Losses   check.Array
}

// descend is SGD over the rows in their own order. update makes the update of one batch, in place.
func descend(c sgdCase, update func(x *mat.Dense, y, w []float64, rows []int)) (w, losses []float64) {
	x, y := c.X.Dense(), c.Y.Floats()
	w = c.W.Floats()
	for range c.Epochs {
		for rows := range slices.Chunk(upTo(len(y)), c.Size) {
			update(x, y, w, rows)
		}
		losses = append(losses, loss(x, y, w, upTo(len(y))))
	}
	return w, losses
}

func TestSGD(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[sgdCase](t, "sgd")
	run := func(c sgdCase) (w1, losses []float64) {
		return batchsize.SGD(c.X.Dense(), c.Y.Floats(), c.W.Floats(), c.Size, c.Epochs, c.Rate, check.Rand(t))
	}
	wrong := func(c sgdCase, pick func(w, losses []float64) []float64) []check.Reading[[]float64] {
		reads := func(says string, update func(x *mat.Dense, y, w []float64, rows []int)) check.Reading[[]float64] {
			return check.Reads(pick(descend(c, update)), says)
		}
		readings := []check.Reading[[]float64]{
			reads("you summed over the rows of the batch: move by the mean of their gradients", func(x *mat.Dense, y, w []float64, rows []int) {
				floats.AddScaled(w, -c.Rate, sumGradient(x, y, w, rows))
			}),
			reads("you took every gradient at the w of the start: take it at the w reached so far", func(x *mat.Dense, y, w []float64, rows []int) {
				floats.AddScaled(w, -c.Rate/float64(len(rows)), sumGradient(x, y, c.W.Data, rows))
			}),
			reads("you went uphill: the update is minus the gradient", func(x *mat.Dense, y, w []float64, rows []int) {
				floats.AddScaled(w, c.Rate/float64(len(rows)), sumGradient(x, y, w, rows))
			}),
			// Rows are equal in the cases with a short batch: a batch that takes it in moves by the same gradient.
			reads("you dropped the short last batch, or joined it to another: it makes an update of its own", func(x *mat.Dense, y, w []float64, rows []int) {
				if len(rows) == min(c.Size, len(y)) {
					floats.AddScaled(w, -c.Rate/float64(len(rows)), sumGradient(x, y, w, rows))
				}
			}),
			reads("you divided the short last batch by size: divide by the rows it has", func(x *mat.Dense, y, w []float64, rows []int) {
				floats.AddScaled(w, -c.Rate/float64(c.Size), sumGradient(x, y, w, rows))
			}),
		}
		if x := c.X.Dense(); floats.Same(x.RawRowView(0), x.RawRowView(1)) { // of different rows, the order would count
			readings = append(readings, reads("you updated inside the batch: all its gradients are taken at the same w", func(x *mat.Dense, y, w []float64, rows []int) {
				for _, i := range rows {
					floats.AddScaled(w, -c.Rate/float64(len(rows)), sumGradient(x, y, w, []int{i}))
				}
			}))
		}
		return readings
	}
	weights := check.Consistent(cases, check.Rel(1e-9), func(c sgdCase) []float64 { w1, _ := run(c); return w1 }, func(c sgdCase) []float64 { return c.W1.Floats() },
		func(c sgdCase) []check.Reading[[]float64] {
			return append(wrong(c, func(w, _ []float64) []float64 { return w }), check.Reads(c.Losses.Floats(), "you exchanged the results: the weights come first"))
		})
	recorded := check.Consistent(cases, check.Rel(1e-9), func(c sgdCase) []float64 { _, losses := run(c); return losses }, func(c sgdCase) []float64 { return c.Losses.Floats() },
		func(c sgdCase) []check.Reading[[]float64] {
			want := c.Losses.Floats()
			before := append([]float64{loss(c.X.Dense(), c.Y.Floats(), c.W.Floats(), upTo(len(c.Y.Data)))}, want[:len(want)-1]...)
			return append(wrong(c, func(_, losses []float64) []float64 { return losses }),
				check.Reads(scaled(2, want), "you left the ½ out of the loss"),
				check.Reads(scaled(float64(len(c.Y.Data)), want), "you summed the loss over the rows: it is a mean"),
				check.Reads(before, "you measured the loss before the epoch: it is asked for after"),
				check.Reads(slices.Repeat(want[len(want)-1:], len(want)), "you measured all losses at the last weights: each is that after its epoch"))
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, y, w := c.X.Dense(), c.Y.Floats(), c.W.Floats()
			px, py, pw := check.Copy(x), check.Copy(y), check.Copy(w)
			w1, losses := batchsize.SGD(px, py, pw, c.Size, c.Epochs, c.Rate, check.Rand(t))

			holds := gradientHolds(x, y, w) && batchesHold(len(y), c.Size, check.Rand(t))
			options := func(names []check.Option) []check.Option {
				opts := []check.Option{
					check.With("size", c.Size), check.With("epochs", c.Epochs), check.With("rate", c.Rate),
					check.Kept("x", px, x), check.Kept("y", py, y), check.Kept("w", pw, w),
					check.Why("one update a batch with the mean gradient of the batch, as torch.optim.SGD makes it"),
				}
				if holds {
					opts = append(opts, names...)
				}
				return opts
			}
			right := check.Equal(t, "SGD(x, y, w, …) w1", w1, c.W1.Floats(), check.Rel(1e-9), options(weights[i])...)
			if !right && slices.EqualFunc(losses, c.W1.Floats(), same) {
				return // exchanged: the losses would say so again
			}
			check.Equal(t, "SGD(x, y, w, …) losses", losses, c.Losses.Floats(), check.Rel(1e-9), options(recorded[i])...)
		})
	}
	for _, c := range [][2]int{{4, 1}, {4, 2}, {3, 2}} {
		t.Run(fmt.Sprintf("any order of %d rows in batches of %d", c[0], c[1]), func(t *testing.T) {
			defer check.Rescue(t)
			anyOrder(t, c[0], c[1])
		})
	}
	t.Run("the generator given", func(t *testing.T) {
		defer check.Rescue(t)
		seed := check.Rand(t).Uint64()
		x := mat.NewDense(12, 1, []float64{1, -2, 3, 1, 2, -1, 2, 3, -3, 1, 2, 4})
		descend := func() []float64 {
			w1, _ := batchsize.SGD(check.Copy(x), upToFloats(12), []float64{0.5}, 1, 4, 0.02, rand.New(rand.NewPCG(seed, 7)))
			return w1
		}
		check.Equal(t, "SGD with the same seed ends at the same w1", slices.EqualFunc(descend(), descend(), same), true, check.Exact,
			check.Mistake(false, "you drew from another source of randomness than rng in SGD"))
	})
	t.Run("no epoch", func(t *testing.T) {
		defer check.Rescue(t)
		w1, losses := batchsize.SGD(mat.NewDense(2, 1, []float64{1, 2}), []float64{3, 4}, []float64{5}, 1, 0, 0.1, check.Rand(t))
		check.Equal(t, "SGD of 0 epochs w1", w1, []float64{5}, check.Exact)
		check.Equal(t, "SGD of 0 epochs losses", losses, []float64{}, check.Exact)
	})
	if !t.Failed() {
		t.Run("a rate of 0", func(t *testing.T) {
			defer check.Rescue(t)
			w1, losses := batchsize.SGD(mat.NewDense(2, 1, []float64{1, 2}), []float64{3, 4}, []float64{5}, 1, 3, 0, check.Rand(t))
			check.Equal(t, "SGD at the rate 0 w1", w1, []float64{5}, check.Exact, check.Why("nothing moves"))
			check.Equal(t, "SGD at the rate 0 losses", losses, []float64{10, 10, 10}, check.Rel(1e-12), check.Why("(2² + 6²)/4, after each of 3 epochs"))
		})
	}
	t.Run("no size", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		check.Panics(t, "SGD with batches of 0", func() {
			batchsize.SGD(mat.NewDense(2, 1, []float64{1, 2}), []float64{3, 4}, []float64{5}, 0, 1, 0.1, rng)
		})
		check.Panics(t, "SGD with batches of 0, no epochs", func() {
			batchsize.SGD(mat.NewDense(2, 1, []float64{1, 2}), []float64{3, 4}, []float64{5}, 0, 0, 0.1, rng)
		})
		check.Panics(t, "SGD with batches of −1", func() {
			batchsize.SGD(mat.NewDense(2, 1, []float64{1, 2}), []float64{3, 4}, []float64{5}, -1, 1, 0.1, rng)
		})
	})
	args, others := problems(t)
	check.Independent(t, "SGD(x, y, w, size, 0, rate, rng)", batchsize.SGD,
		check.Args{args[0], args[1], args[2], 2, 0, 0.05, check.Seed(1)}, check.Args{others[0], others[1], others[2], 2, 0, 0.05, check.Seed(2)}, check.AnyAnswer())
	check.Independent(t, "SGD(x, y, w, size, epochs, rate, rng)", batchsize.SGD, append(args, 2, 3, 0.05, check.Seed(1)), append(others, 4, 2, 0.02, check.Seed(2)))
}

// anyOrder follows SGD over n rows in batches of size, whatever order it draws: after each epoch the loss must be that of one
// of all orders, and it tells which.
func anyOrder(t *testing.T, n, size int) {
	t.Helper()
	rng := check.Rand(t)
	const epochs, rate = 20, 0.1
	pairings := combin.Permutations(n, n) // the first is the rows' own order
	// Within a batch the order does not count: the first of these is the rows' own, too.
	perms := slices.DeleteFunc(slices.Clone(pairings), func(order []int) bool {
		for rows := range slices.Chunk(order, size) {
			if !slices.IsSorted(rows) {
				return true
			}
		}
		return false
	})
	// Epochs with a row that comes twice, but not one row alone.
	sequences := slices.DeleteFunc(combin.Cartesian(slices.Repeat([]int{n}, n)), func(order []int) bool {
		different := len(slices.Compact(slices.Sorted(slices.Values(order))))
		return different == n || different == 1
	})
	x, y, w := mat.NewDense(n, 2, nil), make([]float64, n), []float64{0.5, -0.5}
	x.Apply(func(int, int, float64) float64 { return 1 + rng.NormFloat64() }, x)
	for i := range y {
		y[i] = 3 * rng.NormFloat64()
	}
	all := upTo(n)
	epoch := func(w, y []float64, order []int) []float64 {
		w = slices.Clone(w)
		for rows := range slices.Chunk(order, size) {
			floats.AddScaled(w, -rate/float64(len(rows)), sumGradient(x, y, w, rows))
		}
		return w
	}
	nearest := func(got float64, candidates []float64) int {
		best := 0
		for k, c := range candidates {
			if math.Abs(c-got) < math.Abs(candidates[best]-got) {
				best = k
			}
		}
		return best
	}

	px, py := check.Copy(x), check.Copy(y)
	w1, losses := batchsize.SGD(px, py, check.Copy(w), size, epochs, rate, rng)
	if !check.Equal(t, "number of losses", len(losses), epochs, check.Exact, check.Why("one after each epoch"),
		check.Mistake((n+size-1)/size*epochs, "you recorded a loss after every update"), check.Mistake(epochs+1, "you recorded the loss of the start too")) {
		return
	}
	orders, mates := map[int]bool{}, map[string]bool{} // mates: the batches that row 0 was in
	for e, got := range losses {
		var right, apart, twice []float64
		for _, order := range perms {
			right = append(right, loss(x, y, epoch(w, y, order), all))
			for _, pairing := range pairings[1:] {
				mixed := make([]float64, n)
				for i, k := range pairing {
					mixed[i] = y[k]
				}
				apart = append(apart, loss(x, y, epoch(w, mixed, order), all))
			}
		}
		for _, order := range sequences {
			twice = append(twice, loss(x, y, epoch(w, y, order), all))
		}
		k := nearest(got, right)
		opts := []check.Option{
			check.With("x", x), check.With("y", y), check.With("w before the epoch", w), check.With("rate", rate),
			check.Why("of the losses that all orders of the rows give, the nearest"),
		}
		if size == 1 { // the losses of larger batches lie closer together
			opts = append(opts,
				check.Mistake(apart[nearest(got, apart)], "you shuffled x without y: a row and its target stay together"),
				check.Mistake(twice[nearest(got, twice)], "you drew an index twice in one epoch: each row comes once"))
		}
		// 552 wrong losses lie about: a tight tolerance keeps one of them from passing for right.
		if !check.Equal(t, fmt.Sprintf("SGD of %d rows, batches of %d: losses[%d]", n, size, e), got, right[k], check.Rel(1e-11), opts...) {
			return
		}
		orders[k] = true
		for rows := range slices.Chunk(perms[k], size) {
			if slices.Contains(rows, 0) {
				mates[fmt.Sprint(rows)] = true
			}
		}
		w = epoch(w, y, perms[k])
	}
	check.Equal(t, fmt.Sprintf("SGD of %d rows, batches of %d: w1", n, size), w1, w, check.Rel(1e-9), check.Why("the weights after the last update"))
	says := "you took one order for all epochs: each takes a fresh one"
	if orders[0] {
		says = "you took the examples in their own order in every epoch: each takes a fresh one"
	}
	// Of 3 pairings or orders, or more, the same one 20 times running has a chance of 3⁻¹⁹.
	if !check.Equal(t, "20 epochs use more than one order", len(orders) > 1, true, check.Exact, check.Mistake(false, says)) || size == 1 {
		return
	}
	opts := []check.Option{check.Why("each epoch shuffles the rows, and then cuts them")}
	if batchesHold(n, size, rng) {
		opts = append(opts, check.Mistake(false, "you cut the rows into batches once, and shuffled those: each epoch shuffles the rows"))
	}
	check.Equal(t, "20 epochs cut the rows in more than one way", len(mates) > 1, true, check.Exact, opts...)
}
