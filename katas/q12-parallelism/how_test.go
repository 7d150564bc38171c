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
	cases := check.Golden[shardsCase](t, "shards")
	each := func(of func(c shardsCase, k int) [2]int) map[string][][2]int {
		all := map[string][][2]int{}
		for _, c := range cases {
			shards := make([][2]int, c.Workers)
			for k := range shards {
				shards[k] = of(c, k)
			}
			all[fmt.Sprintf("Shards(%d, %d)", c.N, c.Workers)] = shards
		}
		return all
	}
	ends := func(end func(n, workers, k int) int) map[string][][2]int {
		return each(func(c shardsCase, k int) [2]int {
			return [2]int{min(end(c.N, c.Workers, k), c.N), min(end(c.N, c.Workers, k+1), c.N)}
		})
	}
	const inclusive = "you returned the last item for the end: a shard ends before to, as a slice does"
	t.Run("all cases", func(t *testing.T) {
		defer check.Rescue(t)
		got := map[string][][2]int{}
		for _, c := range cases {
			got[fmt.Sprintf("Shards(%d, %d)", c.N, c.Workers)] = parallelism.Shards(c.N, c.Workers)
		}
		check.Equal(t, "the shards", got, each(func(c shardsCase, k int) [2]int { return [2]int{c.Froms[k], c.Tos[k]} }), check.Exact,
			check.Why("contiguous, in order, the first n mod workers of them one longer"),
			check.Mistake(ends(func(n, workers, k int) int { return k * ((n + workers - 1) / workers) }),
				"you rounded every size up, as torch.chunk does: the last worker gets the rest, of 10 items and 4 workers 1 item against 3"),
			check.Mistake(each(func(c shardsCase, k int) [2]int {
				size := c.N / c.Workers
				if k == c.Workers-1 {
					return [2]int{k * size, c.N}
				}
				return [2]int{k * size, (k + 1) * size}
			}), "you gave the whole remainder to the last worker: sizes differ by at most 1"),
			check.Mistake(ends(func(n, workers, k int) int { return k * (n / workers) }), "you dropped the remainder: every item belongs to a shard"),
			check.Mistake(ends(func(n, workers, k int) int { return k * n / workers }), "you spread the longer shards out: the first n mod workers are the longer ones here"),
			check.Mistake(ends(func(n, workers, k int) int { return k*(n/workers) + max(0, k-(workers-n%workers)) }), "you made the last shards the longer ones: it is the first n mod workers"),
			check.Mistake(each(func(c shardsCase, k int) [2]int { return [2]int{c.Froms[k], c.Tos[k] - 1} }), inclusive),
			check.Mistake(each(func(c shardsCase, k int) [2]int { return [2]int{c.Froms[k], max(c.Froms[k], c.Tos[k]-1)} }), inclusive),
			check.Mistake(each(func(c shardsCase, k int) [2]int { return [2]int{c.Froms[k], c.Tos[k] - c.Froms[k]} }),
				"you returned where a shard begins and how long it is: the second number is where it ends"))
	})
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

func TestWeightedMean(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[meanCase](t, "means")
	each := func(f func(c meanCase) []float64) map[string][]float64 {
		all := map[string][]float64{}
		for _, c := range cases {
			all[fmt.Sprintf("%s, sizes %v", c.Name, c.Sizes)] = f(c)
		}
		return all
	}
	// weighed returns, of each case, the sum of the gradients, each times its weight; total is the number of examples.
	weighed := func(weight func(size, total, workers, active float64) float64) map[string][]float64 {
		return each(func(c meanCase) []float64 {
			weights, total, active := make([]float64, len(c.Sizes)), 0.0, 0.0
			for _, n := range c.Sizes {
				total, active = total+float64(n), active+float64(min(n, 1))
			}
			for k, n := range c.Sizes {
				weights[k] = weight(float64(n), total, float64(len(c.Sizes)), active)
			}
			return combined(arrays(c.Grads), weights)
		})
	}
	const even = "you took the mean of the means: a worker with more examples weighs more"
	t.Run("all cases", func(t *testing.T) {
		defer check.Rescue(t)
		got := each(func(c meanCase) []float64 {
			grads, sizes := arrays(c.Grads), slices.Clone(c.Sizes)
			mean := parallelism.WeightedMean(grads, sizes)
			check.Equal(t, "WeightedMean(grads, sizes) left sizes", sizes, c.Sizes, check.Exact)
			return mean
		})
		check.Equal(t, "WeightedMean(grads, sizes) of", got, each(func(c meanCase) []float64 { return c.Whole.Floats() }), check.Rel(1e-9),
			check.Why("the gradient of the mean over all examples, by PyTorch: each example weighs the same"),
			check.Mistake(weighed(func(size, _, _, _ float64) float64 { return size }), "you forgot to divide by the number of examples"),
			check.Mistake(weighed(func(_, total, _, _ float64) float64 { return 1 / total }),
				"you divided by the number of examples and did not multiply by the sizes: each gradient is a mean already"),
			check.Mistake(weighed(func(size, _, workers, _ float64) float64 { return size / workers }),
				"you weighed by the sizes and divided by the number of workers: divide by the number of examples"),
			check.Mistake(weighed(func(_, _, workers, _ float64) float64 { return 1 / workers }), even),
			check.Mistake(weighed(func(_, _, _, active float64) float64 { return 1 / active }), even),
			check.Mistake(weighed(func(_, _, _, _ float64) float64 { return 1 }),
				"you added the workers' gradients: each is a mean already, weigh it by its share of the examples"))
	})
	nan := math.NaN()
	for what, empties := range map[string]map[string][]float64{
		"values":  {"NaN": {nan, nan}, "∞": {math.Inf(1), math.Inf(-1)}, "2 values": {7, 8}},
		"lengths": {"nil": nil, "1 value": {7}, "3 values": {7, 8, 9}},
	} {
		t.Run("whatever the "+what+" of a worker without examples", func(t *testing.T) {
			defer check.Rescue(t)
			got, want, times0 := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
			for name, empty := range empties {
				for at := range 3 {
					call := fmt.Sprintf("a gradient of 2 values from 3 examples, one from 1, and %s at %d from none", name, at)
					got[call] = parallelism.WeightedMean(slices.Insert([][]float64{{1, 2}, {3, 6}}, at, slices.Clone(empty)), slices.Insert([]int{3, 1}, at, 0))
					want[call], times0[call] = []float64{1.5, 3}, []float64{1.5, 3}
					if name == "NaN" || name == "∞" {
						times0[call] = []float64{nan, nan}
					}
				}
			}
			opts := []check.Option{check.Why("a worker of size 0 counts for nothing, whatever its gradient")}
			if what == "values" {
				opts = append(opts, check.Mistake(times0, "you weighed a gradient without examples by 0: 0·NaN and 0·∞ are NaN, leave it out"))
			}
			check.Equal(t, "WeightedMean(grads, sizes) of", got, want, check.Rel(1e-12), opts...)
		})
	}
	check.Equal(t, "WeightedMean of gradients from 3·2⁴⁰ examples and from 2⁴⁰", parallelism.WeightedMean([][]float64{{1, 2}, {3, 6}}, []int{3 << 40, 1 << 40}), []float64{1.5, 3},
		check.Rel(1e-12), check.Why("the sizes may be large: their product does not fit into an int"))
	check.Equal(t, "WeightedMean of gradients from 1 example, from 3 and from 4", parallelism.WeightedMean([][]float64{{8, -8}, {0, 8}, {2, 4}}, []int{1, 3, 4}), []float64{2, 4},
		check.Rel(1e-12), check.Why("(8 + 3·0 + 4·2)/8 and (−8 + 3·8 + 4·4)/8"))
	check.Equal(t, "len(WeightedMean of gradients without values)", len(parallelism.WeightedMean([][]float64{{}, {}}, []int{1, 2})), 0, check.Exact)
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
	check.Independent(t, "WeightedMean(alone, sizes)", parallelism.WeightedMean, check.Args{[][]float64{{1, 2}}, []int{3}}, check.Args{[][]float64{{4, 1}}, []int{3}})
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

// shard returns the shard of worker k, from what Shards promises.
func shard(n, workers, k int) [2]int {
	size, more := n/workers, n%workers
	return [2]int{k*size + min(k, more), (k+1)*size + min(k+1, more)}
}

// square returns a case whose matrices are all 5×5, so that no size tells rows from columns.
func square(t *testing.T) layerCase {
	const n, workers = 5, 2
	rng := check.Rand(t)
	array := func(m mat.Matrix) check.Array {
		rows, columns := m.Dims()
		return check.Array{Shape: []int{rows, columns}, Data: mat.DenseCopyOf(m).RawMatrix().Data}
	}
	x, w := mat.NewDense(n, n, check.Normal(rng, n*n, 1)), mat.NewDense(n, n, check.Normal(rng, n*n, 1))
	c := layerCase{Name: "five of everything", Workers: workers, X: array(x), W: array(w), Whole: array(product(x, w))}
	for k := range workers {
		own := shard(n, workers, k)
		c.Columns = append(c.Columns, array(product(x, w.Slice(0, n, own[0], own[1]))))
		c.Rows = append(c.Rows, array(product(x.Slice(0, n, own[0], own[1]), w.Slice(own[0], own[1], 0, n))))
	}
	return c
}

func TestLayers(t *testing.T) {
	defer check.Rescue(t)
	tol := check.Rel(1e-9)
	cases := append(check.Golden[layerCase](t, "layers"), square(t))
	// sound says whether Shards cuts the layers as it should. A worker with other shards than its own has made none of the mistakes below.
	sound := true
	for _, c := range cases {
		columns, rows := parallelism.Shards(c.W.Shape[1], c.Workers), parallelism.Shards(c.W.Shape[0], c.Workers)
		if len(columns) != c.Workers || len(rows) != c.Workers {
			sound = false
			break
		}
		for k := range c.Workers {
			sound = sound && columns[k][1]-columns[k][0] == c.Columns[k].Shape[1]
			sound = sound && rows[k] == shard(c.W.Shape[0], c.Workers, k)
		}
	}
	// compare compares what all workers of all cases have; nobody's mistake is to be told from one worker, or one case.
	compare := func(t *testing.T, call string, got, want map[string]*mat.Dense, mistakes map[string]map[string]*mat.Dense, opts ...check.Option) {
		t.Helper()
		if sound {
			for says, values := range mistakes {
				opts = append(opts, check.Mistake(values, says))
			}
		}
		check.Equal(t, call, got, want, tol, opts...)
	}
	t.Run("ColumnParallel", func(t *testing.T) {
		defer check.Rescue(t)
		got, want, whole := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}
		for _, c := range cases {
			blocks := parallelism.ColumnParallel(check.Copy(c.X.Dense()), check.Copy(c.W.Dense()), c.Workers)
			require.Len(t, blocks, c.Workers, "ColumnParallel(x, w, %d) returned %d blocks", c.Workers, len(blocks))
			for k, block := range c.Columns {
				if block.Shape[1] == 0 {
					require.True(t, blocks[k] != nil && blocks[k].IsEmpty(), "ColumnParallel(x, w, %d)[%d] is not empty: worker %d has no column", c.Workers, k, k)
					continue
				}
				name := fmt.Sprintf("%s, worker %d of %d", c.Name, k, c.Workers)
				got[name], want[name], whole[name] = blocks[k], block.Dense(), c.Whole.Dense()
			}
		}
		compare(t, "ColumnParallel(x, w, workers) of", got, want, map[string]map[string]*mat.Dense{
			"you computed the whole product in every worker: each holds a shard of the columns of w": whole,
		}, check.Why("x times the worker's own columns of w"))
	})
	t.Run("RowParallel", func(t *testing.T) {
		defer check.Rescue(t)
		got, want, whole, averaged := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}
		for _, c := range cases {
			partial := parallelism.RowParallel(check.Copy(c.X.Dense()), check.Copy(c.W.Dense()), c.Workers)
			require.Len(t, partial, c.Workers, "RowParallel(x, w, %d) returned %d partial sums", c.Workers, len(partial))
			for k, part := range c.Rows {
				name := fmt.Sprintf("%s, worker %d of %d", c.Name, k, c.Workers)
				got[name], want[name], whole[name] = partial[k], part.Dense(), c.Whole.Dense()
				averaged[name] = scaled(1/float64(c.Workers), part.Dense())
			}
		}
		compare(t, "RowParallel(x, w, workers) of", got, want, map[string]map[string]*mat.Dense{
			"you computed the whole product in every worker: each holds a shard of the rows of w": whole,
			"you divided by the number of workers: the parts are added, not averaged":             averaged,
		}, check.Why("the worker's own columns of x times its own rows of w; the results sum to x·w"))
	})
	t.Run("MLPShard", func(t *testing.T) {
		defer check.Rescue(t)
		got, want := map[string]*mat.Dense{}, map[string]*mat.Dense{}
		whole, late, early := map[string]*mat.Dense{}, map[string]*mat.Dense{}, map[string]*mat.Dense{}
		sums, wholes := map[string]*mat.Dense{}, map[string]*mat.Dense{}
		for _, c := range check.Golden[mlpCase](t, "mlps") {
			x, a, b := c.X.Dense(), c.A.Dense(), c.B.Dense()
			features, units := a.Dims()
			_, outputs := b.Dims()
			var parts []*mat.Dense
			for rank, part := range c.Shards {
				name := fmt.Sprintf("%s, MLPShard(x, a, b, %d, %d)", c.Name, rank, c.World)
				got[name], want[name] = parallelism.MLPShard(check.Copy(x), check.Copy(a), check.Copy(b), rank, c.World), part.Dense()
				parts = append(parts, got[name])
				own := shard(units, c.World, rank)
				whole[name], late[name], early[name] = c.Whole.Dense(), part.Dense(), part.Dense()
				if own[0] < own[1] {
					linear := product(product(x, a.Slice(0, features, own[0], own[1])), b.Slice(own[0], own[1], 0, outputs))
					late[name], early[name] = linear, relu(linear)
				}
			}
			if rows, columns := c.Whole.Dense().Dims(); !slices.ContainsFunc(parts, func(p *mat.Dense) bool {
				return p == nil || p.RawMatrix().Rows != rows || p.RawMatrix().Cols != columns
			}) {
				sums[c.Name], wholes[c.Name] = added(parts), c.Whole.Dense()
			}
		}
		compare(t, "MLPShard(x, a, b, rank, world) of", got, want, map[string]map[string]*mat.Dense{
			"you left ReLU for after the sum: it belongs to the hidden units, each worker applies it to its own": late,
			"you applied ReLU to the partial sums: it belongs to the hidden units":                               early,
			"you computed the whole perceptron in every worker: each holds a shard of the hidden units":          whole,
		}, check.Why("the worker's own hidden units, from x to their share of the output"))
		if !t.Failed() {
			check.Equal(t, "the sum of MLPShard over all ranks, of", sums, wholes, tol, check.Why("relu(x·a)·b"))
		}
	})
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
	for _, bad := range [][3]*mat.Dense{{x, two, mat.NewDense(1, 1, nil)}, {x, mat.NewDense(4, 1, nil), mat.NewDense(1, 1, nil)}, {w, x, two}, {w, x, mat.NewDense(4, 1, nil)}} {
		check.Panics(t, "MLPShard of shapes that do not match, in worker 7 of 8, which has no hidden units", func() { parallelism.MLPShard(bad[0], bad[1], bad[2], 7, 8) })
	}
	check.Panics(t, "MLPShard of rank −1 in a world of 2", func() { parallelism.MLPShard(w, x, three, -1, 2) })
	check.Panics(t, "MLPShard of rank 0 in a world of 0", func() { parallelism.MLPShard(w, x, three, 0, 0) })
	rng := check.Rand(t)
	draw := func(more ...any) check.Args {
		args := check.Args{mat.NewDense(20, 4, check.Normal(rng, 80, 1)), mat.NewDense(4, 5, check.Normal(rng, 20, 1)), mat.NewDense(5, 2, check.Normal(rng, 10, 1))}
		return append(args[:3-len(more)%2], more...)
	}
	check.Independent(t, "ColumnParallel(x, w, workers)", parallelism.ColumnParallel, draw(2), draw(3))
	check.Independent(t, "RowParallel(x, w, workers)", parallelism.RowParallel, draw(2), draw(3))
	check.Independent(t, "RowParallel(x, w, workers) with two workers more than rows", parallelism.RowParallel, draw(6), draw(6))
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
	cases := check.Golden[statsCase](t, "stats")
	each := func(f func(c statsCase) []float64) map[string][]float64 {
		all := map[string][]float64{}
		for _, c := range cases {
			all[fmt.Sprintf("%s, n %v", c.Name, c.N)] = f(c)
		}
		return all
	}
	shares := func(c statsCase) (of []float64, total float64) {
		for _, n := range c.N {
			total += float64(n)
		}
		for _, n := range c.N {
			of = append(of, float64(n)/total)
		}
		return of, total
	}
	t.Run("all cases", func(t *testing.T) {
		defer check.Rescue(t)
		vs := map[string][]float64{}
		ms := each(func(c statsCase) []float64 {
			m, v := parallelism.MergeStats(slices.Clone(c.N), arrays(c.Means), arrays(c.Variances))
			vs[fmt.Sprintf("%s, n %v", c.Name, c.N)] = v
			return m
		})
		tol := check.Rel(1e-8)
		check.Equal(t, "MergeStats(n, mean, variance) mean of", ms, each(func(c statsCase) []float64 { return c.Mean.Floats() }), tol,
			check.Why("the mean over the rows of all shards, by PyTorch"),
			check.Mistake(each(func(c statsCase) []float64 { return combined(arrays(c.Means), constant(len(c.N), 1/float64(len(c.N)))) }),
				"you took the mean of the means: weigh each by its rows"))
		check.Equal(t, "MergeStats(n, mean, variance) variance of", vs, each(func(c statsCase) []float64 { return c.Variance.Floats() }), tol,
			check.Why("the biased variance over the rows of all shards: within the shards, and between their means. Far from 0 the means are near a million: "+
				"a difference of two squares of that size keeps few digits, square the differences instead"),
			check.Mistake(each(func(c statsCase) []float64 {
				of, _ := shares(c)
				return combined(arrays(c.Variances), of)
			}), "you merged the variances without the spread of the means"),
			check.Mistake(each(func(c statsCase) []float64 {
				_, total := shares(c)
				unbiased := c.Variance.Floats()
				floats.Scale(total/(total-1), unbiased)
				return unbiased
			}), "you divided by N−1: this is the biased variance, as batch norm uses it"))
	})
	nan := math.NaN()
	for what, empties := range map[string]map[string][]float64{
		"values":  {"NaN": {nan, nan}, "2 values": {7, 8}},
		"lengths": {"nil": nil, "1 value": {7}, "3 values": {7, 8, 9}},
	} {
		t.Run("whatever the "+what+" of a shard without rows", func(t *testing.T) {
			defer check.Rescue(t)
			// Of 3 rows with mean 1, variance 2 and 1 row of 5, the mean is 2 and the variance (3·2 + 3·1² + 1·3²)/4 = 4.5.
			gotM, gotV, wantM, wantV, times0 := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
			for name, empty := range empties {
				for other, empty2 := range empties {
					for at := range 3 {
						call := fmt.Sprintf("3 rows, 1 row, and none at %d with mean %s and variance %s", at, name, other)
						gotM[call], gotV[call] = parallelism.MergeStats(slices.Insert([]int{3, 1}, at, 0),
							slices.Insert([][]float64{{1, 1}, {5, 5}}, at, slices.Clone(empty)), slices.Insert([][]float64{{2, 2}, {0, 0}}, at, slices.Clone(empty2)))
						wantM[call], wantV[call], times0[call] = []float64{2, 2}, []float64{4.5, 4.5}, []float64{2, 2}
						if name == "NaN" {
							times0[call] = []float64{nan, nan}
						}
					}
				}
			}
			opts := []check.Option{check.Why("a shard without rows counts for nothing, whatever its values")}
			check.Equal(t, "MergeStats(n, mean, variance) variance of", gotV, wantV, check.Rel(1e-12), opts...)
			if what == "values" {
				opts = append(opts, check.Mistake(times0, "you weighed a shard without rows by 0: 0·NaN is NaN, leave it out"))
			}
			check.Equal(t, "MergeStats(n, mean, variance) mean of", gotM, wantM, check.Rel(1e-12), opts...)
		})
	}
	m, v := parallelism.MergeStats([]int{3 << 40, 1 << 40}, [][]float64{{1, 1}, {5, 5}}, [][]float64{{2, 2}, {0, 0}})
	check.Equal(t, "MergeStats of 3·2⁴⁰ rows and 2⁴⁰: mean and variance", [][]float64{m, v}, [][]float64{{2, 2}, {4.5, 4.5}}, check.Rel(1e-12),
		check.Why("the sizes may be large: their product does not fit into an int"))
	m, v = parallelism.MergeStats([]int{1, 3}, [][]float64{{5, 5}, {1, 1}}, [][]float64{{0, 0}, {2, 2}})
	check.Equal(t, "MergeStats of 1 row and 3: mean and variance", [][]float64{m, v}, [][]float64{{2, 2}, {4.5, 4.5}}, check.Rel(1e-12))
	m, v = parallelism.MergeStats([]int{1, 2}, [][]float64{{}, {}}, [][]float64{{}, {}})
	check.Equal(t, "lengths of MergeStats without features", []int{len(m), len(v)}, []int{0, 0}, check.Exact)
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
	check.Independent(t, "MergeStats(alone, mean, variance)", parallelism.MergeStats, // equal to what was given
		check.Args{[]int{3}, [][]float64{{1, 2}}, [][]float64{{0.5, 1}}}, check.Args{[]int{3}, [][]float64{{4, 1}}, [][]float64{{1, 3}}})
	check.Independent(t, "MergeStats(n, mean, variance)", parallelism.MergeStats,
		check.Args{[]int{3, 0, 2}, [][]float64{{1, 2}, nil, {3, 5}}, [][]float64{{0.5, 1}, nil, {2, 0.25}}},
		check.Args{[]int{1, 0, 4}, [][]float64{{4, 1}, nil, {2, 7}}, [][]float64{{1, 3}, nil, {0.5, 2}}})
}

func TestPipeline(t *testing.T) {
	defer check.Rescue(t)
	type pipeline struct{ stages, microbatches int }
	bubbles := map[pipeline]float64{{4, 16}: 3.0 / 19, {4, 4}: 3.0 / 7, {8, 32}: 7.0 / 39, {3, 1}: 2.0 / 3, {1, 5}: 0, {5, 2}: 4.0 / 6, {1, 1}: 0}
	each := func(f func(c pipeline) float64) map[string]float64 {
		all := map[string]float64{}
		for c := range bubbles {
			all[fmt.Sprintf("Bubble(%d, %d)", c.stages, c.microbatches)] = f(c)
		}
		return all
	}
	idle := func(f func(p, m float64) float64) map[string]float64 {
		return each(func(c pipeline) float64 { return f(float64(c.stages), float64(c.microbatches)) })
	}
	t.Run("Bubble", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "the bubbles", each(func(c pipeline) float64 { return parallelism.Bubble(c.stages, c.microbatches) }), each(func(c pipeline) float64 { return bubbles[c] }), check.Tol{Rel: 1e-12, Abs: 1e-15},
			check.Why("each stage idles for stages−1 ticks, out of all ticks"),
			check.Mistake(idle(func(p, m float64) float64 { return (p - 1) / m }), "you divided by the ticks of work: (p−1)/m is the ratio to the ideal time; the step asks for the share of all ticks"),
			check.Mistake(idle(func(_, _ float64) float64 { return 0 }), "you divided integers, which leaves no fraction: convert to float64 first"),
			check.Mistake(idle(func(p, m float64) float64 { return m / (m + p - 1) }), "you returned the share of busy ticks"),
			check.Mistake(idle(func(p, m float64) float64 { return p / (m + p) }), "you counted a tick too many: the first stage fills nothing"),
			check.Mistake(idle(func(p, m float64) float64 { return (p - 1) / (m + p) }), "you counted a tick too many: stages+microbatches−1 are all"))
	})

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
	schedules := map[pipeline][][]int{
		{3, 4}: {{0, 1, 2, 3, -1, -1}, {-1, 0, 1, 2, 3, -1}, {-1, -1, 0, 1, 2, 3}},
		{4, 2}: {{0, 1, -1, -1, -1}, {-1, 0, 1, -1, -1}, {-1, -1, 0, 1, -1}, {-1, -1, -1, 0, 1}},
		{1, 3}: {{0, 1, 2}},
		{2, 1}: {{0, -1}, {-1, 0}},
		{3, 3}: {{0, 1, 2, -1, -1}, {-1, 0, 1, 2, -1}, {-1, -1, 0, 1, 2}},
	}
	all := func(f func(p, m int) [][]int) map[string][][]int {
		rows := map[string][][]int{}
		for c := range schedules {
			rows[fmt.Sprintf("Schedule(%d, %d)", c.stages, c.microbatches)] = f(c.stages, c.microbatches)
		}
		return rows
	}
	t.Run("Schedule", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "the schedules", all(parallelism.Schedule), all(func(p, m int) [][]int { return schedules[pipeline{p, m}] }), check.Exact,
			check.Why("a stage starts a microbatch in the tick after the stage before it ended it"),
			check.Mistake(all(func(p, m int) [][]int {
				return grid(p, p+m-1, func(s, tick int) int { return within(tick-(p-1-s), m) })
			}), "you let the last stage begin: data enters at stage 0"),
			check.Mistake(all(func(p, m int) [][]int {
				return grid(p, p+m, func(s, tick int) int { return within(tick-s, m) })
			}), "you made a tick too many: the last stage ends in tick stages+microbatches−2"),
			check.Mistake(all(func(p, m int) [][]int {
				return grid(p, p*m, func(s, tick int) int {
					if tick%p == s {
						return tick / p
					}
					return -1
				})
			}), "you sent one microbatch through all stages before the next: that is no pipeline, one stage works at a time"),
			check.Mistake(all(func(p, m int) [][]int {
				return grid(p+m-1, p, func(tick, s int) int { return within(tick-s, m) })
			}), "you made a row a tick: a row is a stage, Schedule(…)[stage][tick]"),
			check.Mistake(all(func(p, m int) [][]int { return grid(p, m, func(_, tick int) int { return tick }) }),
				"you let all stages begin at once: a stage needs what the one before it computed"))
	})
	check.Equal(t, "Bubble(1000, 1)", parallelism.Bubble(1000, 1), 0.999, check.Rel(1e-12))
	check.Panics(t, "Bubble(0, 1)", func() { parallelism.Bubble(0, 1) })
	check.Panics(t, "Bubble(2, 0)", func() { parallelism.Bubble(2, 0) })
	for _, bad := range [][2]int{{-2, 3}, {3, -2}, {-2, -3}} {
		check.Panics(t, fmt.Sprintf("Bubble(%d, %d)", bad[0], bad[1]), func() { parallelism.Bubble(bad[0], bad[1]) })
		check.Panics(t, fmt.Sprintf("Schedule(%d, %d)", bad[0], bad[1]), func() { parallelism.Schedule(bad[0], bad[1]) })
	}
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

// finished is a ring that ended, what its workers held before, and what they hold.
type finished struct {
	*ring
	vectors, held [][]float64
}

func TestRing(t *testing.T) {
	defer check.Rescue(t)
	got, want := map[string][]float64{}, map[string][]float64{}
	mistakes := map[string]map[string][]float64{}
	var rings []finished
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
			rings = append(rings, finished{r, vectors, held})
			mean, whole := slices.Clone(sum), c.values-c.values%c.world
			floats.Scale(1/float64(c.world), mean)
			for rank := range held {
				worker := fmt.Sprintf("RingWorker(%d, %d, v, send, recv) of %d values", rank, c.world, c.values)
				got[worker], want[worker] = held[rank], sum
				for says, v := range map[string][]float64{
					"you averaged: this all-reduce sums": mean,
					"you stopped after the reduce-scatter: each worker has one complete chunk, the others still have to travel round":                                 around(vectors, c.world-1, 0)[rank],
					"you left chunk k with what worker k held at first: add in the reduce-scatter, and begin the all-gather with a chunk that is complete":            around(vectors, 2*(c.world-1), -1)[rank],
					"you gathered from the wrong chunk: after the reduce-scatter worker rank has chunk rank+1 complete, not rank−1; for two workers that is the same": around(vectors, 2*(c.world-1), -2)[rank],
					"you dropped the remainder: the length does not divide by the number of workers, and the last values belong to a chunk too":                       slices.Concat(sum[:whole], vectors[rank][whole:]),
				} {
					if mistakes[says] == nil {
						mistakes[says] = map[string][]float64{}
					}
					mistakes[says][worker] = v
				}
			}
		})
	}
	t.Run("all rings that ended", func(t *testing.T) {
		defer check.Rescue(t)
		opts := []check.Option{check.Why("every worker ends with the sum over all workers")}
		for says, values := range mistakes {
			if slices.ContainsFunc(rings, func(f finished) bool { return len(f.vectors) > 2 && len(f.vectors[0])%len(f.vectors) > 0 }) { // without such a ring they are not told apart
				opts = append(opts, check.Mistake(values, says))
			}
		}
		if check.Equal(t, "v after", got, want, check.Rel(1e-10), opts...) {
			mustKeepProtocol(t, rings)
		}
	})
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
	if t.Failed() {
		return // named above
	}
	for rank := range 3 {
		t.Run(fmt.Sprintf("worker %d of 3 sends before it receives", rank), func(t *testing.T) {
			defer check.Rescue(t)
			vectors := [][]float64{{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}}
			incoming := protocol(vectors, (rank+2)%3, 0)
			r := run(t, 2, func(k int, send chan<- []float64, recv <-chan []float64) {
				if k == 0 {
					parallelism.RingWorker(rank, 3, vectors[rank], send, recv)
					return
				}
				defer close(send)
				for _, m := range incoming { // each only after the worker's own message of that step
					if _, ok := <-recv; !ok {
						return
					}
					send <- m
				}
			})
			if len(r.panics) == 0 && len(r.stuck) > 0 {
				t.Fatalf("deadlock: worker %d waits for a message before it sends its own: in each step it sends, then it receives", rank)
			}
			r.mustEnd(t)
		})
	}
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
