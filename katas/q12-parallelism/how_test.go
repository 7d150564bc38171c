package parallelism_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	parallelism "whyhow/katas/q12-parallelism"
)

type shardsCase struct {
	N, Workers int
	Froms, Tos []int
}

//kata:exempt RingWorker its workers change v in place and share channels; TestRing looks at every message and at what is left

func TestShards(t *testing.T) {
	defer check.Rescue(t)
	cut := func(n, workers int, end func(k int) int) [][2]int {
		shards := make([][2]int, workers)
		for k := range shards {
			shards[k] = [2]int{min(end(k), n), min(end(k+1), n)}
		}
		return shards
	}
	for _, c := range check.Golden[shardsCase](t, "shards") {
		t.Run(fmt.Sprintf("%d items, %d workers", c.N, c.Workers), func(t *testing.T) {
			defer check.Rescue(t)
			want := make([][2]int, c.Workers)
			for k := range want {
				want[k] = [2]int{c.Froms[k], c.Tos[k]}
			}
			size, up := c.N/c.Workers, (c.N+c.Workers-1)/c.Workers
			opts := []check.Option{check.Why("contiguous, in order, the first n mod workers of them one longer")}
			if c.N == 10 && c.Workers == 4 {
				last := cut(c.N, c.Workers, func(k int) int { return size * k })
				last[c.Workers-1][1] = c.N
				opts = append(opts,
					check.Mistake(cut(c.N, c.Workers, func(k int) int { return up * k }), "you rounded every size up, as torch.chunk does: the last worker gets the rest, here 1 item against 3"),
					check.Mistake(last, "you gave the whole remainder to the last worker: sizes differ by at most 1"),
					check.Mistake(cut(c.N, c.Workers, func(k int) int { return size * k }), "you dropped the remainder: every item belongs to a shard"),
					check.Mistake(cut(c.N, c.Workers, func(k int) int { return k * c.N / c.Workers }), "you spread the longer shards out: the first n mod workers are the longer ones here"),
					check.Mistake([][2]int{{0, 2}, {2, 4}, {4, 7}, {7, 10}}, "you made the last shards the longer ones: it is the first n mod workers"),
					check.Mistake([][2]int{{0, 2}, {3, 5}, {6, 7}, {8, 9}}, "you returned the last item for the end: a shard ends before to, as a slice does"),
					check.Mistake([][2]int{{0, 3}, {3, 3}, {6, 2}, {8, 2}}, "you returned where a shard begins and how long it is: the second number is where it ends"))
			}
			check.Equal(t, fmt.Sprintf("Shards(%d, %d)", c.N, c.Workers), parallelism.Shards(c.N, c.Workers), want, check.Exact, opts...)
		})
	}
	check.Panics(t, "Shards(4, 0)", func() { parallelism.Shards(4, 0) })
	check.Panics(t, "Shards(-1, 2)", func() { parallelism.Shards(-1, 2) })
	check.Panics(t, "Shards(4, -1)", func() { parallelism.Shards(4, -1) })
	check.Independent(t, "Shards(n, workers)", parallelism.Shards, check.Args{10, 4}, check.Args{7, 3})
}

type meanCase struct {
	Name  string
	Sizes []int
	Grads []check.Array
	Whole check.Array
}

func arrays(a []check.Array) [][]float64 {
	out := make([][]float64, len(a))
	for k := range a {
		if len(a[k].Data) > 0 {
			out[k] = a[k].Floats()
		}
	}
	return out
}

// combined returns Σ weights[k]·v[k].
func combined(v [][]float64, weights []float64) []float64 {
	var sum []float64
	for k := range v {
		if v[k] == nil {
			continue
		}
		if sum == nil {
			sum = make([]float64, len(v[k]))
		}
		floats.AddScaled(sum, weights[k], v[k])
	}
	return sum
}

func constant(n int, c float64) []float64 {
	out := make([]float64, n)
	floats.AddConst(c, out)
	return out
}

func scaledBy(c float64, v []float64) []float64 {
	floats.Scale(c, v)
	return v
}

func TestWeightedMean(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[meanCase](t, "means") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			grads, workers := arrays(c.Grads), len(c.Sizes)
			passed, sizes := check.Copy(grads), slices.Clone(c.Sizes)
			counts := make([]float64, workers)
			for k, n := range sizes {
				counts[k] = float64(n)
			}
			opts := []check.Option{
				check.Why("the gradient of the mean over all examples, by PyTorch: each example weighs the same"),
				check.Kept("grads", passed, grads), check.Kept("sizes", sizes, c.Sizes),
				check.Mistake(combined(grads, counts), "you forgot to divide by the number of examples"),
			}
			if total := floats.Sum(counts); workers > 1 && total != float64(workers) {
				opts = append(opts,
					check.Mistake(combined(grads, constant(workers, 1/total)), "you divided by the number of examples and did not multiply by the sizes: each gradient is a mean already"),
					check.Mistake(scaledBy(1/float64(workers), combined(grads, counts)), "you weighed by the sizes and divided by the number of workers: divide by the number of examples"))
			}
			if slices.Max(sizes) != slices.Min(sizes) {
				opts = append(opts,
					check.Mistake(combined(grads, constant(workers, 1/float64(workers))), "you took the mean of the means: a worker with more examples weighs more"),
					check.Mistake(combined(grads, constant(workers, 1)), "you added the workers' gradients: each is a mean already, weigh it by its share of the examples"))
			}
			check.Equal(t, "WeightedMean(grads, sizes)", parallelism.WeightedMean(passed, sizes), c.Whole.Floats(), check.Rel(1e-9), opts...)
		})
	}
	check.Panics(t, "WeightedMean of two gradients and one size", func() { parallelism.WeightedMean([][]float64{{1}, {2}}, []int{3}) })
	check.Panics(t, "WeightedMean of no examples", func() { parallelism.WeightedMean([][]float64{{1}, {2}}, []int{0, 0}) })
	check.Panics(t, "WeightedMean of one gradient and two sizes", func() { parallelism.WeightedMean([][]float64{{1}}, []int{3, 2}) })
	check.Panics(t, "WeightedMean of a gradient more than sizes, the last without examples", func() { parallelism.WeightedMean([][]float64{{1}, nil}, []int{3}) })
	check.Panics(t, "WeightedMean of nothing", func() { parallelism.WeightedMean(nil, nil) })
	check.Panics(t, "WeightedMean with a negative last size", func() { parallelism.WeightedMean([][]float64{{1}, {2}}, []int{3, -1}) })
	check.Panics(t, "WeightedMean with sizes that cancel", func() { parallelism.WeightedMean([][]float64{{1}, {2}}, []int{2, -2}) })
	check.Panics(t, "WeightedMean of gradients of 3 and 2 values", func() { parallelism.WeightedMean([][]float64{{1, 2, 3}, {1, 2}}, []int{1, 1}) })
	check.Panics(t, "WeightedMean with a negative size", func() { parallelism.WeightedMean([][]float64{{1}, {2}}, []int{-1, 2}) })
	check.Panics(t, "WeightedMean of gradients of 2 and 3 values", func() { parallelism.WeightedMean([][]float64{{1, 2}, {1, 2, 3}}, []int{1, 1}) })
	check.Independent(t, "WeightedMean(grads, sizes)", parallelism.WeightedMean,
		check.Args{[][]float64{{1, 2}, nil, {3, 5}}, []int{3, 0, 2}}, check.Args{[][]float64{{4, 1}, nil, {2, 7}}, []int{1, 0, 4}})
	check.Independent(t, "WeightedMean(one, sizes)", parallelism.WeightedMean, // equal to a gradient that was given
		check.Args{[][]float64{{1, 2}, nil}, []int{3, 0}}, check.Args{[][]float64{{4, 1}, {2, 7}}, []int{3, 0}})
}

type layerCase struct {
	Name          string
	Workers       int
	X, W, Whole   check.Array
	Columns, Rows []check.Array
}

type mlpCase struct {
	Name           string
	World          int
	X, A, B, Whole check.Array
	Shards         []check.Array
}

func product(a, b mat.Matrix) *mat.Dense {
	var c mat.Dense
	c.Mul(a, b)
	return &c
}

func relu(a *mat.Dense) *mat.Dense {
	var c mat.Dense
	c.Apply(func(_, _ int, z float64) float64 { return max(z, 0) }, a)
	return &c
}

func added(parts []*mat.Dense) *mat.Dense {
	var sum mat.Dense
	sum.CloneFrom(parts[0])
	for _, p := range parts[1:] {
		sum.Add(&sum, p)
	}
	return &sum
}

func scaled(c float64, a *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Scale(c, a)
	return &out
}

func TestLayers(t *testing.T) {
	defer check.Rescue(t)
	tol := check.Rel(1e-9)
	for _, c := range check.Golden[layerCase](t, "layers") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.Dense(), c.W.Dense()
			px, pw := check.Copy(x), check.Copy(w)
			blocks := parallelism.ColumnParallel(px, pw, c.Workers)
			require.Len(t, blocks, c.Workers, "ColumnParallel(x, w, %d) returned %d blocks", c.Workers, len(blocks))
			for k, want := range c.Columns {
				call := fmt.Sprintf("ColumnParallel(x, w, %d)[%d]", c.Workers, k)
				if want.Shape[1] == 0 {
					require.True(t, blocks[k] != nil && blocks[k].IsEmpty(), "%s is not empty: worker %d has no column", call, k)
					continue
				}
				opts := []check.Option{check.Why("x times the worker's own columns of w"), check.Kept("x", px, x), check.Kept("w", pw, w)}
				if c.Workers > 1 {
					opts = append(opts, check.Mistake(c.Whole.Dense(), "you computed the whole product in every worker: each holds a shard of the columns of w"))
				}
				check.Equal(t, call, blocks[k], want.Dense(), tol, opts...)
			}

			partial := parallelism.RowParallel(px, pw, c.Workers)
			require.Len(t, partial, c.Workers, "RowParallel(x, w, %d) returned %d partial sums", c.Workers, len(partial))
			for k, want := range c.Rows {
				opts := []check.Option{
					check.Why("the worker's own columns of x times its own rows of w; the results sum to x·w"), check.Kept("x", px, x), check.Kept("w", pw, w),
				}
				if c.Workers > 1 {
					opts = append(opts, check.Mistake(c.Whole.Dense(), "you computed the whole product in every worker: each holds a shard of the rows of w"))
					if mat.Norm(want.Dense(), 1) > 0 {
						opts = append(opts, check.Mistake(scaled(1/float64(c.Workers), want.Dense()), "you divided by the number of workers: the parts are added, not averaged"))
					}
				}
				check.Equal(t, fmt.Sprintf("RowParallel(x, w, %d)[%d]", c.Workers, k), partial[k], want.Dense(), tol, opts...)
			}
		})
	}
	for _, c := range check.Golden[mlpCase](t, "mlps") {
		t.Run("perceptron, "+c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, a, b := c.X.Dense(), c.A.Dense(), c.B.Dense()
			px, pa, pb := check.Copy(x), check.Copy(a), check.Copy(b)
			units, _ := b.Dims()
			var parts []*mat.Dense
			for rank, want := range c.Shards {
				opts := []check.Option{
					check.Why("the worker's own hidden units, from x to their share of the output"),
					check.Kept("x", px, x), check.Kept("a", pa, a), check.Kept("b", pb, b),
				}
				if c.World > 1 && rank < units {
					from := 0
					for r := range rank {
						from += (units + c.World - 1 - r) / c.World
					}
					to := from + (units+c.World-1-rank)/c.World
					features, outputs := a.RawMatrix().Rows, b.RawMatrix().Cols
					linear := product(product(x, a.Slice(0, features, from, to)), b.Slice(from, to, 0, outputs))
					opts = append(opts,
						check.Mistake(linear, "you left ReLU for after the sum: it belongs to the hidden units, each worker applies it to its own"),
						check.Mistake(relu(linear), "you applied ReLU to the partial sums: it belongs to the hidden units"),
						check.Mistake(c.Whole.Dense(), "you computed the whole perceptron in every worker: each holds a shard of the hidden units"))
				}
				got := parallelism.MLPShard(px, pa, pb, rank, c.World)
				if !check.Equal(t, fmt.Sprintf("MLPShard(x, a, b, %d, %d)", rank, c.World), got, want.Dense(), tol, opts...) {
					return
				}
				parts = append(parts, got)
			}
			check.Equal(t, "the sum of MLPShard over all ranks", added(parts), c.Whole.Dense(), tol, check.Why("relu(x·a)·b"))
		})
	}
	x, w := mat.NewDense(2, 3, nil), mat.NewDense(4, 2, nil)
	check.Panics(t, "ColumnParallel of 3 columns by 4 rows", func() { parallelism.ColumnParallel(x, w, 2) })
	check.Panics(t, "RowParallel of 3 columns by 4 rows", func() { parallelism.RowParallel(x, w, 2) })
	check.Panics(t, "ColumnParallel for 0 workers", func() { parallelism.ColumnParallel(w, x, 0) })
	check.Panics(t, "MLPShard of shapes that do not match", func() { parallelism.MLPShard(x, w, x, 0, 2) })
	three, two := mat.NewDense(3, 1, nil), mat.NewDense(2, 1, nil)
	check.Panics(t, "ColumnParallel of 3 columns by 2 rows", func() { parallelism.ColumnParallel(x, two, 2) })
	check.Panics(t, "RowParallel of 3 columns by 2 rows", func() { parallelism.RowParallel(x, two, 2) })
	check.Panics(t, "ColumnParallel for −1 workers", func() { parallelism.ColumnParallel(w, x, -1) })
	check.Panics(t, "RowParallel for 0 workers", func() { parallelism.RowParallel(w, x, 0) })
	check.Panics(t, "RowParallel for −1 workers", func() { parallelism.RowParallel(w, x, -1) })
	check.Panics(t, "MLPShard of 3 columns by 2 rows", func() { parallelism.MLPShard(x, two, mat.NewDense(1, 1, nil), 0, 2) })
	check.Panics(t, "MLPShard of 3 hidden units by 2 rows", func() { parallelism.MLPShard(w, x, two, 0, 2) })
	check.Panics(t, "MLPShard of 3 hidden units by 4 rows", func() { parallelism.MLPShard(w, x, mat.NewDense(4, 1, nil), 0, 2) })
	check.Panics(t, "MLPShard of rank −1 in a world of 2", func() { parallelism.MLPShard(w, x, three, -1, 2) })
	check.Panics(t, "MLPShard of rank 0 in a world of 0", func() { parallelism.MLPShard(w, x, three, 0, 0) })
	rng := check.Rand(t)
	draw := func(more ...any) check.Args {
		args := check.Args{mat.NewDense(20, 4, check.Normal(rng, 80, 1)), mat.NewDense(4, 5, check.Normal(rng, 20, 1)), mat.NewDense(5, 2, check.Normal(rng, 10, 1))}
		return append(args[:3-len(more)%2], more...)
	}
	check.Independent(t, "ColumnParallel(x, w, workers)", parallelism.ColumnParallel, draw(2), draw(3))
	check.Independent(t, "RowParallel(x, w, workers)", parallelism.RowParallel, draw(2), draw(3))
	check.Independent(t, "MLPShard(x, a, b, rank, world)", parallelism.MLPShard, draw(0, 2), draw(1, 3))
	check.Panics(t, "MLPShard of rank 2 in a world of 2", func() { parallelism.MLPShard(w, x, mat.NewDense(3, 1, nil), 2, 2) })
}

type statsCase struct {
	Name             string
	N                []int
	Means, Variances []check.Array
	Mean, Variance   check.Array
}

func TestMergeStats(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[statsCase](t, "stats") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			mergeAndCheck(t, c, c.N, arrays(c.Means), arrays(c.Variances))
		})
	}
	t.Run("a shard without rows", func(t *testing.T) {
		defer check.Rescue(t)
		c := check.Golden[statsCase](t, "stats")[0]
		n, means, variances := slices.Insert(slices.Clone(c.N), 1, 0), arrays(c.Means), arrays(c.Variances)
		nan := constant(len(means[0]), math.NaN())
		mergeAndCheck(t, c, n, slices.Insert(means, 1, nan), slices.Insert(variances, 1, nan))
	})
	one, two := []float64{1}, []float64{1, 2}
	check.Panics(t, "MergeStats of two sizes and one mean", func() { parallelism.MergeStats([]int{1, 2}, [][]float64{one}, [][]float64{one, one}) })
	check.Panics(t, "MergeStats of two sizes and one variance", func() { parallelism.MergeStats([]int{1, 2}, [][]float64{one, one}, [][]float64{one}) })
	check.Panics(t, "MergeStats of one size and two means", func() { parallelism.MergeStats([]int{1}, [][]float64{one, one}, [][]float64{one}) })
	check.Panics(t, "MergeStats of one size and two variances", func() { parallelism.MergeStats([]int{1}, [][]float64{one}, [][]float64{one, one}) })
	check.Panics(t, "MergeStats with a negative size", func() { parallelism.MergeStats([]int{-1, 3}, [][]float64{one, one}, [][]float64{one, one}) })
	check.Panics(t, "MergeStats with sizes that cancel", func() { parallelism.MergeStats([]int{2, -2}, [][]float64{one, one}, [][]float64{one, one}) })
	check.Panics(t, "MergeStats of means of 2 and 1 features", func() { parallelism.MergeStats([]int{1, 2}, [][]float64{two, one}, [][]float64{two, two}) })
	check.Panics(t, "MergeStats of a mean of 1 feature and a variance of 2", func() { parallelism.MergeStats([]int{1}, [][]float64{one}, [][]float64{two}) })
	check.Panics(t, "MergeStats of a mean of 2 features and a variance of 1", func() { parallelism.MergeStats([]int{1}, [][]float64{two}, [][]float64{one}) })
	check.Panics(t, "MergeStats of no rows", func() { parallelism.MergeStats([]int{0}, [][]float64{one}, [][]float64{one}) })
	check.Panics(t, "MergeStats of 1 and 2 features", func() { parallelism.MergeStats([]int{1, 2}, [][]float64{one, two}, [][]float64{one, two}) })
	check.Independent(t, "MergeStats(n, mean, variance)", parallelism.MergeStats,
		check.Args{[]int{3, 0, 2}, [][]float64{{1, 2}, nil, {3, 5}}, [][]float64{{0.5, 1}, nil, {2, 0.25}}},
		check.Args{[]int{1, 0, 4}, [][]float64{{4, 1}, nil, {2, 7}}, [][]float64{{1, 3}, nil, {0.5, 2}}})
}

func mergeAndCheck(t *testing.T, c statsCase, n []int, means, variances [][]float64) {
	t.Helper()
	passedN, passedM, passedV := slices.Clone(n), check.Copy(means), check.Copy(variances)
	m, v := parallelism.MergeStats(passedN, passedM, passedV)
	kept := []check.Option{
		check.Kept("n", passedN, n), check.Kept("mean", passedM, means), check.Kept("variance", passedV, variances),
	}
	tol := check.Rel(1e-8)
	unequal := len(n) > 1 && slices.Max(c.N) != slices.Min(c.N)
	var opts []check.Option
	even := constant(len(c.N), 1/float64(len(c.N)))
	if unequal && c.Name != "far from 0" {
		opts = append(opts, check.Mistake(combined(arrays(c.Means), even), "you took the mean of the means: weigh each by its rows"))
	}
	check.Equal(t, "MergeStats(n, mean, variance) mean", m, c.Mean.Floats(), tol, slices.Concat(kept, opts, []check.Option{
		check.Why("the mean over the rows of all shards, by PyTorch"),
	})...)

	why := "the biased variance over the rows of all shards: within the shards, and between their means"
	if c.Name == "far from 0" {
		why += "; the means are near a million here, and a difference of two squares of that size keeps few digits: square the differences instead"
	}
	opts = []check.Option{check.Why(why)}
	if unequal {
		rows, total, shares := make([]float64, len(c.N)), 0.0, make([]float64, len(c.N))
		for k := range c.N {
			rows[k] = float64(c.N[k])
			total += rows[k]
		}
		for k := range rows {
			shares[k] = rows[k] / total
		}
		unbiased := c.Variance.Floats()
		floats.Scale(total/(total-1), unbiased)
		opts = append(opts,
			check.Mistake(combined(arrays(c.Variances), shares), "you merged the variances without the spread of the means"),
			check.Mistake(unbiased, "you divided by N−1: this is the biased variance, as batch norm uses it"))
	}
	check.Equal(t, "MergeStats(n, mean, variance) variance", v, c.Variance.Floats(), tol, slices.Concat(kept, opts)...)
}

func TestPipeline(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		stages, microbatches int
		bubble               float64
	}{{4, 16, 3.0 / 19}, {4, 4, 3.0 / 7}, {8, 32, 7.0 / 39}, {3, 1, 2.0 / 3}, {1, 5, 0}, {5, 2, 4.0 / 6}} {
		p, m := float64(c.stages), float64(c.microbatches)
		opts := []check.Option{check.Why("each stage idles for stages−1 ticks, out of all ticks")}
		if c.stages == 4 && c.microbatches == 16 {
			opts = append(opts,
				check.Mistake((p-1)/m, "you divided by the ticks of work: (p−1)/m is the ratio to the ideal time; the step asks for the share of all ticks"),
				check.Mistake(0.0, "you divided integers, which leaves no fraction: convert to float64 first"),
				check.Mistake(m/(m+p-1), "you returned the share of busy ticks"),
				check.Mistake(p/(m+p), "you counted a tick too many: the first stage fills nothing"))
		}
		check.Equal(t, fmt.Sprintf("Bubble(%d, %d)", c.stages, c.microbatches), parallelism.Bubble(c.stages, c.microbatches), c.bubble, check.Rel(1e-12), opts...)
	}

	grid := func(stages, ticks int, at func(stage, tick int) int) [][]int {
		rows := make([][]int, stages)
		for s := range rows {
			for tick := range ticks {
				rows[s] = append(rows[s], at(s, tick))
			}
		}
		return rows
	}
	within := func(k, n int) int {
		if k < 0 || k >= n {
			return -1
		}
		return k
	}
	for _, c := range []struct {
		stages, microbatches int
		want                 [][]int
	}{
		{3, 4, [][]int{{0, 1, 2, 3, -1, -1}, {-1, 0, 1, 2, 3, -1}, {-1, -1, 0, 1, 2, 3}}},
		{4, 2, [][]int{{0, 1, -1, -1, -1}, {-1, 0, 1, -1, -1}, {-1, -1, 0, 1, -1}, {-1, -1, -1, 0, 1}}},
		{1, 3, [][]int{{0, 1, 2}}},
		{2, 1, [][]int{{0, -1}, {-1, 0}}},
	} {
		p, m := c.stages, c.microbatches
		opts := []check.Option{check.Why("a stage starts a microbatch in the tick after the stage before it ended it")}
		if p == 3 {
			opts = append(opts,
				check.Mistake(grid(p, p+m-1, func(s, tick int) int { return within(tick-(p-1-s), m) }), "you let the last stage begin: data enters at stage 0"),
				check.Mistake(grid(p, p+m, func(s, tick int) int { return within(tick-s, m) }), "you made a tick too many: the last stage ends in tick stages+microbatches−2"),
				check.Mistake(grid(p, p*m, func(s, tick int) int {
					if tick%p == s {
						return tick / p
					}
					return -1
				}), "you sent one microbatch through all stages before the next: that is no pipeline, one stage works at a time"),
				check.Mistake(grid(p, m, func(_, tick int) int { return tick }), "you let all stages begin at once: a stage needs what the one before it computed"))
		}
		check.Equal(t, fmt.Sprintf("Schedule(%d, %d)", p, m), parallelism.Schedule(p, m), c.want, check.Exact, opts...)
	}
	check.Panics(t, "Bubble(0, 1)", func() { parallelism.Bubble(0, 1) })
	check.Panics(t, "Bubble(2, 0)", func() { parallelism.Bubble(2, 0) })
	check.Panics(t, "Schedule(0, 3)", func() { parallelism.Schedule(0, 3) })
	check.Panics(t, "Schedule(3, 0)", func() { parallelism.Schedule(3, 0) })
	check.Independent(t, "Bubble(stages, microbatches)", parallelism.Bubble, check.Args{3, 5}, check.Args{4, 9})
	check.Independent(t, "Schedule(stages, microbatches)", parallelism.Schedule, check.Args{3, 5}, check.Args{4, 9})
}

// around returns what the workers hold if the ring stops after steps messages of a worker, and if the all-gather takes the chunk shift places off.
func around(vectors [][]float64, steps, shift int) [][]float64 {
	world, n := len(vectors), len(vectors[0])
	held := check.Copy(vectors)
	chunk := func(rank, k int) []float64 {
		k = ((k % world) + world) % world
		size, more := n/world, n%world
		return held[rank][k*size+min(k, more) : (k+1)*size+min(k+1, more)]
	}
	for step := range steps {
		gather := step >= world-1
		messages := make([][]float64, world)
		index := func(rank int) int {
			if gather {
				return rank + 1 - (step - world + 1) + shift
			}
			return rank - step
		}
		for rank := range world {
			messages[rank] = slices.Clone(chunk(rank, index(rank)))
		}
		for rank := range world {
			into := chunk((rank+1)%world, index(rank))
			if gather {
				copy(into, messages[rank])
			} else {
				floats.Add(into, messages[rank])
			}
		}
	}
	return held
}

func TestRing(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct{ world, values int }{{1, 5}, {3, 12}, {4, 10}, {2, 8}, {5, 3}, {7, 20}, {8, 1}, {3, 0}} {
		t.Run(fmt.Sprintf("%d workers, %d values", c.world, c.values), func(t *testing.T) {
			defer check.Rescue(t)
			rng := check.Rand(t)
			vectors := make([][]float64, c.world)
			sum := make([]float64, c.values)
			for k := range vectors {
				for range c.values {
					vectors[k] = append(vectors[k], 3+10*rng.NormFloat64())
				}
				floats.Add(sum, vectors[k])
			}
			held := check.Copy(vectors)
			r := run(t, c.world, func(rank int, send chan<- []float64, recv <-chan []float64) {
				parallelism.RingWorker(rank, c.world, held[rank], send, recv)
			})
			r.mustEnd(t)
			for rank := range held {
				opts := []check.Option{check.Why("every worker ends with the sum over all workers"), check.With("v before", vectors[rank])}
				if c.world > 2 && c.values >= c.world {
					mean := slices.Clone(sum)
					floats.Scale(1/float64(c.world), mean)
					opts = append(opts,
						check.Mistake(mean, "you averaged: this all-reduce sums"),
						check.Mistake(around(vectors, c.world-1, 0)[rank], "you stopped after the reduce-scatter: each worker has one complete chunk, the others still have to travel round"),
						check.Mistake(around(vectors, 2*(c.world-1), -1)[rank], "you left chunk k with what worker k held at first: add in the reduce-scatter, and begin the all-gather with a chunk that is complete"),
						check.Mistake(around(vectors, 2*(c.world-1), -2)[rank], "you gathered from the wrong chunk: after the reduce-scatter worker rank has chunk rank+1 complete, not rank−1; for two workers that is the same"))
					if c.values%c.world != 0 {
						whole := c.values - c.values%c.world
						opts = append(opts, check.Mistake(slices.Concat(sum[:whole], vectors[rank][whole:]),
							"you dropped the remainder: the length does not divide by the number of workers, and the last values belong to a chunk too"))
					}
				}
				if !check.Equal(t, fmt.Sprintf("after RingWorker(%d, %d, v, send, recv) v", rank, c.world), held[rank], sum, check.Rel(1e-10), opts...) {
					return
				}
			}
			r.mustKeepProtocol(t, vectors, held)
		})
	}
	for odd := range 4 {
		t.Run(fmt.Sprintf("worker %d has a shorter vector", odd), func(t *testing.T) {
			defer check.Rescue(t)
			r := run(t, 4, func(rank int, send chan<- []float64, recv <-chan []float64) {
				n := 8
				if rank == odd {
					n = 5
				}
				parallelism.RingWorker(rank, 4, make([]float64, n), send, recv)
			})
			r.mustFail(t, "you took a message of the wrong length for a chunk")
		})
	}
	t.Run("a worker dies at once", func(t *testing.T) {
		defer check.Rescue(t)
		r := run(t, 5, func(rank int, send chan<- []float64, recv <-chan []float64) {
			if rank == 3 {
				<-recv
				close(send)
				return
			}
			parallelism.RingWorker(rank, 5, make([]float64, 1), send, recv)
		})
		r.mustFail(t, "you took what a closed channel gives for a message")
		for _, rank := range []int{4, 0, 1, 2} { // none of them can have got all its messages
			if !slices.ContainsFunc(r.panics, func(p *rescue) bool { return p.rank == rank }) {
				t.Fatalf("worker %d returned although its messages did not all come: you took what a closed channel gives for a message", rank)
			}
		}
	})
	// One worker between a predecessor and a successor that keep to the protocol: it ends although recv stays open, and it panics wherever the messages break off
	// or one has another length.
	const rank, world = 1, 3
	for _, n := range []int{4, 0} {
		if t.Failed() {
			return // named above
		}
		vectors := make([][]float64, world)
		sum := make([]float64, n)
		for k := range vectors {
			for i := range n {
				vectors[k] = append(vectors[k], float64(7*k+i*i+1))
			}
			floats.Add(sum, vectors[k])
		}
		incoming := protocol(vectors, rank-1, 0)
		alone := func(incoming [][]float64, open bool) (*ring, []float64) {
			held := slices.Clone(vectors[rank])
			return script(t, incoming, open, func(send chan<- []float64, recv <-chan []float64) {
				parallelism.RingWorker(rank, world, held, send, recv)
			}), held
		}
		t.Run(fmt.Sprintf("worker 1 of 3 alone, %d values", n), func(t *testing.T) {
			defer check.Rescue(t)
			r, held := alone(incoming, true)
			if len(r.panics) == 0 && len(r.stuck) > 0 {
				t.Fatalf("deadlock: you wait for more than the 2·(world−1) messages, here 4, that a worker gets; nobody closes recv before it ends")
			}
			r.mustEnd(t)
			check.Equal(t, "after RingWorker(1, 3, v, send, recv) v", held, sum, check.Rel(1e-10))
			var sent [][]float64
			for _, m := range r.messages[0] {
				sent = append(sent, m.copied)
			}
			check.Equal(t, "what RingWorker(1, 3, v, send, recv) sent", sent, protocol(vectors, rank, 0), check.Rel(1e-10),
				check.Why("first its own chunk rank, then in each step the chunk that it received in the step before"))
		})
		for i, m := range incoming {
			t.Run(fmt.Sprintf("recv is closed after %d messages, %d values", i, n), func(t *testing.T) {
				defer check.Rescue(t)
				r, _ := alone(incoming[:i], false)
				r.mustFail(t, "you took what a closed channel gives for a message")
			})
			for _, length := range []int{len(m) - 1, len(m) + 1} {
				if length < 0 {
					continue
				}
				t.Run(fmt.Sprintf("message %d has %d values, not %d", i, length, len(m)), func(t *testing.T) {
					defer check.Rescue(t)
					wrong := slices.Clone(incoming)
					wrong[i] = make([]float64, length)
					r, _ := alone(wrong, true)
					if i < world-1 {
						r.mustFail(t, "you added a message of the wrong length in the reduce-scatter")
					} else {
						r.mustFail(t, "you copied a message of the wrong length in the all-gather")
					}
				})
			}
		}
	}
	for _, c := range []struct{ rank, world int }{{3, 3}, {-1, 3}, {0, 0}} {
		t.Run(fmt.Sprintf("rank %d in a world of %d", c.rank, c.world), func(t *testing.T) {
			defer check.Rescue(t)
			r := run(t, 1, func(_ int, send chan<- []float64, recv <-chan []float64) {
				parallelism.RingWorker(c.rank, c.world, make([]float64, 6), send, recv)
			})
			r.mustFail(t, "check rank and world first")
		})
	}
}
