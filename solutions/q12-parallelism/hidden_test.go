//go:build hidden

package parallelism_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q12-parallelism"
	reference "whyhow/solutions/q12-parallelism"
)

func gaussian(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// TestHiddenShards compares shards, means and statistics for every number of items and workers up to a dozen.
func TestHiddenShards(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for n := range 13 {
		for workers := 1; workers <= 12; workers++ {
			args := fmt.Sprintf("(%d, %d)", n, workers)
			check.Equal(t, "Shards"+args, learner.Shards(n, workers), reference.Shards(n, workers), check.Exact)
			if n > 0 {
				check.Equal(t, "Bubble"+args, learner.Bubble(workers, n), reference.Bubble(workers, n), check.Rel(1e-12))
				check.Equal(t, "Schedule"+args, learner.Schedule(workers, n), reference.Schedule(workers, n), check.Exact)
			}
		}
	}
	for range 100 {
		workers, features := 1+rng.IntN(6), 1+rng.IntN(9)
		sizes := make([]int, workers)
		means, variances := make([][]float64, workers), make([][]float64, workers)
		for k := range sizes {
			sizes[k] = rng.IntN(8)
			for range features {
				means[k], variances[k] = append(means[k], 5*rng.NormFloat64()), append(variances[k], rng.ExpFloat64())
			}
		}
		sizes[rng.IntN(workers)]++
		check.Equal(t, fmt.Sprintf("WeightedMean for %v", sizes), learner.WeightedMean(check.Copy(means), check.Copy(sizes)),
			reference.WeightedMean(means, sizes), check.Rel(1e-9))
		m, v := learner.MergeStats(check.Copy(sizes), check.Copy(means), check.Copy(variances))
		wantM, wantV := reference.MergeStats(sizes, means, variances)
		check.Equal(t, fmt.Sprintf("MergeStats for %v mean", sizes), m, wantM, check.Rel(1e-9))
		check.Equal(t, fmt.Sprintf("MergeStats for %v variance", sizes), v, wantV, check.Rel(1e-9))
	}
}

// TestHiddenLayers compares split layers of random shapes, more workers than columns among them.
func TestHiddenLayers(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 50 {
		n, d, h, m, workers := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(9), 1+rng.IntN(6), 1+rng.IntN(7)
		x, a, b := gaussian(rng, n, d), gaussian(rng, d, h), gaussian(rng, h, m)
		args := fmt.Sprintf("%d×%d times %d×%d for %d workers", n, d, d, h, workers)
		columns, rows := learner.ColumnParallel(x, a, workers), learner.RowParallel(x, a, workers)
		wantColumns, wantRows := reference.ColumnParallel(x, a, workers), reference.RowParallel(x, a, workers)
		for k := range workers {
			check.Equal(t, "RowParallel of "+args, rows[k], wantRows[k], check.Rel(1e-9))
			if wantColumns[k].IsEmpty() {
				check.Equal(t, "ColumnParallel of "+args+" is empty", columns[k].IsEmpty(), true, check.Exact)
			} else {
				check.Equal(t, "ColumnParallel of "+args, columns[k], wantColumns[k], check.Rel(1e-9))
			}
			check.Equal(t, fmt.Sprintf("MLPShard with %d units, rank %d of %d", h, k, workers), learner.MLPShard(x, a, b, k, workers),
				reference.MLPShard(x, a, b, k, workers), check.Rel(1e-9))
		}
	}
}

// TestHiddenRing runs the learner's ring and the reference's on the same vectors.
func TestHiddenRing(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		world, n := 1+rng.IntN(9), rng.IntN(30)
		vectors := make([][]float64, world)
		for k := range vectors {
			for range n {
				vectors[k] = append(vectors[k], rng.NormFloat64())
			}
		}
		got := ringOf(t, learner.RingWorker, vectors)
		check.Equal(t, fmt.Sprintf("after a ring of %d workers the vectors of %d values", world, n), got, ringOf(t, reference.RingWorker, vectors), check.Rel(1e-9))
	}
}

func ringOf(t *testing.T, worker func(rank, world int, v []float64, send chan<- []float64, recv <-chan []float64), vectors [][]float64) [][]float64 {
	held, world := check.Copy(vectors), len(vectors)
	channels := make([]chan []float64, world)
	for k := range channels {
		channels[k] = make(chan []float64, 2*world)
	}
	var all sync.WaitGroup
	for rank := range world {
		all.Go(func() {
			defer check.Rescue(t)
			worker(rank, world, held[rank], channels[rank], channels[(rank+world-1)%world])
		})
	}
	all.Wait()
	return held
}
