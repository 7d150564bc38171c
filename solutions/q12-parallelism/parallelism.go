// Package parallelism divides training among workers: data parallelism replicates the model and shards the batch, model
// parallelism partitions the model.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "parallelism: ".
package parallelism

import (
	"fmt"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Shards cuts n items into contiguous shards [from, to), one a worker, in order. The first n mod workers shards hold one item
// more than the others, as torch.tensor_split cuts; shards are empty where workers > n. It panics if n is negative or workers is not positive.
func Shards(n, workers int) [][2]int {
	if n < 0 || workers < 1 {
		panic(fmt.Sprintf("parallelism: cannot cut %d items for %d workers", n, workers))
	}
	size, more := n/workers, n%workers
	shards := make([][2]int, workers)
	for k := range shards {
		from := k*size + min(k, more)
		to := (k+1)*size + min(k+1, more)
		shards[k] = [2]int{from, to}
	}
	return shards
}

// WeightedMean returns the gradient of the mean loss over all N = Σ sizes[k] examples from grads[k], the gradient of the mean loss over
// the sizes[k] examples of worker k. A worker of size 0 counts for nothing, whatever its gradient, nil included. It panics
// if grads and sizes differ in length, if a size is negative or all are 0, or if the gradients of workers with examples differ in length.
func WeightedMean(grads [][]float64, sizes []int) []float64 {
	total := mustCount(sizes, len(grads))
	var mean []float64
	for k, n := range sizes {
		if n == 0 {
			continue
		}
		if mean == nil {
			mean = make([]float64, len(grads[k]))
		}
		mustBeAsLong(grads[k], mean)
		floats.AddScaled(mean, float64(n)/float64(total), grads[k])
	}
	return mean
}

// ColumnParallel returns x·w in blocks, x N×D and w D×M: worker k holds the columns Shards(M, workers)[k] of w and computes the same
// columns of the product. Side by side the blocks are x·w. A worker without columns has an empty matrix, new(mat.Dense).
// It panics if the shapes do not match or workers is not positive. Source: Shoeybi et al. 2019.
func ColumnParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	mustMultiply(x, w)
	rows, columns := w.Dims()
	shards := Shards(columns, workers)
	blocks := make([]*mat.Dense, workers)
	eachWorker(shards, func(k, from, to int) {
		blocks[k] = new(mat.Dense)
		if from < to {
			blocks[k].Mul(x, w.Slice(0, rows, from, to))
		}
	})
	return blocks
}

// RowParallel returns x·w in partial sums, x N×D and w D×M: worker k holds the rows Shards(D, workers)[k] of w and the same columns of x. The
// sum of the N×M results is x·w; a worker without rows has zeros. It panics if the shapes do not match or workers is not positive.
// Source: Shoeybi et al. 2019.
func RowParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	mustMultiply(x, w)
	n, _ := x.Dims()
	rows, columns := w.Dims()
	shards := Shards(rows, workers)
	partial := make([]*mat.Dense, workers)
	eachWorker(shards, func(k, from, to int) {
		partial[k] = mat.NewDense(n, columns, nil)
		if from < to {
			partial[k].Mul(x.Slice(0, n, from, to), w.Slice(from, to, 0, columns))
		}
	})
	return partial
}

// MLPShard returns what worker rank of world contributes to the perceptron relu(x·A)·B, x N×D, A D×H, B H×M: it holds the hidden
// units Shards(H, world)[rank] and no other weights than theirs. The N×M contributions sum to relu(x·A)·B; a worker without hidden
// units contributes zeros. It panics if the shapes do not match or rank is not in [0, world). Source: Shoeybi et al. 2019.
func MLPShard(x, a, b *mat.Dense, rank, world int) *mat.Dense {
	mustMultiply(x, a)
	mustMultiply(a, b)
	mustBeAWorker(rank, world)
	n, features := x.Dims()
	units, outputs := b.Dims()
	y := mat.NewDense(n, outputs, nil)
	shard := Shards(units, world)[rank]
	from, to := shard[0], shard[1]
	if from == to {
		return y
	}
	var hidden mat.Dense
	hidden.Mul(x, a.Slice(0, features, from, to))
	hidden.Apply(func(_, _ int, z float64) float64 { return max(z, 0) }, &hidden)
	y.Mul(&hidden, b.Slice(from, to, 0, outputs))
	return y
}

// MergeStats returns the mean and the biased variance (÷ N) of every feature over all N = Σ n[k] rows from those of the shards: n[k]
// rows with mean[k] and biased variance[k]. A shard without rows counts for nothing, whatever its values, NaN and nil included. The result is right
// where the means are far from 0 too. It panics if n, mean and variance differ in length, if an n is negative or all are 0, or if the shards with rows differ in
// their number of features.
func MergeStats(n []int, mean, variance [][]float64) (m, v []float64) {
	mustCount(n, len(variance))
	m = WeightedMean(mean, n)
	spread := make([][]float64, len(n)) // the mean square distance of a shard's rows from m
	for k := range n {
		if n[k] == 0 {
			continue
		}
		mustBeAsLong(variance[k], m)
		spread[k] = make([]float64, len(m))
		for j := range m {
			d := mean[k][j] - m[j]
			spread[k][j] = variance[k][j] + d*d
		}
	}
	return m, WeightedMean(spread, n)
}

// Bubble returns the share of all stage-ticks in which a stage of the schedule is idle, in [0, 1). It panics if stages or
// microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Bubble(stages, microbatches int) float64 {
	mustPipeline(stages, microbatches)
	return float64(stages-1) / float64(microbatches+stages-1)
}

// Schedule returns the forward half of GPipe's schedule: Schedule(…)[stage][tick] is the microbatch that the stage works on in that tick, or
// −1 where it is idle. A stage takes a tick for a microbatch, takes the microbatches in order, and starts each as soon as the stage before has
// ended it. All rows are as long as the last stage needs. It panics if stages or microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Schedule(stages, microbatches int) [][]int {
	mustPipeline(stages, microbatches)
	grid := make([][]int, stages)
	for stage := range grid {
		grid[stage] = make([]int, microbatches+stages-1)
		for tick := range grid[stage] {
			grid[stage][tick] = -1
			if m := tick - stage; m >= 0 && m < microbatches {
				grid[stage][tick] = m
			}
		}
	}
	return grid
}

// RingWorker is one of world workers that together replace every worker's v, in place, by the sum of all. Worker rank sends to worker
// rank+1 and receives from rank−1, modulo world, 2·(world−1) messages each: first its own chunk Shards(len(v), world)[rank], then in each step
// the chunk that it received in the step before, summed so far in the first half, complete in the second. In each step it sends, then it receives. An empty
// chunk is a message too. What it sends are copies, no part of v. The workers run at the same time, each in its own goroutine; a channel has room for 2·world messages. It closes send when
// it returns or panics, so that a failure travels round the ring and no worker waits for ever, and does not wait for recv to be closed. It panics if rank is
// not in [0, world), if a message does not have the expected length, or if recv is closed before the last message.
// Source: Patarasuk and Yuan 2009.
func RingWorker(rank, world int, v []float64, send chan<- []float64, recv <-chan []float64) {
	defer close(send)
	mustBeAWorker(rank, world)
	chunks := Shards(len(v), world)
	chunk := func(k int) []float64 {
		c := chunks[(k+world)%world]
		return v[c[0]:c[1]]
	}
	receive := func(want int) []float64 {
		message, ok := <-recv
		if !ok || len(message) != want {
			panic(fmt.Sprintf("parallelism: worker %d received %d values (sender alive: %t), want %d", rank, len(message), ok, want))
		}
		return message
	}
	for step := range world - 1 { // reduce-scatter: chunk rank+1 ends complete
		send <- slices.Clone(chunk(rank - step))
		into := chunk(rank - step - 1)
		floats.Add(into, receive(len(into)))
	}
	for step := range world - 1 { // all-gather
		send <- slices.Clone(chunk(rank + 1 - step))
		into := chunk(rank - step)
		copy(into, receive(len(into)))
	}
}

// eachWorker runs work for every shard [from, to), each in its own goroutine, and waits for all.
func eachWorker(shards [][2]int, work func(k, from, to int)) {
	var all sync.WaitGroup
	for k, s := range shards {
		all.Go(func() { work(k, s[0], s[1]) })
	}
	all.Wait()
}

func mustMultiply(a, b *mat.Dense) {
	_, inner := a.Dims()
	if rows, _ := b.Dims(); inner != rows {
		panic(fmt.Sprintf("parallelism: cannot multiply %d columns by %d rows", inner, rows))
	}
}

// mustCount returns the sum of the sizes of the shards.
func mustCount(sizes []int, shards int) int {
	if len(sizes) != shards {
		panic(fmt.Sprintf("parallelism: %d sizes for %d shards", len(sizes), shards))
	}
	total := 0
	for _, n := range sizes {
		if n < 0 {
			panic(fmt.Sprintf("parallelism: a shard of %d", n))
		}
		total += n
	}
	if total == 0 {
		panic("parallelism: all shards are empty")
	}
	return total
}

func mustBeAsLong(v, other []float64) {
	if len(v) != len(other) {
		panic(fmt.Sprintf("parallelism: vectors of %d and %d values", len(v), len(other)))
	}
}

func mustBeAWorker(rank, world int) {
	if rank < 0 || rank >= world {
		panic(fmt.Sprintf("parallelism: no rank %d in a world of %d", rank, world))
	}
}

func mustPipeline(stages, microbatches int) {
	if stages < 1 || microbatches < 1 {
		panic(fmt.Sprintf("parallelism: no pipeline of %d stages and %d microbatches", stages, microbatches))
	}
}
