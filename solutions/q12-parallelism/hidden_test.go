//go:build hidden

package parallelism_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q12-parallelism"
	reference "whyhow/solutions/q12-parallelism"
)

func hiddenMatrix(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// hiddenVectors are vectors of n values, far from 0 or near it.
func hiddenVectors(rng *rand.Rand, many, n int, offset float64) [][]float64 {
	all := make([][]float64, many)
	for k := range all {
		all[k] = check.Normal(rng, n, 5)
		floats.AddConst(offset, all[k])
	}
	return all
}

// hiddenSizes draws the sizes of shards that are not all empty, and empties what the empty ones hand in.
func hiddenSizes(rng *rand.Rand, values ...[][]float64) []int {
	sizes := make([]int, len(values[0]))
	for k := range sizes {
		sizes[k] = rng.IntN(4) * rng.IntN(4)
	}
	sizes[rng.IntN(len(sizes))]++
	for k, n := range sizes {
		for _, v := range values {
			if n == 0 {
				v[k] = [][]float64{nil, {math.NaN()}, v[k], {}}[rng.IntN(4)]
			}
		}
	}
	return sizes
}

// hiddenRefused holds that merge panics where sizes and vectors do not go together.
func hiddenRefused(t *testing.T, rng *rand.Rand, name string, merge func(sizes []int, vectors [][]float64)) {
	t.Helper()
	for range 10 {
		workers, n := 2+rng.IntN(4), 1+rng.IntN(5)
		vectors, sizes := hiddenVectors(rng, workers, n, 0), make([]int, workers)
		check.Panics(t, name+" of empty shards", func() { merge(sizes, vectors) })
		for k := range sizes {
			sizes[k] = 1 + rng.IntN(4)
		}
		check.Panics(t, name+" of too few sizes", func() { merge(sizes[1:], vectors) })
		check.Panics(t, name+" of too many sizes", func() { merge(append(check.Copy(sizes), 1), vectors) })
		uneven := check.Copy(vectors)
		k := rng.IntN(workers)
		uneven[k] = append(uneven[k], 1)
		check.Panics(t, name+" of vectors that differ in length", func() { merge(sizes, uneven) })
		sizes[k] = -sizes[k]
		check.Panics(t, name+" of a size below 0", func() { merge(sizes, vectors) })
	}
}

// TestHiddenShards compares shards for every number of items and workers up to a dozen, and for some more.
func TestHiddenShards(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	compare := func(n, workers int) {
		check.Equal(t, fmt.Sprintf("Shards(%d, %d)", n, workers), learner.Shards(n, workers), reference.Shards(n, workers), check.Exact)
	}
	for n := range 13 {
		for workers := 1; workers <= 12; workers++ {
			compare(n, workers)
		}
	}
	for range 20 {
		compare(rng.IntN(100_000), 1+rng.IntN(40))
		less := 1 + rng.IntN(3)
		check.Panics(t, fmt.Sprintf("Shards(%d, 3)", -less), func() { learner.Shards(-less, 3) })
		check.Panics(t, fmt.Sprintf("Shards(3, %d)", 1-less), func() { learner.Shards(3, 1-less) })
	}
}

func TestHiddenWeightedMean(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		grads := hiddenVectors(rng, 1+rng.IntN(6), 1+rng.IntN(9), 0)
		sizes := hiddenSizes(rng, grads)
		passed, passedSizes := check.Copy(grads), check.Copy(sizes)
		check.Equal(t, fmt.Sprintf("WeightedMean for %v", sizes), learner.WeightedMean(passed, passedSizes), reference.WeightedMean(grads, sizes),
			check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("grads", passed, grads), check.Kept("sizes", passedSizes, sizes))
	}
	hiddenRefused(t, rng, "WeightedMean", func(sizes []int, vectors [][]float64) { learner.WeightedMean(vectors, sizes) })
	for workers := 1; workers <= 3; workers += 2 {
		sizes := make([]int, workers)
		sizes[0] = 1 + rng.IntN(5) // the mean is the gradient of the first
		check.Independent(t, "WeightedMean(grads, sizes)", learner.WeightedMean, check.Args{hiddenVectors(rng, workers, 3, 0), sizes}, check.Args{hiddenVectors(rng, workers, 3, 0), sizes})
	}
}

// TestHiddenLayers compares split layers of random shapes, more workers than columns among them.
func TestHiddenLayers(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 50 {
		n, d, h, m, workers := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(9), 1+rng.IntN(6), 1+rng.IntN(7)
		x, a, b := hiddenMatrix(rng, n, d), hiddenMatrix(rng, d, h), hiddenMatrix(rng, h, m)
		args := fmt.Sprintf("%d×%d times %d×%d for %d workers", n, d, d, h, workers)
		columns, rows := learner.ColumnParallel(check.Copy(x), check.Copy(a), workers), learner.RowParallel(check.Copy(x), check.Copy(a), workers)
		wantColumns, wantRows := reference.ColumnParallel(x, a, workers), reference.RowParallel(x, a, workers)
		if !check.Equal(t, "the blocks of "+args, []int{len(columns), len(rows)}, []int{workers, workers}, check.Exact) {
			continue
		}
		tol := check.Tol{Rel: 1e-9, Abs: 1e-11}
		for k := range workers {
			check.Equal(t, "RowParallel of "+args, rows[k], wantRows[k], tol)
			if wantColumns[k].IsEmpty() {
				check.Equal(t, "ColumnParallel of "+args+" is empty", columns[k].IsEmpty(), true, check.Exact)
			} else {
				check.Equal(t, "ColumnParallel of "+args, columns[k], wantColumns[k], tol)
			}
			check.Equal(t, fmt.Sprintf("MLPShard with %d units, rank %d of %d", h, k, workers), learner.MLPShard(check.Copy(x), check.Copy(a), check.Copy(b), k, workers),
				reference.MLPShard(x, a, b, k, workers), tol)
		}
		more := 1 + rng.IntN(3)
		taller, less := hiddenMatrix(rng, d+more, h), 1-more
		check.Panics(t, "ColumnParallel of shapes that do not match", func() { learner.ColumnParallel(x, taller, workers) })
		check.Panics(t, "RowParallel of shapes that do not match", func() { learner.RowParallel(x, taller, workers) })
		check.Panics(t, fmt.Sprintf("ColumnParallel for %d workers", less), func() { learner.ColumnParallel(x, a, less) })
		check.Panics(t, fmt.Sprintf("RowParallel for %d workers", less), func() { learner.RowParallel(x, a, less) })
		check.Panics(t, "MLPShard of x and A that do not match", func() { learner.MLPShard(x, taller, b, 0, workers) })
		check.Panics(t, "MLPShard of A and B that do not match", func() { learner.MLPShard(x, a, hiddenMatrix(rng, h+more, m), 0, workers) })
		check.Panics(t, fmt.Sprintf("MLPShard as rank %d", -more), func() { learner.MLPShard(x, a, b, -more, workers) })
		check.Panics(t, fmt.Sprintf("MLPShard as rank %d of %d", workers-less, workers), func() { learner.MLPShard(x, a, b, workers-less, workers) })
	}
	args := func(last ...any) check.Args {
		return append(check.Args{hiddenMatrix(rng, 4, 5), hiddenMatrix(rng, 5, 6)}, last...)
	}
	check.Independent(t, "ColumnParallel(x, w, workers)", learner.ColumnParallel, args(1), args(3))
	check.Independent(t, "RowParallel(x, w, workers)", learner.RowParallel, args(7), args(7))
	check.Independent(t, "RowParallel(x, w, workers)", learner.RowParallel, args(1), args(2))
	check.Independent(t, "MLPShard(x, a, b, rank, world)", learner.MLPShard, args(hiddenMatrix(rng, 6, 4), 0, 1), args(hiddenMatrix(rng, 6, 4), 0, 1))
}

func TestHiddenMergeStats(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		shards, features := 1+rng.IntN(6), 1+rng.IntN(9)
		mean, variance := hiddenVectors(rng, shards, features, []float64{0, 0, 1e6}[rng.IntN(3)]), make([][]float64, shards)
		for k := range variance {
			for range features {
				variance[k] = append(variance[k], rng.ExpFloat64())
			}
		}
		sizes := hiddenSizes(rng, mean, variance)
		passed := check.Copy(mean)
		m, v := learner.MergeStats(check.Copy(sizes), passed, check.Copy(variance))
		wantM, wantV := reference.MergeStats(sizes, mean, variance)
		check.Equal(t, fmt.Sprintf("MergeStats for %v mean", sizes), m, wantM, check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("mean", passed, mean))
		check.Equal(t, fmt.Sprintf("MergeStats for %v variance", sizes), v, wantV, check.Tol{Rel: 1e-8, Abs: 1e-9})
	}
	hiddenRefused(t, rng, "MergeStats", func(sizes []int, vectors [][]float64) { learner.MergeStats(sizes, vectors, vectors) })
	for range 10 {
		sizes, short, right := []int{1 + rng.IntN(3), 1 + rng.IntN(3)}, hiddenVectors(rng, 2, 2, 0), hiddenVectors(rng, 2, 3, 0)
		check.Panics(t, "MergeStats of 3 means and 2 variances", func() { learner.MergeStats(sizes, right, short) })
		check.Panics(t, "MergeStats of 2 means and 3 variances", func() { learner.MergeStats(sizes, short, right) })
		check.Panics(t, "MergeStats of too few means", func() { learner.MergeStats(sizes, right[1:], right) })
		check.Panics(t, "MergeStats of too few variances", func() { learner.MergeStats(sizes, right, right[1:]) })
	}
	for shards := 1; shards <= 3; shards += 2 {
		args := func() check.Args {
			n := make([]int, shards)
			for k := range n {
				n[k] = 1 + k
			}
			return check.Args{n, hiddenVectors(rng, shards, 4, 0), hiddenVectors(rng, shards, 4, 100)}
		}
		check.Independent(t, "MergeStats(n, mean, variance)", learner.MergeStats, args(), args())
	}
}

func TestHiddenPipeline(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		stages, microbatches := 1+rng.IntN(12), 1+rng.IntN(20)
		args := fmt.Sprintf("(%d, %d)", stages, microbatches)
		check.Equal(t, "Bubble"+args, learner.Bubble(stages, microbatches), reference.Bubble(stages, microbatches), check.Rel(1e-12))
		check.Equal(t, "Schedule"+args, learner.Schedule(stages, microbatches), reference.Schedule(stages, microbatches), check.Exact)
		less := -rng.IntN(3)
		check.Panics(t, fmt.Sprintf("Bubble(%d, %d)", less, microbatches), func() { learner.Bubble(less, microbatches) })
		check.Panics(t, fmt.Sprintf("Bubble(%d, %d)", stages, less), func() { learner.Bubble(stages, less) })
		check.Panics(t, fmt.Sprintf("Bubble(%d, %d)", -stages-1, -microbatches-1), func() { learner.Bubble(-stages-1, -microbatches-1) })
		check.Panics(t, fmt.Sprintf("Schedule(%d, %d)", less, microbatches), func() { learner.Schedule(less, microbatches) })
		check.Panics(t, fmt.Sprintf("Schedule(%d, %d)", stages, less), func() { learner.Schedule(stages, less) })
	}
	check.Independent(t, "Schedule(stages, microbatches)", learner.Schedule, check.Args{2 + rng.IntN(3), 5}, check.Args{6, 7 + rng.IntN(3)})
}

// TestHiddenRing runs the learner's ring and the reference's on the same vectors, and rings in which the learner's workers stand among the reference's.
func TestHiddenRing(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 30 {
		world, n := 1+rng.IntN(9), rng.IntN(30)
		vectors, held := hiddenVectors(rng, world, n, 0), [2][][]float64{}
		all := func(rank int) bool { return true }
		among := make([]bool, world)
		among[rng.IntN(world)] = true
		some := func(rank int) bool { return among[rank] }
		for i, own := range []func(rank int) bool{all, some} {
			held[i] = check.Copy(vectors)
			r := run(t, world, func(rank int, out chan<- []float64, in <-chan []float64) {
				if own(rank) {
					learner.RingWorker(rank, world, held[i][rank], out, in)
				} else {
					reference.RingWorker(rank, world, held[i][rank], out, in)
				}
			})
			r.mustEnd(t)
			for rank := range world {
				var sent [][]float64
				for _, m := range r.messages[rank] {
					sent = append(sent, m.copied)
				}
				check.Equal(t, fmt.Sprintf("what worker %d of %d sent", rank, world), sent, protocol(vectors, rank, 0), check.Tol{Rel: 1e-9, Abs: 1e-11})
			}
			finished{r, vectors, held[i]}.mustHaveSentCopies(t)
		}
		want := check.Copy(vectors)
		run(t, world, func(rank int, out chan<- []float64, in <-chan []float64) {
			reference.RingWorker(rank, world, want[rank], out, in)
		})
		call := fmt.Sprintf("after a ring of %d workers the vectors of %d values", world, n)
		check.Equal(t, call, held[0], want, check.Tol{Rel: 1e-9, Abs: 1e-11})
		check.Equal(t, call+", one worker yours,", held[1], want, check.Tol{Rel: 1e-9, Abs: 1e-11})
	}
	// One worker alone, between two that keep to the protocol: until the messages break off, one has another length, or each waits for the worker's own.
	for range 20 {
		world, n := 2+rng.IntN(4), rng.IntN(12)
		rank, vectors := rng.IntN(world), hiddenVectors(rng, world, n, 0)
		incoming := protocol(vectors, rank+world-1, 0)
		work := func(out chan<- []float64, in <-chan []float64) {
			learner.RingWorker(rank, world, check.Copy(vectors[rank]), out, in)
		}
		alone := func(incoming [][]float64, open bool) *ring {
			r := run(t, 2, func(who int, out chan<- []float64, in <-chan []float64) {
				if who == 0 {
					work(out, in)
					return
				}
				for _, m := range incoming { // no more than there is room for
					out <- m
				}
				if !open {
					close(out)
				}
				for range in {
				}
			})
			r.closed[1] = true
			return r
		}
		alone(incoming, true).mustEnd(t)
		run(t, 2, func(who int, out chan<- []float64, in <-chan []float64) {
			if who == 0 {
				work(out, in)
				return
			}
			defer close(out)
			for _, m := range incoming {
				<-in
				out <- m
			}
		}).mustEnd(t)
		at := rng.IntN(len(incoming))
		alone(incoming[:at], false).mustFail(t, "you took what a closed channel gives for a message")
		wrong := check.Copy(incoming)
		wrong[at] = append(wrong[at], 1)
		alone(wrong, false).mustFail(t, "you took a message of another length for a chunk")
	}
	for range 10 {
		world := 2 + rng.IntN(4)
		odd, n := rng.IntN(world), 2*world
		r := run(t, world, func(rank int, out chan<- []float64, in <-chan []float64) {
			v := make([]float64, n)
			if rank == odd {
				v = v[:n-1-rng.IntN(n-1)]
			}
			learner.RingWorker(rank, world, v, out, in)
		})
		r.mustFail(t, "you took a message of another length for a chunk")
		for _, rank := range []int{-1 - rng.IntN(3), world + rng.IntN(3)} {
			send := make(chan []float64, 2*world)
			call := fmt.Sprintf("RingWorker(%d, %d, v, send, recv)", rank, world)
			check.Panics(t, call, func() { learner.RingWorker(rank, world, make([]float64, n), send, make(chan []float64, 2*world)) })
			closed := false
			select {
			case _, sent := <-send:
				closed = !sent
			default:
			}
			check.Equal(t, call+" closes send", closed, true, check.Exact)
		}
	}
}
