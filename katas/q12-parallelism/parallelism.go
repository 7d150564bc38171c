// Package parallelism divides training among workers: data parallelism replicates the model and shards the batch, model
// parallelism partitions the model.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A matrix may be a
// view of a larger one. A caller's error panics with a message that begins with "parallelism: ".
package parallelism

import "gonum.org/v1/gonum/mat"

// Shards cuts n items into contiguous shards [from, to), one a worker, in order. The first n mod workers shards hold one item
// more than the others, as torch.tensor_split cuts; shards are empty where workers > n. It panics if n is negative or workers is not positive.
func Shards(n, workers int) [][2]int {
	panic("TODO: Shards")
}

// WeightedMean returns the gradient of the mean loss over all N = Σ sizes[k] examples from grads[k], the gradient of the mean loss over
// the sizes[k] examples of worker k. A worker of size 0 counts for nothing, whatever its gradient, nil included. It panics
// if grads and sizes differ in length, if a size is negative or all are 0, or if the gradients of workers with examples differ in length.
func WeightedMean(grads [][]float64, sizes []int) []float64 {
	panic("TODO: WeightedMean")
}

// ColumnParallel returns x·w in blocks, x N×D and w D×M: worker k holds the columns Shards(M, workers)[k] of w and computes the same
// columns of the product. Side by side the blocks are x·w. A worker without columns has an empty matrix, new(mat.Dense).
// It panics if the shapes do not match or workers is not positive. Source: Shoeybi et al. 2019.
func ColumnParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	panic("TODO: ColumnParallel")
}

// RowParallel returns x·w in partial sums, x N×D and w D×M: worker k holds the rows Shards(D, workers)[k] of w and the same columns of x. The
// sum of the N×M results is x·w; a worker without rows has zeros. It panics if the shapes do not match or workers is not positive.
// Source: Shoeybi et al. 2019.
func RowParallel(x, w *mat.Dense, workers int) []*mat.Dense {
	panic("TODO: RowParallel")
}

// MLPShard returns what worker rank of world contributes to the perceptron relu(x·A)·B, x N×D, A D×H, B H×M: it holds the hidden
// units Shards(H, world)[rank] and no other weights than theirs. The N×M contributions sum to relu(x·A)·B; a worker without hidden
// units contributes zeros. It panics if the shapes do not match or rank is not in [0, world). Source: Shoeybi et al. 2019.
func MLPShard(x, a, b *mat.Dense, rank, world int) *mat.Dense {
	panic("TODO: MLPShard")
}

// MergeStats returns the mean and the biased variance (÷ N) of every feature over all N = Σ n[k] rows from those of the shards: n[k]
// rows with mean[k] and biased variance[k]. A shard without rows counts for nothing, whatever its values, NaN and nil included. The result is right
// where the means are far from 0 too. It panics if n, mean and variance differ in length, if an n is negative or all are 0, or if the shards with rows differ in
// their number of features.
func MergeStats(n []int, mean, variance [][]float64) (m, v []float64) {
	panic("TODO: MergeStats")
}

// Bubble returns the share of all stage-ticks in which a stage of the schedule is idle, in [0, 1). It panics if stages or
// microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Bubble(stages, microbatches int) float64 {
	panic("TODO: Bubble")
}

// Schedule returns the forward half of GPipe's schedule: Schedule(…)[stage][tick] is the microbatch that the stage works on in that tick, or
// −1 where it is idle. A stage takes a tick for a microbatch, takes the microbatches in order, and starts each as soon as the stage before has
// ended it. All rows are as long as the last stage needs. It panics if stages or microbatches is not positive. Source: Huang et al. 2019 (GPipe).
func Schedule(stages, microbatches int) [][]int {
	panic("TODO: Schedule")
}

// RingWorker is one of world workers that together replace every worker's v, in place, by the sum of all. Worker rank sends to worker
// rank+1 and receives from rank−1, modulo world, 2·(world−1) messages each: first its own chunk Shards(len(v), world)[rank], then in each step
// the chunk that it received in the step before, summed so far in the first half, complete in the second. In each step it sends, then it receives. An empty
// chunk is a message too. What it sends are copies, no part of v. The workers run at the same time, each in its own goroutine; a channel has room for 2·world messages. It closes send when
// it returns or panics, so that a failure travels round the ring and no worker waits for ever, and does not wait for recv to be closed. It panics if rank is
// not in [0, world), if a message does not have the expected length, or if recv is closed before the last message.
// Source: Patarasuk and Yuan 2009.
func RingWorker(rank, world int, v []float64, send chan<- []float64, recv <-chan []float64) {
	panic("TODO: RingWorker")
}
