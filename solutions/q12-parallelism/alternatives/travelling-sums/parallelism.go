// Package parallelism merges running statistics and lets the ring's messages carry the sums.
package parallelism

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Shards cuts n items into contiguous shards [from, to), one a worker, in order. The first n mod workers shards hold one item
// more than the others, as torch.tensor_split cuts; shards are empty where workers > n. It panics if n is negative or workers is not positive.
func Shards(n, workers int) [][2]int {
	if n < 0 || workers < 1 {
		panic("parallelism: Shards needs items and workers")
	}
	var shards [][2]int
	for from := 0; workers > 0; workers-- { // each worker takes its share, rounded up, of what is left
		share := (n - from + workers - 1) / workers
		shards = append(shards, [2]int{from, from + share})
		from += share
	}
	return shards
}

// WeightedMean returns the gradient of the mean loss over all N = Σ sizes[k] examples from grads[k], the gradient of the mean loss over
// the sizes[k] examples of worker k. A worker of size 0 counts for nothing, whatever its gradient, nil included. It panics
// if grads and sizes differ in length, if a size is negative or all are 0, or if the gradients of workers with examples differ in length.
func WeightedMean(grads [][]float64, sizes []int) []float64 {
	if len(grads) != len(sizes) {
		panic("parallelism: as many gradients as sizes")
	}
	var mean []float64
	total := 0.0
	for k, size := range sizes { // a running mean: the new examples pull it by their share of those seen so far
		switch {
		case size < 0:
			panic("parallelism: negative size")
		case size == 0:
			continue
		case mean == nil:
			mean = make([]float64, len(grads[k]))
		case len(mean) != len(grads[k]):
			panic("parallelism: gradients of different lengths")
		}
		total += float64(size)
		for j, g := range grads[k] {
			mean[j] += (g - mean[j]) * float64(size) / total
		}
	}
	if total == 0 {
		panic("parallelism: no examples")
	}
	return mean
}

// ColumnParallel returns x·w in blocks, x N×D and w D×M: worker k holds the columns Shards(M, workers)[k] of w and computes the same
// columns of the product. Side by side the blocks are x·w. A worker without columns has an empty matrix, new(mat.Dense).
// It panics if the shapes do not match or workers is not positive. Source: Shoeybi et al. 2019.
func ColumnParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	shape(x, w)
	n, d := x.Dims()
	_, columns := w.Dims()
	var blocks []*mat.Dense
	for _, s := range Shards(columns, workers) {
		if s[0] == s[1] {
			blocks = append(blocks, &mat.Dense{})
			continue
		}
		block := mat.NewDense(n, s[1]-s[0], nil)
		for i := range n {
			for k := range d {
				for j := s[0]; j < s[1]; j++ {
					block.Set(i, j-s[0], block.At(i, j-s[0])+x.At(i, k)*w.At(k, j))
				}
			}
		}
		blocks = append(blocks, block)
	}
	return blocks
}

// RowParallel returns x·w in partial sums, x N×D and w D×M: worker k holds the rows Shards(D, workers)[k] of w and the same columns of x. The
// sum of the N×M results is x·w; a worker without rows has zeros. It panics if the shapes do not match or workers is not positive.
// Source: Shoeybi et al. 2019.
func RowParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	shape(x, w)
	n, d := x.Dims()
	_, columns := w.Dims()
	var partial []*mat.Dense
	for _, s := range Shards(d, workers) {
		sum := mat.NewDense(n, columns, nil)
		for k := s[0]; k < s[1]; k++ { // a sum of outer products
			sum.RankOne(sum, 1, x.ColView(k), w.RowView(k))
		}
		partial = append(partial, sum)
	}
	return partial
}

// MLPShard returns what worker rank of world contributes to the perceptron relu(x·A)·B, x N×D, A D×H, B H×M: it holds the hidden
// units Shards(H, world)[rank] and no other weights than theirs. The N×M contributions sum to relu(x·A)·B; a worker without hidden
// units contributes zeros. It panics if the shapes do not match or rank is not in [0, world). Source: Shoeybi et al. 2019.
func MLPShard(x, a, b *mat.Dense, rank, world int) *mat.Dense {
	shape(x, a)
	shape(a, b)
	if rank < 0 || rank >= world {
		panic("parallelism: no such rank")
	}
	// One hidden unit after the other: its share of the output is an outer product.
	n, _ := x.Dims()
	units, outputs := b.Dims()
	own := Shards(units, world)[rank]
	y := mat.NewDense(n, outputs, nil)
	for unit := own[0]; unit < own[1]; unit++ {
		var hidden mat.VecDense
		hidden.MulVec(x, a.ColView(unit))
		for i := range n {
			hidden.SetVec(i, math.Max(hidden.AtVec(i), 0))
		}
		y.RankOne(y, 1, &hidden, b.RowView(unit))
	}
	return y
}

// MergeStats returns the mean and the biased variance (÷ N) of every feature over all N = Σ n[k] rows from those of the shards: n[k]
// rows with mean[k] and biased variance[k]. A shard without rows counts for nothing, whatever its values, NaN and nil included. The result is right
// where the means are far from 0 too. It panics if n, mean and variance differ in length, if an n is negative or all are 0, or if the shards with rows differ in
// their number of features.
func MergeStats(n []int, mean, variance [][]float64) (m, v []float64) {
	if len(n) != len(mean) || len(n) != len(variance) {
		panic("parallelism: as many means and variances as sizes")
	}
	total := 0.0
	for k := range n { // Chan's update, shard by shard
		if n[k] < 0 {
			panic("parallelism: negative size")
		}
		if n[k] == 0 {
			continue
		}
		if total == 0 {
			m, v = make([]float64, len(mean[k])), make([]float64, len(mean[k]))
		}
		if len(mean[k]) != len(m) || len(variance[k]) != len(m) {
			panic("parallelism: shards of different features")
		}
		more := float64(n[k])
		for j := range m {
			d := mean[k][j] - m[j]
			m[j] += d * more / (total + more)
			v[j] = (v[j]*total+variance[k][j]*more)/(total+more) + d*d*total*more/((total+more)*(total+more))
		}
		total += more
	}
	if total == 0 {
		panic("parallelism: no rows")
	}
	return m, v
}

// Bubble returns the share of all stage-ticks in which a stage of the schedule is idle, in [0, 1). It panics if stages or
// microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Bubble(stages, microbatches int) float64 {
	idle, cells := 0, 0
	for _, row := range Schedule(stages, microbatches) {
		cells += len(row)
		for _, m := range row {
			if m < 0 {
				idle++
			}
		}
	}
	return float64(idle) / float64(cells)
}

// Schedule returns the forward half of GPipe's schedule: Schedule(…)[stage][tick] is the microbatch that the stage works on in that tick, or
// −1 where it is idle. A stage takes a tick for a microbatch, takes the microbatches in order, and starts each as soon as the stage before has
// ended it. All rows are as long as the last stage needs. It panics if stages or microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Schedule(stages, microbatches int) [][]int {
	if stages < 1 || microbatches < 1 {
		panic("parallelism: a pipeline needs stages and microbatches")
	}
	row := slices.Repeat([]int{-1}, stages-1)
	for m := range microbatches {
		row = append(row, m)
	}
	row = append(row, slices.Repeat([]int{-1}, stages-1)...)
	var grid [][]int
	for stage := range stages { // one long row, seen through a window that moves
		grid = append(grid, slices.Clone(row[stages-1-stage:len(row)-stage]))
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
	if rank < 0 || rank >= world {
		panic("parallelism: no such rank")
	}
	shards := Shards(len(v), world)
	chunk := func(distance int) []float64 { // of the worker that lies distance places behind
		s := shards[(rank-distance+2*world)%world]
		return v[s[0]:s[1]]
	}
	// Chunk k starts at worker k and reaches worker k−1 with everyone's part but its own; then it goes round once more, complete.
	message := slices.Clone(chunk(0))
	for step := 1; step <= 2*world-2; step++ {
		send <- message
		var ok bool
		if message, ok = <-recv; !ok || len(message) != len(chunk(step)) {
			panic("parallelism: the ring is broken")
		}
		if step < world {
			floats.Add(message, chunk(step))
		}
		if step >= world-1 {
			copy(chunk(step), message)
		}
	}
}

func shape(a, b *mat.Dense) {
	if a.RawMatrix().Cols != b.RawMatrix().Rows {
		panic("parallelism: shapes do not match")
	}
}
